package relay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/chattest"
	"github.com/gochat-dev/gochat/internal/hub"
	"github.com/gochat-dev/gochat/internal/inmem"
	"github.com/gochat-dev/gochat/internal/pgtest"
	"github.com/gochat-dev/gochat/internal/postgres"
	"github.com/gochat-dev/gochat/internal/relay"
	"github.com/gochat-dev/gochat/internal/sqlite"
	"github.com/gochat-dev/gochat/internal/wire"
)

// databases are those of the rules' Postgres.
var databases = &pgtest.Databases{Prepare: func(ctx context.Context, url string) error {
	_, err := postgres.Migrate(ctx, url)
	return err
}}

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := databases.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
		os.Exit(code)
	}))
}

// stores are what every rule is proved over. What has to be made outside of the bubble is made first.
var stores = []struct {
	name string
	make func(t *testing.T) (open func(ctx context.Context) (chat.Store, error))
}{
	{"SQLite", func(t *testing.T) func(context.Context) (chat.Store, error) {
		path := filepath.Join(t.TempDir(), "chat.db")
		return func(ctx context.Context) (chat.Store, error) { return sqlite.Open(ctx, sqlite.Config{Path: path}) }
	}},
	{"Postgres", func(t *testing.T) func(context.Context) (chat.Store, error) {
		url := databases.New(t)
		return func(ctx context.Context) (chat.Store, error) { return postgres.Open(ctx, postgres.Config{URL: url}) }
	}},
}

// stage is a chat of several nodes over one store, in a bubble of simulated time.
type stage struct {
	*testing.T
	ctx   context.Context
	store chat.Store
	net   *inmem.Network
	nodes []*node
	users int
}

// node is one relay, with a store and a backplane that can fail.
type node struct {
	*relay.Relay
	store *store
	bus   *chattest.Faulty
	said  *said
}

// rule is a clause of SPEC.md and its proof.
type rule struct {
	name string
	do   func(s *stage)
}

func prove(t *testing.T, rules []rule) {
	t.Helper()
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, of := range stores {
				t.Run(of.name, func(t *testing.T) {
					open := of.make(t)
					synctest.Test(t, func(t *testing.T) {
						db, err := open(t.Context())
						if err != nil {
							t.Fatal(err)
						}
						s := &stage{T: t, ctx: context.Background(), store: db, net: inmem.NewNetwork()}
						defer s.close()
						r.do(s)
					})
				})
			}
		})
	}
}

func (s *stage) close() {
	for _, n := range s.nodes {
		n.bus.Resume()
		n.bus.Mend()
		n.store.heal()
		n.Close()
		s.no(n.bus.Close())
	}
	s.no(s.store.Close())
}

func (s *stage) no(err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("unexpected: %v", err)
	}
}

// node starts a node. Its comparisons come only when a bell asks for them, unless the test says otherwise.
func (s *stage) node(change ...func(*relay.Config)) *node {
	s.Helper()
	name := fmt.Sprint("node ", len(s.nodes)+1)
	n := &node{
		store: &store{Store: s.store}, said: &said{},
		bus: chattest.NewFaulty(s.net.Node(name), 1, chattest.Faults{}),
	}
	cfg := relay.Config{Node: name, Store: n.store, Backplane: n.bus, CheckEvery: 1000 * time.Hour, Observe: n.said}
	for _, f := range change {
		f(&cfg)
	}
	n.Relay = relay.New(cfg)
	s.no(n.Start(s.ctx, n.said, n.said))
	s.nodes = append(s.nodes, n)
	synctest.Wait()
	return n
}

// user makes an account.
func (s *stage) user() string {
	s.Helper()
	s.users++
	u, err := s.store.CreateUser(s.ctx, chat.User{ID: chat.NewID(), Username: fmt.Sprint("user-", s.users)}, "hash")
	s.no(err)
	return u.ID
}

// room makes a public room of somebody's.
func (s *stage) room(owner string, members ...string) string {
	s.Helper()
	room := chat.NewID()
	drafts := []chat.Draft{{
		RoomID: room, SenderID: owner, ClientID: chat.NewID(), Kind: chat.KindMemberJoined,
		Create: &chat.NewRoom{Name: "Room", Visibility: chat.Public},
	}}
	for _, m := range members {
		drafts = append(drafts, chat.Draft{
			RoomID: room, SenderID: m, ClientID: chat.NewID(), Kind: chat.KindMemberJoined, Join: &chat.Joining{},
		})
	}
	out, err := s.store.Append(s.ctx, drafts, nil)
	s.no(err)
	for _, o := range out {
		s.no(o.Err)
	}
	return room
}

func text(room, user, body string) chat.Draft {
	return chat.Draft{RoomID: room, SenderID: user, ClientID: chat.NewID(), Kind: chat.KindText, Body: body}
}

// do commits a draft that must be taken.
func (s *stage) do(n *node, d chat.Draft) chat.Entry {
	s.Helper()
	e, err := n.Do(s.ctx, d)
	s.no(err)
	synctest.Wait() // the bell has been rung, and the counter raised
	return e
}

// log is a room's log as the store has it: "number body", texts only. It must be a chain (SEQ1).
func (s *stage) log(room string) []string {
	s.Helper()
	run, err := s.store.After(s.ctx, room, chat.Position{}, 10_000)
	s.no(err)
	var texts []string
	last := chat.Position{}
	for _, e := range run.Entries {
		if e.Prev() != last {
			s.Fatalf("entry %d points back at %v, not at %v", e.Seq, e.Prev(), last)
		}
		last = e.Position()
		if e.Kind == chat.KindText {
			texts = append(texts, fmt.Sprint(e.Seq, " ", e.Body))
		}
	}
	return texts
}

func (s *stage) logIs(room string, want ...string) {
	s.Helper()
	if got := s.log(room); !slices.Equal(got, want) {
		s.Fatalf("the log is %q, want %q", got, want)
	}
}

// watch connects a client of a user to a room on a node, at the head of the log.
func (s *stage) watch(n *node, room, user string) *client {
	s.Helper()
	run, err := s.store.After(s.ctx, room, chat.Position{}, 1)
	s.no(err)
	c := &client{user: user, entered: make(chan struct{}, 1)}
	n.Hub().Enter(c, hub.Visit{RoomID: room, At: run.Head, MemberSeq: run.Head.Seq})
	<-c.entered
	synctest.Wait()
	return c
}

// got wants exactly these numbers to have been pushed to a client since it was last asked.
func (s *stage) got(c *client, want ...int64) {
	s.Helper()
	synctest.Wait()
	if got := c.take(); !slices.Equal(got, want) {
		s.Fatalf("pushed were %v, want %v", got, want)
	}
}

func (s *stage) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// client is a connection that keeps the numbers of the entries that it is pushed.
type client struct {
	user    string
	entered chan struct{}

	mu   sync.Mutex
	seqs []int64
	said []string // of anything else
}

func (c *client) UserID() string              { return c.user }
func (c *client) Stays(string, hub.Stay) bool { return true }
func (c *client) Fits(int) bool               { return true }

func (c *client) Push(f *wire.Frame) {
	var o struct {
		Type string
		Seq  int64
	}
	if err := json.Unmarshal(f.Payload(), &o); err != nil {
		panic(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if o.Type == "entry" {
		c.seqs = append(c.seqs, o.Seq)
		return
	}
	c.said = append(c.said, o.Type)
}

func (c *client) Tell(ev hub.Event) {
	if ev.Kind == hub.Entered {
		c.entered <- struct{}{}
	}
}

func (c *client) take() []int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	seqs := c.seqs
	c.seqs = nil
	return seqs
}
