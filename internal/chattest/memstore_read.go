package chattest

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// Find implements chat.Entries.
func (m *MemStore) Find(ctx context.Context, keys []chat.Key) (map[chat.Key]chat.Entry, error) {
	found := make(map[chat.Key]chat.Entry)
	return found, m.do(ctx, func(d *memData) error {
		for _, k := range keys {
			if r := d.rooms[k.RoomID]; r != nil {
				if i, ok := r.keys[k]; ok {
					found[k] = r.log[i]
				}
			}
		}
		return nil
	})
}

// room is one that is not deleted. chat.ErrNoRoom.
func (d *memData) room(id string) (*memRoom, error) {
	if r := d.rooms[id]; r != nil && !r.deleted {
		return r, nil
	}
	return nil, chat.ErrNoRoom
}

// roomOf is a room with a member. chat.ErrNotAMember.
func (d *memData) roomOf(id, userID string) (*memRoom, error) {
	if r := d.rooms[id]; r != nil && r.role(userID) != "" {
		return r, nil
	}
	return nil, chat.ErrNotAMember
}

// Load implements chat.Entries.
func (m *MemStore) Load(ctx context.Context, roomID string, n int) (live chat.Live, err error) {
	err = m.do(ctx, func(d *memData) error {
		r, err := d.room(roomID)
		if err != nil {
			return err
		}
		live.Head, live.Epoch = r.Head, d.epoch
		live.Entries = slices.Clone(r.log[max(0, len(r.log)-n):])
		for id := range r.members {
			live.Members = append(live.Members, id)
		}
		return nil
	})
	return live, err
}

// index is where the first entry after a number stands.
func (r *memRoom) index(seq int64) int {
	i, found := slices.BinarySearchFunc(r.log, seq, func(e chat.Entry, seq int64) int { return cmp.Compare(e.Seq, seq) })
	if found {
		i++
	}
	return i
}

// known reports whether the log has a position.
func (r *memRoom) known(p chat.Position) bool {
	if p.Seq == 0 {
		return p.Matches(chat.Position{})
	}
	i := r.index(p.Seq)
	return i > 0 && r.log[i-1].Position().Matches(p)
}

// next is a page after a number, and whether there is more.
func (r *memRoom) next(seq int64, limit int) ([]chat.Entry, bool) {
	rest := r.log[r.index(seq):]
	n := min(limit, len(rest))
	return slices.Clone(rest[:n]), n < len(rest)
}

// After implements chat.Entries.
func (m *MemStore) After(ctx context.Context, roomID string, from chat.Position, limit int) (run chat.Run, err error) {
	err = m.do(ctx, func(d *memData) error {
		r, err := d.room(roomID)
		if err != nil {
			return err
		}
		run = chat.Run{Known: r.known(from), Head: r.Head, Epoch: d.epoch}
		if run.Known {
			run.Entries, _ = r.next(from.Seq, limit)
		}
		return nil
	})
	return run, err
}

// Page implements chat.Entries.
func (m *MemStore) Page(ctx context.Context, roomID, userID string, q chat.PageQuery) (page chat.Page, err error) {
	err = m.do(ctx, func(d *memData) error {
		r, err := d.roomOf(roomID, userID)
		if err != nil {
			return err
		}
		q.Limit = min(max(q.Limit, 1), chat.MaxPage)
		page.Entries, page.More = r.page(q)
		page.Users = d.named(page.Entries)
		return nil
	})
	return page, err
}

func (r *memRoom) page(q chat.PageQuery) ([]chat.Entry, bool) {
	if q.After > 0 || q.FromStart {
		return r.next(q.After, q.Limit)
	}
	end, newer := len(r.log), 0
	switch {
	case q.Before > 0:
		end = r.index(q.Before - 1)
	case q.Around > 0:
		// Half of what is around comes after; more, where there is not enough before.
		end = r.index(q.Around - 1)
		newer = min(len(r.log)-end, max(q.Limit-q.Limit/2, q.Limit-end))
	}
	start := max(0, end+newer-q.Limit)
	return slices.Clone(r.log[start : end+newer]), start > 0
}

// named is everyone named in entries.
func (d *memData) named(entries []chat.Entry) []chat.User {
	seen := make(map[string]bool)
	for i := range entries {
		seen[entries[i].SenderID], seen[entries[i].Subject()] = true, true
		var joined chat.MemberJoined
		if entries[i].Kind == chat.KindMemberJoined && json.Unmarshal(entries[i].Data, &joined) == nil {
			seen[joined.By] = true
		}
	}
	var users []chat.User
	for id := range seen {
		if u := d.users[id]; u != nil {
			users = append(users, u.User)
		}
	}
	return users
}

// Open implements chat.Entries.
func (m *MemStore) Open(ctx context.Context, roomID, userID string, after *chat.Position, limit int) (o chat.Opened, err error) {
	err = m.do(ctx, func(d *memData) error {
		r, err := d.roomOf(roomID, userID)
		if err != nil {
			return err
		}
		o.Room = r.view(userID)
		if after == nil {
			o.Entries, o.More = r.page(chat.PageQuery{Limit: limit})
		} else if o.Recovered = r.known(*after); o.Recovered {
			o.Entries, o.More = r.next(after.Seq, limit)
		}
		o.Users = d.named(o.Entries)
		if r.MemberCount <= chat.CrowdedRoom {
			for id, member := range r.members {
				o.Reads = append(o.Reads, chat.Read{UserID: id, Seq: member.read})
			}
		}
		return nil
	})
	return o, err
}

