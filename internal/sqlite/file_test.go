package sqlite

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gochat-dev/gochat/internal/chat"
)

func TestReopenKeepsEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "on demand", "gochat ?#%20.db")
	w := buildAt(t, path, 3, 2)
	w.append(t, w.text(0, 1), w.text(1, 2), w.text(0, 2))
	ctx := context.Background()
	want := logOf(t, w.Store, w.rooms[0])
	epoch, err := w.Epoch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	ses := w.session(t, w.users[1])
	before, err := w.Snapshot(ctx, w.users[1], ses)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file has mode %v (%v)", info.Mode(), err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Fatalf("beside the file there is something: %v %v", entries, err)
	}

	copied := filepath.Join(t.TempDir(), "copy.db")
	copyFile(t, path, copied)
	for _, path := range []string{path, copied} {
		s := openAt(t, path)
		if got := logOf(t, s, w.rooms[0]); len(got) != len(want) || got[len(got)-1].Position() != want[len(want)-1].Position() {
			t.Fatalf("the log has %d entries, not %d", len(got), len(want))
		}
		if version := s.SchemaVersion(); version < 1 {
			t.Errorf("its schema is said to be version %d", version)
		}
		if got, err := s.Epoch(ctx); err != nil || got != epoch {
			t.Fatalf("epoch %q, not %q (%v)", got, epoch, err)
		}
		after, err := s.Snapshot(ctx, w.users[1], ses)
		if err != nil || after.Version != before.Version || len(after.Rooms) != 2 || after.User != before.User {
			t.Fatalf("snapshot %+v (%v), before %+v", after, err, before)
		}
		out, err := s.Append(ctx, []chat.Draft{w.text(0, 0)}, nil)
		if err != nil || out[0].Entry.PrevSeq != want[len(want)-1].Seq {
			t.Fatalf("going on gives %+v (%v)", out, err)
		}
	}
}

// What a killed process leaves behind is the file and its log as they are at that moment.
func TestKilledProcessKeepsWhatWasAcknowledged(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "gochat.db")
	w := buildAt(t, path, 2, 1)
	var acknowledged []chat.Position
	for i := range 40 {
		out := w.append(t, w.text(0, i), w.text(0, i))
		acknowledged = append(acknowledged, out[0].Entry.Position(), out[1].Entry.Position())
	}
	left := filepath.Join(t.TempDir(), "gochat.db")
	copyFile(t, path, left)
	copyFile(t, path+"-wal", left+"-wal")
	s := openAt(t, left)
	log := logOf(t, s, w.rooms[0])
	for i, p := range acknowledged {
		if got := log[len(log)-len(acknowledged)+i].Position(); got != p {
			t.Fatalf("acknowledged %v, found %v", p, got)
		}
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gochat.db")
	w := buildAt(t, path, 1, 1)
	w.on(t, func(c *conn) {
		c.must(t, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`)
	})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := Open(context.Background(), Config{Path: path})
	if err == nil || !strings.Contains(err.Error(), "schema is version 9999") || !strings.Contains(err.Error(), path) {
		t.Fatalf("opening it gives %v", err)
	}
}

func TestOpenRefusesWhatIsNoDatabase(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", dir, text, filepath.Join(text, "below.db")} {
		s, err := Open(context.Background(), Config{Path: path})
		if err == nil {
			t.Errorf("%q was opened", path)
			_ = s.Close() // the failure has been reported
			continue
		}
		if !strings.Contains(err.Error(), "open database") {
			t.Errorf("%q: %v", path, err)
		}
	}
}

// `bin/server admin` opens the file of a running server.
func TestTwoProcessesShareTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gochat.db")
	w := buildAt(t, path, 2, 1)
	other := world{Store: openAt(t, path), users: w.users, rooms: w.rooms}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 30 {
			if _, err := other.Append(context.Background(), []chat.Draft{other.text(0, i)}, nil); err != nil {
				t.Error(err)
			}
		}
	}()
	for i := range 30 {
		w.append(t, w.text(0, i))
	}
	<-done
	if log := logOf(t, other.Store, w.rooms[0]); len(log) != 62 {
		t.Fatalf("%d entries, not 62", len(log))
	}
}

func TestSchemaHoldsTheRules(t *testing.T) {
	w := build(t, 2, 1)
	w.append(t, w.text(0, 0)) // entries 1, 2, 3
	insert := func(seq, prev int64, client string) error {
		var err error
		w.on(t, func(c *conn) {
			_, err = c.exec(`INSERT INTO entries (room, seq, kind, sender, prev_seq, prev_id, message_id, client_id, at, body)
				SELECT room, ?, kind, sender, ?, prev_id, message_id, CASE ? WHEN '' THEN client_id ELSE ? END, at, body
				FROM entries WHERE seq = 3`, seq, prev, client, client)
		})
		return err
	}
	for _, c := range []struct {
		name      string
		seq, prev int64
		client    string
		ok        bool
	}{
		{"[SEQ1] a number is given once", 3, 5, "a", false},
		{"[SEQ1] one entry follows another", 4, 2, "a", false},
		{"[SEQ1] an entry points back", 4, 4, "a", false},
		{"[SEQ2] a client id counts once", 4, 3, "", false},
		{"the next entry", 4, 3, "a", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := insert(c.seq, c.prev, c.client); (err == nil) != c.ok {
				t.Fatal(err)
			}
		})
	}
}

func TestEveryConnectionIsSetUp(t *testing.T) {
	w := build(t, 1, 1)
	settings := func(c *conn) map[string]string {
		got := make(map[string]string)
		for _, name := range []string{"journal_mode", "synchronous", "foreign_keys", "query_only", "busy_timeout"} {
			var value string
			if _, err := c.row("PRAGMA "+name, nil, &value); err != nil {
				t.Fatal(err)
			}
			got[name] = value
		}
		return got
	}
	want := map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "query_only": "0", "busy_timeout": "5000"}
	w.on(t, func(c *conn) {
		if got := settings(c); !maps.Equal(got, want) {
			t.Errorf("the writer has %v", got)
		}
	})
	want["query_only"] = "1"
	for range cap(w.readers.free) {
		c, err := w.readers.take(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		defer w.readers.put(c)
		if got := settings(c); !maps.Equal(got, want) {
			t.Errorf("a reader has %v", got)
		}
	}
}
