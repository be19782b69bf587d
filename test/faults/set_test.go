package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/gochat-dev/gochat/internal/auth"
	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/checker"
	"github.com/gochat-dev/gochat/internal/pgtest"
	"github.com/gochat-dev/gochat/internal/postgres"
	"github.com/gochat-dev/gochat/internal/redistest"
	"github.com/gochat-dev/gochat/internal/session"
)

// set is three nodes that share a database and a Redis, and the people who use them.
type set struct {
	t       *testing.T
	plan    plan
	nodes   []*node
	front   *node // stands for the proxy that everybody goes through; nil: they go to any node
	server  *pgtest.Server
	name    string // of the database
	url     string // of it, past all wires
	redis   *redistest.Server
	store   *postgres.Store // past all wires
	history *checker.History
	crowd   *checker.Crowd
	people  []person
	rooms   []string // the last one is quiet: only a test speaks there

	narrow atomic.Bool // the last person's next connection is; see plan

	quiet func() // ends the talk, and waits for it
	marks int
}

// person is somebody with an account. The first is every room's owner; the last two come and go.
type person struct {
	id, session, token string
	home               int // the node that they connect to; -1: to any
}

// plan is what is special about a set.
type plan struct {
	nodes  int                                                    // 3
	people int                                                    // 9
	rooms  int                                                    // 3, and a quiet one
	pace   time.Duration                                          // between two things that people do: 15 ms
	homes  bool                                                   // person i connects to node i mod nodes, and to no other
	still  bool                                                   // nobody joins, leaves or loses the connection but by the fault
	server func(t *testing.T) (s *pgtest.Server, database string) // a Postgres of the set's own
	lossy  bool                                                   // the bus loses, repeats and reorders
	env    []string                                               // more settings of the nodes
	stays  int                                                    // every so manieth person does not move when a node asks
	narrow bool                                                   // little can be under way on the first connection of the last person
	front  func(s *set) *node                                     // starts a proxy before the nodes
}

func newSet(t *testing.T, p plan) *set {
	t.Helper()
	s := &set{t: t, plan: p, history: checker.NewHistory(), quiet: func() {}}
	s.narrow.Store(p.narrow)
	setDefault(&s.plan.nodes, 3)
	setDefault(&s.plan.people, 9)
	setDefault(&s.plan.rooms, 3)
	setDefault(&s.plan.pace, 15*time.Millisecond)
	if p.server != nil {
		s.server, s.name = p.server(t)
		s.url = s.server.URL(s.name)
	} else {
		s.server = databases.Server(t)
		s.url = databases.New(t)
		s.name = s.url[strings.LastIndex(s.url, "/")+1 : strings.Index(s.url, "?")]
	}
	var err error
	s.redis, err = redistest.Start(redistest.Config{})
	s.must(err)
	t.Cleanup(func() { s.check(s.redis.Stop()) })
	s.settle()
	dir := t.TempDir()
	t.Cleanup(func() {
		if t.Failed() {
			s.keep()
		}
	})
	for i := range s.plan.nodes {
		n, err := newNode(fmt.Sprint("n", i), dir, s.url, s.redis.URL())
		s.must(err)
		n.env = append(n.env, p.env...)
		if p.lossy {
			n.redis.setMangle(func() mangler { return (&lossy{dice: rand.New(rand.NewPCG(*seed, rand.Uint64()))}).mangle })
		}
		s.nodes = append(s.nodes, n)
		t.Cleanup(func() { s.check(n.close()) })
	}
	s.startAll()
	if p.front != nil {
		s.front = p.front(s)
	}
	s.connect()
	return s
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

func (s *set) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *set) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Error(err)
	}
}

// startAll starts the nodes that are down, all at once.
func (s *set) startAll() {
	s.t.Helper()
	errs := make([]error, len(s.nodes))
	var wg sync.WaitGroup
	for i, n := range s.nodes {
		if !n.running() {
			wg.Go(func() { errs[i] = n.start() })
		}
	}
	wg.Wait()
	s.must(errors.Join(errs...))
}

