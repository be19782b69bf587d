package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/pgtest"
)

// breakable is a server of a test's own, as durable as in earnest.
func breakable(t *testing.T, cfg pgtest.Config) *pgtest.Server {
	t.Helper()
	cfg.Durable = true
	s, err := pgtest.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func buildOn(t *testing.T, s *pgtest.Server, users, rooms int) world {
	t.Helper()
	url, err := s.Create(context.Background(), "gochat")
	if err != nil {
		t.Fatal(err)
	}
	if err := prepare(context.Background(), url); err != nil {
		t.Fatal(err)
	}
	return buildAt(t, url, users, rooms)
}

// unavailable fails unless an error says that nothing was stored, and nothing else.
func unavailable(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, chat.ErrUnavailable) || errors.Is(err, chat.ErrUnknownOutcome) || errors.Is(err, chat.ErrBadData) {
		t.Errorf("%s: %v", what, err)
	}
}

// insist appends as the relay does: it tries again while the outcome is unknown, or nothing was stored.
func (w world) insist(ctx context.Context, d chat.Draft) (chat.Entry, error) {
	for {
		out, err := w.Append(ctx, []chat.Draft{d}, nil)
		switch {
		case err == nil:
			return out[0].Entry, out[0].Err
		case ctx.Err() != nil || (!errors.Is(err, chat.ErrUnknownOutcome) && !errors.Is(err, chat.ErrUnavailable)):
			return chat.Entry{}, err
		}
		time.Sleep(5 * time.Millisecond) // as a sender waits; nothing depends on how long
	}
}

func TestServerAway(t *testing.T) {
	server := breakable(t, pgtest.Config{})
	w := buildOn(t, server, 3, 2)
	ctx := context.Background()
	if err := w.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	ses := w.session(t, w.users[0])
	heads := len(logOf(t, w.Store, w.rooms[0]))

	if err := server.End(pgtest.Fast); err != nil {
		t.Fatal(err)
	}
	w.writers.Reset() // connections that were idle tell of their end only once, and then the outcome is unknown
	w.readers.Reset()
	_, err := w.Append(ctx, []chat.Draft{w.text(0, 0)}, nil)
	unavailable(t, "texts", err)
	_, err = w.Append(ctx, []chat.Draft{w.renaming(0, "new")}, nil)
	unavailable(t, "a change", err)
	_, err = w.Snapshot(ctx, w.users[0], ses)
	unavailable(t, "a snapshot", err)
	_, err = w.CreateUser(ctx, chat.User{ID: chat.NewID(), Username: "late"}, "x")
	unavailable(t, "an account", err)
	unavailable(t, "a ping", w.Ping(ctx))
	_, err = Open(ctx, Config{URL: w.url})
	unavailable(t, "opening it", err)

	if err := server.Launch(); err != nil {
		t.Fatal(err)
	}
	if err := w.Ping(ctx); err != nil {
		t.Errorf("when it is back: %v", err)
	}
	w.append(t, w.text(0, 0))
	if n := len(logOf(t, w.Store, w.rooms[0])); n != heads+1 {
		t.Errorf("%d entries, before it %d", n, heads)
	}
}

// What was acknowledged is there once, and in order, however the server ends and comes back.
func TestServerRestartsUnderLoad(t *testing.T) {
	server := breakable(t, pgtest.Config{})
	w := buildOn(t, server, 4, 3)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var acknowledged sync.Map // chat.Key to chat.Position
	var sent, reads atomic.Int64
	done := make(chan struct{})
	var wg sync.WaitGroup
	for u := range w.users {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				d := w.text(i, u)
				if i%5 == 0 && u == 0 {
					d = w.renaming(i%len(w.rooms), "Room")
				}
				e, err := w.insist(ctx, d)
				if err != nil {
					t.Error(err)
					return
				}
				acknowledged.Store(d.Key(), e.Position())
				sent.Add(1)
				if _, err := w.Compare(ctx, chat.CompareQuery{Rooms: w.rooms}); err == nil {
					reads.Add(1)
				}
			}
		})
	}
	for _, step := range []func() error{
		func() error { return server.Restart(pgtest.Immediate) },
		func() error { return server.Restart(pgtest.Fast) },
		func() error { return errors.Join(server.Kill(), server.Launch()) },
	} {
		for before := sent.Load(); sent.Load() < before+200 && ctx.Err() == nil; {
			time.Sleep(time.Millisecond)
		}
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	for before := sent.Load(); sent.Load() < before+200 && ctx.Err() == nil; {
		time.Sleep(time.Millisecond)
	}
	close(done)
	wg.Wait()
	t.Logf("%d sent, %d reads", sent.Load(), reads.Load())
	stored := make(map[chat.Key]chat.Position)
	for _, room := range w.rooms {
		for _, e := range logOf(t, w.Store, room) {
			stored[chat.Key{RoomID: room, SenderID: e.SenderID, ClientID: e.ClientID}] = e.Position()
		}
	}
	acknowledged.Range(func(key, at any) bool {
		if stored[key.(chat.Key)] != at.(chat.Position) {
			t.Errorf("[SEQ3] %v was acknowledged at %v, and stands at %v", key, at, stored[key.(chat.Key)])
		}
		return true
	})
}

