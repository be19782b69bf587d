package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"math"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// Find implements chat.Entries. It asks on the connection that writes: its cache stands, while that of a reader is
// void after every commit, and whoever asks is about to append.
func (s *Store) Find(ctx context.Context, keys []chat.Key) (map[chat.Key]chat.Entry, error) {
	c, err := s.writer.take(ctx)
	if err != nil {
		return nil, classify("find entries", err)
	}
	defer s.writer.put(c)
	found := make(map[chat.Key]chat.Entry)
	for _, k := range keys {
		scan := entryScan{roomID: k.RoomID}
		ok, err := c.row(`SELECT `+entryColumns+` FROM users u INDEXED BY users_looked_at JOIN rooms r JOIN entries e
			ON e.room = r.num AND e.sender = u.num AND e.client_id = ? WHERE r.id = ? AND u.id = ?`,
			[]any{k.ClientID, k.RoomID, k.SenderID}, scan.dest()...)
		if err != nil {
			return nil, classify("find entries", err)
		}
		if ok {
			found[k] = scan.entry()
		}
	}
	return found, nil
}

// head reads where a room that is not deleted stands. chat.ErrNoRoom.
func (c *conn) head(roomID string) (room int64, head chat.Position, err error) {
	found, err := c.row(`SELECT num, head_seq, head_id FROM rooms WHERE id = ? AND deleted_at IS NULL`,
		[]any{roomID}, &room, &head.Seq, &head.ID)
	if err == nil && !found {
		err = chat.ErrNoRoom
	}
	return room, head, err
}

func (c *conn) epoch() (epoch string, err error) {
	_, err = c.row(`SELECT value FROM meta WHERE key = 'epoch'`, nil, &epoch)
	return epoch, err
}

// Load implements chat.Entries.
func (s *Store) Load(ctx context.Context, roomID string, n int) (live chat.Live, err error) {
	err = s.read(ctx, "load room", func(c *conn) error {
		room, head, err := c.head(roomID)
		if err != nil {
			return err
		}
		live.Head = head
		if live.Epoch, err = c.epoch(); err != nil {
			return err
		}
		if live.Entries, err = c.before(roomID, room, math.MaxInt64, n); err != nil {
			return err
		}
		return c.each(`SELECT u.id FROM members m JOIN users u ON u.num = m.user WHERE m.room = ?`,
			[]any{room}, func(rows *sql.Rows) error {
				var id string
				if err := rows.Scan(&id); err != nil {
					return err
				}
				live.Members = append(live.Members, id)
				return nil
			})
	})
	return live, err
}

// known reports whether a room's log has a position (RES3).
func (c *conn) known(room int64, p chat.Position) (bool, error) {
	if p.Seq == 0 {
		return p.Matches(chat.Position{}), nil
	}
	var id string
	found, err := c.row(`SELECT message_id FROM entries WHERE room = ? AND seq = ?`, []any{room, p.Seq}, &id)
	return found && p.Matches(chat.Position{Seq: p.Seq, ID: id}), err
}

// After implements chat.Entries.
func (s *Store) After(ctx context.Context, roomID string, from chat.Position, limit int) (run chat.Run, err error) {
	err = s.read(ctx, "read entries", func(c *conn) error {
		room, head, err := c.head(roomID)
		if err != nil {
			return err
		}
		run.Head = head
		if run.Epoch, err = c.epoch(); err != nil {
			return err
		}
		if run.Known, err = c.known(room, from); err != nil || !run.Known || from.Seq == head.Seq {
			return err
		}
		run.Entries, err = c.after(roomID, room, from.Seq, limit)
		return err
	})
	return run, err
}

// Page implements chat.Entries.
func (s *Store) Page(ctx context.Context, roomID, userID string, q chat.PageQuery) (page chat.Page, err error) {
	q.Limit = min(max(q.Limit, 1), chat.MaxPage)
	err = s.read(ctx, "read history", func(c *conn) error {
		m, err := c.membership(roomID, userID)
		if err != nil {
			return err
		}
		if page.Entries, page.More, err = c.page(roomID, m.room, q); err != nil {
			return err
		}
		page.Users, err = c.users(chat.Named(page.Entries))
		return err
	})
	return page, err
}

func (c *conn) page(roomID string, room int64, q chat.PageQuery) (entries []chat.Entry, more bool, err error) {
	if q.After > 0 || q.FromStart {
		return c.next(roomID, room, q.After, q.Limit)
	}
	end, newer := int64(math.MaxInt64), []chat.Entry(nil)
	switch {
	case q.Before > 0:
		end = q.Before
	case q.Around > 0:
		end = q.Around
		if newer, err = c.after(roomID, room, q.Around-1, q.Limit); err != nil {
			return nil, false, err
		}
	}
	older, err := c.before(roomID, room, end, q.Limit+1)
	if err != nil {
		return nil, false, err
	}
	// Half of what is around comes after; more, where there is not enough before.
	newer = newer[:min(len(newer), max(q.Limit-q.Limit/2, q.Limit-len(older)))]
	if spare := len(older) + len(newer) - q.Limit; spare > 0 {
		older, more = older[spare:], true
	}
	return append(older, newer...), more, nil
}