// settle makes the accounts, their sessions and tokens, and the rooms with everybody in them.
func (s *set) settle() {
	s.t.Helper()
	ctx := context.Background()
	var err error
	s.store, err = postgres.Open(ctx, postgres.Config{URL: s.url, Writers: 2, Readers: 2})
	s.must(err)
	s.t.Cleanup(func() { s.check(s.store.Close()) })
	set, err := s.store.JWTKeys(ctx, auth.GenerateKeys)
	s.must(err)
	keys, err := auth.ParseKeys(set)
	s.must(err)
	tokens := auth.NewTokens(keys, 12*time.Hour)
	now := time.Now()
	for i := range s.plan.people {
		p := person{id: chat.NewID(), session: chat.NewID(), home: -1}
		if s.plan.homes {
			p.home = i % s.plan.nodes
		}
		_, err := s.store.CreateUser(ctx, chat.User{ID: p.id, Username: fmt.Sprintf("user%d", i), DisplayName: "User", CreatedAt: now}, "x")
		s.must(err)
		s.must(s.store.CreateSession(ctx, chat.Session{
			ID: p.session, UserID: p.id, CreatedAt: now, LastSeenAt: now, ExpiresAt: now.Add(24 * time.Hour),
		}, p.session))
		p.token, _, err = tokens.Sign(p.id, p.session)
		s.must(err)
		s.people = append(s.people, p)
	}
	for i := range s.plan.rooms + 1 {
		room := chat.NewID()
		drafts := []chat.Draft{{
			RoomID: room, SenderID: s.people[0].id, ClientID: chat.NewID(), Kind: chat.KindMemberJoined, At: now,
			Create: &chat.NewRoom{Name: fmt.Sprint("Room ", i), Visibility: chat.Public},
		}}
		for _, p := range s.people[1:] {
			drafts = append(drafts, chat.Draft{
				RoomID: room, SenderID: p.id, ClientID: chat.NewID(), Kind: chat.KindMemberJoined, At: now, Join: &chat.Joining{},
			})
		}
		for some := range slices.Chunk(drafts, 100) {
			_, err := s.store.Append(ctx, some, nil)
			s.must(err)
		}
		s.rooms = append(s.rooms, room)
	}
}

// connect has everybody connect, and waits until they are.
func (s *set) connect() {
	s.t.Helper()
	people := make([]checker.Person, len(s.people))
	for i, p := range s.people {
		dice := rand.New(rand.NewPCG(*seed, uint64(i)))
		var closed *node // the one that turned this person away the last time
		people[i] = checker.Person{UserID: p.id, Stays: s.plan.stays > 0 && i%s.plan.stays == 0, Dial: func(ctx context.Context, epoch string, resume []session.Resume) (checker.Conn, error) {
			n := s.anyNode(dice)
			for s.front == nil && len(s.nodes) > 1 && n == closed { // as behind any proxy: a dead node is not come to again and again
				n = s.anyNode(dice)
			}
			if p.home >= 0 {
				n = s.nodes[p.home]
			}
			d := websocket.Dialer{}
			if i == len(s.people)-1 && s.narrow.CompareAndSwap(true, false) {
				d.NetDialContext = narrow
			}
			conn, err := n.dialBy(ctx, d, p.token, epoch, resume)
			if closed = nil; err != nil {
				closed = n
			}
			return conn, err
		}}
	}
	s.crowd = checker.NewCrowd(checker.CrowdConfig{Seed: *seed, People: people, Rooms: s.rooms}, s.history)
	s.t.Cleanup(func() { s.quiet(); s.crowd.Stop() })
	s.until("everybody is connected", 20*time.Second, func() bool {
		return !slices.ContainsFunc(s.crowd.Clients(), func(c *checker.Client) bool { return !c.Live() })
	})
}

// anyNode is a node that somebody comes to, or the proxy before all of them.
func (s *set) anyNode(dice *rand.Rand) *node {
	if s.front != nil {
		return s.front
	}
	return s.nodes[dice.IntN(len(s.nodes))]
}

// until waits for something to become true, and returns how long that took.
func (s *set) until(what string, within time.Duration, is func() bool) time.Duration {
	s.t.Helper()
	began := time.Now()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !is() {
		if time.Since(began) > within {
			s.t.Fatalf("%s: not within %v\n%s", what, within, s.history.Tail())
		}
		<-ticker.C
	}
	return time.Since(began)
}

// pass lets a span of time pass: as long as a fault lasts.
func (s *set) pass(d time.Duration) { <-time.After(d) }

// mark is a text that nobody has said before.
func (s *set) mark() string {
	s.marks++
	return fmt.Sprintf("mark %d of %d", s.marks, time.Now().UnixNano())
}

func (s *set) quietRoom() string { return s.rooms[len(s.rooms)-1] }

