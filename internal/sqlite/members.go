package sqlite

import (
	"context"
	"database/sql"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/cursor"
)

// membership is one user's place in a room, by number.
type membership struct {
	room, user int64
	role       chat.Role
}

// membership finds a user's place in a room. chat.ErrNotAMember.
func (c *conn) membership(roomID, userID string) (m membership, err error) {
	found, err := c.row(`SELECT m.room, m.user, m.role FROM rooms r JOIN users u
		JOIN members m ON m.room = r.num AND m.user = u.num WHERE r.id = ? AND u.id = ?`,
		[]any{roomID, userID}, &m.room, &m.user, &m.role)
	if err == nil && !found {
		err = chat.ErrNotAMember
	}
	return m, err
}

// rank sorts roles; an admin and up may invite.
const rank = `CASE m.role WHEN 'owner' THEN 1 WHEN 'admin' THEN 2 ELSE 3 END`

const listMembers = `SELECT ` + userColumns + `, m.role, m.joined_at, m.last_read_seq, ` + rank + `
	FROM members m JOIN users u ON u.num = m.user
	WHERE m.room = ? AND (` + rank + `, u.folded_name, u.num) > (?, ?, ?)
	ORDER BY ` + rank + `, u.folded_name, u.num LIMIT ?`

// Members implements chat.Members.
func (s *Store) Members(ctx context.Context, roomID, userID string, p chat.Paging) (members []chat.Member, next string, err error) {
	var after cursor.Key
	if err := after.Unseal("members", p.Cursor); err != nil {
		return nil, "", err
	}
	type ranked struct {
		chat.Member
		key cursor.Key
	}
	err = s.read(ctx, "list members", func(c *conn) error {
		m, err := c.membership(roomID, userID)
		if err != nil {
			return err
		}
		var read []ranked
		err = c.each(listMembers, []any{m.room, after.Num, after.Name, after.Sub, cursor.Size(p) + 1}, func(rows *sql.Rows) error {
			var u account
			var r ranked
			var joined int64
			err := u.scan(rows.Scan, &r.Role, &joined, &r.LastReadSeq, &r.key.Num)
			r.User, r.JoinedAt = u.User, moment(joined)
			r.key.Name, r.key.Sub = u.folded, u.num
			read = append(read, r)
			return err
		})
		read, next = cursor.Cut(read, p, "members", func(r ranked) cursor.Key { return r.key })
		for _, r := range read {
			members = append(members, r.Member)
		}
		return err
	})
	return members, next, err
}

// Member implements chat.Members.
func (s *Store) Member(ctx context.Context, roomID, userID string) (m chat.Member, err error) {
	err = s.read(ctx, "read member", func(c *conn) error {
		return c.each(`SELECT `+userColumns+`, m.role, m.joined_at, m.last_read_seq FROM rooms r JOIN users u
			JOIN members m ON m.room = r.num AND m.user = u.num WHERE r.id = ? AND u.id = ?`,
			[]any{roomID, userID}, func(rows *sql.Rows) error {
				var u account
				var joined int64
				err := u.scan(rows.Scan, &m.Role, &joined, &m.LastReadSeq)
				m.User, m.JoinedAt = u.User, moment(joined)
				return err
			})
	})
	return m, err
}

// SaveReads implements chat.Members. Nobody has read beyond the head.
func (s *Store) SaveReads(ctx context.Context, reads []chat.Read) error {
	if len(reads) == 0 {
		return nil
	}
	return s.write(ctx, "save read positions", func(c *conn) error {
		for _, r := range reads {
			if _, err := c.exec(`UPDATE members SET last_read_seq = min(?1, r.head_seq) FROM rooms r
				WHERE r.id = ?2 AND members.room = r.num AND members.user = (SELECT num FROM users WHERE id = ?3)
				AND last_read_seq < min(?1, r.head_seq)`, r.Seq, r.RoomID, r.UserID); err != nil {
				return err
			}
		}
		return nil
	})
}

// Unread implements chat.Members.
func (s *Store) Unread(ctx context.Context, roomID, userID string, after, last int64) (n int, err error) {
	err = s.read(ctx, "count unread", func(c *conn) error {
		_, err := c.row(`SELECT count(*) FROM (SELECT 1 FROM entries
			WHERE room = (SELECT num FROM rooms WHERE id = ? AND deleted_at IS NULL) AND kind = 'text' AND seq > ? AND seq <= ?
			AND sender <> coalesce((SELECT num FROM users WHERE id = ?), 0) LIMIT 100)`,
			[]any{roomID, after, last, userID}, &n)
		return err
	})
	return n, err
}
