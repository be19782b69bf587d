package session

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/presence"
	"github.com/gochat-dev/gochat/internal/relay"
	"github.com/gochat-dev/gochat/internal/wire"
)

// Config sets up a Server. Store, Relay, Presence and Verify must be set; the zero values of the rest work.
type Config struct {
	Store    chat.Store
	Relay    *relay.Relay
	Presence *presence.Service
	// Verify says whose an access token is.
	Verify func(token string) (Identity, error)
	Log    *slog.Logger

	Observe        Observer
	PingEvery      time.Duration // 25 s
	OutboxBytes    int           // 1 MiB
	Workers        int           // reads of the store for connections that may be under way at once: 8 (RES4)
	MaxConnections int           // 0 = no limit
	MaxWaiting     int           // new connections that wait for such a read; more are told to come back later (RES4). 0 = no limit
}

// Observer counts what happens to connections; its methods do not wait.
type Observer interface {
	Disconnected(code int)
	Resumed(recovered bool)
	Written(committed time.Time)
	RateLimited(what string)
	Connected()
	// TurnedAway says that a connection was not admitted: full, leaving, busy, store.
	TurnedAway(why string)
}

// Server is the connections of this node. It implements relay.Sessions.
type Server struct {
	cfg      Config
	log      *slog.Logger
	relay    *relay.Relay
	presence *presence.Service
	made     time.Time

	work      work
	admission chan struct{}              // a place for each snapshot under way (RES4)
	waiting   atomic.Int64               // how many want one
	leaving   atomic.Pointer[wire.Frame] // what asks everybody to go elsewhere; nil: the server stays
	flight    singleflight.Group

	mu       sync.Mutex
	sessions map[*Session]struct{}
	users    map[string][]*Session
	draining bool
	closed   bool
	fullSaid time.Time     // when it was last logged that the node is full
	idle     chan struct{} // closed when draining and nobody is left

	ctx    context.Context // ended by Close
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// How long a new connection waits for its turn before it is told to come back later (RES4).
const admitWithin = 10 * time.Second

// ErrDraining says that this node takes no new connections.
var ErrDraining = &chat.Error{Code: chat.CodeUnavailable, Message: "this server is leaving: connect again", RetryAfter: time.Second}

// ErrFull says that this node has as many connections as it may.
var ErrFull = &chat.Error{Code: chat.CodeUnavailable, Message: "this server is full: try again in a moment", RetryAfter: 5 * time.Second}

// errBusy says that too many connect at once.
var errBusy = &chat.Error{Code: chat.CodeUnavailable, Message: "too many people connect right now: try again in a moment", RetryAfter: 3 * time.Second}

// New makes a Server and starts its goroutines. Close ends them.
func New(cfg Config) *Server {
	if cfg.PingEvery == 0 {
		cfg.PingEvery = 25 * time.Second
	}
	if cfg.OutboxBytes == 0 {
		cfg.OutboxBytes = 1 << 20
	}
	if cfg.Workers == 0 {
		cfg.Workers = 8
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Observe == nil {
		cfg.Observe = unobserved{}
	}
	cfg.Store = cfg.Relay.UpToDate(cfg.Store)
	srv := &Server{
		cfg: cfg, log: cfg.Log, relay: cfg.Relay, presence: cfg.Presence, made: time.Now(),
		work: work{wake: make(chan struct{}, cfg.Workers)}, admission: make(chan struct{}, cfg.Workers),
		sessions: make(map[*Session]struct{}), users: make(map[string][]*Session), idle: make(chan struct{}),
	}
	srv.ctx, srv.cancel = context.WithCancel(context.Background())
	for range cfg.Workers {
		srv.wg.Go(func() { srv.work.run(srv.ctx) })
	}
	srv.wg.Go(srv.sweep)
	return srv
}

type unobserved struct{}

func (unobserved) Disconnected(int)   {}
func (unobserved) Resumed(bool)       {}
func (unobserved) Written(time.Time)  {}
func (unobserved) RateLimited(string) {}
func (unobserved) Connected()         {}
func (unobserved) TurnedAway(string)  {}

// Pending is a connection that has been admitted and waits for its socket. Start or Abort it.
type Pending struct {
	s     *Session
	hello Hello
	snap  chat.Snapshot
	gone  map[string]string // rooms that the client named and that are not its user's, and why
}

// Open admits a connection: who is it, and which rooms are theirs. It returns ErrRevoked, ErrDraining, ErrFull or
// another *chat.Error with advice on when to try again. The session is registered before the store is read, so that a
// revocation in between reaches it.
func (srv *Server) Open(ctx context.Context, hello Hello) (*Pending, error) {
	s := &Session{
		srv: srv, id: chat.NewID(), userID: hello.UserID, sessionID: hello.SessionID, requestID: hello.RequestID,
		state: chat.Online,
	}
	if err := srv.add(s); err != nil {
		srv.turnedAway(err)
		return nil, err
	}
	snap, gone, err := srv.admit(ctx, hello)
	if err != nil {
		srv.remove(s)
		srv.turnedAway(err)
		return nil, err
	}
	s.mu.Lock()
	s.epoch, s.version = shared(snap.Epoch), snap.Version
	for _, r := range snap.Rooms {
		s.addPlace(r)
	}
	s.mu.Unlock()
	return &Pending{s, hello, snap, gone}, nil
}

// admit waits for a place and reads what a connection starts from, and why rooms that it names are not its user's.
func (srv *Server) admit(ctx context.Context, hello Hello) (snap chat.Snapshot, gone map[string]string, err error) {
	ctx, cancel := context.WithTimeout(ctx, admitWithin)
	defer cancel()
	if !srv.takePlace(ctx) {
		return snap, nil, errBusy
	}
	defer func() { <-srv.admission }()
	snap, err = srv.cfg.Store.Snapshot(ctx, hello.UserID, hello.SessionID)
	if err != nil || snap.More != "" { // past a list that is cut it may still be the user's
		return snap, nil, err
	}
	for _, r := range hello.Resume {
		if !slices.ContainsFunc(snap.Rooms, func(v chat.RoomView) bool { return v.ID == r.RoomID }) {
			if gone == nil {
				gone = make(map[string]string)
			}
			gone[r.RoomID] = srv.whyGoneSince(ctx, hello.UserID, r)
		}
	}
	return snap, gone, nil
}

// takePlace waits for one of the places of admission, which the caller gives back. Whoever waits costs more than whoever is
// connected: an HTTP connection with its buffers. So not everybody may.
func (srv *Server) takePlace(ctx context.Context) bool {
	defer srv.waiting.Add(-1)
	if n := srv.waiting.Add(1); srv.cfg.MaxWaiting > 0 && n > int64(srv.cfg.MaxWaiting) {
		return false
	}
	select {
	case srv.admission <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// turnedAway counts a connection that is to come back later. Who may not connect at all is counted where tokens are.
func (srv *Server) turnedAway(err error) {
	refusal, ok := errors.AsType[*chat.Error](err)
	switch {
	case !ok || refusal.Code != chat.CodeUnavailable:
	case refusal == ErrFull:
		srv.cfg.Observe.TurnedAway("full")
	case refusal == ErrDraining:
		srv.cfg.Observe.TurnedAway("leaving")
	case refusal == errBusy:
		srv.cfg.Observe.TurnedAway("busy")
	default:
		srv.cfg.Observe.TurnedAway("store")
	}
}

// Abort gives up a connection that got no socket.
func (p *Pending) Abort() { p.s.srv.remove(p.s) }

// Start hands over the socket. It returns at once; the connection runs in goroutines of its own.
func (p *Pending) Start(sock Socket) {
	s, srv := p.s, p.s.srv
	s.sock = sock
	var direct func(*wire.Frame) writeResult
	if try, ok := sock.(tryWriter); ok {
		direct = func(f *wire.Frame) writeResult {
			result := try.tryWrite(f)
			if result == wroteAll {
				s.sent.Store(srv.clock())
				srv.observeWritten(f)
			}
			return result
		}
	}
	if ws, ok := sock.(*WebSocket); ok {
		ws.pong = s.out.nudge
	}
	s.out.init(srv.cfg.OutboxBytes, direct)
	now := srv.clock()
	s.heard.Store(now)
	s.sent.Store(now)
	s.expires.Store(p.hello.Expires.UnixNano())
	s.out.putAlways(wire.EncodeWelcome(wire.Welcome{
		ConnectionID: s.id, Epoch: p.snap.Epoch, User: wire.FromUser(p.snap.User), ServerTime: wire.Time{Time: time.Now()},
		PingInterval: srv.cfg.PingEvery.Milliseconds(), Rooms: wire.FromRooms(p.snap.Rooms), RoomsNext: p.snap.More,
	}))
	s.live.Store(true)
	s.askToLeave()       // Drain has asked those who were live then (DRN1)
	if s.closed.Load() { // revoked before it was live
		s.shut()
	}
	srv.cfg.Observe.Connected()
	srv.presence.Connected(s.userID)
	if !s.run() {
		sock.Close()
		srv.presence.Disconnected(s.userID, chat.Online, false)
		srv.remove(s)
		return
	}
	s.note(slog.LevelDebug, "connection started", "rooms", len(p.snap.Rooms), "resumes", len(p.hello.Resume))
	s.begin(p.hello, p.snap, p.gone)
}

func (srv *Server) add(s *Session) error {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if srv.draining {
		return ErrDraining
	}
	if limit := srv.cfg.MaxConnections; limit > 0 && len(srv.sessions) >= limit {
		srv.sayFull(limit)
		return ErrFull
	}
	srv.sessions[s] = struct{}{}
	srv.users[s.userID] = append(srv.users[s.userID], s)
	return nil
}

// sayFull logs that connections are refused: once a minute, however many they are. The caller holds mu.
func (srv *Server) sayFull(limit int) {
	if now := time.Now(); now.Sub(srv.fullSaid) > time.Minute {
		srv.fullSaid = now
		srv.log.Warn("the server is full: connections are refused", "limit", limit)
	}
}

func (srv *Server) remove(s *Session) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if _, ok := srv.sessions[s]; !ok {
		return
	}
	delete(srv.sessions, s)
	of := srv.users[s.userID]
	rest := make([]*Session, 0, len(of)-1)
	for _, other := range of {
		if other != s {
			rest = append(rest, other)
		}
	}
	if len(rest) == 0 {
		delete(srv.users, s.userID)
	} else {
		srv.users[s.userID] = rest
	}
	if srv.draining && len(srv.sessions) == 0 {
		srv.closeIdle()
	}
}

// all returns the connections of one user, or of everybody for the empty user.
func (srv *Server) all(userID string) []*Session {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if userID != "" {
		return append([]*Session(nil), srv.users[userID]...)
	}
	all := make([]*Session, 0, len(srv.sessions))
	for s := range srv.sessions {
		all = append(all, s)
	}
	return all
}

// RoomsChanged implements relay.Sessions.
func (srv *Server) RoomsChanged(userID string) {
	for _, s := range srv.all(userID) {
		s.mu.Lock()
		s.requestSync()
		s.mu.Unlock()
	}
}

// Revoked implements relay.Sessions.
func (srv *Server) Revoked(userID, sessionID string) {
	for _, s := range srv.all(userID) {
		if s.sessionID == sessionID {
			s.logout.Store(true)
			s.close(CloseRevoked, "this session has ended: log in again")
		}
	}
}

// Users implements relay.Sessions.
func (srv *Server) Users() []string {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	users := make([]string, 0, len(srv.users))
	for user := range srv.users {
		users = append(users, user)
	}
	return users
}

// Judge implements relay.Sessions. The version held may be newer than the answer: reading once more does no harm.
func (srv *Server) Judge(versions map[string]int64) {
	for _, s := range srv.all("") {
		s.mu.Lock()
		if s.started && s.version != versions[s.userID] {
			s.requestSync()
		}
		s.mu.Unlock()
	}
}

// Count is how many connections there are, and how many bytes wait to be written to them.
func (srv *Server) Count() (connections, outboxBytes int) {
	all := srv.all("")
	for _, s := range all {
		outboxBytes += s.out.size()
	}
	return len(all), outboxBytes
}

func (srv *Server) observeWrite(frames []*wire.Frame) {
	for _, f := range frames {
		srv.observeWritten(f)
	}
}

func (srv *Server) observeWritten(f *wire.Frame) {
	if at := f.Committed(); !at.IsZero() {
		srv.cfg.Observe.Written(at)
	}
}

// Close closes what is left and waits for all goroutines.
func (srv *Server) Close() {
	srv.mu.Lock()
	srv.draining, srv.closed = true, true
	srv.mu.Unlock()
	for _, s := range srv.all("") {
		s.close(CloseGoingAway, "this server is leaving")
		if s.live.Load() {
			s.sock.Close()
		}
	}
	srv.cancel()
	srv.wg.Wait()
}
