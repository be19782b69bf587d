package relay_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing/synctest"

	"github.com/gochat-dev/gochat/internal/chat"
)

// store is a Store that fails when it is told to.
type store struct {
	chat.Store

	mu       sync.Mutex
	appends  [][]chat.Draft // batches that were to be committed
	compares []chat.CompareQuery
	before   func(drafts []chat.Draft) error // instead of committing, where it is an error
	after    func() error                    // after the commit: the answer is lost
	gate     chan struct{}                   // not nil: a commit waits until it is closed
	noReads  bool                            // read positions can't be saved
}

func (f *store) failReads(fail bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.noReads = fail
}

func (f *store) SaveReads(ctx context.Context, reads []chat.Read) error {
	f.mu.Lock()
	fail := f.noReads
	f.mu.Unlock()
	if fail {
		return fmt.Errorf("test: %w", chat.ErrUnavailable)
	}
	return f.Store.SaveReads(ctx, reads)
}

func (f *store) set(before func([]chat.Draft) error, after func() error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before, f.after = before, after
}

func (f *store) heal() { f.set(nil, nil) }

// shut makes commits wait; the function that it returns lets them go on.
func (f *store) shut() func() {
	f.mu.Lock()
	defer f.mu.Unlock()
	gate := make(chan struct{})
	f.gate = gate
	return func() {
		f.mu.Lock()
		f.gate = nil
		f.mu.Unlock()
		close(gate)
		synctest.Wait()
	}
}

func (f *store) Append(ctx context.Context, drafts []chat.Draft, firsts map[string]int64) ([]chat.Outcome, error) {
	f.mu.Lock()
	f.appends = append(f.appends, slices.Clone(drafts))
	before, after, gate := f.before, f.after, f.gate
	f.mu.Unlock()
	if gate != nil {
		<-gate
	}
	if before != nil {
		if err := before(drafts); err != nil {
			return nil, err
		}
	}
	out, err := f.Store.Append(ctx, drafts, firsts)
	if err == nil && after != nil {
		err = after()
	}
	return out, err
}

func (f *store) Compare(ctx context.Context, q chat.CompareQuery) (chat.Comparison, error) {
	f.mu.Lock()
	f.compares = append(f.compares, q)
	f.mu.Unlock()
	return f.Store.Compare(ctx, q)
}

// compared is how often the periodic check has run since it was last asked.
func (f *store) compared() []chat.CompareQuery {
	f.mu.Lock()
	defer f.mu.Unlock()
	qs := f.compares
	f.compares = nil
	return qs
}

func (f *store) batches() [][]chat.Draft {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.appends
}

// always fails with an error every time; once only the first time.
func always(err error) func([]chat.Draft) error {
	return func([]chat.Draft) error { return fmt.Errorf("test: %w", err) }
}

// slowRoom has something happen after a room has been read, and before the answer is there.
type slowRoom struct {
	chat.Store
	amid func()
}

func (f *slowRoom) Room(ctx context.Context, roomID, userID string) (chat.RoomView, error) {
	view, err := f.Store.Room(ctx, roomID, userID)
	f.amid()
	return view, err
}

// uncountable can't count what is unread.
type uncountable struct{ chat.Store }

func (uncountable) Unread(context.Context, string, string, int64, int64) (int, error) {
	return 0, fmt.Errorf("test: %w", chat.ErrUnavailable)
}
