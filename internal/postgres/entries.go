package postgres

import (
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gochat-dev/gochat/internal/chat"
)

// entryColumns are what scanEntry reads, of entries e joined with the sender u.
const entryColumns = `e.seq, e.prev_seq, e.prev_id, e.message_id, e.client_id, u.id, e.kind, e.body, e.data, e.at`

// scanEntry reads a row of entryColumns.
func scanEntry(row pgx.Row, roomID string) (chat.Entry, error) {
	e := chat.Entry{RoomID: roomID}
	var at int64
	err := row.Scan(&e.Seq, &e.PrevSeq, &e.PrevID, &e.MessageID, &e.ClientID, &e.SenderID, &e.Kind, &e.Body, &e.Data, &at)
	e.At = moment(at)
	return e, err
}

// moment is the time of a stored number of milliseconds.
func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// roomNum finds a room by the id in the first parameter, once for a query.
const roomNum = `(SELECT num FROM rooms WHERE id = $1 AND deleted_at IS NULL)`

const (
	entriesAfter = `SELECT ` + entryColumns + ` FROM entries e JOIN users u ON u.num = e.sender
		WHERE e.room = ` + roomNum + ` AND e.seq > $2 ORDER BY e.seq LIMIT $3`
	entriesBefore = `SELECT ` + entryColumns + ` FROM entries e JOIN users u ON u.num = e.sender
		WHERE e.room = ` + roomNum + ` AND e.seq < $2 ORDER BY e.seq DESC LIMIT $3`
)

// queueAfter reads up to limit entries after a number into entries; queueBefore, those before it; both ascending.
func queueAfter(batch *pgx.Batch, roomID string, seq int64, limit int, entries *[]chat.Entry) {
	batch.Queue(entriesAfter, roomID, seq, limit).Query(collectEntries(roomID, entries))
}

func queueBefore(batch *pgx.Batch, roomID string, seq int64, limit int, entries *[]chat.Entry) {
	batch.Queue(entriesBefore, roomID, seq, limit).Query(func(rows pgx.Rows) error {
		err := collectEntries(roomID, entries)(rows)
		slices.Reverse(*entries)
		return err
	})
}

func collectEntries(roomID string, entries *[]chat.Entry) func(pgx.Rows) error {
	return collect(entries, func(row pgx.Row) (chat.Entry, error) { return scanEntry(row, roomID) })
}

// collect makes of a function that scans a row one that scans all of them into items, anew if it runs again.
func collect[T any](items *[]T, scan func(pgx.Row) (T, error)) func(pgx.Rows) error {
	return func(rows pgx.Rows) (err error) {
		*items, err = pgx.AppendRows((*items)[:0], rows, func(row pgx.CollectableRow) (T, error) { return scan(row) })
		return err
	}
}

func scanString(row pgx.Row) (s string, err error) {
	err = row.Scan(&s)
	return s, err
}

// before is a row with more columns before those that are asked for.
type before struct {
	pgx.Row
	columns []any
}

func (b before) Scan(dest ...any) error { return b.Row.Scan(append(b.columns, dest...)...) }
