package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// world is a store with people and rooms in it.
type world struct {
	*Store
	users []string
	rooms []string
}

// build makes rooms rooms in which every one of the users is a member.
func build(tb testing.TB, users, rooms int) world {
	tb.Helper()
	return buildAt(tb, filepath.Join(tb.TempDir(), "gochat.db"), users, rooms)
}

func buildAt(tb testing.TB, path string, users, rooms int) world {
	tb.Helper()
	w := world{Store: openAt(tb, path)}
	for i := range users {
		id := chat.NewID()
		u := chat.User{ID: id, Username: fmt.Sprint("user", i), DisplayName: fmt.Sprint("User ", i)}
		if _, err := w.CreateUser(context.Background(), u, "x"); err != nil {
			tb.Fatal(err)
		}
		w.users = append(w.users, id)
	}
	for i := range rooms {
		id := chat.NewID()
		w.rooms = append(w.rooms, id)
		drafts := []chat.Draft{{
			RoomID: id, SenderID: w.users[0], ClientID: chat.NewID(), Kind: chat.KindMemberJoined, At: time.Now(),
			Create: &chat.NewRoom{Name: fmt.Sprint("Room ", i), Visibility: chat.Public},
		}}
		for _, u := range w.users[1:] {
			drafts = append(drafts, chat.Draft{
				RoomID: id, SenderID: u, ClientID: chat.NewID(), Kind: chat.KindMemberJoined, At: time.Now(), Join: &chat.Joining{},
			})
		}
		w.append(tb, drafts...)
	}
	return w
}

func (w world) append(tb testing.TB, drafts ...chat.Draft) []chat.Outcome {
	tb.Helper()
	out, err := w.Append(context.Background(), drafts, nil)
	if err != nil {
		tb.Fatal(err)
	}
	for _, o := range out {
		if o.Err != nil {
			tb.Fatal(o.Err)
		}
	}
	return out
}

// text is a draft of 100 bytes; long, one of as many as are allowed.
func (w world) text(room, user int) chat.Draft {
	return chat.Draft{
		RoomID: w.rooms[room%len(w.rooms)], SenderID: w.users[user%len(w.users)], ClientID: chat.NewID(),
		Kind: chat.KindText, Body: strings.Repeat("0123456789", 10), At: time.Now(),
	}
}

func (w world) long() chat.Draft {
	d := w.text(0, 0)
	d.Body = strings.Repeat("x", chat.MaxBody)
	return d
}

func (w world) session(tb testing.TB, user string) string {
	tb.Helper()
	now := time.Now()
	ses := chat.Session{ID: chat.NewID(), UserID: user, CreatedAt: now, LastSeenAt: now, ExpiresAt: now.Add(time.Hour)}
	if err := w.CreateSession(context.Background(), ses, chat.NewID()); err != nil {
		tb.Fatal(err)
	}
	return ses.ID
}

// logOf reads a whole room and fails where the chain is broken.
func logOf(tb testing.TB, s *Store, room string) []chat.Entry {
	tb.Helper()
	var log []chat.Entry
	last := chat.Position{}
	for {
		run, err := s.After(context.Background(), room, last, 200)
		if err != nil {
			tb.Fatal(err)
		}
		for _, e := range run.Entries {
			if e.Prev() != last {
				tb.Fatalf("after %v comes %+v", last, e)
			}
			last = e.Position()
		}
		if log = append(log, run.Entries...); len(run.Entries) == 0 {
			if run.Head != last {
				tb.Fatalf("the log ends at %v, the head is %v", last, run.Head)
			}
			return log
		}
	}
}

// on runs SQL on the connection that writes, past the store.
func (s *Store) on(tb testing.TB, f func(c *conn)) {
	tb.Helper()
	c, err := s.writer.take(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	defer s.writer.put(c)
	f(c)
}

func (c *conn) must(tb testing.TB, query string, args ...any) {
	tb.Helper()
	if _, err := c.exec(query, args...); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
}

func copyFile(tb testing.TB, from, to string) {
	tb.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		tb.Fatal(err)
	}
}
