package relay

import (
	"context"
	"sync"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/hub"
)

const (
	menders      = 4   // reads of the store for the hub that may be under way at once
	mendLimit    = 500 // entries read at once
	readTimeout  = 5 * time.Second
	watchTimeout = 2 * time.Second
)

// mender reads the store for the rooms that hash to it, one after the other, so that watching and
// forgetting a room keep their order.
type mender struct {
	relay *Relay
	wake  chan struct{}

	mu    sync.Mutex
	tasks []task
}

type task struct {
	kind   taskKind
	roomID string
	last   chat.Position
}

type taskKind int

const (
	load taskKind = iota
	mend
	forget
)

// Load implements hub.Source.
func (r *Relay) Load(roomID string) { r.mender(roomID).add(task{kind: load, roomID: roomID}) }

// Mend implements hub.Source.
func (r *Relay) Mend(roomID string, last chat.Position) {
	r.mender(roomID).add(task{kind: mend, roomID: roomID, last: last})
}

// Forget implements hub.Source.
func (r *Relay) Forget(roomID string) { r.mender(roomID).add(task{kind: forget, roomID: roomID}) }

func (r *Relay) mender(roomID string) *mender { return r.menders[r.shardOf(roomID, len(r.menders))] }

func (m *mender) add(t task) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tasks = append(m.tasks, t)
	signal(m.wake)
}

func (m *mender) take() []task {
	m.mu.Lock()
	defer m.mu.Unlock()
	tasks := m.tasks
	m.tasks = nil
	return tasks
}

func (m *mender) run() {
	for {
		select {
		case <-m.wake:
			for _, t := range m.take() {
				m.relay.do(t)
			}
		case <-m.relay.ctx.Done():
			return
		}
	}
}

func (r *Relay) do(t task) {
	switch t.kind {
	case load:
		r.load(t.roomID)
	case mend:
		r.mendRoom(t.roomID, t.last)
	case forget:
		ctx, cancel := context.WithTimeout(r.ctx, watchTimeout)
		defer cancel()
		if err := r.cfg.Backplane.Unwatch(ctx, t.roomID); err != nil && r.ctx.Err() == nil {
			r.log.Warn("could not stop listening to a room", "room", t.roomID, "err", err)
		}
	}
}

// load makes a room live: first the subscription, then the store, so that nothing falls in between.
func (r *Relay) load(roomID string) {
	ctx, cancel := context.WithTimeout(r.ctx, watchTimeout)
	if err := r.cfg.Backplane.Watch(ctx, roomID); err != nil && r.ctx.Err() == nil {
		// The periodic comparison stands in for the bell until the backplane is back (HUB6).
		r.log.Warn("could not listen to a room", "room", roomID, "err", err)
	}
	cancel()
	ctx, cancel = context.WithTimeout(r.ctx, readTimeout)
	defer cancel()
	live, err := r.cfg.Store.Load(ctx, roomID, r.cfg.Hub.RingEntries)
	if err == nil {
		r.noteEpoch(live.Epoch)
	}
	r.hub.Loaded(roomID, live, encodeAll(live.Entries), err)
}

// mendRoom reads what a room has missed.
func (r *Relay) mendRoom(roomID string, last chat.Position) {
	ctx, cancel := context.WithTimeout(r.ctx, readTimeout)
	defer cancel()
	run, err := r.cfg.Store.After(ctx, roomID, last, mendLimit)
	if err == nil {
		r.noteEpoch(run.Epoch)
	}
	r.hub.Mended(roomID, last, run, encodeAll(run.Entries), err)
}

func encodeAll(entries []chat.Entry) []hub.Delivery {
	out := make([]hub.Delivery, 0, len(entries))
	for i := range entries {
		out = append(out, hub.Encode(&entries[i]))
	}
	return out
}
