package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// fill appends long texts, then short ones, until the store takes no more, and returns what it acknowledged.
func fill(t *testing.T, w world) []chat.Position {
	t.Helper()
	var acknowledged []chat.Position
	for _, batch := range []func() []chat.Draft{
		func() []chat.Draft { return []chat.Draft{w.long(), w.long(), w.long()} },
		func() []chat.Draft { return []chat.Draft{w.text(0, 0)} },
	} {
		for full := false; !full; {
			out, err := w.Append(context.Background(), batch(), nil)
			full = err != nil
			if full && (!errors.Is(err, chat.ErrUnavailable) || errors.Is(err, chat.ErrUnknownOutcome)) {
				t.Fatalf("a full disk gives %v", err)
			}
			for _, o := range out {
				acknowledged = append(acknowledged, o.Entry.Position())
			}
		}
	}
	return acknowledged
}

// checkFull goes through what must hold while there is no room, and, after free, again.
func checkFull(t *testing.T, w world, acknowledged []chat.Position, free func()) {
	t.Helper()
	ctx := context.Background()
	check := func(what string, log []chat.Entry) {
		t.Helper()
		log = log[2:] // who joined
		if len(log) != len(acknowledged) {
			t.Fatalf("%s: %d entries, %d acknowledged", what, len(log), len(acknowledged))
		}
		for i := range log {
			if log[i].Position() != acknowledged[i] {
				t.Fatalf("%s: %v acknowledged, %v found", what, acknowledged[i], log[i].Position())
			}
		}
	}
	if len(acknowledged) == 0 {
		t.Fatal("nothing was acknowledged before it was full")
	}
	if err := w.Ping(ctx); !errors.Is(err, chat.ErrUnavailable) {
		t.Fatalf("a ping while it is full: %v", err)
	}
	check("full", logOf(t, w.Store, w.rooms[0]))
	free()
	if err := w.Ping(ctx); err != nil {
		t.Fatalf("a ping after room was made: %v", err)
	}
	for _, o := range w.append(t, w.long(), w.text(0, 1)) {
		acknowledged = append(acknowledged, o.Entry.Position())
	}
	check("after room was made", logOf(t, w.Store, w.rooms[0]))
}

func TestFullDatabase(t *testing.T) {
	w := build(t, 2, 1)
	limit := func(pages int64) {
		w.on(t, func(c *conn) {
			var now int64
			if _, err := c.row(fmt.Sprintf("PRAGMA max_page_count = %d", pages), nil, &now); err != nil || now != pages {
				t.Fatal(now, err)
			}
		})
	}
	limit(150)
	checkFull(t, w, fill(t, w), func() { limit(100_000) })
}