func TestServerThatOnlyReads(t *testing.T) {
	server := breakable(t, pgtest.Config{})
	w := buildOn(t, server, 2, 1)
	ctx := context.Background()
	if err := server.Demote(); err != nil {
		t.Fatal(err)
	}
	w.writers.Reset()
	w.readers.Reset()
	_, err := w.Append(ctx, []chat.Draft{w.text(0, 0)}, nil)
	unavailable(t, "texts", err)
	_, err = w.Append(ctx, []chat.Draft{w.renaming(0, "new")}, nil)
	unavailable(t, "a change", err)
	unavailable(t, "a ping", w.Ping(ctx))
	if n := len(logOf(t, w.Store, w.rooms[0])); n != 2 {
		t.Errorf("%d entries", n)
	}
	if err := server.Promote(ctx); err != nil {
		t.Fatal(err)
	}
	if err := w.Ping(ctx); err != nil {
		t.Error(err)
	}
	w.append(t, w.text(0, 0), w.renaming(0, "new"))
}

func TestClassify(t *testing.T) {
	pg := func(severity, code string) error {
		return fmt.Errorf("wrapped: %w", &pgconn.PgError{SeverityUnlocalized: severity, Code: code})
	}
	for _, c := range []struct {
		name string
		err  error
		want error // of a call whose transaction ends by itself
	}{
		{"data of the wrong kind", pg("ERROR", "22P02"), chat.ErrBadData},
		{"a broken constraint", pg("ERROR", "23505"), chat.ErrBadData},
		{"a full disk", pg("ERROR", "53100"), chat.ErrUnavailable},
		{"a read-only server", pg("ERROR", "25006"), chat.ErrUnavailable},
		{"a time-out", pg("ERROR", "57014"), chat.ErrUnavailable},
		{"a lock that is not had", pg("ERROR", "55P03"), chat.ErrUnavailable},
		{"too many connections", &unsent{pg("FATAL", "53300")}, chat.ErrUnavailable},
		{"a server that starts", &unsent{pg("FATAL", "57P03")}, chat.ErrUnavailable},
		{"no connection", &unsent{errors.New("refused")}, chat.ErrUnavailable},
		{"a session that is ended", pg("FATAL", "57P01"), chat.ErrUnknownOutcome},
		{"a server that crashes", pg("PANIC", "53100"), chat.ErrUnknownOutcome},
		{"a connection that is lost", errors.New("EOF"), chat.ErrUnknownOutcome},
		{"no time left", context.DeadlineExceeded, chat.ErrUnknownOutcome},
		{"a refusal", chat.ErrForbidden, chat.ErrForbidden},
	} {
		got := classify("append", c.err, !definite(c.err))
		for _, kind := range []error{chat.ErrBadData, chat.ErrUnavailable, chat.ErrUnknownOutcome, chat.ErrForbidden} {
			if errors.Is(got, kind) != (kind == c.want) {
				t.Errorf("%s: %v", c.name, got)
			}
		}
	}
}

func TestDataThatTheSchemaRefuses(t *testing.T) {
	w := build(t, 1, 1)
	w.append(t, w.text(0, 0))
	w.sql(t, `UPDATE rooms SET head_seq = 0`)
	for _, d := range []chat.Draft{w.text(0, 0), w.renaming(0, "new")} {
		_, err := w.Append(context.Background(), []chat.Draft{d}, nil)
		if !errors.Is(err, chat.ErrBadData) || errors.Is(err, chat.ErrUnavailable) {
			t.Fatalf("[SEQ7] a number that is used gives %v", err)
		}
	}
	if _, err := w.Room(context.Background(), "a\x00b", w.users[0]); !errors.Is(err, chat.Refuse(chat.CodeBadRequest, "")) {
		t.Fatalf("a room of an impossible id: %v", err)
	}
}

func TestReadersOnlyRead(t *testing.T) {
	w := build(t, 1, 1)
	batch := &pgx.Batch{}
	batch.Queue(`UPDATE rooms SET name = 'x'`)
	err := w.read(context.Background(), "test", batch)
	unavailable(t, "writing on a reader", err)
	if code(err) != "25006" {
		t.Errorf("it ended with %v", err)
	}
}

// A trip of several queries reads one snapshot, though something is committed between two of them.
func TestOneTripIsOneSnapshot(t *testing.T) {
	w := build(t, 1, 1)
	batch := &pgx.Batch{}
	const read = `SELECT head_seq FROM rooms WHERE id = $1`
	var first, second int64
	batch.Queue(read, w.rooms[0]).QueryRow(func(row pgx.Row) error { return row.Scan(&first) })
	batch.Queue(`SELECT pg_sleep(0.3)`)
	batch.Queue(read, w.rooms[0]).QueryRow(func(row pgx.Row) error { return row.Scan(&second) })
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				w.append(t, w.text(0, 0))
			}
		}
	})
	err := w.read(context.Background(), "test", batch)
	close(stop)
	wg.Wait()
	if err != nil || first != second {
		t.Errorf("heads %d and %d (%v)", first, second, err)
	}
	if now := logOf(t, w.Store, w.rooms[0]); len(now) < 5 {
		t.Errorf("only %d entries came in between", len(now))
	}
}
