package postgres

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gochat-dev/gochat/internal/chat"
)

// world is a store with people and rooms in it.
type world struct {
	*Store
	url   string
	users []string
	rooms []string
}

// build makes rooms rooms in which every one of the users is a member.
func build(tb testing.TB, users, rooms int) world {
	tb.Helper()
	return buildAt(tb, databases.New(tb), users, rooms)
}

func buildAt(tb testing.TB, url string, users, rooms int) world {
	tb.Helper()
	w := world{Store: openAt(tb, url), url: url}
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
			drafts = append(drafts, w.joining(i, u))
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

func (w world) joining(room int, user string) chat.Draft {
	return chat.Draft{
		RoomID: w.rooms[room], SenderID: user, ClientID: chat.NewID(), Kind: chat.KindMemberJoined, At: time.Now(),
		Join: &chat.Joining{},
	}
}

func (w world) leaving(room int, user string) chat.Draft {
	return chat.Draft{
		RoomID: w.rooms[room], SenderID: user, ClientID: chat.NewID(), Kind: chat.KindMemberLeft, At: time.Now(),
		Leave: &chat.MemberLeft{UserID: user},
	}
}

// renaming is a draft that takes an explicit transaction.
func (w world) renaming(room int, name string) chat.Draft {
	return chat.Draft{
		RoomID: w.rooms[room], SenderID: w.users[0], ClientID: chat.NewID(), Kind: chat.KindRoomChanged, At: time.Now(),
		Change: &chat.RoomChanged{Name: &name},
	}
}

// text is a draft of 100 bytes; long, one of as many as are allowed.
func (w world) text(room, user int) chat.Draft {
	return chat.Draft{
		RoomID: w.rooms[room%len(w.rooms)], SenderID: w.users[user%len(w.users)], ClientID: chat.NewID(),
		Kind: chat.KindText, Body: strings.Repeat("0123456789", 10), At: time.Now(),
	}
}

func (w world) texts(n int) []chat.Draft {
	drafts := make([]chat.Draft, n)
	for i := range drafts {
		drafts[i] = w.text(i, i)
	}
	return drafts
}

// long is of what does not become small by being packed.
func (w world) long() chat.Draft {
	d := w.text(0, 0)
	var body strings.Builder
	for body.Len() < chat.MaxBody {
		body.WriteString(chat.NewID())
	}
	d.Body = body.String()[:chat.MaxBody]
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

// sql runs SQL past the store.
func (w world) sql(tb testing.TB, query string, args ...any) {
	tb.Helper()
	w.on(tb, func(c *pgx.Conn) {
		if _, err := c.Exec(context.Background(), query, args...); err != nil {
			tb.Fatalf("%s: %v", query, err)
		}
	})
}

// on is a connection of its own, without the settings of the store.
func (w world) on(tb testing.TB, f func(c *pgx.Conn)) {
	tb.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, w.url)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() {
		if err := c.Close(ctx); err != nil {
			tb.Error(err)
		}
	}()
	f(c)
}
