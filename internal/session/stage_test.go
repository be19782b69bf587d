package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/chattest"
	"github.com/gochat-dev/gochat/internal/inmem"
	"github.com/gochat-dev/gochat/internal/presence"
	"github.com/gochat-dev/gochat/internal/relay"
	"github.com/gochat-dev/gochat/internal/session"
	"github.com/gochat-dev/gochat/internal/sqlite"
	"github.com/gochat-dev/gochat/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stage is a chat of several nodes over one SQLite file.
type stage struct {
	*testing.T
	ctx   context.Context
	db    *sqlite.Store
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
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, dir)
				defer s.close()
				r.do(s)
			})
		})
	}
}

func newStage(t *testing.T, dir string) *stage {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(dir, "chat.db")})
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

// client is the far end of a connection, and the socket to it. It takes everything at once unless it is frozen.
type client struct {
	*stage
	in      chan []byte   // messages on their way to the server
	gone    chan struct{} // closed: the client is not there any more
	ended   chan struct{} // closed: the server has finished
	hurried chan struct{} // closed: a Write that waits is to fail

	mu      sync.Mutex
	thaw    chan struct{} // not nil: the client reads nothing until it is closed
	got     []object
	writes  int // calls of Write
	largest int // bytes in one
	code    int // the close code
	once    struct{ ended, hurried sync.Once }
	welcome object
	id      int
}

// object is any object that a server sends.
type object struct {
	Type    string          `json:"type"`
	ID      int             `json:"id"`
	RoomID  string          `json:"room_id"`
	Seq     int64           `json:"seq"`
	PrevSeq *int64          `json:"prev_seq"`
	Kind    chat.Kind       `json:"kind"`
	Body    string          `json:"body"`
	Client  string          `json:"client_id"`
	Message string          `json:"message_id"`
	Error   wire.Problem    `json:"error"`
	Entries []wire.Entry    `json:"entries"`
	Users   json.RawMessage `json:"users"`
	User    wire.User       `json:"user"`
	Room    wire.Room       `json:"room"`
	Rooms   []wire.Room     `json:"rooms"`
	HasMore bool            `json:"has_more"`

	Recovered    *bool                 `json:"recovered"`
	HeadSeq      int64                 `json:"head_seq"`
	Reason       string                `json:"reason"`
	UserID       string                `json:"user_id"`
	On           bool                  `json:"on"`
	Reads        []wire.Read           `json:"reads"`
	Changes      []chat.PresenceChange `json:"changes"`
	Presence     json.RawMessage       `json:"presence"`
	Typing       []string              `json:"typing"`
	LastRead     int64                 `json:"last_read_seq"`
	Unread       int                   `json:"unread_count"`
	Expires      string                `json:"expires_at"`
	Within       int64                 `json:"within_ms"`
	Connection   string                `json:"connection_id"`
	Epoch        string                `json:"epoch"`
	ServerTime   string                `json:"server_time"`
	PingInterval int64                 `json:"ping_interval_ms"`
	Next         string                `json:"rooms_next"`
}

// describe says in a few words what an object says.
func (o object) describe() string {
	switch o.Type {
	case "entry":
		if o.Kind == chat.KindText {
			return fmt.Sprint(o.Seq)
		}
		return fmt.Sprint(o.Seq, " ", o.Kind)
	case "resumed":
		return fmt.Sprintf("resumed %v %d", *o.Recovered, o.HeadSeq)
	case "room_added", "room_updated":
		return fmt.Sprintf("%s %s %s", o.Type, o.Room.Name, o.Room.Role)
	case "room_removed":
		return "room_removed " + o.Reason
	case "typing":
		return fmt.Sprint("typing ", o.On)
	case "read":
		return fmt.Sprint("read ", o.Reads[0].Seq)
	case "error":
		return fmt.Sprintf("error %d %s", o.ID, o.Error.Code)
	case "reply":
		return fmt.Sprint("reply ", o.ID)
	case "reconnect":
		return fmt.Sprint("reconnect ", o.Within)
	default:
		return o.Type
	}
}

