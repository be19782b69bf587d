package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/pgtest"
)

// round is some time in which faults happen one over the other.
type round struct {
	*set

	dice     *rand.Rand // of the choice
	wg       sync.WaitGroup
	nodeBusy []sync.Mutex // a node is killed, frozen or leaves
	postgres sync.Mutex   // its server is restarted, frozen or put back
	redisSrv sync.Mutex   // its server is killed or frozen
	put      bool         // it was put back once in this round
}

// strike is a fault that happens in a round: to a node, for a while.
type strike struct {
	name string
	do   func(r *round, n int, span time.Duration)
}

var strikes = []strike{
	{"kill", func(r *round, n int, span time.Duration) {
		r.nodes[n].kill()
		r.pass(span / 2)
		r.again(r.nodes[n])
	}},
	{"leave", func(r *round, n int, _ time.Duration) {
		r.check(r.nodes[n].leave())
		r.again(r.nodes[n])
	}},
	{"freeze", func(r *round, n int, span time.Duration) {
		r.nodes[n].signal(syscall.SIGSTOP)
		r.pass(2 * span)
		r.nodes[n].signal(syscall.SIGCONT)
	}},
	{"kill-before-commit", func(r *round, n int, _ time.Duration) { r.killAt(n, atOnce) }},
	{"kill-after-commit", func(r *round, n int, _ time.Duration) { r.killAt(n, idle) }},
	{"lose-answers", func(r *round, n int, span time.Duration) {
		for end := time.Now().Add(span); time.Now().Before(end); {
			mark := fmt.Sprintf("lost on n%d at %v", n, time.Now().UnixNano())
			r.nodes[n].postgres.set(trap{mark: mark, until: idle, spring: func() {}})
			r.wg.Go(func() { r.post(r.nodes[n], n, r.rooms[0], mark) })
			r.pass(200 * time.Millisecond)
		}
	}},
	{"postgres-cut-one", func(r *round, n int, span time.Duration) { r.wire(span, (*proxy).setCut, r.nodes[n].postgres) }},
	{"postgres-silent-one", func(r *round, n int, span time.Duration) { r.wire(span, (*proxy).setStalled, r.nodes[n].postgres) }},
	{"postgres-cut-all", func(r *round, _ int, span time.Duration) { r.wire(span, (*proxy).setCut, r.wires(true)...) }},
	{"postgres-silent-all", func(r *round, _ int, span time.Duration) { r.wire(span, (*proxy).setStalled, r.wires(true)...) }},
	{"redis-cut-one", func(r *round, n int, span time.Duration) { r.wire(span, (*proxy).setCut, r.nodes[n].redis) }},
	{"redis-silent-one", func(r *round, n int, span time.Duration) { r.wire(span, (*proxy).setStalled, r.nodes[n].redis) }},
	{"redis-silent-all", func(r *round, _ int, span time.Duration) { r.wire(span, (*proxy).setStalled, r.wires(false)...) }},
	{"redis-kill", func(r *round, _ int, span time.Duration) {
		r.redisSrv.Lock()
		defer r.redisSrv.Unlock()
		r.check(r.redis.Kill())
		r.pass(span)
		r.check(r.redis.Launch())
	}},
	{"redis-freeze", func(r *round, _ int, span time.Duration) {
		r.redisSrv.Lock()
		defer r.redisSrv.Unlock()
		r.check(r.redis.Pause())
		r.pass(span)
		r.check(r.redis.Resume())
	}},
	{"redis-flush", func(r *round, _ int, _ time.Duration) {
		r.redisSrv.Lock()
		defer r.redisSrv.Unlock()
		_, err := r.redis.Do(context.Background(), "FLUSHALL")
		r.check(err)
	}},
	{"postgres-restart", func(r *round, _ int, _ time.Duration) {
		r.postgres.Lock()
		defer r.postgres.Unlock()
		r.check(r.server.Restart(pgtest.Immediate))
	}},
	{"postgres-freeze", func(r *round, _ int, span time.Duration) {
		r.postgres.Lock()
		defer r.postgres.Unlock()
		r.check(r.server.Signal(syscall.SIGSTOP))
		r.pass(span)
		r.check(r.server.Signal(syscall.SIGCONT))
	}},
	{"restore", func(r *round, n int, span time.Duration) { r.putBack(span, restoring{epoch: n == 0}) }},
	{"drop-everybody", func(r *round, _ int, _ time.Duration) {
		for _, c := range r.crowd.Clients() {
			c.Hang()
		}
	}},
	{"freeze-client", func(r *round, n int, span time.Duration) {
		c := r.crowd.Clients()[n]
		c.Freeze()
		r.pass(2 * span)
		c.Thaw()
	}},
}

