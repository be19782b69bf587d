package inmem

import (
	"context"
	"fmt"

	"github.com/gochat-dev/gochat/internal/chat"
)

// queueLength is how many notices may wait for a node's listener. What comes on top is lost, as a bus may (HUB5);
// whoever publishes never waits.
const queueLength = 1024

// Node is one node's end of a network. It implements chat.Backplane. Notices are handed over as they are, not
// copied: what they point at must not be changed.
type Node struct {
	network *Network
	name    string
	queue   chan chat.Notice
	closed  chan struct{}
}

var _ chat.Backplane = (*Node)(nil)

// offer puts a notice into the queue, or loses it.
func (n *Node) offer(notice chat.Notice) {
	select {
	case n.queue <- notice:
	default:
	}
}

// ready returns why a call can't be made: the node has been closed, or the caller has no time left.
func (n *Node) ready(ctx context.Context) error {
	select {
	case <-n.closed:
		return n.errClosed()
	default:
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("backplane node %s: %w: %w", n.name, chat.ErrUnavailable, err)
	}
	return nil
}

func (n *Node) errClosed() error {
	return fmt.Errorf("backplane node %s is closed: %w", n.name, chat.ErrUnavailable)
}

// Number implements chat.Numbers.
func (n *Node) Number(ctx context.Context, counts map[string]int) (map[string]int64, error) {
	if err := n.ready(ctx); err != nil {
		return nil, err
	}
	return n.network.generate(counts), nil
}

// Publish implements chat.Bus.
func (n *Node) Publish(ctx context.Context, notices []chat.Notice, heads map[string]int64) error {
	if err := n.ready(ctx); err != nil {
		return err
	}
	n.network.publish(n, notices, heads)
	return nil
}

// Watch implements chat.Bus.
func (n *Node) Watch(ctx context.Context, roomID string) error {
	if err := n.ready(ctx); err != nil {
		return err
	}
	n.network.watch(roomID, n)
	return nil
}

// Unwatch implements chat.Bus.
func (n *Node) Unwatch(ctx context.Context, roomID string) error {
	if err := n.ready(ctx); err != nil {
		return err
	}
	n.network.mu.Lock()
	defer n.network.mu.Unlock()
	n.network.unwatch(roomID, n)
	return nil
}

// Listen implements chat.Bus. It returns nil when ctx ends, an error after Close. It never calls Down.
func (n *Node) Listen(ctx context.Context, l chat.Listener) error {
	if n.ready(ctx) == nil {
		l.Up()
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-n.closed:
			return n.errClosed()
		case notice := <-n.queue:
			l.Notice(notice)
		}
	}
}

// Beat implements chat.Presence.
func (n *Node) Beat(ctx context.Context, node string, states map[string]chat.State) error {
	if err := n.ready(ctx); err != nil {
		return err
	}
	n.network.beat(node, states)
	return nil
}

// SetState implements chat.Presence.
func (n *Node) SetState(ctx context.Context, node string, changes map[string]chat.State) (map[string]chat.State, error) {
	if err := n.ready(ctx); err != nil {
		return nil, err
	}
	return n.network.setState(node, changes), nil
}

// Claim implements chat.Presence.
func (n *Node) Claim(ctx context.Context) ([]string, error) {
	if err := n.ready(ctx); err != nil {
		return nil, err
	}
	return n.network.claim(), nil
}

// Here implements chat.Presence.
func (n *Node) Here(ctx context.Context) (map[string]chat.State, error) {
	if err := n.ready(ctx); err != nil {
		return nil, err
	}
	return n.network.here(), nil
}

// Close implements chat.Backplane. The other nodes go on; what this one said of its users runs out (PRS4).
func (n *Node) Close() error {
	if n.network.leave(n) {
		close(n.closed)
	}
	return nil
}
