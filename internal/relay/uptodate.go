package relay

import (
	"context"

	"github.com/gochat-dev/gochat/internal/chat"
)

// UpToDate is a store as this node's people see it: what they have read here counts, whether it is saved yet or not
// (SIG2). Otherwise who reads and reloads within the second would be told that it is unread.
func (r *Relay) UpToDate(store chat.Store) chat.Store { return upToDate{store, r} }

// upToDate lays the positions that are not saved yet over what the store says. They are taken before the store is
// read: what is gone from them by then, the store has.
type upToDate struct {
	chat.Store
	relay *Relay
}

// Snapshot implements chat.Rooms.
func (u upToDate) Snapshot(ctx context.Context, userID, sessionID string) (chat.Snapshot, error) {
	read := u.relay.reads.user(userID)
	snap, err := u.Store.Snapshot(ctx, userID, sessionID)
	u.lay(ctx, userID, read, snap.Rooms)
	return snap, err
}

// Room implements chat.Rooms.
func (u upToDate) Room(ctx context.Context, roomID, userID string) (chat.RoomView, error) {
	read := u.relay.reads.user(userID)
	view, err := u.Store.Room(ctx, roomID, userID)
	u.layOver(ctx, userID, read, &view)
	return view, err
}

// RoomsOf implements chat.Rooms.
func (u upToDate) RoomsOf(ctx context.Context, userID string, p chat.Paging) ([]chat.RoomView, string, error) {
	read := u.relay.reads.user(userID)
	rooms, next, err := u.Store.RoomsOf(ctx, userID, p)
	u.lay(ctx, userID, read, rooms)
	return rooms, next, err
}

// PublicRooms implements chat.Rooms.
func (u upToDate) PublicRooms(ctx context.Context, userID, query string, p chat.Paging) ([]chat.RoomView, string, error) {
	read := u.relay.reads.user(userID)
	rooms, next, err := u.Store.PublicRooms(ctx, userID, query, p)
	u.lay(ctx, userID, read, rooms)
	return rooms, next, err
}

// Open implements chat.Entries.
func (u upToDate) Open(ctx context.Context, roomID, userID string, after *chat.Position, limit int) (chat.Opened, error) {
	read := u.relay.reads.room(roomID)
	opened, err := u.Store.Open(ctx, roomID, userID, after, limit)
	u.layOver(ctx, userID, map[string]int64{roomID: read[userID]}, &opened.Room)
	for i := range opened.Reads {
		r := &opened.Reads[i]
		r.Seq = max(r.Seq, min(read[r.UserID], opened.Room.Head.Seq))
	}
	return opened, err
}

func (u upToDate) lay(ctx context.Context, userID string, read map[string]int64, rooms []chat.RoomView) {
	if len(read) == 0 {
		return
	}
	for i := range rooms {
		u.layOver(ctx, userID, read, &rooms[i])
	}
}

// layOver has a member's view of a room say how far it was read, and what is unread of it. Where the store can't count
// that, it stays as the store has it.
func (u upToDate) layOver(ctx context.Context, userID string, read map[string]int64, view *chat.RoomView) {
	last := min(read[view.ID], view.Head.Seq)
	if view.Role == "" || last <= view.LastReadSeq {
		return
	}
	unread := 0
	if last < view.Head.Seq {
		var err error
		if unread, err = u.Store.Unread(ctx, view.ID, userID, last, view.Head.Seq); err != nil {
			u.relay.log.Warn("counting what is unread failed", "room", view.ID, "user", userID, "err", err)
			return
		}
	}
	view.LastReadSeq, view.UnreadCount = last, unread
}
