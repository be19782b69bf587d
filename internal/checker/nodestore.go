package checker

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// nodeStore is what one node has of the ledger: it can be slow, away, or lose the answers of commits, and its node can
// die in the middle of a commit. Methods that nodes don't call here are missing on purpose: they panic.
type nodeStore struct {
	chat.Store
	ledger *Ledger
	die    func() // kills the node without a word

	mu     sync.Mutex
	rand   *rand.Rand
	faults StoreFaults
	dead   bool
	found  time.Time // when Find last looked; zero after a retry
}

// StoreFaults says what one node suffers from its store.
type StoreFaults struct {
	Latency    time.Duration // every call takes up to this long, before and after it is served
	Upgrade    time.Duration // and a new connection, between being admitted and being there
	Down       bool          // nothing is served
	Refuse     float64       // a commit fails: nothing was stored
	LoseBefore float64       // the outcome of a commit is unknown: it did not happen
	LoseAfter  float64       // or it did
	DieBefore  bool          // the node is killed when it has numbered and is about to commit
	DieAfter   bool          // or when it has committed and is about to publish
}

func newNodeStore(l *Ledger, seed uint64, die func()) *nodeStore {
	return &nodeStore{ledger: l, die: die, rand: rand.New(rand.NewPCG(seed, 5))}
}

func (n *nodeStore) set(change func(f *StoreFaults)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change(&n.faults)
}

func (n *nodeStore) kill() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dead = true
}

// chance draws a fault.
func (n *nodeStore) chance(share func(f StoreFaults) float64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := share(n.faults)
	return p > 0 && n.rand.Float64() < p
}

// delay takes a while.
func (n *nodeStore) delay(ctx context.Context) {
	n.mu.Lock()
	limit := n.faults.Latency
	n.mu.Unlock()
	n.wait(ctx, limit)
}

func (n *nodeStore) delayUpgrade(ctx context.Context) {
	n.mu.Lock()
	limit := n.faults.Upgrade
	n.mu.Unlock()
	n.wait(ctx, limit)
}

