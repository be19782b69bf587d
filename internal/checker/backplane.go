package checker

import (
	"context"
	"fmt"
	"sync"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/chattest"
)

// backplane is what one node has of the network: a bus that loses, repeats and reorders, numbers that may fail, and
// nothing at all once the node is dead.
type backplane struct {
	*chattest.Faulty

	mu       sync.Mutex
	dead     bool
	numberNo bool // Number fails
}

func newBackplane(inner chat.Backplane, seed uint64, faults chattest.Faults) *backplane {
	return &backplane{Faulty: chattest.NewFaulty(inner, seed, faults)}
}

func (b *backplane) kill() {
	b.mu.Lock()
	b.dead = true
	b.mu.Unlock()
	b.Cut()
}

func (b *backplane) failNumbers(fail bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.numberNo = fail
}

// Number implements chat.Numbers.
func (b *backplane) Number(ctx context.Context, counts map[string]int) (map[string]int64, error) {
	b.mu.Lock()
	fail := b.numberNo || b.dead
	b.mu.Unlock()
	if fail {
		return nil, fmt.Errorf("no numbers: %w", chat.ErrUnavailable)
	}
	return b.Faulty.Number(ctx, counts)
}
