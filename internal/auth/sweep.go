package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

const (
	sweepBatch = 100
	keepEnded  = 7 * 24 * time.Hour // ended sessions and invites are kept this long, for whoever looks into something
)

// Sweep removes guests who have not been here for 30 days (they leave their rooms first, which is an entry like
// any other leaving), and deletes sessions and invites that ended long ago. It may run on several nodes at once.
func (s *Service) Sweep(ctx context.Context) error {
	now := time.Now()
	for {
		ids, err := s.store.IdleGuests(ctx, now.Add(-chat.GuestLifetime), sweepBatch)
		if err != nil {
			return fmt.Errorf("find idle guests: %w", err)
		}
		for _, id := range ids {
			if err := s.removeGuest(ctx, id); err != nil {
				return fmt.Errorf("remove guest %s: %w", id, err)
			}
		}
		if len(ids) < sweepBatch {
			break
		}
	}
	if err := s.store.Prune(ctx, now.Add(-keepEnded)); err != nil {
		return fmt.Errorf("prune sessions and invites: %w", err)
	}
	return nil
}

func (s *Service) removeGuest(ctx context.Context, id string) error {
	revoked, err := s.store.Revoke(ctx, id, "", "")
	if err != nil {
		return err
	}
	s.notifyRevoked(ctx, revoked)
	for {
		rooms, _, err := s.store.RoomsOf(ctx, id, chat.Paging{Limit: sweepBatch})
		if err != nil {
			return err
		}
		if len(rooms) == 0 {
			break
		}
		for _, room := range rooms {
			_, err := s.cfg.Relay.Do(ctx, chat.Draft{
				RoomID: room.ID, SenderID: id, Kind: chat.KindMemberLeft, At: time.Now(), Leave: &chat.MemberLeft{UserID: id},
			})
			if err != nil && !errors.Is(err, chat.ErrNotAMember) {
				return err
			}
		}
	}
	_, err = s.store.DeleteUser(ctx, id)
	if errors.Is(err, chat.ErrNotFound) { // another node was faster
		return nil
	}
	return err
}
