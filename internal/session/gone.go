package session

import (
	"context"
	"errors"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

// partingWithin is how many entries after the last one that a client has are looked through for its user's parting:
// mostly it is the next one, as nothing is pushed after it.
const partingWithin = 200

// parting says why the user of a run of entries, ascending, is out of the room since a number; "" where no entry does.
func parting(entries []chat.Entry, userID string, since int64) string {
	reason := ""
	for i := range entries {
		e := &entries[i]
		if e.Seq <= since || e.Kind != chat.KindMemberLeft || e.Subject() != userID {
			continue
		}
		reason = wire.ReasonRemoved
		if e.SenderID == userID {
			reason = wire.ReasonLeft
		}
	}
	return reason
}

// whyGone finds out why a room is not the user's any more: the list was read before the hub heard of it.
func (s *Session) whyGone(roomID string) string {
	ctx, cancel := s.context()
	defer cancel()
	live, err := s.srv.cfg.Store.Load(ctx, roomID, openEntries)
	if errors.Is(err, chat.ErrNoRoom) {
		return wire.ReasonDeleted
	}
	if reason := parting(live.Entries, s.userID, 0); reason != "" {
		return reason
	}
	return wire.ReasonRemoved
}

// whyGoneSince finds out why a room that a client names is not its user's. A client that knows the id of an entry has
// been in the room; to one that does not, and that no entry names, a private room looks as if there were none.
func (srv *Server) whyGoneSince(ctx context.Context, userID string, r Resume) string {
	run, err := srv.cfg.Store.After(ctx, r.RoomID, r.At, partingWithin)
	switch reason := parting(run.Entries, userID, r.At.Seq); {
	case errors.Is(err, chat.ErrNoRoom):
		return wire.ReasonDeleted
	case err != nil:
		srv.log.Warn("reading why a room is not somebody's any more failed", "room", r.RoomID, "user", userID, "err", err)
		return wire.ReasonRemoved
	case reason != "":
		return reason
	case run.Known && r.At.ID != "":
		return wire.ReasonRemoved
	default:
		return wire.ReasonDeleted
	}
}
