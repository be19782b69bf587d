package postgres

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gochat-dev/gochat/internal/chat"
)

// findEntries looks up each entry by the whole of its key. As a join, it would be found by a part of it where that
// promises to be enough: by everything that somebody ever said in a room.
const findEntries = `SELECT k.place, ` + entryColumns + `
	FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS k (room_id, sender_id, client_id, place)
	JOIN rooms r ON r.id = k.room_id JOIN users u ON u.id = k.sender_id
	JOIN LATERAL (SELECT * FROM entries WHERE room = r.num AND sender = u.num AND client_id = k.client_id LIMIT 1) e ON true`

// Find implements chat.Entries.
func (s *Store) Find(ctx context.Context, keys []chat.Key) (map[chat.Key]chat.Entry, error) {
	found := make(map[chat.Key]chat.Entry)
	if len(keys) == 0 {
		return found, nil
	}
	rooms, senders, clients := make([]string, len(keys)), make([]string, len(keys)), make([]string, len(keys))
	for i, k := range keys {
		rooms[i], senders[i], clients[i] = k.RoomID, k.SenderID, k.ClientID
	}
	batch := &pgx.Batch{}
	batch.Queue(findEntries, rooms, senders, clients).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var place int64
			e, err := scanEntry(before{rows, []any{&place}}, "")
			if err != nil {
				return err
			}
			key := keys[place-1]
			e.RoomID = key.RoomID
			found[key] = e
		}
		return rows.Err()
	})
	err := s.read(ctx, "find entries", batch)
	return found, err
}

const epoch = `(SELECT value FROM meta WHERE key = 'epoch')`

const readHead = `SELECT head_seq, head_id, ` + epoch + `, coalesce((SELECT e.message_id FROM entries e WHERE e.room = r.num AND e.seq = $2), '')
	FROM rooms r WHERE id = $1 AND deleted_at IS NULL`

// queueHead reads where a room that is not deleted stands, the epoch, and the message id at a number, or "".
// chat.ErrNoRoom.
func queueHead(batch *pgx.Batch, roomID string, seq int64, head *chat.Position, epoch, id *string) {
	batch.Queue(readHead, roomID, seq).QueryRow(func(row pgx.Row) error {
		return orElse(row.Scan(&head.Seq, &head.ID, epoch, id), chat.ErrNoRoom)
	})
}

// orElse says what it means that there is no row.
func orElse(err, none error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return none
	}
	return err
}

// hasPosition reports whether a room's log has a position, given the message id found there, or "" (RES3).
func hasPosition(p chat.Position, id string) bool {
	if p.Seq == 0 {
		return p.Matches(chat.Position{})
	}
	return id != "" && p.Matches(chat.Position{Seq: p.Seq, ID: id})
}

const memberIDs = `SELECT u.id FROM members m JOIN users u ON u.num = m.user_num WHERE m.room = ` + roomNum

// Load implements chat.Entries.
func (s *Store) Load(ctx context.Context, roomID string, n int) (live chat.Live, err error) {
	batch := &pgx.Batch{}
	var none string
	queueHead(batch, roomID, 0, &live.Head, &live.Epoch, &none)
	queueBefore(batch, roomID, math.MaxInt64, n, &live.Entries)
	batch.Queue(memberIDs, roomID).Query(collect(&live.Members, scanString))
	err = s.read(ctx, "load room", batch)
	return live, err
}

// After implements chat.Entries.
func (s *Store) After(ctx context.Context, roomID string, from chat.Position, limit int) (run chat.Run, err error) {
	batch := &pgx.Batch{}
	var id string
	queueHead(batch, roomID, from.Seq, &run.Head, &run.Epoch, &id)
	queueAfter(batch, roomID, from.Seq, max(limit, 0), &run.Entries)
	if err := s.read(ctx, "read entries", batch); err != nil {
		return chat.Run{}, err
	}
	if run.Known = hasPosition(from, id); !run.Known {
		run.Entries = nil
	}
	return run, nil
}

// Page implements chat.Entries.
func (s *Store) Page(ctx context.Context, roomID, userID string, q chat.PageQuery) (chat.Page, error) {
	q.Limit = min(max(q.Limit, 1), chat.MaxPage)
	batch := &pgx.Batch{}
	batch.Queue(findMembership, roomID, userID).QueryRow(func(row pgx.Row) error {
		var m membership
		return orElse(m.scan(row), chat.ErrNotAMember)
	})
	p := paging{PageQuery: q}
	p.queue(batch, roomID)
	if err := s.read(ctx, "read history", batch); err != nil {
		return chat.Page{}, err
	}
	page := chat.Page{}
	page.Entries, page.More = p.page()
	var err error
	page.Users, err = s.Users(ctx, chat.Named(page.Entries))
	return page, err
}

