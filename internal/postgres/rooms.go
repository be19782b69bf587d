package postgres

import (
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/cursor"
)

// viewColumns are what scanView reads: a room r, its last entry e with the sender u, the membership m.
const viewColumns = `r.num, r.id, r.name, r.topic, r.visibility, r.created_at, r.member_count, r.head_seq, r.head_id,
	r.active_at, coalesce(m.role, ''), coalesce(m.last_read_seq, 0), ` + unreadCount + `, ` + lastColumns

// unreadCount walks the log from the first unread entry, as far as anybody wants to know (SIG3).
const unreadCount = `(SELECT count(*) FROM (SELECT 1 FROM entries x WHERE x.room = r.num
	AND x.kind = 'text' AND x.seq > m.last_read_seq AND x.sender <> m.user_num
	ORDER BY x.seq LIMIT 100) unread)`

// lastColumns are entryColumns of a room that may have none.
const lastColumns = `coalesce(e.seq, 0), coalesce(e.prev_seq, 0), coalesce(e.prev_id, ''), coalesce(e.message_id, ''),
	coalesce(e.client_id, ''), coalesce(u.id, ''), coalesce(e.kind, ''), coalesce(e.body, ''), e.data, coalesce(e.at, 0)`

// viewJoins complete a room r and a membership m to viewColumns.
const viewJoins = ` LEFT JOIN entries e ON e.room = r.num AND e.seq = r.head_seq LEFT JOIN users u ON u.num = e.sender `

// view is a room with the number it has here.
type view struct {
	chat.RoomView
	num, active int64
}

func scanView(row pgx.Row) (view, error) {
	var v view
	var created int64
	e, err := scanEntry(before{row, []any{
		&v.num, &v.ID, &v.Name, &v.Topic, &v.Visibility, &created, &v.MemberCount, &v.Head.Seq, &v.Head.ID,
		&v.active, &v.Role, &v.LastReadSeq, &v.UnreadCount,
	}}, "")
	v.CreatedAt = moment(created)
	if e.Seq != 0 {
		e.RoomID = v.ID
		v.LastEntry = &e
	}
	return v, err
}

const viewOfRoom = `SELECT ` + viewColumns + ` FROM rooms r
	LEFT JOIN members m ON m.room = r.num AND m.user_num = (SELECT num FROM users WHERE id = $2)` + viewJoins + `
	WHERE r.id = $1 AND r.deleted_at IS NULL`

// queueView reads a room as a user sees it, whoever that is, and hands it to use. chat.ErrNoRoom.
func queueView(batch *pgx.Batch, roomID, userID string, use func(view) error) {
	batch.Queue(viewOfRoom, roomID, userID).Query(func(rows pgx.Rows) error {
		var found []view
		if err := collect(&found, scanView)(rows); err != nil {
			return err
		}
		if len(found) == 0 {
			return chat.ErrNoRoom
		}
		return use(found[0])
	})
}

// viewsOfUser sorts a user's rooms before it looks at what is in them.
const viewsOfUser = `SELECT ` + viewColumns + ` FROM (
		SELECT m.* FROM members m JOIN rooms r ON r.num = m.room
		WHERE m.user_num = (SELECT num FROM users WHERE id = $1 AND deleted_at IS NULL) AND (r.active_at, r.num) < ($2, $3)
		ORDER BY r.active_at DESC, r.num DESC LIMIT $4) m
	JOIN rooms r ON r.num = m.room` + viewJoins + `ORDER BY r.active_at DESC, r.num DESC`

// roomPage is a page of a collection of rooms that is being read.
type roomPage struct {
	chat.Paging
	of    string
	key   func(view) cursor.Key
	views []view
}

// queueRoomsOf reads a user's rooms after a cursor, the last active first.
func queueRoomsOf(batch *pgx.Batch, userID string, p chat.Paging) (*roomPage, error) {
	after := cursor.Key{Num: math.MaxInt64, Sub: math.MaxInt64}
	if err := after.Unseal("rooms", p.Cursor); err != nil {
		return nil, err
	}
	page := &roomPage{Paging: p, of: "rooms", key: func(v view) cursor.Key { return cursor.Key{Num: v.active, Sub: v.num} }}
	batch.Queue(viewsOfUser, userID, after.Num, after.Sub, cursor.Size(p)+1).Query(collect(&page.views, scanView))
	return page, nil
}

// rooms leaves out what only this package knows of rooms.
func (p *roomPage) rooms() ([]chat.RoomView, string) {
	views, next := cursor.Cut(p.views, p.Paging, p.of, p.key)
	rooms := make([]chat.RoomView, len(views))
	for i := range views {
		rooms[i] = views[i].RoomView
	}
	return rooms, next
}

const readVisitor = `SELECT ` + userColumns + `, ` + epoch + ` FROM users u JOIN sessions s ON s.user_num = u.num
	WHERE u.id = $1 AND u.deleted_at IS NULL AND s.id = $2 AND s.revoked_at IS NULL AND s.expires_at > $3`

