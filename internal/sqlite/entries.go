package sqlite

import (
	"database/sql"
	"slices"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// entryColumns are what an entryScan reads, of entries e joined with the sender u.
const entryColumns = `e.seq, e.prev_seq, e.prev_id, e.message_id, e.client_id, u.id, e.kind, e.body, e.data, e.at`

// entryScan reads a row of entryColumns. Every value may be null, for an outer join.
type entryScan struct {
	roomID                                          string
	seq, prevSeq, at                                sql.NullInt64
	prevID, messageID, clientID, sender, kind, body sql.NullString
	data                                            []byte
}

func (s *entryScan) dest() []any {
	return []any{&s.seq, &s.prevSeq, &s.prevID, &s.messageID, &s.clientID, &s.sender, &s.kind, &s.body, &s.data, &s.at}
}

func (s *entryScan) entry() chat.Entry {
	return chat.Entry{
		RoomID: s.roomID, Seq: s.seq.Int64, PrevSeq: s.prevSeq.Int64, PrevID: s.prevID.String,
		MessageID: s.messageID.String, ClientID: s.clientID.String, SenderID: s.sender.String,
		Kind: chat.Kind(s.kind.String), Body: s.body.String, Data: s.data, At: moment(s.at.Int64),
	}
}

// moment is the time of a stored number of milliseconds.
func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

const (
	entriesAfter = `SELECT ` + entryColumns + ` FROM entries e JOIN users u ON u.num = e.sender
		WHERE e.room = ? AND e.seq > ? ORDER BY e.seq LIMIT ?`
	entriesBefore = `SELECT ` + entryColumns + ` FROM entries e JOIN users u ON u.num = e.sender
		WHERE e.room = ? AND e.seq < ? ORDER BY e.seq DESC LIMIT ?`
)

// after reads up to limit entries after a number; before, those before it; both ascending.
func (c *conn) after(roomID string, room, seq int64, limit int) ([]chat.Entry, error) {
	return c.entries(entriesAfter, roomID, room, seq, limit)
}

func (c *conn) before(roomID string, room, seq int64, limit int) ([]chat.Entry, error) {
	entries, err := c.entries(entriesBefore, roomID, room, seq, limit)
	slices.Reverse(entries)
	return entries, err
}

func (c *conn) entries(query, roomID string, room, seq int64, limit int) ([]chat.Entry, error) {
	if limit <= 0 {
		return nil, nil
	}
	entries := make([]chat.Entry, 0, min(limit, 64))
	s := entryScan{roomID: roomID}
	dest := s.dest()
	err := c.each(query, []any{room, seq, limit}, func(rows *sql.Rows) error {
		s.data = nil
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		entries = append(entries, s.entry())
		return nil
	})
	return entries, err
}
