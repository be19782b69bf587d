package session_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
	"github.com/gochat-dev/gochat/internal/pgtest"
	"github.com/gochat-dev/gochat/internal/postgres"
	"github.com/gochat-dev/gochat/internal/presence"
	"github.com/gochat-dev/gochat/internal/relay"
	"github.com/gochat-dev/gochat/internal/session"
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

// opening opens a store, inside of the bubble.
type opening func(ctx context.Context) (chat.Store, error)

// stores are what every rule is proved over. What has to be made outside of the bubble is made first.
var stores = []struct {
	name string
	make func(t *testing.T) opening
}{
	{"SQLite", onSQLite},
	{"Postgres", func(t *testing.T) opening {
		url := databases.New(t)
		return func(ctx context.Context) (chat.Store, error) { return postgres.Open(ctx, postgres.Config{URL: url}) }
	}},
}

func onSQLite(t *testing.T) opening {
	path := filepath.Join(t.TempDir(), "chat.db")
	return func(ctx context.Context) (chat.Store, error) { return sqlite.Open(ctx, sqlite.Config{Path: path}) }
}

// stage is a chat of several nodes over one store.
type stage struct {
	*testing.T
	ctx   context.Context
	db    chat.Store
	net   *inmem.Network
	nodes []*node
	users int
}

// node is all of a node but its HTTP server.
type node struct {
	*session.Server
	relay *relay.Relay
	store *store
	bus   *chattest.Faulty
	see   *observer
	stop  func()
}

// rule is a clause of SPEC.md or of the contract, and its proof in a bubble of simulated time.
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
						s := newStage(t, open)
						defer s.close()
						r.do(s)
					})
				})
			}
		})
	}
}

func newStage(t *testing.T, open opening) *stage {
	t.Helper()
	db, err := open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &stage{T: t, ctx: context.Background(), db: db, net: inmem.NewNetwork()}
}

func (s *stage) close() {
	for _, n := range s.nodes {
		n.stop()
	}
	s.no(s.db.Close())
}

func (s *stage) no(err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("unexpected: %v", err)
	}
}

// setup is what a test changes of a node.
type setup struct {
	relay   relay.Config
	session session.Config
}

func (s *stage) node(change ...func(*setup)) *node {
	s.Helper()
	name := fmt.Sprint("node ", len(s.nodes)+1)
	n := &node{
		store: &store{Store: s.db, held: make(map[string]int)}, see: &observer{},
		bus: chattest.NewFaulty(s.net.Node(name), 1, chattest.Faults{}),
	}
	cfg := setup{
		relay:   relay.Config{Node: name, Store: n.store, Backplane: n.bus},
		session: session.Config{Store: n.store, Verify: verify, Observe: n.see},
	}
	for _, f := range change {
		f(&cfg)
	}
	n.relay = relay.New(cfg.relay)
	here := presence.New(presence.Config{Node: name, Backplane: n.bus, Hub: n.relay.Hub(), Publisher: n.relay})
	cfg.session.Relay, cfg.session.Presence = n.relay, here
	n.Server = session.New(cfg.session)
	s.no(n.relay.Start(s.ctx, n.Server, here))
	ctx, cancel := context.WithCancel(s.ctx)
	var wg sync.WaitGroup
	wg.Go(func() { here.Run(ctx) })
	n.stop = sync.OnceFunc(func() {
		n.store.heal()
		n.bus.Resume()
		n.Server.Close()
		n.relay.Close()
		cancel()
		wg.Wait()
		_ = n.bus.Close() // the test may have closed it
	})
	s.nodes = append(s.nodes, n)
	return n
}

// verify knows tokens of the form user/session/lifetime.
func verify(token string) (session.Identity, error) {
	part := strings.Split(token, "/")
	if len(part) != 3 {
		return session.Identity{}, errors.New("not a token")
	}
	life, err := time.ParseDuration(part[2])
	return session.Identity{UserID: part[0], SessionID: part[1], Expires: time.Now().Add(life)}, err
}

// user is an account with a session.
type user struct{ id, session, name string }

func (s *stage) user() user {
	s.Helper()
	s.users++
	u := user{id: chat.NewID(), session: chat.NewID(), name: fmt.Sprint("user-", s.users)}
	_, err := s.db.CreateUser(s.ctx, chat.User{ID: u.id, Username: u.name, DisplayName: u.name}, "hash")
	s.no(err)
	s.no(s.db.CreateSession(s.ctx, chat.Session{
		ID: u.session, UserID: u.id, CreatedAt: time.Now(), LastSeenAt: time.Now(), ExpiresAt: time.Now().Add(24 * 365 * time.Hour),
	}, chat.NewID()))
	return u
}

