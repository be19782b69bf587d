package sqlite

import (
	"context"
	"database/sql"
	"math"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/cursor"
)

// viewColumns are what a viewScan reads: a room r, its last entry e with the sender u, the membership m.
const viewColumns = `r.num, r.id, r.name, r.topic, r.visibility, r.created_at, r.member_count, r.head_seq, r.head_id,
	r.active_at, m.role, m.last_read_seq, ` + unreadCount + `, ` + entryColumns

// unreadCount walks the log from the first unread entry, as far as anybody wants to know (SIG3).
const unreadCount = `(SELECT count(*) FROM (SELECT 1 FROM entries x WHERE x.room = r.num
	AND x.kind = 'text' AND x.seq > m.last_read_seq AND x.sender <> m.user LIMIT 100))`

// viewJoins complete a room r and a membership m to viewColumns.
const viewJoins = ` LEFT JOIN entries e ON e.room = r.num AND e.seq = r.head_seq LEFT JOIN users u ON u.num = e.sender `

// view is a room with the number it has here.
type view struct {
	chat.RoomView
	num, active int64
}

func scanView(scan func(...any) error) (view, error) {
	var v view
	var created int64
	var role sql.NullString
	var read sql.NullInt64
	var last entryScan
	dest := []any{
		&v.num, &v.ID, &v.Name, &v.Topic, &v.Visibility, &created, &v.MemberCount, &v.Head.Seq, &v.Head.ID,
		&v.active, &role, &read, &v.UnreadCount,
	}
	if err := scan(append(dest, last.dest()...)...); err != nil {
		return v, err
	}
	v.CreatedAt, v.Role, v.LastReadSeq = moment(created), chat.Role(role.String), read.Int64
	if last.seq.Valid {
		last.roomID = v.ID
		e := last.entry()
		v.LastEntry = &e
	}
	return v, nil
}

// views reads the rooms of a query of viewColumns.
func (c *conn) views(query string, args ...any) ([]view, error) {
	var views []view
	err := c.each(query, args, func(rows *sql.Rows) error {
		v, err := scanView(rows.Scan)
		views = append(views, v)
		return err
	})
	return views, err
}

const viewOfRoom = `SELECT ` + viewColumns + ` FROM rooms r
	LEFT JOIN members m ON m.room = r.num AND m.user = (SELECT num FROM users WHERE id = ?)` + viewJoins + `
	WHERE r.id = ? AND r.deleted_at IS NULL`

// view reads a room as a user sees it, whoever that is. chat.ErrNoRoom.
func (c *conn) view(roomID, userID string) (view, error) {
	views, err := c.views(viewOfRoom, userID, roomID)
	if err != nil {
		return view{}, err
	}
	if len(views) == 0 {
		return view{}, chat.ErrNoRoom
	}
	return views[0], nil
}

// viewsOfUser sorts a user's rooms before it looks at what is in them.
const viewsOfUser = `SELECT ` + viewColumns + ` FROM (
		SELECT m.* FROM members m JOIN rooms r ON r.num = m.room
		WHERE m.user = ? AND (r.active_at, r.num) < (?, ?)
		ORDER BY r.active_at DESC, r.num DESC LIMIT ?) m
	JOIN rooms r ON r.num = m.room` + viewJoins + `ORDER BY r.active_at DESC, r.num DESC`

// roomsOf reads a user's rooms after a cursor, the last active first.
func (c *conn) roomsOf(user int64, p chat.Paging) ([]chat.RoomView, string, error) {
	after := cursor.Key{Num: math.MaxInt64, Sub: math.MaxInt64}
	if err := after.Unseal("rooms", p.Cursor); err != nil {
		return nil, "", err
	}
	views, err := c.views(viewsOfUser, user, after.Num, after.Sub, cursor.Size(p)+1)
	page, next := cursor.Cut(views, p, "rooms", func(v view) cursor.Key { return cursor.Key{Num: v.active, Sub: v.num} })
	return plain(page), next, err
}

// plain leaves out what only this package knows of rooms.
func plain(views []view) []chat.RoomView {
	rooms := make([]chat.RoomView, len(views))
	for i := range views {
		rooms[i] = views[i].RoomView
	}
	return rooms
}

