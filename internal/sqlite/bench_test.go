package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/sqlite"
)

// world is a store with people and rooms in it.
type world struct {
	*sqlite.Store
	users []string
	rooms []string
}

// build makes rooms rooms in which every one of the users is a member.
func build(tb testing.TB, users, rooms int) world {
	tb.Helper()
	ctx := context.Background()
	s, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(tb.TempDir(), "gochat.db")})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	w := world{Store: s}
	for i := range users {
		id := chat.NewID()
		if _, err := s.CreateUser(ctx, chat.User{ID: id, Username: fmt.Sprint("user", i), DisplayName: fmt.Sprint("User ", i)}, "x"); err != nil {
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
		w.append(tb, drafts)
	}
	return w
}

func (w world) append(tb testing.TB, drafts []chat.Draft) []chat.Outcome {
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

func (w world) text(room, user int) chat.Draft {
	return chat.Draft{
		RoomID: w.rooms[room%len(w.rooms)], SenderID: w.users[user%len(w.users)], ClientID: chat.NewID(),
		Kind: chat.KindText, Body: strings.Repeat("0123456789", 10), At: time.Now(),
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 50} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			w := build(b, 50, 100)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				drafts := make([]chat.Draft, size)
				for i := range drafts {
					n++
					drafts[i] = w.text(n*7, n)
				}
				w.append(b, drafts)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "texts/s")
		})
	}
}

// BenchmarkSenders is 200 people who each wait for the answer before they send again, batched as a committer does.
func BenchmarkSenders(b *testing.B) {
	w := build(b, 200, 20)
	type sent struct {
		draft chat.Draft
		done  chan struct{}
	}
	queue := make(chan sent, 200)
	var wg sync.WaitGroup
	wg.Go(func() {
		for first := range queue {
			batch := []sent{first}
			for len(queue) > 0 {
				batch = append(batch, <-queue)
			}
			drafts := make([]chat.Draft, len(batch))
			for i := range batch {
				drafts[i] = batch[i].draft
			}
			w.append(b, drafts)
			for i := range batch {
				close(batch[i].done)
			}
		}
	})
	tickets := make(chan int, b.N)
	for i := range b.N {
		tickets <- i
	}
	close(tickets)
	b.ResetTimer()
	var senders sync.WaitGroup
	for u := range 200 {
		senders.Go(func() {
			for i := range tickets {
				s := sent{w.text(i, u), make(chan struct{})}
				queue <- s
				<-s.done
			}
		})
	}
	senders.Wait()
	b.StopTimer()
	close(queue)
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "texts/s")
}

func BenchmarkSnapshot(b *testing.B) {
	w := build(b, 50, 20)
	for i := range 3000 {
		w.append(b, []chat.Draft{w.text(i, i/20)})
	}
	session := w.session(b, w.users[0])
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Snapshot(context.Background(), w.users[0], session); err != nil {
			b.Fatal(err)
		}
	}
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

func BenchmarkOpen(b *testing.B) {
	w := build(b, 50, 20)
	for i := range 60 {
		drafts := make([]chat.Draft, 50)
		for j := range drafts {
			drafts[j] = w.text(j, i)
		}
		w.append(b, drafts)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Open(context.Background(), w.rooms[3], w.users[7], nil, 50); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	w := build(b, 5000, 1)
	for len(w.rooms) < 100 {
		w.rooms = append(w.rooms, chat.NewID())
		w.append(b, []chat.Draft{{
			RoomID: w.rooms[len(w.rooms)-1], SenderID: w.users[0], ClientID: chat.NewID(), Kind: chat.KindMemberJoined,
			At: time.Now(), Create: &chat.NewRoom{Name: "Room", Visibility: chat.Public},
		}})
	}
	q := chat.CompareQuery{Rooms: w.rooms, Users: w.users, Node: "node"}
	b.ReportAllocs()
	for b.Loop() {
		got, err := w.Compare(context.Background(), q)
		if err != nil || len(got.Versions) != 5000 || len(got.Heads) != 100 {
			b.Fatal(err, len(got.Versions), len(got.Heads))
		}
	}
}