// room makes a public room of somebody's.
func (s *stage) room(owner user, members ...user) string {
	s.Helper()
	room := chat.NewID()
	drafts := []chat.Draft{{
		RoomID: room, SenderID: owner.id, ClientID: chat.NewID(), Kind: chat.KindMemberJoined, At: time.Now(),
		Create: &chat.NewRoom{Name: "Room", Visibility: chat.Public},
	}}
	for _, m := range members {
		drafts = append(drafts, chat.Draft{
			RoomID: room, SenderID: m.id, ClientID: chat.NewID(), Kind: chat.KindMemberJoined, At: time.Now(), Join: &chat.Joining{},
		})
	}
	s.append(drafts...)
	return room
}

// append writes to the store behind the nodes' backs: no bell rings.
func (s *stage) append(drafts ...chat.Draft) []chat.Entry {
	s.Helper()
	out, err := s.db.Append(s.ctx, drafts, nil)
	s.no(err)
	entries := make([]chat.Entry, len(out))
	for i, o := range out {
		s.no(o.Err)
		entries[i] = o.Entry
	}
	return entries
}

// texts writes so many texts, behind the nodes' backs.
func (s *stage) texts(room string, u user, n int) []chat.Entry {
	s.Helper()
	drafts := make([]chat.Draft, n)
	for i := range drafts {
		drafts[i] = text(room, u, fmt.Sprint("text ", i+1))
	}
	return s.append(drafts...)
}

func text(room string, u user, body string) chat.Draft {
	return chat.Draft{RoomID: room, SenderID: u.id, ClientID: chat.NewID(), Kind: chat.KindText, Body: body, At: time.Now()}
}

func (s *stage) do(n *node, d chat.Draft) chat.Entry {
	s.Helper()
	e, err := n.relay.Do(s.ctx, d)
	s.no(err)
	synctest.Wait()
	return e
}

func joining(room string, u user) chat.Draft {
	return chat.Draft{RoomID: room, SenderID: u.id, Kind: chat.KindMemberJoined, Join: &chat.Joining{}}
}

func leaving(room string, by, u user) chat.Draft {
	d := chat.Draft{RoomID: room, SenderID: by.id, Kind: chat.KindMemberLeft, Leave: &chat.MemberLeft{UserID: u.id}}
	if by != u {
		d.Leave.By = by.id
	}
	return d
}

func (s *stage) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// hello is what a client says that connects.
func (u user) hello(resume ...session.Resume) session.Hello {
	return session.Hello{
		Identity: session.Identity{UserID: u.id, SessionID: u.session, Expires: time.Now().Add(24 * time.Hour)}, Resume: resume,
	}
}

// connect connects a client over a socket in memory, and takes its welcome.
func (s *stage) connect(n *node, h session.Hello) *client {
	s.Helper()
	c := s.dial(n, h)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.got) == 0 || c.got[0].Type != "welcome" {
		s.Fatalf("the first object is not a welcome: %v", c.got)
	}
	c.welcome, c.got = c.got[0], c.got[1:]
	return c
}

func (s *stage) dial(n *node, h session.Hello) *client {
	s.Helper()
	p, err := n.Open(s.ctx, h)
	s.no(err)
	c := s.client()
	p.Start(c)
	synctest.Wait()
	return c
}

func (s *stage) client() *client {
	return &client{
		stage: s, in: make(chan []byte, 1000), gone: make(chan struct{}), ended: make(chan struct{}), hurried: make(chan struct{}),
	}
}

// oneShard has one goroutine for all rooms.
func oneShard(cfg *setup) { cfg.relay.Hub.Shards = 1 }

// plug is a connection that holds up its hub shard, as a busy machine does, from the next entry of its room on until the
// gate is closed.
type plug struct{ gate chan struct{} }

func (s *stage) plug(n *node, room string) *plug {
	s.Helper()
	p := &plug{gate: make(chan struct{})}
	n.relay.Hub().Enter(p, hub.Visit{RoomID: room, At: chat.Position{Seq: 1}, MemberSeq: 1})
	synctest.Wait()
	return p
}

func (p *plug) UserID() string              { return "plug" }
func (p *plug) Stays(string, hub.Stay) bool { return true }
func (p *plug) Fits(int) bool               { return true }
func (p *plug) Tell(hub.Event)              {}
func (p *plug) Push(*wire.Frame)            { <-p.gate }

// smallRing has the hub keep only a few entries, so that a replay comes from the store.
func smallRing(cfg *setup) { cfg.relay.Hub.RingEntries = 3 }

// smallOutbox overflows soon.
func smallOutbox(cfg *setup) { cfg.session.OutboxBytes = 8 << 10 }

// deaf nodes compare only when they are asked to.
func deaf(cfg *setup) { cfg.relay.CheckEvery = 1000 * time.Hour }