// Snapshot implements chat.Rooms.
func (s *Store) Snapshot(ctx context.Context, userID, sessionID string) (snap chat.Snapshot, err error) {
	err = s.read(ctx, "read snapshot", func(c *conn) error {
		ses, err := c.session(sessionID, time.Now())
		if err != nil {
			return err
		}
		u, err := c.user(userID)
		if err != nil {
			return err
		}
		if u.num == 0 || ses.UserID != userID {
			return chat.ErrRevoked
		}
		snap.User, snap.Version = u.User, u.version
		if snap.Epoch, err = c.epoch(); err != nil {
			return err
		}
		snap.Rooms, snap.More, err = c.roomsOf(u.num, chat.Paging{Limit: chat.MaxRooms})
		return err
	})
	return snap, err
}

// Room implements chat.Rooms.
func (s *Store) Room(ctx context.Context, roomID, userID string) (chat.RoomView, error) {
	var v view
	err := s.read(ctx, "read room", func(c *conn) (err error) {
		if v, err = c.view(roomID, userID); err == nil && v.Role == "" && v.Visibility != chat.Public {
			return chat.ErrNoRoom
		}
		return err
	})
	if err != nil {
		return chat.RoomView{}, err
	}
	return v.RoomView, nil
}

// RoomsOf implements chat.Rooms.
func (s *Store) RoomsOf(ctx context.Context, userID string, p chat.Paging) (rooms []chat.RoomView, next string, err error) {
	err = s.read(ctx, "list rooms", func(c *conn) error {
		u, err := c.user(userID)
		if err != nil {
			return err
		}
		rooms, next, err = c.roomsOf(u.num, p)
		return err
	})
	return rooms, next, err
}

const publicRooms = `SELECT ` + viewColumns + ` FROM rooms r
	LEFT JOIN members m ON m.room = r.num AND m.user = (SELECT num FROM users WHERE id = ?)` + viewJoins + `
	WHERE r.visibility = 'public' AND r.deleted_at IS NULL AND instr(r.folded_name, ?) > 0
		AND (r.folded_name, r.num) > (?, ?)
	ORDER BY r.folded_name, r.num LIMIT ?`

// PublicRooms implements chat.Rooms: those with the query in their name, by name.
func (s *Store) PublicRooms(ctx context.Context, userID, query string, p chat.Paging) (rooms []chat.RoomView, next string, err error) {
	var after cursor.Key
	if err := after.Unseal("public", p.Cursor); err != nil {
		return nil, "", err
	}
	err = s.read(ctx, "list public rooms", func(c *conn) error {
		views, err := c.views(publicRooms, userID, fold(query), after.Name, after.Num, cursor.Size(p)+1)
		page, end := cursor.Cut(views, p, "public", func(v view) cursor.Key { return cursor.Key{Name: fold(v.Name), Num: v.num} })
		rooms, next = plain(page), end
		return err
	})
	return rooms, next, err
}

// DeleteRoom implements chat.Rooms.
func (s *Store) DeleteRoom(ctx context.Context, roomID, userID string) (members []string, err error) {
	err = s.write(ctx, "delete room", func(c *conn) error {
		m, err := c.membership(roomID, userID)
		if err != nil {
			return err
		}
		if m.role != chat.RoleOwner {
			return chat.ErrForbidden
		}
		room := m.room
		members, err = c.strings(`SELECT u.id FROM members m JOIN users u ON u.num = m.user WHERE m.room = ?`, room)
		if err != nil {
			return err
		}
		for _, statement := range []string{
			`UPDATE users SET rooms_version = rooms_version + 1 WHERE num IN (SELECT user FROM members WHERE room = ?)`,
			`DELETE FROM members WHERE room = ?`,
			`DELETE FROM invites WHERE room = ?`,
		} {
			if _, err := c.exec(statement, room); err != nil {
				return err
			}
		}
		_, err = c.exec(`UPDATE rooms SET deleted_at = ?, member_count = 0 WHERE num = ?`, time.Now().UnixMilli(), room)
		return err
	})
	if err != nil {
		return nil, err
	}
	return members, nil
}
