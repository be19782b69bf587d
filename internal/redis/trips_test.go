package redis

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gochat-dev/gochat/internal/chat"
)

// tripCounter counts trips: how often an answer was read after something had been written.
type tripCounter struct{ trips atomic.Int64 }

type counted struct {
	net.Conn
	counter *tripCounter
	asked   atomic.Bool
}

func (c *counted) Write(b []byte) (int, error) {
	c.asked.Store(true)
	return c.Conn.Write(b)
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 && c.asked.CompareAndSwap(true, false) {
		c.counter.trips.Add(1)
	}
	return n, err
}

func (c *tripCounter) DialHook(next goredis.DialHook) goredis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := next(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &counted{Conn: conn, counter: c}, nil
	}
}

func (c *tripCounter) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook { return next }

func (c *tripCounter) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return next
}

// Whatever their number of rooms, notices or users, a batch's numbers, its bells, and a node's beat are one trip each.
func TestTrips(t *testing.T) {
	s := shared(t)
	b := node(t, s.URL(), "a")
	var counter tripCounter
	b.client.AddHook(&counter)

	const rooms = 200
	ctx := t.Context()
	counts, heads, states := make(map[string]int), make(map[string]int64), make(map[string]chat.State)
	var notices []chat.Notice
	for i := range rooms {
		room := chat.NewID()
		counts[room] = 3
		heads[room] = 1000 // the counter is behind
		notices = append(notices, typing(room, "ann"))
		states[fmt.Sprint("user ", i)] = chat.Online
	}
	for _, c := range []struct {
		name string
		do   func() error
	}{
		{"[SEQ4] the numbers of a batch in 200 rooms", func() error { _, err := b.Number(ctx, counts); return err }},
		{"[SEQ4] bells, and counters that are raised with them", func() error { return b.Publish(ctx, notices, heads) }},
		{"[PRS2] the beat of a node", func() error { return b.Beat(ctx, "a", states) }},
		{"[PRS4] a claim", func() error { _, err := b.Claim(ctx); return err }},
	} {
		t.Run(c.name, func(t *testing.T) {
			must(t, c.do()) // connects, and loads the script
			counter.trips.Store(0)
			must(t, c.do())
			if got := counter.trips.Load(); got != 1 {
				t.Errorf("%d trips", got)
			}
		})
	}
}

// TestCounterIsRaisedAtomically has many nodes generate numbers and raise the counter at once: no number is generated
// twice, and the counter never goes back.
func TestCounterIsRaisedAtomically(t *testing.T) {
	t.Run("[SEQ4] a raise never takes back what was generated meanwhile", func(t *testing.T) {
		s := shared(t)
		const nodes, each = 4, 300
		ctx := t.Context()
		all := make(chan int64, nodes*each) // the first of two numbers
		done := make(chan error, nodes)
		for i := range nodes {
			b := node(t, s.URL(), fmt.Sprint("node ", i))
			go func() {
				for j := range each {
					numbers, err := b.Number(ctx, map[string]int{"lobby": 2})
					if err != nil {
						done <- err
						return
					}
					all <- numbers["lobby"]
					// The head of a store that is ahead of what this node was given, and behind what others were.
					b.latest.note("lobby", 0)
					if err := b.Publish(ctx, nil, map[string]int64{"lobby": numbers["lobby"] + int64(j%3)}); err != nil {
						done <- err
						return
					}
				}
				done <- nil
			}()
		}
		for range nodes {
			must(t, <-done)
		}
		close(all)
		seen := make(map[int64]bool)
		for first := range all {
			if seen[first] || seen[first+1] {
				t.Fatalf("%d was generated twice", first)
			}
			seen[first], seen[first+1] = true, true
		}
	})
}