// again starts a node that is down. What it needs may be away: then it ends, and is started again.
func (r *round) again(n *node) {
	r.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for err := n.start(); err != nil; err = n.start() {
		n.kill()
		if time.Now().After(deadline) {
			r.t.Errorf("%s does not start: %v", n.name, err)
			return
		}
	}
}

// killAt kills a node in the midst of a commit.
func (r *round) killAt(n int, until string) {
	mark := fmt.Sprintf("the last of n%d at %v", n, time.Now().UnixNano())
	trap := r.nodes[n].postgres.set(trap{mark: mark, until: until, spring: r.nodes[n].kill})
	r.wg.Go(func() { r.post(r.nodes[n], n, r.rooms[0], mark) })
	select {
	case <-trap.sprung:
		r.again(r.nodes[n])
	case <-time.After(5 * time.Second): // nobody said anything there
		r.nodes[n].postgres.disarm()
		if !r.nodes[n].running() {
			r.again(r.nodes[n])
		}
	}
}

func (r *round) wires(postgres bool) []*proxy {
	var all []*proxy
	for _, n := range r.nodes {
		if postgres {
			all = append(all, n.postgres)
		} else {
			all = append(all, n.redis)
		}
	}
	return all
}

func (r *round) wire(span time.Duration, away func(*proxy, bool), wires ...*proxy) {
	for _, w := range wires {
		away(w, true)
	}
	r.pass(span)
	for _, w := range wires {
		away(w, false)
	}
}

func (r *round) putBack(span time.Duration, how restoring) {
	r.postgres.Lock()
	defer r.postgres.Unlock()
	if r.put {
		return
	}
	r.put = true
	file, err := r.server.Dump(r.name)
	r.must(err)
	r.pass(span)
	r.restore(file, how)
}

// TestRandomFaults makes faults one over the other for as long as it is told to, in rounds: after each, the record is
// compared with the database.
func TestRandomFaults(t *testing.T) {
	if *duration == 0 {
		t.Skip("takes as long as -duration says: make faults")
	}
	end := time.Now().Add(*duration)
	for s := *seed; time.Now().Before(end); s++ {
		if !t.Run(fmt.Sprint(s), func(t *testing.T) { playRound(t, s) }) {
			return
		}
	}
}

const breaking = 40 * time.Second

func playRound(t *testing.T, s uint64) {
	dice := rand.New(rand.NewPCG(s, 3))
	p := plan{server: func(t *testing.T) (*pgtest.Server, string) {
		return ownServer(t, pgtest.Config{Durable: true}, func(*pgtest.Server) string { return "" })
	}}
	p.lossy = dice.IntN(3) == 0
	p.pace = []time.Duration{8 * time.Millisecond, 15 * time.Millisecond, 40 * time.Millisecond}[dice.IntN(3)]
	r := &round{set: newSet(t, p), dice: dice}
	r.nodeBusy = make([]sync.Mutex, len(r.nodes))
	var names []string
	type event struct {
		strike
		at, span time.Duration
		node     int
	}
	var events []event
	for range 3 + dice.IntN(8) {
		e := event{
			strike: strikes[dice.IntN(len(strikes))], node: dice.IntN(len(r.nodes)),
			at: time.Duration(dice.Int64N(int64(breaking))), span: time.Second + time.Duration(dice.Int64N(int64(9*time.Second))),
		}
		events = append(events, e)
	}
	slices.SortFunc(events, func(a, b event) int { return int(a.at - b.at) })
	for _, e := range events {
		names = append(names, fmt.Sprintf("%s n%d at %.1fs for %.1fs", e.name, e.node, e.at.Seconds(), e.span.Seconds()))
	}
	t.Logf("seed %d, lossy bus %v, pace %v: %s", s, p.lossy, p.pace, strings.Join(names, "; "))
	r.talk()
	for _, e := range events {
		r.wg.Go(func() {
			r.pass(e.at)
			if strings.HasPrefix(e.name, "kill") || e.name == "leave" || e.name == "freeze" {
				r.nodeBusy[e.node].Lock()
				defer r.nodeBusy[e.node].Unlock()
			}
			r.note("FAULT %s n%d for %v", e.name, e.node, e.span)
			e.do(r, e.node, e.span)
		})
	}
	r.wg.Wait()
	for _, n := range r.nodes {
		n.postgres.disarm()
	}
	r.talkGoesOn(30 * time.Second)
	r.finish()
}
