package presence_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/chattest"
	"github.com/gochat-dev/gochat/internal/hub"
	"github.com/gochat-dev/gochat/internal/inmem"
	"github.com/gochat-dev/gochat/internal/presence"
	"github.com/gochat-dev/gochat/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stage is the presence of several nodes in a bubble of simulated time. Everybody is a member of the one room.
type stage struct {
	*testing.T
	net   *inmem.Network
	nodes []*node
}

// node is the presence of one node, with its hub and somebody called watcher who looks at the room.
type node struct {
	*presence.Service
	name  string
	stage *stage
	bus   *chattest.Faulty
	hub   *hub.Hub
	look  *watcher
	kill  func() // without a word
}

type rule struct {
	name string
	do   func(s *stage)
}

func prove(t *testing.T, rules []rule) {
	t.Helper()
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stage{T: t, net: inmem.NewNetwork()}
				defer func() {
					for _, n := range s.nodes {
						n.kill()
					}
				}()
				r.do(s)
			})
		})
	}
}

var people = []string{"watcher", "ann", "bob", "cy"}

// node starts a node, and lets enough time pass for nothing to be under way.
func (s *stage) node() *node {
	s.Helper()
	name := fmt.Sprint("node ", len(s.nodes)+1)
	n := &node{name: name, stage: s, bus: chattest.NewFaulty(s.net.Node(name), 1, chattest.Faults{}), look: &watcher{}}
	n.hub = hub.New(hub.Config{}, n)
	n.Service = presence.New(presence.Config{Node: name, Backplane: n.bus, Hub: n.hub, Publisher: n})
	n.hub.Enter(n.look, hub.Visit{RoomID: "room"})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { n.Run(ctx) })
	wg.Go(func() {
		if err := n.bus.Listen(ctx, n); err != nil {
			s.Error(err)
		}
	})
	n.kill = sync.OnceFunc(func() {
		cancel()
		n.bus.Resume()
		wg.Wait()
		n.hub.Close()
	})
	s.nodes = append(s.nodes, n)
	s.pass(500 * time.Millisecond)
	n.look.take()
	return n
}

// Load, Mend, Forget and Publish implement hub.Source and presence.Publisher.
func (n *node) Load(room string) {
	go n.hub.Loaded(room, chat.Live{Members: people}, nil, nil)
}
func (n *node) Mend(string, chat.Position) {}
func (n *node) Forget(string)              {}
func (n *node) Publish(notice chat.Notice) {
	_ = n.bus.Publish(context.Background(), []chat.Notice{notice}, nil) // what is lost is made up for by the beat
}

// Notice, Up and Down implement chat.Listener.
func (n *node) Notice(notice chat.Notice) { n.Heard(*notice.Presence) }
func (n *node) Up()                       { n.Rebuild() }
func (n *node) Down()                     { n.Interrupted() }

func (s *stage) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// shown wants exactly these changes to have been pushed on a node since it was last asked.
func (n *node) shown(want ...string) {
	n.stage.Helper()
	synctest.Wait()
	if got := n.look.take(); !slices.Equal(got, want) {
		n.stage.Fatalf("shown on %s was %q, want %q", n.name, got, want)
	}
}

// here wants exactly these people to be seen from a node.
func (n *node) here(want map[string]chat.State) {
	n.stage.Helper()
	if got := n.States(context.Background(), people); !maps.Equal(got, want) {
		n.stage.Fatalf("here are %v, want %v", got, want)
	}
}

// watcher is a connection that keeps the changes of presence that it is pushed.
type watcher struct {
	mu  sync.Mutex
	got []string
}

func (w *watcher) UserID() string              { return "watcher" }
func (w *watcher) Stays(string, hub.Stay) bool { return true }
func (w *watcher) Fits(int) bool               { return true }
func (w *watcher) Tell(hub.Event)              {}

func (w *watcher) Push(f *wire.Frame) {
	var o struct{ Changes []chat.PresenceChange }
	if err := json.Unmarshal(f.Payload(), &o); err != nil {
		panic(err)
	}
	var said []string
	for _, c := range o.Changes {
		said = append(said, fmt.Sprint(c.UserID, " ", c.State))
	}
	slices.Sort(said)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.got = append(w.got, strings.Join(said, ", "))
}

func (w *watcher) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	got := w.got
	w.got = nil
	return got
}

