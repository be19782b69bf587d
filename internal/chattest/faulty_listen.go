package chattest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// underWay are the notices on their way to the listener, the next one first.
type underWay []arrival

type arrival struct {
	notice chat.Notice
	due    time.Time
}

// add puts a notice behind those that are due no later.
func (u underWay) add(a arrival) underWay {
	at, _ := slices.BinarySearchFunc(u, a.due, func(b arrival, due time.Time) int {
		return cmp.Or(b.due.Compare(due), -1)
	})
	return slices.Insert(u, at, a)
}

// tap is the listener of the inner backplane: it draws the faults.
type tap struct{ *Faulty }

// Notice implements chat.Listener.
func (f tap) Notice(n chat.Notice) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cut || f.chance(f.faults.Lose) {
		return
	}
	f.way = f.way.add(arrival{n, f.due(f.faults.Reorder)})
	if f.chance(f.faults.Repeat) {
		f.way = f.way.add(arrival{n, f.due(1)})
	}
	f.signal()
}

// due is when a notice comes: now, or, by chance, up to Delay later. The caller holds mu.
func (f tap) due(late float64) time.Time {
	due := time.Now()
	if f.chance(late) && f.faults.Delay > 0 {
		due = due.Add(time.Duration(f.rand.Int64N(int64(f.faults.Delay))))
	}
	return due
}

// Up implements chat.Listener.
func (f tap) Up() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stands = true
	f.signal()
}

// Down implements chat.Listener.
func (f tap) Down() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stands = false
	f.interrupt()
}

// news is what a listener is to be told next.
type news struct {
	down, up bool
	notices  []chat.Notice
	wait     time.Duration // until the next notice is due; negative: none is under way
	changed  <-chan struct{}
}

// told is what a listener has been told.
type told struct {
	up     bool
	breaks int
}

// news takes what is to be told now.
func (f *Faulty) news(t *told) news {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := news{changed: f.changed, wait: -1}
	n.down = t.up && t.breaks != f.breaks
	t.breaks = f.breaks
	t.up = t.up && !n.down
	if f.paused {
		return n
	}
	n.up = !t.up && f.stands && !f.cut
	t.up = t.up || n.up
	now := time.Now()
	for len(f.way) > 0 && !f.way[0].due.After(now) {
		n.notices = append(n.notices, f.way[0].notice)
		f.way = f.way[1:]
	}
	if len(f.way) > 0 {
		n.wait = f.way[0].due.Sub(now)
	}
	return n
}

// Listen implements chat.Bus. A node that is cut off from the start is told so at once.
func (f *Faulty) Listen(ctx context.Context, l chat.Listener) error {
	inner, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- f.inner.Listen(inner, tap{f})
		close(ended)
	}()
	err := f.hand(ctx, l, ended)
	cancel()
	for late := range ended {
		err = late
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stands, f.way = false, nil
	return err
}

// hand tells the listener everything, until ctx ends (nil) or the inner Listen fails (its error).
func (f *Faulty) hand(ctx context.Context, l chat.Listener, ended <-chan error) error {
	f.mu.Lock()
	state, cut := told{breaks: f.breaks}, f.cut
	f.mu.Unlock()
	if cut {
		l.Down()
	}
	for {
		n := f.news(&state)
		if n.down {
			l.Down()
		}
		if n.up {
			l.Up()
		}
		for _, notice := range n.notices {
			l.Notice(notice)
		}
		var due <-chan time.Time
		if n.wait >= 0 {
			due = time.After(n.wait)
		}
		select {
		case <-n.changed:
		case <-due:
		case err := <-ended:
			return err
		case <-ctx.Done():
			return nil
		}
	}
}
