package session_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// store is a Store whose reads can be held up, counted and failed.
type store struct {
	chat.Store

	mu    sync.Mutex
	gate  chan struct{} // not nil: the calls named by shut wait until it is closed
	shuts []string
	late  bool           // a list is read before it waits, and is old when it comes
	held  map[string]int // calls under way, by name
	most  map[string]int // the most at a time
	calls map[string]int
	fails error // of reads of runs and lists, and of commits
}

// shut has reads wait until open: of runs (after), lists (snapshot), rooms (load), history (page). Without names: runs and lists.
func (f *store) shut(names ...string) {
	if len(names) == 0 {
		names = []string{"after", "snapshot"}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gate, f.shuts = make(chan struct{}), names
	f.most, f.calls = make(map[string]int), make(map[string]int)
}

func (f *store) open() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gate != nil {
		close(f.gate)
		f.gate = nil
	}
}

// atOnce is the most calls that were under way at a time since shut.
func (f *store) atOnce(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.most[name]
}

func (f *store) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fails = err
}

func (f *store) heal() {
	f.fail(nil)
	f.open()
}

// call counts a call, has it wait, and says whether it fails.
func (f *store) call(ctx context.Context, name string) (done func(), err error) {
	f.mu.Lock()
	f.held[name]++
	if f.calls != nil {
		f.calls[name]++
		f.most[name] = max(f.most[name], f.held[name])
	}
	gate := f.gate
	if !slices.Contains(f.shuts, name) {
		gate = nil
	}
	f.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.held[name]--
	}, f.fails
}

func (f *store) After(ctx context.Context, room string, from chat.Position, limit int) (chat.Run, error) {
	done, err := f.call(ctx, "after")
	defer done()
	if err != nil {
		return chat.Run{}, err
	}
	return f.Store.After(ctx, room, from, limit)
}

func (f *store) Page(ctx context.Context, room, user string, q chat.PageQuery) (chat.Page, error) {
	done, err := f.call(ctx, "page")
	defer done()
	if err != nil {
		return chat.Page{}, err
	}
	return f.Store.Page(ctx, room, user, q)
}

func (f *store) Snapshot(ctx context.Context, user, session string) (chat.Snapshot, error) {
	f.mu.Lock()
	late := f.late
	f.mu.Unlock()
	var snap chat.Snapshot
	var old error
	if late {
		snap, old = f.Store.Snapshot(ctx, user, session)
	}
	done, err := f.call(ctx, "snapshot")
	defer done()
	switch {
	case err != nil:
		return chat.Snapshot{}, err
	case late:
		return snap, old
	default:
		return f.Store.Snapshot(ctx, user, session)
	}
}

func (f *store) RoomsOf(ctx context.Context, user string, p chat.Paging) ([]chat.RoomView, string, error) {
	done, err := f.call(ctx, "list")
	defer done()
	if err != nil {
		return nil, "", err
	}
	return f.Store.RoomsOf(ctx, user, p)
}

func (f *store) Load(ctx context.Context, room string, n int) (chat.Live, error) {
	done, _ := f.call(ctx, "load")
	defer done()
	return f.Store.Load(ctx, room, n)
}

// old has lists come as they were before they had to wait.
func (f *store) old(late bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.late = late
}

func (f *store) Append(ctx context.Context, drafts []chat.Draft, firsts map[string]int64) ([]chat.Outcome, error) {
	f.mu.Lock()
	err := f.fails
	f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return f.Store.Append(ctx, drafts, firsts)
}

// observer counts.
type observer struct {
	mu      sync.Mutex
	codes   []int
	resumes map[bool]int
	written int
	limited int

	connected  int
	turnedAway []string
}

func (o *observer) note(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

func (o *observer) Disconnected(code int) { o.note(func() { o.codes = append(o.codes, code) }) }
func (o *observer) Written(time.Time)     { o.note(func() { o.written++ }) }
func (o *observer) RateLimited(string)    { o.note(func() { o.limited++ }) }
func (o *observer) Connected()            { o.note(func() { o.connected++ }) }
func (o *observer) TurnedAway(why string) {
	o.note(func() { o.turnedAway = append(o.turnedAway, why) })
}

func (o *observer) Resumed(recovered bool) {
	o.note(func() {
		if o.resumes == nil {
			o.resumes = make(map[bool]int)
		}
		o.resumes[recovered]++
	})
}