// view is a room as a user sees it.
func (r *memRoom) view(userID string) chat.RoomView {
	v := chat.RoomView{Room: r.Room}
	if n := len(r.log); n > 0 {
		last := r.log[n-1]
		v.LastEntry = &last
	}
	if member := r.members[userID]; member != nil {
		v.Role, v.LastReadSeq, v.UnreadCount = member.role, member.read, r.unread(userID, member.read, r.Head.Seq)
	}
	return v
}

func (r *memRoom) unread(userID string, after, last int64) int {
	n := 0
	for _, e := range r.log[r.index(after):] {
		if e.Kind == chat.KindText && e.Seq <= last && e.SenderID != userID && n < chat.MaxUnread {
			n++
		}
	}
	return n
}

// Compare implements chat.Entries.
func (m *MemStore) Compare(ctx context.Context, q chat.CompareQuery) (chat.Comparison, error) {
	got := chat.Comparison{Heads: make(map[string]chat.Position), Versions: make(map[string]int64)}
	return got, m.do(ctx, func(d *memData) error {
		now := time.Now()
		if q.Silent {
			d.silent[q.Node] = now.Add(chat.SilentTTL)
		}
		for _, until := range d.silent {
			got.Silent = got.Silent || until.After(now)
		}
		for _, id := range q.Rooms {
			if r, err := d.room(id); err == nil {
				got.Heads[id] = r.Head
			}
		}
		for _, id := range q.Users {
			if u := d.user(id); u != nil {
				got.Versions[id] = u.version
			}
		}
		got.Epoch = d.epoch
		return nil
	})
}

// Room implements chat.Rooms.
func (m *MemStore) Room(ctx context.Context, roomID, userID string) (v chat.RoomView, err error) {
	err = m.do(ctx, func(d *memData) error {
		r, err := d.room(roomID)
		if err != nil || r.Visibility != chat.Public && r.role(userID) == "" {
			return chat.ErrNoRoom
		}
		v = r.view(userID)
		return nil
	})
	return v, err
}

// Snapshot implements chat.Rooms.
func (m *MemStore) Snapshot(ctx context.Context, userID, sessionID string) (snap chat.Snapshot, err error) {
	err = m.do(ctx, func(d *memData) error {
		u, ses := d.user(userID), d.goodSession(sessionID, time.Now())
		if u == nil || ses == nil || ses.UserID != userID {
			return chat.ErrRevoked
		}
		snap.User, snap.Version, snap.Epoch = u.User, u.version, d.epoch
		snap.Rooms, snap.More, err = d.roomsOf(userID, chat.Paging{Limit: chat.MaxRooms})
		return err
	})
	return snap, err
}

// RoomsOf implements chat.Rooms.
func (m *MemStore) RoomsOf(ctx context.Context, userID string, p chat.Paging) (rooms []chat.RoomView, next string, err error) {
	err = m.do(ctx, func(d *memData) error {
		rooms, next, err = d.roomsOf(userID, p)
		return err
	})
	return rooms, next, err
}

func (d *memData) roomsOf(userID string, p chat.Paging) ([]chat.RoomView, string, error) {
	return roomPage(d, userID, "rooms", p, func(r *memRoom) (memKey, bool) {
		return memKey{Num: -r.active.UnixMilli(), Sub: -r.num}, r.role(userID) != ""
	})
}

// PublicRooms implements chat.Rooms.
func (m *MemStore) PublicRooms(ctx context.Context, userID, query string, p chat.Paging) (rooms []chat.RoomView, next string, err error) {
	query = strings.ToLower(query)
	err = m.do(ctx, func(d *memData) error {
		rooms, next, err = roomPage(d, userID, "public", p, func(r *memRoom) (memKey, bool) {
			name := strings.ToLower(r.Name)
			return memKey{Name: name, Sub: r.num}, r.Visibility == chat.Public && strings.Contains(name, query)
		})
		return err
	})
	return rooms, next, err
}

func roomPage(d *memData, userID, of string, p chat.Paging, key func(*memRoom) (memKey, bool)) ([]chat.RoomView, string, error) {
	var all []keyed[*memRoom]
	for _, r := range d.rooms {
		if k, ok := key(r); ok && !r.deleted {
			all = append(all, keyed[*memRoom]{k, r})
		}
	}
	page, next, err := cutPage(all, of, p)
	rooms := make([]chat.RoomView, 0, len(page))
	for _, r := range page {
		rooms = append(rooms, r.view(userID))
	}
	return rooms, next, err
}

// DeleteRoom implements chat.Rooms.
func (m *MemStore) DeleteRoom(ctx context.Context, roomID, userID string) (members []string, err error) {
	err = m.do(ctx, func(d *memData) error {
		r, err := d.roomOf(roomID, userID)
		if err != nil {
			return err
		}
		if r.role(userID) != chat.RoleOwner {
			return chat.ErrForbidden
		}
		for id := range r.members {
			members = append(members, id)
			d.users[id].version++
		}
		clear(r.members)
		r.deleted, r.MemberCount = true, 0
		for code, inv := range d.invites {
			if inv.RoomID == roomID {
				delete(d.invites, code)
			}
		}
		return nil
	})
	return members, err
}
