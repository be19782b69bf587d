package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/gochat-dev/gochat/internal/chat"
)

// Append implements chat.Entries. Texts go in one call of a function, which is a transaction of its own inside the
// server. A batch in which something else changes goes in an explicit transaction, which the server ends when this
// node freezes in it.
func (s *Store) Append(ctx context.Context, drafts []chat.Draft, firsts map[string]int64) ([]chat.Outcome, error) {
	b := &batch{drafts: drafts, firsts: firsts, outcomes: make([]chat.Outcome, len(drafts))}
	rest, changes := b.sound()
	if len(rest) == 0 {
		return b.outcomes, nil
	}
	var open bool
	var err error
	if changes {
		open, err = s.transact(ctx, func(ctx context.Context, tx pgx.Tx) error { return b.mixed(ctx, tx, rest) })
	} else {
		err = s.attempt(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
			err := b.texts(ctx, c, rest)
			open = !definite(err)
			return err
		})
	}
	if err != nil {
		return nil, classify("append", err, open)
	}
	return b.outcomes, s.duplicates(ctx, b)
}

// batch is one Append under way.
type batch struct {
	drafts   []chat.Draft
	firsts   map[string]int64
	outcomes []chat.Outcome
}

// sound refuses the drafts that can't be stored at all, each alone (SEQ7), and returns the places of the others, and
// whether one of them changes more than the log.
func (b *batch) sound() (rest []int, changes bool) {
	rest = make([]int, 0, len(b.drafts))
	for i := range b.drafts {
		d := &b.drafts[i]
		if err := d.CheckShape(); err != nil {
			b.outcomes[i] = chat.Outcome{Err: err}
			continue
		}
		rest = append(rest, i)
		changes = changes || isChange(d)
	}
	return rest, changes
}

// isChange reports whether a draft changes more than the log.
func isChange(d *chat.Draft) bool { return d.Target() != "" || d.Change != nil }

// querier is a connection or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

const appendTexts = `SELECT place, seq, prev_seq, prev_id, duplicate, room_there, sender_there
	FROM append_texts_2($1, $2, $3, $4, $5, $6, $7, $8)`

// texts appends the drafts at these places, in one trip.
func (b *batch) texts(ctx context.Context, q querier, places []int) error {
	n := len(places)
	rooms, senders, clients := make([]string, n), make([]string, n), make([]string, n)
	ids, kinds, bodies := make([]string, n), make([]string, n), make([]string, n)
	firsts, ats := make([]int64, n), make([]int64, n)
	for i, at := range places {
		d := &b.drafts[at]
		rooms[i], firsts[i], senders[i], clients[i] = d.RoomID, b.firsts[d.RoomID], d.SenderID, d.ClientID
		ids[i], kinds[i], bodies[i], ats[i] = chat.NewID(), string(d.Kind), d.Body, draftTime(d)
	}
	rows, err := q.Query(ctx, appendTexts, rooms, firsts, senders, clients, ids, kinds, bodies, ats)
	if err != nil {
		return err
	}
	var place, seq, prevSeq int64
	var prevID string
	var duplicate, room, sender bool
	_, err = pgx.ForEachRow(rows, []any{&place, &seq, &prevSeq, &prevID, &duplicate, &room, &sender}, func() error {
		i := place - 1
		d := &b.drafts[places[i]]
		o := chat.Outcome{Duplicate: duplicate}
		switch {
		case seq > 0:
			o.Entry = entryOf(d, chat.Position{Seq: seq, ID: ids[i]}, chat.Position{Seq: prevSeq, ID: prevID})
		case duplicate:
		case !sender:
			o.Err = chat.ErrForbidden
		default:
			o.Err = d.Judge(chat.Situation{Exists: room})
		}
		b.outcomes[places[i]] = o
		return nil
	})
	return err
}

// entryOf is what a draft becomes at a position.
func entryOf(d *chat.Draft, at, prev chat.Position) chat.Entry {
	return chat.Entry{
		RoomID: d.RoomID, Seq: at.Seq, PrevSeq: prev.Seq, PrevID: prev.ID, MessageID: at.ID, ClientID: d.ClientID,
		SenderID: d.SenderID, Kind: d.Kind, Body: d.Body, At: moment(draftTime(d)),
	}
}

// draftTime is when a draft was made, in milliseconds since 1970.
func draftTime(d *chat.Draft) int64 {
	if d.At.IsZero() {
		return time.Now().UnixMilli()
	}
	return d.At.UnixMilli()
}

// duplicates completes the outcomes of drafts that stood already. The answer of the transaction leaves those entries
// out: it must be short.
func (s *Store) duplicates(ctx context.Context, b *batch) error {
	var keys []chat.Key
	for i := range b.outcomes {
		if b.outcomes[i].Duplicate {
			keys = append(keys, b.drafts[i].Key())
		}
	}
	if len(keys) == 0 {
		return nil
	}
	found, err := s.Find(ctx, keys)
	if err != nil { // the rest of the batch may well be stored
		return fmt.Errorf("append: read duplicates: %w: %w", chat.ErrUnknownOutcome, err)
	}
	for i := range b.outcomes {
		if o := &b.outcomes[i]; o.Duplicate {
			o.Entry = found[b.drafts[i].Key()]
		}
	}
	return nil
}