// Read implements session.Socket.
func (c *client) Read() ([]byte, error) {
	select {
	case m := <-c.in:
		switch string(m) {
		case "too large":
			return nil, session.ErrTooLarge
		case "binary":
			return nil, session.ErrNotText
		}
		return m, nil
	case <-c.gone:
	case <-c.ended:
	}
	return nil, io.EOF
}

// Write implements session.Socket.
func (c *client) Write(frames []*wire.Frame) error {
	c.mu.Lock()
	thaw := c.thaw
	c.mu.Unlock()
	if thaw != nil && len(frames) > 0 {
		select {
		case <-thaw:
		case <-c.gone:
			return io.ErrClosedPipe
		case <-c.hurried:
			return context.DeadlineExceeded
		case <-c.ended:
			return io.ErrClosedPipe
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	size := 0
	for _, f := range frames {
		var o object
		if err := json.Unmarshal(f.Payload(), &o); err != nil {
			panic(fmt.Sprintf("%v: %s", err, f.Payload()))
		}
		c.got = append(c.got, o)
		size += f.Len()
	}
	c.writes++
	c.largest = max(c.largest, size)
	return nil
}

// Finish implements session.Socket.
func (c *client) Finish(code int, _ string) {
	c.mu.Lock()
	c.code = code
	c.mu.Unlock()
	c.Close()
}

// Hurry implements session.Socket.
func (c *client) Hurry(within time.Duration) {
	time.AfterFunc(within, func() { c.once.hurried.Do(func() { close(c.hurried) }) })
}

// Close implements session.Socket.
func (c *client) Close() { c.once.ended.Do(func() { close(c.ended) }) }

func (c *client) freeze() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.thaw = make(chan struct{})
}

func (c *client) unfreeze() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.thaw)
	c.thaw = nil
}

// hang closes the client's end without a word.
func (c *client) hang() {
	close(c.gone)
	synctest.Wait()
}

// say sends a message as it is.
func (c *client) say(message string) {
	c.in <- []byte(message)
	synctest.Wait()
}

// put sends a command without waiting for anything, and returns its id.
func (c *client) put(kind string, fields map[string]any) int {
	c.id++
	command := map[string]any{"type": kind, "id": c.id}
	for k, v := range fields {
		command[k] = v
	}
	b, err := json.Marshal(command)
	c.no(err)
	c.in <- b
	return c.id
}

// ask sends a command and returns its answer, of which there must be exactly one by now.
func (c *client) ask(kind string, fields map[string]any) object {
	c.Helper()
	id := c.put(kind, fields)
	synctest.Wait()
	return c.answer(id)
}

func (c *client) answer(id int) object {
	c.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var answers []object
	c.got = slices.DeleteFunc(c.got, func(o object) bool {
		mine := o.ID == id && (o.Type == "reply" || o.Type == "error")
		if mine {
			answers = append(answers, o)
		}
		return mine
	})
	if len(answers) != 1 {
		c.Fatalf("command %d was answered %d times", id, len(answers))
	}
	return answers[0]
}

// done wants a command to succeed.
func (c *client) done(kind string, fields map[string]any) object {
	c.Helper()
	o := c.ask(kind, fields)
	if o.Type != "reply" {
		c.Fatalf("%s was refused: %v", kind, o.Error)
	}
	return o
}

// refused wants a command to fail with a code.
func (c *client) refused(code chat.Code, kind string, fields map[string]any) object {
	c.Helper()
	o := c.ask(kind, fields)
	if o.Type != "error" || o.Error.Code != code || o.Error.Message == "" {
		c.Fatalf("%s %v: got %s %+v, want the error %s", kind, fields, o.Type, o.Error, code)
	}
	return o
}

// take returns what came since it was last called.
func (c *client) take() []object {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.got
	c.got = nil
	return got
}

func (c *client) describe() []string {
	var out []string
	for _, o := range c.take() {
		if o.Type != "presence" && o.Type != "ping" { // those have tests of their own
			out = append(out, o.describe())
		}
	}
	return out
}

// gets wants exactly this to have come since it was last asked, pings and presence aside.
func (c *client) gets(want ...string) {
	c.Helper()
	if got := c.describe(); !slices.Equal(got, want) {
		c.Fatalf("got %q, want %q", got, want)
	}
}