// Snapshot implements chat.Rooms.
func (s *Store) Snapshot(ctx context.Context, userID, sessionID string) (chat.Snapshot, error) {
	batch := &pgx.Batch{}
	var snap chat.Snapshot
	batch.Queue(readVisitor, userID, sessionID, time.Now().UnixMilli()).QueryRow(func(row pgx.Row) error {
		var u account
		err := u.scan(row, &snap.Epoch)
		snap.User, snap.Version = u.User, u.version
		return orElse(err, chat.ErrRevoked)
	})
	page, err := queueRoomsOf(batch, userID, chat.Paging{Limit: chat.MaxRooms})
	if err != nil {
		return snap, err
	}
	if err := s.read(ctx, "read snapshot", batch); err != nil {
		return chat.Snapshot{}, err
	}
	snap.Rooms, snap.More = page.rooms()
	return snap, nil
}

// Room implements chat.Rooms.
func (s *Store) Room(ctx context.Context, roomID, userID string) (chat.RoomView, error) {
	batch := &pgx.Batch{}
	var room chat.RoomView
	queueView(batch, roomID, userID, func(v view) error {
		if v.Role == "" && v.Visibility != chat.Public {
			return chat.ErrNoRoom
		}
		room = v.RoomView
		return nil
	})
	err := s.read(ctx, "read room", batch)
	return room, err
}

// RoomsOf implements chat.Rooms.
func (s *Store) RoomsOf(ctx context.Context, userID string, p chat.Paging) ([]chat.RoomView, string, error) {
	batch := &pgx.Batch{}
	page, err := queueRoomsOf(batch, userID, p)
	if err != nil {
		return nil, "", err
	}
	if err := s.read(ctx, "list rooms", batch); err != nil {
		return nil, "", err
	}
	rooms, next := page.rooms()
	return rooms, next, nil
}

const publicRooms = `SELECT ` + viewColumns + ` FROM rooms r
	LEFT JOIN members m ON m.room = r.num AND m.user_num = (SELECT num FROM users WHERE id = $1)` + viewJoins + `
	WHERE r.visibility = 'public' AND r.deleted_at IS NULL AND strpos(r.folded_name, $2) > 0
		AND (r.folded_name, r.num) > ($3, $4)
	ORDER BY r.folded_name, r.num LIMIT $5`

// PublicRooms implements chat.Rooms: those with the query in their name, by name.
func (s *Store) PublicRooms(ctx context.Context, userID, query string, p chat.Paging) ([]chat.RoomView, string, error) {
	var after cursor.Key
	if err := after.Unseal("public", p.Cursor); err != nil {
		return nil, "", err
	}
	batch := &pgx.Batch{}
	page := &roomPage{Paging: p, of: "public", key: func(v view) cursor.Key { return cursor.Key{Name: fold(v.Name), Num: v.num} }}
	batch.Queue(publicRooms, userID, fold(query), after.Name, after.Num, cursor.Size(p)+1).Query(collect(&page.views, scanView))
	if err := s.read(ctx, "list public rooms", batch); err != nil {
		return nil, "", err
	}
	rooms, next := page.rooms()
	return rooms, next, nil
}

// lockRoom locks one room that is not deleted, as Append does, for what only its members may do. chat.ErrNotAMember.
func lockRoom(ctx context.Context, tx pgx.Tx, roomID string) (num int64, err error) {
	err = tx.QueryRow(ctx, `SELECT num FROM rooms WHERE id = $1 AND deleted_at IS NULL FOR UPDATE`, roomID).Scan(&num)
	return num, orElse(err, chat.ErrNotAMember)
}

// DeleteRoom implements chat.Rooms.
func (s *Store) DeleteRoom(ctx context.Context, roomID, userID string) (members []string, err error) {
	err = s.write(ctx, "delete room", func(ctx context.Context, tx pgx.Tx) error {
		room, err := lockRoom(ctx, tx, roomID)
		if err != nil {
			return err
		}
		m, err := findMember(ctx, tx, roomID, userID)
		if err != nil {
			return err
		}
		if m.role != chat.RoleOwner {
			return chat.ErrForbidden
		}
		batch := &pgx.Batch{}
		batch.Queue(`UPDATE users SET rooms_version = rooms_version + 1
			WHERE num IN (SELECT user_num FROM members WHERE room = $1) RETURNING id`, room).Query(collect(&members, scanString))
		batch.Queue(`DELETE FROM members WHERE room = $1`, room)
		batch.Queue(`DELETE FROM invites WHERE room = $1`, room)
		batch.Queue(`UPDATE rooms SET deleted_at = $2, member_count = 0 WHERE num = $1`, room, time.Now().UnixMilli())
		return tx.SendBatch(ctx, batch).Close()
	})
	if err != nil {
		return nil, err
	}
	return members, nil
}