// wait waits up to so long.
func (n *nodeStore) wait(ctx context.Context, limit time.Duration) {
	if limit == 0 {
		return
	}
	n.mu.Lock()
	d := time.Duration(n.rand.Int64N(int64(limit)))
	n.mu.Unlock()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// reach takes a while and fails where the store can't be reached.
func (n *nodeStore) reach(ctx context.Context) error {
	n.delay(ctx)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dead || n.faults.Down {
		return fmt.Errorf("the store is away: %w", chat.ErrUnavailable)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("the store does not answer: %w: %w", chat.ErrUnavailable, err)
	}
	return nil
}

// ask reads from the store as it is now. The answer takes a while too, so that it may be old when it comes.
func ask[T any](ctx context.Context, n *nodeStore, f func(chat.Store) (T, error)) (T, error) {
	if err := n.reach(ctx); err != nil {
		var zero T
		return zero, err
	}
	answer, err := f(n.ledger.Store())
	n.delay(ctx)
	return answer, err
}

// Append implements chat.Entries.
func (n *nodeStore) Append(ctx context.Context, drafts []chat.Draft, firsts map[string]int64) ([]chat.Outcome, error) {
	if err := n.reach(ctx); err != nil {
		return nil, err
	}
	n.checkNumbered(drafts)
	n.mu.Lock()
	f := n.faults
	n.mu.Unlock()
	if f.DieBefore {
		n.die()
		return nil, fmt.Errorf("killed: %w", chat.ErrUnavailable)
	}
	if n.chance(func(f StoreFaults) float64 { return f.Refuse }) {
		n.delay(ctx)
		n.ledger.history.note("", "", "FAULT commit refused")
		return nil, fmt.Errorf("the store is full: %w", chat.ErrUnavailable)
	}
	if n.chance(func(f StoreFaults) float64 { return f.LoseBefore }) {
		n.delay(ctx)
		n.ledger.history.note("", "", "FAULT commit lost")
		return nil, fmt.Errorf("connection lost: %w", chat.ErrUnknownOutcome)
	}
	outcomes, err := n.ledger.Append(ctx, drafts, firsts)
	if err != nil {
		return nil, err
	}
	if f.DieAfter {
		n.die()
		return nil, fmt.Errorf("killed: %w", chat.ErrUnavailable)
	}
	n.delay(ctx)
	if n.chance(func(f StoreFaults) float64 { return f.LoseAfter }) {
		n.ledger.history.note("", "", "FAULT answer of a commit lost")
		return nil, fmt.Errorf("connection lost: %w", chat.ErrUnknownOutcome)
	}
	return outcomes, nil
}

// checkNumbered checks that no number was generated for a text that stood already when the node looked (SEQ2).
func (n *nodeStore) checkNumbered(drafts []chat.Draft) {
	n.mu.Lock()
	looked := n.found
	n.mu.Unlock()
	for i := range drafts {
		if drafts[i].Kind != chat.KindText {
			continue
		}
		if c, ok := n.ledger.standing(drafts[i].Key()); ok && c.at.Before(looked) {
			n.ledger.history.violate("SEQ2", "", c.RoomID, "a duplicate of %d was numbered", c.Seq)
		}
	}
}

// Find implements chat.Entries.
func (n *nodeStore) Find(ctx context.Context, keys []chat.Key) (map[chat.Key]chat.Entry, error) {
	if err := n.reach(ctx); err != nil {
		return nil, err
	}
	looked := time.Now()
	found, err := n.ledger.Store().Find(ctx, keys)
	n.mu.Lock()
	n.found = looked
	n.mu.Unlock()
	n.delay(ctx)
	return found, err
}

// Load implements chat.Entries.
func (n *nodeStore) Load(ctx context.Context, roomID string, k int) (chat.Live, error) {
	return ask(ctx, n, func(s chat.Store) (chat.Live, error) { return s.Load(ctx, roomID, k) })
}

// After implements chat.Entries.
func (n *nodeStore) After(ctx context.Context, roomID string, from chat.Position, limit int) (chat.Run, error) {
	return ask(ctx, n, func(s chat.Store) (chat.Run, error) { return s.After(ctx, roomID, from, limit) })
}

// Page implements chat.Entries.
func (n *nodeStore) Page(ctx context.Context, roomID, userID string, q chat.PageQuery) (chat.Page, error) {
	return ask(ctx, n, func(s chat.Store) (chat.Page, error) { return s.Page(ctx, roomID, userID, q) })
}

// Open implements chat.Entries.
func (n *nodeStore) Open(ctx context.Context, roomID, userID string, after *chat.Position, limit int) (chat.Opened, error) {
	return ask(ctx, n, func(s chat.Store) (chat.Opened, error) { return s.Open(ctx, roomID, userID, after, limit) })
}

// Compare implements chat.Entries.
func (n *nodeStore) Compare(ctx context.Context, q chat.CompareQuery) (chat.Comparison, error) {
	return ask(ctx, n, func(s chat.Store) (chat.Comparison, error) { return s.Compare(ctx, q) })
}

// Snapshot implements chat.Rooms.
func (n *nodeStore) Snapshot(ctx context.Context, userID, sessionID string) (chat.Snapshot, error) {
	return ask(ctx, n, func(s chat.Store) (chat.Snapshot, error) { return s.Snapshot(ctx, userID, sessionID) })
}

// Room implements chat.Rooms.
func (n *nodeStore) Room(ctx context.Context, roomID, userID string) (chat.RoomView, error) {
	return ask(ctx, n, func(s chat.Store) (chat.RoomView, error) { return s.Room(ctx, roomID, userID) })
}

// Members implements chat.Members.
func (n *nodeStore) Members(ctx context.Context, roomID, userID string, p chat.Paging) ([]chat.Member, string, error) {
	if err := n.reach(ctx); err != nil {
		return nil, "", err
	}
	return n.ledger.Store().Members(ctx, roomID, userID, p)
}

// Unread implements chat.Members.
func (n *nodeStore) Unread(ctx context.Context, roomID, userID string, after, last int64) (int, error) {
	return ask(ctx, n, func(s chat.Store) (int, error) { return s.Unread(ctx, roomID, userID, after, last) })
}

// SaveReads implements chat.Members.
func (n *nodeStore) SaveReads(ctx context.Context, reads []chat.Read) error {
	_, err := ask(ctx, n, func(s chat.Store) (struct{}, error) { return struct{}{}, s.SaveReads(ctx, reads) })
	return err
}

// Epoch implements chat.Upkeep.
func (n *nodeStore) Epoch(ctx context.Context) (string, error) {
	return ask(ctx, n, func(s chat.Store) (string, error) { return s.Epoch(ctx) })
}