// closed wants the connection to have been closed with a code by now.
func (c *client) closed(code int) {
	c.Helper()
	synctest.Wait()
	select {
	case <-c.ended:
	default:
		c.Fatalf("the connection is open, want it closed with %d", code)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.code != code {
		c.Fatalf("closed with %d, want %d", c.code, code)
	}
}

func (c *client) open() {
	c.Helper()
	synctest.Wait()
	select {
	case <-c.ended:
		c.Fatalf("the connection was closed with %d", c.code)
	default:
	}
}

// store is a Store whose reads can be held up, counted and failed.
type store struct {
	chat.Store

	mu    sync.Mutex
	gate  chan struct{} // not nil: the calls named by shut wait until it is closed
	shuts []string
	late  bool           // a list is read before it waits, and is old when it comes
	held  map[string]int // calls under way, by name
	most  map[string]int // the most at a time
	calls map[string]int
	fails error // of reads of runs and lists, and of commits
}

// shut has reads wait until open: of runs (after), lists (snapshot), rooms (load). Without names: runs and lists.
func (f *store) shut(names ...string) {
	if len(names) == 0 {
		names = []string{"after", "snapshot"}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gate, f.shuts = make(chan struct{}), names
	f.most, f.calls = make(map[string]int), make(map[string]int)
}

func (f *store) open() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gate != nil {
		close(f.gate)
		f.gate = nil
	}
}

// atOnce is the most calls that were under way at a time since shut.
func (f *store) atOnce(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.most[name]
}

func (f *store) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fails = err
}

func (f *store) heal() {
	f.fail(nil)
	f.open()
}

// call counts a call, has it wait, and says whether it fails.
func (f *store) call(ctx context.Context, name string) (done func(), err error) {
	f.mu.Lock()
	f.held[name]++
	if f.calls != nil {
		f.calls[name]++
		f.most[name] = max(f.most[name], f.held[name])
	}
	gate := f.gate
	if !slices.Contains(f.shuts, name) {
		gate = nil
	}
	f.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.held[name]--
	}, f.fails
}

func (f *store) After(ctx context.Context, room string, from chat.Position, limit int) (chat.Run, error) {
	done, err := f.call(ctx, "after")
	defer done()
	if err != nil {
		return chat.Run{}, err
	}
	return f.Store.After(ctx, room, from, limit)
}

func (f *store) Snapshot(ctx context.Context, user, session string) (chat.Snapshot, error) {
	f.mu.Lock()
	late := f.late
	f.mu.Unlock()
	var snap chat.Snapshot
	var old error
	if late {
		snap, old = f.Store.Snapshot(ctx, user, session)
	}
	done, err := f.call(ctx, "snapshot")
	defer done()
	switch {
	case err != nil:
		return chat.Snapshot{}, err
	case late:
		return snap, old
	default:
		return f.Store.Snapshot(ctx, user, session)
	}
}

func (f *store) Load(ctx context.Context, room string, n int) (chat.Live, error) {
	done, _ := f.call(ctx, "load")
	defer done()
	return f.Store.Load(ctx, room, n)
}

// old has lists come as they were before they had to wait.
func (f *store) old(late bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.late = late
}

func (f *store) Append(ctx context.Context, drafts []chat.Draft, firsts map[string]int64) ([]chat.Outcome, error) {
	f.mu.Lock()
	err := f.fails
	f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return f.Store.Append(ctx, drafts, firsts)
}

// observer counts.
type observer struct {
	mu      sync.Mutex
	codes   []int
	resumes map[bool]int
	written int
	limited int
}

func (o *observer) note(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

func (o *observer) Disconnected(code int) { o.note(func() { o.codes = append(o.codes, code) }) }
func (o *observer) Written(time.Time)     { o.note(func() { o.written++ }) }
func (o *observer) RateLimited(string)    { o.note(func() { o.limited++ }) }
func (o *observer) Resumed(recovered bool) {
	o.note(func() {
		if o.resumes == nil {
			o.resumes = make(map[bool]int)
		}
		o.resumes[recovered]++
	})
}
