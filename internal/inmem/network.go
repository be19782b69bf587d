// Package inmem is a Backplane in memory, for a single server and for nodes that share one process.
package inmem

import (
	"maps"
	"sync"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// Network is what the nodes of one process share: the counters, the subscriptions and who is here. It needs one
// number per room that was ever written to, and one mark per user and node.
type Network struct {
	mu       sync.Mutex
	numbers  map[string]int64 // by room: the highest generated or told of
	watchers map[string]map[*Node]struct{}
	nodes    map[*Node]struct{}
	marks    map[string]map[string]mark // by node, then user
}

// mark is what a node last said of a user. A user is claimed where none of their marks counts any more.
type mark struct {
	state chat.State
	until time.Time // it counts before this moment
}

func (m mark) counts(now time.Time) bool { return now.Before(m.until) }

// NewNetwork makes a network without nodes.
func NewNetwork() *Network {
	n := &Network{watchers: make(map[string]map[*Node]struct{}), nodes: make(map[*Node]struct{})}
	n.Forget()
	return n
}

// Forget empties the counters and the presence, as FLUSHALL does to a Redis. Subscriptions stand.
func (n *Network) Forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.numbers = make(map[string]int64)
	n.marks = make(map[string]map[string]mark)
}

// Node joins a node to the network. Its name is for error messages; two nodes may share one.
func (n *Network) Node(name string) *Node {
	node := &Node{network: n, name: name, queue: make(chan chat.Notice, queueLength), closed: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.nodes[node] = struct{}{}
	return node
}

// leave takes a node off the network and reports whether it was on it. Its marks run out by themselves.
func (n *Network) leave(node *Node) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.nodes[node]; !ok {
		return false
	}
	delete(n.nodes, node)
	for room := range n.watchers {
		n.unwatch(room, node)
	}
	return true
}

func (n *Network) generate(counts map[string]int) map[string]int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	firsts := make(map[string]int64, len(counts))
	for room, count := range counts {
		firsts[room] = n.numbers[room] + 1
		n.numbers[room] += int64(count)
	}
	return firsts
}

// publish raises counters and puts notices into the queues of the other nodes. A queue that is full loses them.
func (n *Network) publish(from *Node, notices []chat.Notice, heads map[string]int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for room, head := range heads {
		n.numbers[room] = max(n.numbers[room], head)
	}
	for _, notice := range notices {
		to := n.nodes
		if notice.RoomID != "" {
			to = n.watchers[notice.RoomID]
		}
		for node := range to {
			if node != from {
				node.offer(notice)
			}
		}
	}
}

func (n *Network) watch(room string, node *Node) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.nodes[node]; !ok {
		return
	}
	if n.watchers[room] == nil {
		n.watchers[room] = make(map[*Node]struct{})
	}
	n.watchers[room][node] = struct{}{}
}

// unwatch forgets a subscription. The caller holds mu.
func (n *Network) unwatch(room string, node *Node) {
	delete(n.watchers[room], node)
	if len(n.watchers[room]) == 0 {
		delete(n.watchers, room)
	}
}

// beat replaces what a node says. Who is missing from it is gone at once, and left for somebody to claim.
func (n *Network) beat(node string, states map[string]chat.State) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	marks := make(map[string]mark, len(states))
	for user, old := range n.marks[node] {
		marks[user] = mark{state: old.state, until: earlier(old.until, now)}
	}
	for user, state := range states {
		if state != chat.Offline {
			marks[user] = mark{state: state, until: now.Add(chat.PresenceTTL)}
		}
	}
	n.marks[node] = marks
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (n *Network) setState(node string, changes map[string]chat.State) map[string]chat.State {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	if n.marks[node] == nil {
		n.marks[node] = make(map[string]mark)
	}
	overall := make(map[string]chat.State, len(changes))
	for user, state := range changes {
		if state == chat.Offline {
			delete(n.marks[node], user)
		} else {
			n.marks[node][user] = mark{state: state, until: now.Add(chat.PresenceTTL)}
		}
		overall[user] = n.state(user, now)
		if overall[user] == chat.Offline {
			n.clear(user) // the caller announces it: nobody is to claim it as well
		}
	}
	return overall
}

// state is a user's state over all nodes. The caller holds mu.
func (n *Network) state(user string, now time.Time) chat.State {
	best := chat.Offline
	for _, marks := range n.marks {
		if m, ok := marks[user]; ok && m.counts(now) {
			best = best.Better(m.state)
		}
	}
	return best
}

// clear forgets a user's marks. The caller holds mu.
func (n *Network) clear(user string) {
	for _, marks := range n.marks {
		delete(marks, user)
	}
}

// claim takes out the marks that do not count any more, and returns the users that have none left.
func (n *Network) claim() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	ended := make(map[string]struct{})
	for node, marks := range n.marks {
		maps.DeleteFunc(marks, func(user string, m mark) bool {
			if !m.counts(now) {
				ended[user] = struct{}{}
			}
			return !m.counts(now)
		})
		if len(marks) == 0 {
			delete(n.marks, node)
		}
	}
	var gone []string
	for user := range ended {
		if n.state(user, now) == chat.Offline {
			gone = append(gone, user)
		}
	}
	return gone
}

func (n *Network) here() map[string]chat.State {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	most := 0
	for _, marks := range n.marks {
		most = max(most, len(marks))
	}
	states := make(map[string]chat.State, most)
	for _, marks := range n.marks {
		for user, m := range marks {
			if m.counts(now) {
				states[user] = states[user].Better(m.state)
			}
		}
	}
	return states
}