type states = map[string]chat.State

func TestOneNode(t *testing.T) {
	prove(t, []rule{
		{"[PRS1] online if any connection is, away if all are, offline without one", func(s *stage) {
			n := s.node()
			second := func() { s.Helper(); s.pass(time.Second) }
			n.Connected("ann")
			n.Connected("ann")
			second()
			n.shown("ann online")
			n.Moved("ann", chat.Online, chat.Away)
			second()
			n.shown()
			n.Moved("ann", chat.Online, chat.Away)
			second()
			n.shown("ann away")
			n.Moved("ann", chat.Away, chat.Away)
			n.Connected("ann")
			second()
			n.shown("ann online")
			n.Disconnected("ann", chat.Online, false)
			second()
			n.shown("ann away")
			n.Disconnected("ann", chat.Away, false)
			n.Disconnected("ann", chat.Away, false)
			s.pass(6 * time.Second)
			n.shown("ann offline")
			n.here(states{})
		}},
		{"[PRS3] a change is pushed within a second", func(s *stage) {
			n := s.node()
			n.Connected("ann")
			s.pass(time.Second)
			n.shown("ann online")
			n.Moved("ann", chat.Online, chat.Away)
			s.pass(time.Second)
			n.shown("ann away")
			n.here(states{"ann": chat.Away})
		}},
		{"[PRS3] a logout is a change at once", func(s *stage) {
			n := s.node()
			n.Connected("ann")
			s.pass(time.Second)
			n.Disconnected("ann", chat.Online, true)
			s.pass(time.Second)
			n.shown("ann online", "ann offline")
		}},
		{"[PRS3] a logout of one of two connections is none", func(s *stage) {
			n := s.node()
			n.Connected("ann")
			n.Connected("ann")
			s.pass(time.Second)
			n.Disconnected("ann", chat.Online, true)
			s.pass(10 * time.Second)
			n.shown("ann online")
		}},
		{"[PRS3] any other end is a change if there is no other connection within 5 s", func(s *stage) {
			n := s.node()
			n.Connected("ann")
			s.pass(time.Second)
			n.Disconnected("ann", chat.Online, false)
			s.pass(4900 * time.Millisecond)
			n.shown("ann online")
			s.pass(time.Second)
			n.shown("ann offline")
		}},
		{"[PRS3] a reload flickers nowhere, however often", func(s *stage) {
			n := s.node()
			n.Connected("ann")
			s.pass(time.Second)
			for range 20 {
				n.Disconnected("ann", chat.Online, false)
				s.pass(4 * time.Second)
				n.Connected("ann")
				s.pass(100 * time.Millisecond)
			}
			n.shown("ann online")
		}},
		{"[PRS3] who was away is away through a reload, and online after it", func(s *stage) {
			n := s.node()
			n.Connected("ann")
			n.Moved("ann", chat.Online, chat.Away)
			s.pass(time.Second)
			n.Disconnected("ann", chat.Away, false)
			s.pass(3 * time.Second)
			n.here(states{"ann": chat.Away})
			n.Connected("ann")
			s.pass(time.Second)
			n.shown("ann away", "ann online")
		}},
		{"[PRS3] each leaves in their own time", func(s *stage) {
			n := s.node()
			for _, who := range []string{"ann", "bob", "cy"} {
				n.Connected(who)
			}
			s.pass(time.Second)
			n.shown("ann online, bob online, cy online")
			for _, who := range []string{"ann", "bob", "cy"} {
				n.Disconnected(who, chat.Online, false)
				s.pass(time.Second)
			}
			s.pass(2500 * time.Millisecond) // 5.5 s after ann, 4.5 after bob
			n.shown("ann offline")
			s.pass(time.Second)
			n.shown("bob offline")
			s.pass(time.Second)
			n.shown("cy offline")
		}},
		{"[PRS5] what changes within a quarter of a second is one frame", func(s *stage) {
			n := s.node()
			for range 10 {
				n.Connected("ann")
				n.Connected("bob")
				n.Moved("bob", chat.Online, chat.Away)
			}
			s.pass(time.Second)
			n.shown("ann online, bob away")
		}},
		{"[PRS1] there is no change without news", func(s *stage) {
			n := s.node()
			n.Connected("ann")
			s.pass(10 * time.Minute)
			n.shown("ann online")
		}},
	})
}
