package chattest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// Faults says how often a Faulty backplane does what, each from 0 (never) to 1 (always).
type Faults struct {
	Lose       float64 // a notice does not come
	Repeat     float64 // a notice comes once more, up to Delay later
	Reorder    float64 // a notice comes up to Delay later, so that others overtake it
	LoseAnswer float64 // Number or Publish does its work, but reports a failure

	Delay time.Duration
}

// Faulty is a backplane with faults: what one node has of a bus that loses, repeats and reorders, and that it
// can be cut off from. The faults are drawn from a seed. Everything is well between Mend, Resume and
// SetFaults(Faults{}). A network that forgets everything is the business of what it wraps (inmem.Network.Forget).
type Faulty struct {
	inner chat.Backplane

	mu      sync.Mutex
	rand    *rand.Rand
	faults  Faults
	cut     bool
	paused  bool
	breaks  int             // how often the subscription was interrupted
	stands  bool            // the inner subscription does
	missed  map[string]bool // rooms to be watched (true) or unwatched when the backplane is back
	way     underWay
	changed chan struct{} // closed, and made anew, at every change of the above
}

var _ chat.Backplane = (*Faulty)(nil)

// NewFaulty wraps one node's backplane.
func NewFaulty(inner chat.Backplane, seed uint64, faults Faults) *Faulty {
	return &Faulty{
		inner: inner, rand: rand.New(rand.NewPCG(seed, 0)), faults: faults,
		missed: make(map[string]bool), changed: make(chan struct{}),
	}
}

// SetFaults changes how often faults happen from now on.
func (f *Faulty) SetFaults(faults Faults) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = faults
}

// Cut cuts the node off: every call fails at once, what is under way to the listener is lost, Down is called.
func (f *Faulty) Cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.cut {
		f.cut = true
		f.interrupt()
	}
}

// Mend ends Cut: first the subscriptions stand again, then Up is called.
func (f *Faulty) Mend() { f.restore(func() { f.cut = false }) }

// Pause freezes the backplane: calls wait as long as their context allows, notices wait too.
func (f *Faulty) Pause() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.paused = true
	f.signal()
}

// Resume ends Pause: what waited goes on.
func (f *Faulty) Resume() { f.restore(func() { f.paused = false }) }

// restore makes a change for the better, once all that was missed of the subscriptions has been made up for.
func (f *Faulty) restore(change func()) {
	for {
		f.mu.Lock()
		missed := f.missed
		if len(missed) == 0 {
			change()
			f.signal()
			f.mu.Unlock()
			return
		}
		f.missed = make(map[string]bool)
		f.mu.Unlock()
		for room, on := range missed {
			// A failure is the inner backplane's own: then its own Up or the periodic check helps.
			if on {
				_ = f.inner.Watch(context.Background(), room)
			} else {
				_ = f.inner.Unwatch(context.Background(), room)
			}
		}
	}
}

// interrupt notes that the subscription broke. The caller holds mu.
func (f *Faulty) interrupt() {
	f.breaks++
	f.way = nil
	f.signal()
}

// signal wakes everybody who waits for a change. The caller holds mu.
func (f *Faulty) signal() {
	close(f.changed)
	f.changed = make(chan struct{})
}

// chance draws a fault. The caller holds mu.
func (f *Faulty) chance(share float64) bool { return f.rand.Float64() < share }

// reach waits while the backplane is paused and fails when the node is cut off.
func (f *Faulty) reach(ctx context.Context) error {
	for {
		f.mu.Lock()
		cut, paused, changed := f.cut, f.paused, f.changed
		f.mu.Unlock()
		if cut {
			return fmt.Errorf("cut off from the backplane: %w", chat.ErrUnavailable)
		}
		if !paused {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("the backplane does not answer: %w: %w", chat.ErrUnavailable, ctx.Err())
		}
	}
}

// answer is what the caller hears of a call that was made.
func (f *Faulty) answer(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil && f.chance(f.faults.LoseAnswer) {
		return fmt.Errorf("the backplane's answer was lost: %w", chat.ErrUnavailable)
	}
	return err
}

// Number implements chat.Numbers.
func (f *Faulty) Number(ctx context.Context, counts map[string]int) (map[string]int64, error) {
	if err := f.reach(ctx); err != nil {
		return nil, err
	}
	firsts, err := f.inner.Number(ctx, counts)
	if err := f.answer(err); err != nil {
		return nil, err
	}
	return firsts, nil
}

// Publish implements chat.Bus.
func (f *Faulty) Publish(ctx context.Context, notices []chat.Notice, heads map[string]int64) error {
	if err := f.reach(ctx); err != nil {
		return err
	}
	return f.answer(f.inner.Publish(ctx, notices, heads))
}

// Watch implements chat.Bus.
func (f *Faulty) Watch(ctx context.Context, roomID string) error {
	return f.subscribe(ctx, roomID, true, f.inner.Watch)
}

// Unwatch implements chat.Bus.
func (f *Faulty) Unwatch(ctx context.Context, roomID string) error {
	return f.subscribe(ctx, roomID, false, f.inner.Unwatch)
}

// subscribe makes a call that counts even where it fails: it is made up for before the next Up.
func (f *Faulty) subscribe(ctx context.Context, roomID string, on bool, call func(context.Context, string) error) error {
	f.mu.Lock()
	f.missed[roomID] = on // before reach, or a Mend in between would not see it
	f.mu.Unlock()
	if err := f.reach(ctx); err != nil {
		return err
	}
	f.mu.Lock()
	delete(f.missed, roomID)
	f.mu.Unlock()
	return call(ctx, roomID)
}

// Beat implements chat.Presence.
func (f *Faulty) Beat(ctx context.Context, node string, states map[string]chat.State) error {
	if err := f.reach(ctx); err != nil {
		return err
	}
	return f.inner.Beat(ctx, node, states)
}

// SetState implements chat.Presence.
func (f *Faulty) SetState(ctx context.Context, node string, changes map[string]chat.State) (map[string]chat.State, error) {
	if err := f.reach(ctx); err != nil {
		return nil, err
	}
	return f.inner.SetState(ctx, node, changes)
}

// Claim implements chat.Presence.
func (f *Faulty) Claim(ctx context.Context) ([]string, error) {
	if err := f.reach(ctx); err != nil {
		return nil, err
	}
	return f.inner.Claim(ctx)
}

// Here implements chat.Presence.
func (f *Faulty) Here(ctx context.Context) (map[string]chat.State, error) {
	if err := f.reach(ctx); err != nil {
		return nil, err
	}
	return f.inner.Here(ctx)
}

// Close implements chat.Backplane.
func (f *Faulty) Close() error { return f.inner.Close() }