// next is a page after a number, and whether there is more after it.
func (c *conn) next(roomID string, room, seq int64, limit int) ([]chat.Entry, bool, error) {
	entries, err := c.after(roomID, room, seq, limit+1)
	if len(entries) > limit {
		return entries[:limit], true, err
	}
	return entries, false, err
}

// Open implements chat.Entries.
func (s *Store) Open(ctx context.Context, roomID, userID string, after *chat.Position, limit int) (o chat.Opened, err error) {
	err = s.read(ctx, "open room", func(c *conn) error {
		view, err := c.view(roomID, userID)
		if err != nil {
			return chat.MembersOnly(err)
		}
		if view.Role == "" {
			return chat.ErrNotAMember
		}
		o.Room = view.RoomView
		if after == nil {
			o.Entries, o.More, err = c.page(roomID, view.num, chat.PageQuery{Limit: limit})
		} else if o.Recovered, err = c.known(view.num, *after); o.Recovered {
			o.Entries, o.More, err = c.next(roomID, view.num, after.Seq, limit)
		}
		if err != nil {
			return err
		}
		if o.Users, err = c.users(chat.Named(o.Entries)); err != nil || o.Room.MemberCount > chat.CrowdedRoom {
			return err
		}
		o.Reads, err = c.reads(view.num)
		return err
	})
	return o, err
}

func (c *conn) reads(room int64) (reads []chat.Read, err error) {
	err = c.each(`SELECT u.id, m.last_read_seq FROM members m JOIN users u ON u.num = m.user WHERE m.room = ?`,
		[]any{room}, func(rows *sql.Rows) error {
			var r chat.Read
			if err := rows.Scan(&r.UserID, &r.Seq); err != nil {
				return err
			}
			reads = append(reads, r)
			return nil
		})
	return reads, err
}

const (
	compareHeads = `SELECT r.id, r.head_seq, r.head_id FROM json_each(?) j JOIN rooms r ON r.id = j.value
		WHERE r.deleted_at IS NULL`
	compareVersions = `SELECT u.id, u.rooms_version FROM json_each(?) j JOIN users u INDEXED BY users_looked_at ON u.id = j.value
		WHERE u.deleted_at IS NULL`
)

// Compare implements chat.Entries.
func (s *Store) Compare(ctx context.Context, q chat.CompareQuery) (chat.Comparison, error) {
	now := time.Now()
	if q.Silent {
		if err := s.markSilent(ctx, q.Node, now); err != nil {
			return chat.Comparison{}, err
		}
	}
	got := chat.Comparison{
		Heads:    make(map[string]chat.Position, len(q.Rooms)),
		Versions: make(map[string]int64, len(q.Users)),
	}
	rooms, err := json.Marshal(q.Rooms)
	if err != nil {
		return got, err
	}
	users, err := json.Marshal(q.Users)
	if err != nil {
		return got, err
	}
	err = s.read(ctx, "compare", func(c *conn) error {
		var id string
		if got.Epoch, err = c.epoch(); err != nil {
			return err
		}
		if _, err := c.row(`SELECT EXISTS (SELECT 1 FROM silent_nodes WHERE until > ?)`,
			[]any{now.UnixMilli()}, &got.Silent); err != nil {
			return err
		}
		err := c.each(compareHeads, []any{string(rooms)}, func(rows *sql.Rows) error {
			var head chat.Position
			if err := rows.Scan(&id, &head.Seq, &head.ID); err != nil {
				return err
			}
			got.Heads[id] = head
			return nil
		})
		if err != nil {
			return err
		}
		return c.each(compareVersions, []any{string(users)}, func(rows *sql.Rows) error {
			var version int64
			if err := rows.Scan(&id, &version); err != nil {
				return err
			}
			got.Versions[id] = version
			return nil
		})
	})
	return got, err
}

func (s *Store) markSilent(ctx context.Context, node string, now time.Time) error {
	return s.write(ctx, "mark silent", func(c *conn) error {
		_, err := c.exec(`INSERT INTO silent_nodes (node, until) VALUES (?, ?)
			ON CONFLICT (node) DO UPDATE SET until = excluded.until`, node, now.Add(chat.SilentTTL).UnixMilli())
		return err
	})
}
