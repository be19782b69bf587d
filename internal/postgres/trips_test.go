package postgres

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/gochat-dev/gochat/internal/chat"
)

// counted is a connection that counts trips: how often an answer was read after something had been written.
type counted struct {
	net.Conn
	trips *atomic.Int64
	asked atomic.Bool
}

func (c *counted) Write(b []byte) (int, error) {
	c.asked.Store(true)
	return c.Conn.Write(b)
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 && c.asked.CompareAndSwap(true, false) {
		c.trips.Add(1)
	}
	return n, err
}

// countTrips has every connection that a store makes from now on count into what it returns.
func (w world) countTrips(t *testing.T) *atomic.Int64 {
	t.Helper()
	trips := &atomic.Int64{}
	for _, pool := range []**pgxpool.Pool{&w.writers, &w.readers} {
		cfg := (*pool).Config()
		(*pool).Close()
		dial := cfg.ConnConfig.DialFunc
		cfg.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			return &counted{Conn: conn, trips: trips}, err
		}
		cfg.MaxConns = 1 // each statement is prepared once
		var err error
		if *pool, err = pgxpool.NewWithConfig(context.Background(), cfg); err != nil {
			t.Fatal(err)
		}
	}
	return trips
}

// A batch of texts is one trip, and so one transaction that ends inside the server: no node can freeze between its
// beginning and its end.
func TestTrips(t *testing.T) {
	w := build(t, 8, 20)
	ctx := context.Background()
	trips := w.countTrips(t)
	ses := w.session(t, w.users[1])
	long := w.text(3, 3)
	long.Body = strings.Repeat("x", chat.MaxBody)
	again := w.text(0, 0)
	w.append(t, again)
	texts := func(drafts ...chat.Draft) func() error {
		return func() error { _, err := w.Append(ctx, drafts, nil); return err }
	}
	for _, c := range []struct {
		name string
		want int64
		do   func() error
	}{
		{"one text", 1, func() error { return texts(w.text(0, 0))() }},
		{"256 texts of 8 people in 20 rooms", 1, func() error { return texts(w.texts(256)...)() }},
		{"texts of which one is refused", 1, func() error {
			stranger := w.text(0, 0)
			stranger.SenderID = chat.NewID()
			return texts(w.text(1, 1), stranger)()
		}},
		{"a long text", 1, func() error { d := long; d.ClientID = chat.NewID(); return texts(d)() }},
		{"texts of which one stands already: it is read afterwards", 2, func() error { return texts(w.text(0, 1), again)() }},
		{"a run of entries", 1, func() error { _, err := w.After(ctx, w.rooms[0], chat.Position{}, 50); return err }},
		{"who am I, and which rooms", 1, func() error { _, err := w.Snapshot(ctx, w.users[1], ses); return err }},
		{"a room that becomes live", 1, func() error { _, err := w.Load(ctx, w.rooms[0], 50); return err }},
		{"the comparison", 1, func() error {
			_, err := w.Compare(ctx, chat.CompareQuery{Rooms: w.rooms, Users: w.users})
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 { // the first time, a connection is made and the statement prepared
				trips.Store(0)
				if err := c.do(); err != nil {
					t.Fatal(err)
				}
			}
			if got := trips.Load(); got != c.want {
				t.Errorf("%d trips, want %d", got, c.want)
			}
		})
	}
}

// What a batch writes, entries and heads, is written by one transaction.
func TestABatchIsOneTransaction(t *testing.T) {
	w := build(t, 4, 10)
	for _, c := range []struct {
		name  string
		batch []chat.Draft
	}{
		{"texts", w.texts(100)},
		{"texts and changes", append(w.texts(100), w.renaming(0, "new"), w.leaving(1, w.users[3]), w.text(2, 2))},
	} {
		t.Run(c.name, func(t *testing.T) {
			ids := make([]string, len(c.batch))
			for i, o := range w.append(t, c.batch...) {
				ids[i] = o.Entry.MessageID
			}
			var entries, heads, transactions int
			w.on(t, func(conn *pgx.Conn) {
				if err := conn.QueryRow(context.Background(), `WITH written AS (
						SELECT 'entry' AS what, xmin::text AS by FROM entries WHERE message_id = ANY ($1)
						UNION ALL SELECT 'head', xmin::text FROM rooms WHERE head_id = ANY ($1))
					SELECT count(*) FILTER (WHERE what = 'entry'), count(*) FILTER (WHERE what = 'head'), count(DISTINCT by) FROM written`,
					ids).Scan(&entries, &heads, &transactions); err != nil {
					t.Fatal(err)
				}
			})
			if entries != len(c.batch) || heads != len(w.rooms) || transactions != 1 {
				t.Errorf("%d entries and %d heads were written by %d transactions", entries, heads, transactions)
			}
		})
	}
}
