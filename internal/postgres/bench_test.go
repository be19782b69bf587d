package postgres

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/pgtest"
)

// earnest are the databases of the benchmarks: their server writes as one in earnest does.
var earnest = &pgtest.Databases{Config: pgtest.Config{Durable: true}, Prepare: prepare}

func buildInEarnest(b *testing.B, users, rooms int) world {
	b.Helper()
	return buildAt(b, earnest.New(b), users, rooms)
}

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 50, 256} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			w := buildInEarnest(b, 50, 100)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				drafts := make([]chat.Draft, size)
				for i := range drafts {
					n++
					drafts[i] = w.text(n*7, n)
				}
				w.append(b, drafts...)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "texts/s")
		})
	}
}

// BenchmarkSenders is 200 people who each wait for the answer before they send again, batched as committers do (P4). The baseline is pgbench: as many clients, each of whom inserts one such row and waits, into a plain table of
// the same server.
func BenchmarkSenders(b *testing.B) {
	const people = 200
	for _, committers := range []int{1, 2, 4} {
		b.Run(fmt.Sprint("committers ", committers), func(b *testing.B) { benchmarkSenders(b, people, committers) })
	}
	b.Run("pgbench", func(b *testing.B) {
		path, err := pgtest.Program("pgbench")
		if err != nil {
			b.Fatal(err)
		}
		url := earnest.New(b)
		w := world{url: url}
		w.on(b, func(c *pgx.Conn) {
			if _, err := c.Exec(context.Background(), `CREATE TABLE plain (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
				room bigint, sender bigint, at bigint, body text)`); err != nil {
				b.Fatal(err)
			}
		})
		script := filepath.Join(b.TempDir(), "insert.sql")
		const insert = `INSERT INTO plain (room, sender, at, body) VALUES (1, 2, 3, repeat('0123456789', 10));`
		if err := os.WriteFile(script, []byte(insert), 0o600); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			out, err := exec.Command(path, "--no-vacuum", "--file", script, "--client", "180", "--jobs", "2", "--time", "8",
				"--protocol", "prepared", url).CombinedOutput()
			if err != nil {
				b.Fatalf("%v: %s", err, out)
			}
			tps := regexp.MustCompile(`tps = ([0-9.]+)`).FindSubmatch(out)
			if tps == nil {
				b.Fatalf("%s", out)
			}
			rate, err := strconv.ParseFloat(string(tps[1]), 64)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(rate, "texts/s")
		}
	})
}

func benchmarkSenders(b *testing.B, people, committers int) {
	const biggest = 256
	w := buildInEarnest(b, people, 20)
	type sent struct {
		draft chat.Draft
		done  chan struct{}
	}
	queues := make([]chan sent, committers)
	var committing sync.WaitGroup
	for i := range queues {
		queues[i] = make(chan sent, people)
		committing.Go(func() {
			for first := range queues[i] {
				batch := []sent{first}
				for len(queues[i]) > 0 && len(batch) < biggest {
					batch = append(batch, <-queues[i])
				}
				drafts := make([]chat.Draft, len(batch))
				for j := range batch {
					drafts[j] = batch[j].draft
				}
				w.append(b, drafts...)
				for j := range batch {
					close(batch[j].done)
				}
			}
		})
	}
	tickets := make(chan int, b.N)
	for i := range b.N {
		tickets <- i
	}
	close(tickets)
	b.ResetTimer()
	var senders sync.WaitGroup
	for u := range people {
		senders.Go(func() {
			for i := range tickets {
				s := sent{w.text(i, u), make(chan struct{})}
				queues[i%len(w.rooms)%committers] <- s // a room always has the same committer
				<-s.done
			}
		})
	}
	senders.Wait()
	b.StopTimer()
	for i := range queues {
		close(queues[i])
	}
	committing.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "texts/s")
}

func BenchmarkJoin(b *testing.B) {
	w := buildInEarnest(b, 2, 1)
	for b.Loop() {
		w.append(b, w.leaving(0, w.users[1]))
		w.append(b, w.joining(0, w.users[1]))
	}
}

func BenchmarkSnapshot(b *testing.B) {
	w := buildInEarnest(b, 50, 20)
	for range 60 {
		w.append(b, w.texts(50)...)
	}
	session := w.session(b, w.users[0])
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Snapshot(context.Background(), w.users[0], session); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	w := buildInEarnest(b, 5000, 1)
	q := chat.CompareQuery{Rooms: w.rooms, Users: w.users, Node: "node"}
	b.ReportAllocs()
	for b.Loop() {
		got, err := w.Compare(context.Background(), q)
		if err != nil || len(got.Versions) != 5000 || len(got.Heads) != 1 {
			b.Fatal(err, len(got.Versions), len(got.Heads))
		}
	}
}

// BenchmarkPage reads pages of a room of a million entries (P8).
func BenchmarkPage(b *testing.B) {
	w := buildInEarnest(b, 2, 1)
	w.fillRoom(b)
	for name, q := range map[string]chat.PageQuery{
		"latest": {Limit: 50}, "start": {FromStart: true, Limit: 50}, "middle": {Around: million / 2, Limit: 50},
		"deep": {Before: million / 3, Limit: 200},
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
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.Open(context.Background(), w.rooms[0], w.users[0], nil, 50); err != nil {
				b.Fatal(err)
			}
		}
	})
}
