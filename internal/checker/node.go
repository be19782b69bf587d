package checker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/chattest"
	"github.com/gochat-dev/gochat/internal/hub"
	"github.com/gochat-dev/gochat/internal/inmem"
	"github.com/gochat-dev/gochat/internal/presence"
	"github.com/gochat-dev/gochat/internal/relay"
	"github.com/gochat-dev/gochat/internal/session"
)

// node is one server of a run: the real relay, hub, presence and sessions over a store and a backplane that break.
type node struct {
	name      string
	store     *nodeStore
	backplane *backplane
	relay     *relay.Relay
	server    *session.Server
	stop      context.CancelFunc // of presence
	wg        sync.WaitGroup
	dead      atomic.Bool
	gone      chan struct{} // closed by die
	closing   atomic.Bool
	closed    chan struct{} // closed when close is done

	mu    sync.Mutex
	pipes map[*pipe]struct{} // guarded by mu
}

// nodeConfig sets up a node.
type nodeConfig struct {
	name    string
	seed    uint64
	ledger  *Ledger
	network *inmem.Network
	alone   bool // the only node, and it knows that
	size    Sizes
	bus     chattest.Faults
	store   StoreFaults
	log     *slog.Logger
}

// Sizes are the bounds of a node that a run makes small, so that they are met.
type Sizes struct {
	RingEntries int
	OutboxBytes int
	Batch       int
}

// startNode starts a node; it fails if its store can't be read.
func startNode(ctx context.Context, cfg nodeConfig) (*node, error) {
	n := &node{name: cfg.name, gone: make(chan struct{}), closed: make(chan struct{}), pipes: make(map[*pipe]struct{})}
	n.store = newNodeStore(cfg.ledger, cfg.seed, n.die)
	n.store.faults = cfg.store
	n.backplane = newBackplane(cfg.network.Node(cfg.name), cfg.seed, cfg.bus)
	n.relay = relay.New(relay.Config{
		Node: cfg.name, Store: n.store, Backplane: n.backplane, Alone: cfg.alone, Batch: cfg.size.Batch, Log: cfg.log,
		Hub: hub.Config{RingEntries: cfg.size.RingEntries},
	})
	here := presence.New(presence.Config{
		Node: cfg.name, Backplane: n.backplane, Hub: n.relay.Hub(), Publisher: n.relay, Log: cfg.log,
	})
	n.server = session.New(session.Config{
		Store: n.store, Relay: n.relay, Presence: here, Log: cfg.log,
		PingEvery: 5 * time.Second, OutboxBytes: cfg.size.OutboxBytes, Workers: 3,
		Verify: func(string) (session.Identity, error) { return session.Identity{}, chat.ErrRevoked },
	})
	if err := n.relay.Start(ctx, n.server, here); err != nil {
		n.server.Close()
		n.relay.Close()
		return nil, err
	}
	run, cancel := context.WithCancel(context.Background())
	n.stop = cancel
	n.wg.Go(func() { here.Run(run) })
	return n, nil
}

// connect opens a connection of a user.
func (n *node) connect(ctx context.Context, hello session.Hello) (Conn, error) {
	if n.dead.Load() {
		return nil, fmt.Errorf("node %s is dead", n.name)
	}
	pending, err := n.server.Open(ctx, hello)
	if err != nil {
		return nil, err
	}
	n.store.delayUpgrade(ctx)
	p := newPipe()
	n.mu.Lock()
	n.pipes[p] = struct{}{}
	n.mu.Unlock()
	if n.dead.Load() {
		p.sever()
	}
	pending.Start(nodeEnd{p})
	return clientEnd{p}, nil
}

// cut severs all connections.
func (n *node) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for p := range n.pipes {
		p.sever()
	}
	clear(n.pipes)
}

// die ends the node without a word: from here on it reaches nobody. It does not wait; close cleans up.
func (n *node) die() {
	if n.dead.Swap(true) {
		return
	}
	n.store.kill()
	n.backplane.kill()
	n.cut()
	close(n.gone)
}

// close ends the node's goroutines and waits for them.
func (n *node) close() {
	if n.closing.Swap(true) {
		<-n.closed // not a sync.Once: to wait for its mutex stops the bubble's clock
		return
	}
	n.stop()
	n.wg.Wait()
	n.server.Close()
	n.relay.Close()
	_ = n.backplane.Close() // nobody listens any more
	close(n.closed)
}

// leave is an orderly farewell: everybody is asked to go elsewhere first (DRN1).
func (n *node) leave(window time.Duration) {
	n.server.Drain(context.Background(), window)
	n.close()
}
