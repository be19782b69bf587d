package relay

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// checker compares all that is live with the store: a lost last bell rings no bell (HUB5).
type checker struct {
	kick      chan struct{}
	busDown   atomic.Bool // the subscription is interrupted
	silent    atomic.Bool // this node could not publish
	anySilent atomic.Bool // some node could not
}

// down notes whether the subscription stands, and has everything compared at once.
func (c *checker) down(down bool) {
	c.busDown.Store(down)
	signal(c.kick)
}

// silence notes whether this node can publish.
func (c *checker) silence(silent bool) {
	if c.silent.Swap(silent) != silent && silent {
		signal(c.kick)
	}
}

func (c *checker) hurry() bool {
	return c.busDown.Load() || c.silent.Load() || c.anySilent.Load()
}

func (r *Relay) check() {
	// The first wait is random, so that nodes that started together do not ask together.
	timer := time.NewTimer(rand.N(r.cfg.CheckEvery))
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-r.checker.kick:
		case <-r.ctx.Done():
			return
		}
		r.compare()
		next := r.cfg.CheckEvery
		if r.checker.hurry() {
			next = r.cfg.HurryEvery
		}
		timer.Reset(next)
	}
}

// compare asks the store, with one query, about all rooms and users that are live here.
func (r *Relay) compare() {
	if r.checker.silent.Load() {
		signal(r.publisher.wake) // perhaps it can now
	}
	asked := r.hub.Positions()
	q := chat.CompareQuery{
		Rooms: make([]string, 0, len(asked)), Users: r.sessions.Users(),
		Node: r.cfg.Node, Silent: r.checker.silent.Load(),
	}
	for room := range asked {
		q.Rooms = append(q.Rooms, room)
	}
	ctx, cancel := context.WithTimeout(r.ctx, readTimeout)
	defer cancel()
	c, err := r.cfg.Store.Compare(ctx, q)
	if err != nil {
		if r.ctx.Err() == nil {
			r.log.Warn("comparing with the store failed", "err", err)
			r.noteStore(err)
		}
		return
	}
	r.noteStore(nil)
	r.checker.anySilent.Store(c.Silent)
	r.noteEpoch(c.Epoch)
	for room, at := range asked {
		r.hub.Judge(room, at, c.Heads[room])
	}
	r.sessions.Judge(c.Versions)
}

// noteEpoch notices that the history changed: a restore writes a new epoch (RES3).
func (r *Relay) noteEpoch(epoch string) {
	old := r.epoch.Load()
	if epoch == "" || *old == epoch || !r.epoch.CompareAndSwap(old, &epoch) {
		return
	}
	r.log.Warn("the store has another epoch: all rooms are read anew", "old", *old, "new", epoch)
	r.hub.Reset()
	r.sessions.RoomsChanged("")
}