// paging reads a page of history: at most two runs of entries, of which page makes one.
type paging struct {
	chat.PageQuery
	older, newer []chat.Entry
}

func (p *paging) forward() bool { return p.After > 0 || p.FromStart }

func (p *paging) queue(batch *pgx.Batch, roomID string) {
	switch {
	case p.forward():
		queueAfter(batch, roomID, p.After, p.Limit+1, &p.newer)
	case p.Before > 0:
		queueBefore(batch, roomID, p.Before, p.Limit+1, &p.older)
	case p.Around > 0:
		queueBefore(batch, roomID, p.Around, p.Limit+1, &p.older)
		queueAfter(batch, roomID, p.Around-1, p.Limit, &p.newer)
	default:
		queueBefore(batch, roomID, math.MaxInt64, p.Limit+1, &p.older)
	}
}

func (p *paging) page() (entries []chat.Entry, more bool) {
	if p.forward() {
		return p.newer[:min(len(p.newer), p.Limit)], len(p.newer) > p.Limit
	}
	// Half of what is around comes after; more, where there is not enough before.
	newer := p.newer[:min(len(p.newer), max(p.Limit-p.Limit/2, p.Limit-len(p.older)))]
	older := p.older
	if spare := len(older) + len(newer) - p.Limit; spare > 0 {
		older, more = older[spare:], true
	}
	return append(older, newer...), more
}

const readsOfRoom = `SELECT u.id, m.last_read_seq FROM rooms r
	JOIN members m ON m.room = r.num JOIN users u ON u.num = m.user_num
	WHERE r.id = $1 AND r.deleted_at IS NULL AND r.member_count <= $2`

// Open implements chat.Entries.
func (s *Store) Open(ctx context.Context, roomID, userID string, after *chat.Position, limit int) (chat.Opened, error) {
	batch := &pgx.Batch{}
	var o chat.Opened
	queueView(batch, roomID, userID, func(v view) error {
		if v.Role == "" {
			return chat.ErrNotAMember
		}
		o.Room = v.RoomView
		return nil
	})
	p := paging{PageQuery: chat.PageQuery{Limit: max(limit, 0)}}
	if after != nil {
		p.After, p.FromStart = after.Seq, true
		var head chat.Position
		var epoch, id string
		batch.Queue(readHead, roomID, after.Seq).QueryRow(func(row pgx.Row) error {
			err := row.Scan(&head.Seq, &head.ID, &epoch, &id)
			o.Recovered = hasPosition(*after, id)
			return orElse(err, chat.ErrNoRoom)
		})
	}
	p.queue(batch, roomID)
	batch.Queue(readsOfRoom, roomID, chat.CrowdedRoom).Query(
		collect(&o.Reads, func(row pgx.Row) (r chat.Read, err error) {
			err = row.Scan(&r.UserID, &r.Seq)
			return r, err
		}))
	if err := s.read(ctx, "open room", batch); err != nil {
		return chat.Opened{}, chat.MembersOnly(err)
	}
	if after == nil || o.Recovered {
		o.Entries, o.More = p.page()
	}
	var err error
	o.Users, err = s.Users(ctx, chat.Named(o.Entries))
	return o, err
}

// compare is one query for rooms ($1) and users ($2): what a row is about stands in its first column.
const compare = `SELECT 'epoch', '', value, EXISTS (SELECT 1 FROM silent_nodes WHERE until > $3)::int::bigint
		FROM meta WHERE key = 'epoch'
	UNION ALL SELECT 'room', id, head_id, head_seq FROM rooms WHERE id = ANY ($1::text[]) AND deleted_at IS NULL
	UNION ALL SELECT 'user', id, '', rooms_version FROM users WHERE id = ANY ($2::text[]) AND deleted_at IS NULL`

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
	batch := &pgx.Batch{}
	batch.Queue(compare, q.Rooms, q.Users, now.UnixMilli()).Query(func(rows pgx.Rows) error {
		var what, id, text string
		var number int64
		_, err := pgx.ForEachRow(rows, []any{&what, &id, &text, &number}, func() error {
			switch what {
			case "epoch":
				got.Epoch, got.Silent = text, number == 1
			case "room":
				got.Heads[id] = chat.Position{Seq: number, ID: text}
			case "user":
				got.Versions[id] = number
			}
			return nil
		})
		return err
	})
	err := s.read(ctx, "compare", batch)
	return got, err
}

func (s *Store) markSilent(ctx context.Context, node string, now time.Time) error {
	return s.change(ctx, "mark silent", `INSERT INTO silent_nodes (node, until) VALUES ($1, $2)
		ON CONFLICT (node) DO UPDATE SET until = excluded.until`, node, now.Add(chat.SilentTTL).UnixMilli())
}
