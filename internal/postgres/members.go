package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/cursor"
)

// membership is one user's place in a room, by number.
type membership struct {
	room, user int64
	role       chat.Role
}

const findMembership = `SELECT m.room, m.user_num, m.role FROM rooms r JOIN users u ON u.id = $2
	JOIN members m ON m.room = r.num AND m.user_num = u.num WHERE r.id = $1`

func (m *membership) scan(row pgx.Row) error { return row.Scan(&m.room, &m.user, &m.role) }

// findMember finds a user's place in a room. chat.ErrNotAMember.
func findMember(ctx context.Context, tx pgx.Tx, roomID, userID string) (m membership, err error) {
	err = orElse(m.scan(tx.QueryRow(ctx, findMembership, roomID, userID)), chat.ErrNotAMember)
	return m, err
}

// rank sorts roles; an admin and up may invite.
const rank = `CASE m.role WHEN 'owner' THEN 1 WHEN 'admin' THEN 2 ELSE 3 END`

const memberColumns = userColumns + `, m.role, m.joined_at, m.last_read_seq, ` + rank

// listed is a member with the key by which the list is sorted.
type listed struct {
	chat.Member
	key cursor.Key
}

func scanMember(row pgx.Row) (l listed, err error) {
	var u account
	var joined int64
	err = u.scan(row, &l.Role, &joined, &l.LastReadSeq, &l.key.Num)
	l.User, l.JoinedAt = u.User, moment(joined)
	l.key.Name, l.key.Sub = u.folded, u.num
	return l, err
}

const listMembers = `SELECT ` + memberColumns + `
	FROM members m JOIN users u ON u.num = m.user_num
	WHERE m.room = ` + roomNum + ` AND (` + rank + `, u.folded_name, u.num) > ($2, $3, $4)
	ORDER BY ` + rank + `, u.folded_name, u.num LIMIT $5`

// Members implements chat.Members.
func (s *Store) Members(ctx context.Context, roomID, userID string, p chat.Paging) ([]chat.Member, string, error) {
	var after cursor.Key
	if err := after.Unseal("members", p.Cursor); err != nil {
		return nil, "", err
	}
	batch := &pgx.Batch{}
	batch.Queue(findMembership, roomID, userID).QueryRow(func(row pgx.Row) error {
		var m membership
		return orElse(m.scan(row), chat.ErrNotAMember)
	})
	var read []listed
	batch.Queue(listMembers, roomID, after.Num, after.Name, after.Sub, cursor.Size(p)+1).Query(collect(&read, scanMember))
	if err := s.read(ctx, "list members", batch); err != nil {
		return nil, "", err
	}
	read, next := cursor.Cut(read, p, "members", func(l listed) cursor.Key { return l.key })
	members := make([]chat.Member, len(read))
	for i := range read {
		members[i] = read[i].Member
	}
	return members, next, nil
}

const oneMember = `SELECT ` + memberColumns + ` FROM rooms r JOIN users u ON u.id = $2
	JOIN members m ON m.room = r.num AND m.user_num = u.num WHERE r.id = $1`

// Member implements chat.Members.
func (s *Store) Member(ctx context.Context, roomID, userID string) (chat.Member, error) {
	batch := &pgx.Batch{}
	var found []listed
	batch.Queue(oneMember, roomID, userID).Query(collect(&found, scanMember))
	if err := s.read(ctx, "read member", batch); err != nil || len(found) == 0 {
		return chat.Member{}, err
	}
	return found[0].Member, nil
}

// saveReads locks the rows in one order before it writes them: two nodes may write about the same people.
const saveReads = `WITH due AS (
		SELECT m.room, m.user_num, least(k.seq, r.head_seq) AS seq
		FROM (SELECT room_id, user_id, max(seq) AS seq FROM unnest($1::text[], $2::text[], $3::bigint[])
			AS k (room_id, user_id, seq) GROUP BY room_id, user_id) k
		JOIN rooms r ON r.id = k.room_id JOIN users u ON u.id = k.user_id
		JOIN members m ON m.room = r.num AND m.user_num = u.num
		WHERE m.last_read_seq < least(k.seq, r.head_seq)
		ORDER BY m.room, m.user_num FOR NO KEY UPDATE OF m)
	UPDATE members m SET last_read_seq = due.seq FROM due
	WHERE m.room = due.room AND m.user_num = due.user_num AND m.last_read_seq < due.seq`

// SaveReads implements chat.Members. Nobody has read beyond the head.
func (s *Store) SaveReads(ctx context.Context, reads []chat.Read) error {
	if len(reads) == 0 {
		return nil
	}
	rooms, users, seqs := make([]string, len(reads)), make([]string, len(reads)), make([]int64, len(reads))
	for i, r := range reads {
		rooms[i], users[i], seqs[i] = r.RoomID, r.UserID, r.Seq
	}
	_, err := s.exec(ctx, "save read positions", saveReads, rooms, users, seqs)
	return err
}

const countUnread = `SELECT count(*) FROM (SELECT 1 FROM entries
	WHERE room = ` + roomNum + ` AND kind = 'text' AND seq > $3 AND seq <= $4
	AND sender <> coalesce((SELECT num FROM users WHERE id = $2), 0) ORDER BY seq LIMIT 100) unread`

// Unread implements chat.Members.
func (s *Store) Unread(ctx context.Context, roomID, userID string, after, last int64) (n int, err error) {
	batch := &pgx.Batch{}
	batch.Queue(countUnread, roomID, userID, after, last).QueryRow(func(row pgx.Row) error { return row.Scan(&n) })
	err = s.read(ctx, "count unread", batch)
	return n, err
}