func TestPingDoesNotGrowTheFile(t *testing.T) {
	w := build(t, 1, 1)
	var pages [2]int64
	for i := range pages {
		for range 20 {
			w.pinged.set(time.Time{})
			if err := w.Ping(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		w.on(t, func(c *conn) {
			if _, err := c.row(`PRAGMA page_count`, nil, &pages[i]); err != nil {
				t.Fatal(err)
			}
		})
	}
	if pages[0] != pages[1] {
		t.Fatalf("%d pages, then %d", pages[0], pages[1])
	}
}

func TestBusyIsUnavailable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gochat.db")
	w := buildAt(t, path, 1, 1)
	s, err := Open(context.Background(), Config{Path: path, BusyTimeout: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w.on(t, func(c *conn) { // another process that is writing
		c.must(t, "BEGIN IMMEDIATE")
		_, err := s.Append(context.Background(), []chat.Draft{w.text(0, 0)}, nil)
		if !errors.Is(err, chat.ErrUnavailable) {
			t.Errorf("beside another writer: %v", err)
		}
		if log := logOf(t, s, w.rooms[0]); len(log) != 1 {
			t.Errorf("%d entries", len(log))
		}
		c.must(t, "ROLLBACK")
	})
	if _, err := s.Append(context.Background(), []chat.Draft{w.text(0, 0)}, nil); err != nil {
		t.Fatal(err)
	}
}

func TestDataThatTheSchemaRefuses(t *testing.T) {
	w := build(t, 1, 1)
	w.append(t, w.text(0, 0))
	w.on(t, func(c *conn) { c.must(t, `UPDATE rooms SET head_seq = 0`) })
	_, err := w.Append(context.Background(), []chat.Draft{w.text(0, 0)}, nil)
	if !errors.Is(err, chat.ErrBadData) || errors.Is(err, chat.ErrUnavailable) {
		t.Fatalf("[SEQ7] a number that is used gives %v", err)
	}
}

func TestFailureInsideATransaction(t *testing.T) {
	boom := errors.New("boom")
	for _, c := range []struct {
		name string
		f    func(c *conn) error
		want error
	}{
		{"an error", func(*conn) error { return boom }, chat.ErrUnavailable},
		{"a refusal", func(*conn) error { return chat.ErrForbidden }, chat.ErrForbidden},
		{"a panic", func(*conn) error { panic(boom) }, boom},
		{"a failed statement", func(c *conn) error { _, err := c.exec(`INSERT INTO nowhere VALUES (1)`); return err }, chat.ErrUnavailable},
		{"a transaction that has ended by itself", func(c *conn) error { _, err := c.exec(`ROLLBACK`); return errors.Join(err, boom) }, boom},
		{"a rollback that fails", func(c *conn) error { return errors.Join(boom, failing(c, "ROLLBACK")) }, boom},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := build(t, 1, 1)
			err := func() (err error) {
				defer func() {
					if p := recover(); p != nil {
						err = p.(error)
					}
				}()
				return w.write(context.Background(), "test", func(conn *conn) error {
					conn.must(t, `UPDATE rooms SET name = 'half done'`)
					return c.f(conn)
				})
			}()
			if !errors.Is(err, c.want) {
				t.Fatalf("it gives %v", err)
			}
			w.append(t, w.text(0, 0))
			view, err := w.Room(context.Background(), w.rooms[0], w.users[0])
			if err != nil || view.Name != "Room 0" {
				t.Fatalf("the room is %+v (%v)", view, err)
			}
		})
	}
}

// failing makes a statement of a connection fail from now on: it becomes one that breaks a constraint.
func failing(c *conn, statement string) error {
	bad, err := c.stmt(`INSERT INTO pings (id, filling) VALUES (2, '')`)
	if good := c.stmts[statement]; good != nil {
		err = errors.Join(err, good.Close())
	}
	c.stmts[statement] = bad
	return err
}

// A commit that fails, and not for want of room: nobody can tell what a crash would leave.
func TestCommitOfUnknownOutcome(t *testing.T) {
	for _, c := range []struct {
		name  string
		fails []string
	}{{"then rolled back", []string{"COMMIT"}}, {"and so does the rollback", []string{"COMMIT", "ROLLBACK"}}} {
		t.Run(c.name, func(t *testing.T) {
			w := build(t, 1, 1)
			err := w.write(context.Background(), "test", func(conn *conn) error {
				var err error
				for _, statement := range c.fails {
					err = errors.Join(err, failing(conn, statement))
				}
				return err
			})
			if !errors.Is(err, chat.ErrUnknownOutcome) || errors.Is(err, chat.ErrUnavailable) {
				t.Fatalf("[SEQ3] it gives %v", err)
			}
			w.on(t, func(conn *conn) { delete(conn.stmts, "COMMIT") })
			w.append(t, w.text(0, 0))
		})
	}
}

func TestReadersOnlyRead(t *testing.T) {
	w := build(t, 1, 1)
	err := w.read(context.Background(), "test", func(c *conn) error {
		_, err := c.exec(`UPDATE rooms SET name = 'x'`)
		return err
	})
	if !errors.Is(err, chat.ErrUnavailable) {
		t.Fatalf("writing on a reader gives %v", err)
	}
}

func TestReaderGivesItsConnectionBack(t *testing.T) {
	w := build(t, 1, 1)
	for range 3 * cap(w.readers.free) {
		func() {
			defer func() { _ = recover() }() // the panic is the test's own
			_ = w.read(context.Background(), "test", func(*conn) error { panic("boom") })
		}()
		if err := w.read(context.Background(), "test", func(*conn) error { return sql.ErrConnDone }); err == nil {
			t.Fatal("no error")
		}
	}
	if _, err := w.Epoch(context.Background()); err != nil {
		t.Fatal(err)
	}
}