// says has a client say something in the quiet room.
func (s *set) says(client int, body string) {
	s.crowd.Clients()[client].Send(s.quietRoom(), body)
}

// seen waits until everybody has a text of the quiet room, and returns how long that took.
func (s *set) seen(body string, within time.Duration) time.Duration {
	s.t.Helper()
	return s.until("everybody sees "+body, within, func() bool {
		return !slices.ContainsFunc(s.crowd.Clients(), func(c *checker.Client) bool { return !c.Has(s.quietRoom(), body) })
	})
}

// log is that of the quiet room.
func (s *set) log() []chat.Entry {
	s.t.Helper()
	log, err := checker.Logs(context.Background(), s.store, []string{s.quietRoom()})
	s.must(err)
	return log
}

// seenElsewhere waits until everybody whose home is not the first node has a text of the quiet room. Those who come anew
// to a node bring it to the other ones' attention: for a test of HUB5 they must stay away.
func (s *set) seenElsewhere(body string, within time.Duration) time.Duration {
	s.t.Helper()
	return s.until("everybody on the other nodes sees "+body, within, func() bool {
		for i, c := range s.crowd.Clients() {
			if s.people[i].home != 0 && !c.Has(s.quietRoom(), body) {
				return false
			}
		}
		return true
	})
}

// stored returns the entry of a text in the quiet room, and how many there are.
func (s *set) stored(body string) (e chat.Entry, times int) {
	s.t.Helper()
	for _, one := range s.log() {
		if one.Body == body {
			e = one
			times++
		}
	}
	return e, times
}

// shout sends a text to the quiet room by a connection of its own to a node, which never comes back.
func (s *set) shout(n *node, body string) {
	s.t.Helper()
	conn, err := n.dial(context.Background(), s.people[0].token, "", nil)
	s.must(err)
	s.t.Cleanup(conn.Close)
	s.must(conn.Write([]byte(fmt.Sprintf(`{"type":"send","id":1,"room_id":%q,"client_id":%q,"body":%q}`, s.quietRoom(), chat.NewID(), body))))
}

// note writes into the record.
func (s *set) note(format string, args ...any) { s.history.Note(format, args...) }

// counter is the number that Redis has generated last for a room.
func (s *set) counter(room string) int64 {
	s.t.Helper()
	answer, err := s.redis.Do(context.Background(), "EVAL", "return tonumber(redis.call('GET', KEYS[1]) or '0')", 1, "gochat:seq:{"+room+"}")
	s.must(err)
	n, ok := answer.(int64)
	if !ok {
		s.t.Fatalf("the counter is %v", answer)
	}
	return n
}

// head is the number of a room's last entry.
func (s *set) head(room string) int64 {
	s.t.Helper()
	c, err := s.store.Compare(context.Background(), chat.CompareQuery{Rooms: []string{room}, Node: "test"})
	s.must(err)
	return c.Heads[room].Seq
}

// keep writes the record, and what the nodes have logged, where it outlives the test.
func (s *set) keep() {
	s.t.Helper()
	dir, err := os.MkdirTemp("", "gochat-faults-record-")
	s.must(err)
	s.must(os.WriteFile(filepath.Join(dir, "record"), []byte(s.history.String()), 0o600))
	for _, n := range s.nodes {
		log, err := os.ReadFile(n.log)
		s.must(err)
		s.must(os.WriteFile(filepath.Join(dir, filepath.Base(n.log)), log, 0o600))
	}
	s.t.Logf("seed %d; the record and the nodes' logs are in %s", *seed, dir)
}

// finish ends the talk and compares what everybody has seen with the store.
func (s *set) finish() {
	s.t.Helper()
	s.quiet()
	s.note("HEALED")
	ctx := context.Background()
	var why error
	deadline := time.Now().Add(45 * time.Second)
	for why = s.crowd.Settled(ctx, s.store); why != nil && time.Now().Before(deadline); why = s.crowd.Settled(ctx, s.store) {
		s.pass(100 * time.Millisecond) // between two looks; nothing depends on how long
	}
	s.check(why)
	acknowledged := s.crowd.Acknowledged()
	s.crowd.Stop()
	s.must(s.crowd.Verify(ctx, s.store))
	violations := s.history.Violations()
	for _, v := range violations[:min(len(violations), 8)] {
		s.t.Error(v)
	}
	for _, n := range s.nodes {
		s.check(n.leave())
	}
	s.t.Logf("%d messages acknowledged", acknowledged)
}
