package sqlite

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 50} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			w := build(b, 50, 100)
			b.ReportAllocs()
			n := 0
			began := cpuTime(b)
			for b.Loop() {
				drafts := make([]chat.Draft, size)
				for i := range drafts {
					n++
					drafts[i] = w.text(n*7, n)
				}
				w.append(b, drafts...)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "texts/s")
			b.ReportMetric(float64((cpuTime(b)-began).Microseconds())/float64(n), "cpu-µs/text")
		})
	}
}

// cpuTime is the CPU time of this process: unlike the time on the clock it does not count the disk, nor what else
// the machine does.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
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
			w.append(b, drafts...)
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
		w.append(b, w.text(i, i/20))
	}
	session := w.session(b, w.users[0])
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Snapshot(context.Background(), w.users[0], session); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	w := build(b, 50, 20)
	for i := range 60 {
		drafts := make([]chat.Draft, 50)
		for j := range drafts {
			drafts[j] = w.text(j, i)
		}
		w.append(b, drafts...)
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
		w.append(b, chat.Draft{
			RoomID: w.rooms[len(w.rooms)-1], SenderID: w.users[0], ClientID: chat.NewID(), Kind: chat.KindMemberJoined,
			At: time.Now(), Create: &chat.NewRoom{Name: "Room", Visibility: chat.Public},
		})
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

// BenchmarkPage reads pages at the start, in the middle and at the end of a room of a million entries (P8).
func BenchmarkPage(b *testing.B) {
	const entries = 1_000_000
	w := build(b, 2, 1)
	w.on(b, func(c *conn) {
		c.must(b, `INSERT INTO entries (room, seq, kind, sender, prev_seq, prev_id, message_id, client_id, at, data, body)
			WITH RECURSIVE n (i) AS (SELECT 4 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			SELECT 1, i, 'text', 1 + i % 2, i - 1, printf('%036d', i - 1), printf('%036d', i), hex(randomblob(18)), i, NULL, printf('%0100d', i) FROM n`,
			entries)
		c.must(b, `UPDATE rooms SET head_seq = ?1, head_id = printf('%036d', ?1)`, entries)
	})
	for name, q := range map[string]chat.PageQuery{
		"latest": {Limit: 50}, "start": {FromStart: true, Limit: 50}, "middle": {Around: entries / 2, Limit: 50},
		"deep": {Before: entries / 3, Limit: 200},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				p, err := w.Page(context.Background(), w.rooms[0], w.users[0], q)
				if err != nil || len(p.Entries) != q.Limit {
					b.Fatal(len(p.Entries), err)
				}
			}
		})
	}
	b.Run("scattered", func(b *testing.B) {
		for i := int64(0); b.Loop(); i += 104_729 {
			if _, err := w.Page(context.Background(), w.rooms[0], w.users[0], chat.PageQuery{Around: 1 + i%entries, Limit: 50}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.Open(context.Background(), w.rooms[0], w.users[0], nil, 50); err != nil {
				b.Fatal(err)
			}
		}
	})
}
