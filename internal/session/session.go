// Package session runs one client connection: a reader, a writer and an outbox between them.
//
// The reader takes commands; the writer writes what the hub and the answers put into the outbox, and paces
// replays. Both end when the connection does.
package session

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/hub"
	"github.com/gochat-dev/gochat/internal/wire"
)

// Close codes of the contract (docs/protocol.md): each tells the client what to do.
const (
	CloseGoingAway = 1001 // the instance is leaving
	CloseTooLarge  = 1009 // a frame above 64 KiB
	CloseTryAgain  = 1013 // an outcome stays unknown: reconnect and send again
	CloseExpired   = 4001 // token expired
	CloseNoPong    = 4008
	CloseTooSlow   = 4009 // the outbox overflowed
	CloseFlood     = 4029
	CloseRevoked   = 4100
	CloseBadFrame  = 4110
	CloseVersion   = 4120 // this version of the protocol is not spoken here
)

// Close codes of RFC 6455 section 7.4.1 that only answer.
const (
	closeNormal   = 1000
	closeProtocol = 1002
)

// Identity is who a connection belongs to.
type Identity struct {
	UserID    string
	SessionID string
	Expires   time.Time
}

// Resume names the last entry that a client has of a room.
type Resume struct {
	RoomID string
	At     chat.Position
}

// Hello is what a client says when it connects.
type Hello struct {
	Identity
	Epoch  string // of the client's last welcome; empty: not compared
	Resume []Resume
	// RequestID is the id of the request that the connection began with, for the log; may be empty.
	RequestID string
}

// Session is one client connection. It implements hub.Conn and relay.Origin.
type Session struct {
	srv       *Server
	id        string
	userID    string
	sessionID string
	requestID string
	sock      Socket
	out       outbox

	expires atomic.Int64 // unix nanoseconds: when the access token ends
	heard   atomic.Int64 // by Server.clock: when the client was last heard
	sent    atomic.Int64 // by Server.clock: when something was last written
	heldUp  atomic.Int64 // by Server.clock: when the reader was last kept from reading for a while; 0: never
	pings   pings
	open    atomic.Int32 // goroutines of the connection that run: reader and writer
	live    atomic.Bool  // sock and out are there, the welcome is in the outbox
	asked   atomic.Bool  // to go elsewhere
	closed  atomic.Bool
	code    atomic.Int32 // the close code, once closed
	logout  atomic.Bool  // closed because the session was revoked (PRS3)

	reader reader
	pinged int64 // by Server.clock; owned by the server's sweep

	mu      sync.Mutex
	epoch   string // as of the last list of rooms
	version int64  // of the list of rooms held; -1: forgotten (HUB7)
	removal int    // counts removals told: a list that was read before one is stale
	rooms   []place
	stays   hub.Stay    // of the place that came last
	replays []hub.Event // rooms that wait for a replay, Behind or Unknown
	current *replay     // the one under way
	retry   []hub.Event // those that the store could not serve, to be tried again
	state   chat.State  // of presence
	started bool        // frames may be written, rooms entered
	rest    *arrival    // in rooms past those of the welcome; nil: in all
	syncing syncState
}

// place is a room of the connection's user. Guarded by Session.mu.
type place struct {
	roomID    string
	look      uint64 // a hash of what room_updated tells of
	memberSeq int64  // the user is known to be a member at this number
	stay      hub.Stay
	resuming  bool // the client is to be told resumed when the room is live
	lost      bool // the client's copy is to be dropped; entered with the next list of rooms
}

// UserID implements hub.Conn.
func (s *Session) UserID() string { return s.userID }

// Push implements hub.Conn.
func (s *Session) Push(f *wire.Frame) {
	if !s.out.put(f) {
		s.close(CloseTooSlow, "too slow: the outbox overflowed")
	}
}

// Fits implements hub.Conn.
func (s *Session) Fits(n int) bool { return s.out.fits(n) }

// Closed implements relay.Origin.
func (s *Session) Closed() bool { return s.closed.Load() }

// Stays implements hub.Conn.
func (s *Session) Stays(roomID string, stay hub.Stay) bool {
	if s.closed.Load() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.place(roomID)
	return p != nil && p.stay == stay
}

// GiveUp implements relay.Origin.
func (s *Session) GiveUp() {
	s.close(CloseTryAgain, "the outcome of a send is unknown: reconnect and send it again")
}

// heldUpAfter is how long a command may take before what is read next counts as read late.
const heldUpAfter = 100 * time.Millisecond

// noteHeldUp notes whether what the reader is at was read a while ago. Called by the reader.
func (s *Session) noteHeldUp() {
	if now := s.srv.clock(); now-s.heard.Load() > int64(heldUpAfter) {
		s.heldUp.Store(now)
	}
}

// HeldUp implements relay.Origin.
func (s *Session) HeldUp() time.Time {
	if at := s.heldUp.Load(); at != 0 {
		return s.srv.made.Add(time.Duration(at))
	}
	return time.Time{}
}

// run starts the connection's two goroutines, unless the server is closed already.
func (s *Session) run() bool {
	s.srv.mu.Lock()
	defer s.srv.mu.Unlock()
	if s.srv.closed {
		return false
	}
	s.open.Store(2)
	s.srv.wg.Go(s.read)
	s.srv.wg.Go(func() { s.write(); s.ended() })
	return true
}

// ended is called by reader and writer; the last one cleans up.
func (s *Session) ended() {
	if s.open.Add(-1) > 0 {
		return
	}
	s.sock.Close()
	s.srv.remove(s)
	s.srv.relay.Hub().Drop(s)
	s.mu.Lock()
	state := s.state
	s.mu.Unlock()
	s.srv.presence.Disconnected(s.userID, state, s.logout.Load())
	s.srv.relay.SaveReads()
	s.srv.cfg.Observe.Disconnected(int(s.code.Load()))
	s.note(slog.LevelDebug, "connection ended", "code", s.code.Load())
}

// close ends the connection with a close code (0: the client is gone); only the first call counts. It never waits.
func (s *Session) close(code int, reason string) {
	if s.closed.Swap(true) {
		return
	}
	s.code.Store(int32(code))
	s.reader.closeReason.Store(&reason)
	if s.live.Load() {
		s.shut()
	}
}

// shut has the writer end: with what waits written, unless nobody is there to take it.
func (s *Session) shut() {
	code := s.code.Load()
	s.out.close(code != 0 && code != CloseTooSlow)
	s.sock.Hurry(finishWithin)
}

// write is the connection's writer.
func (s *Session) write() {
	var frames []*wire.Frame
	for {
		b := s.out.take(frames)
		err := s.sock.Write(b.frames)
		if err != nil {
			s.close(0, "")
			s.sock.Close()
			return
		}
		if len(b.frames) > 0 {
			s.sent.Store(s.srv.clock())
			s.srv.observeWrite(b.frames)
		}
		frames = b.frames
		clear(frames)
		if cap(frames) > 64 {
			frames = nil
		}
		if b.closing {
			reason := ""
			if r := s.reader.closeReason.Load(); r != nil {
				reason = *r
			}
			s.sock.Finish(int(s.code.Load()), reason)
			return
		}
		s.advance()
	}
}

// read is the connection's reader. Commands need a larger stack than waiting for them, and a stack that has grown never
// becomes the smallest again: so what has handled some hands over to a new goroutine before it waits again.
func (s *Session) read() {
	for {
		message, err := s.sock.Read()
		switch {
		case errors.Is(err, ErrTooLarge):
			s.close(CloseTooLarge, "a frame must not be larger than 64 KiB")
		case errors.Is(err, ErrNotText):
			s.close(CloseBadFrame, "frames are text")
		case err != nil:
			s.close(closeCode(err), "")
			s.ended()
			return
		case s.closed.Load(): // read on until the client has taken the close frame
		default:
			s.heard.Store(s.srv.clock())
			if wire.IsPong(message) {
				s.pong()
				continue
			}
			if err := wire.Decode(message, s.handle); err != nil {
				s.close(CloseBadFrame, err.Error())
			}
			s.noteHeldUp() // for what is read next
			s.srv.wg.Go(s.read)
			return
		}
	}
}

// closeCode is what a client's close frame is answered with; 0 where there was none.
func closeCode(err error) int {
	var end closeError
	switch {
	case errors.Is(err, errProtocol):
		return closeProtocol
	case !errors.As(err, &end):
		return 0
	case end.code == 0: // an empty close frame is to be answered too (RFC 6455 section 5.5.1)
		return closeNormal
	default:
		return end.code
	}
}

func (s *Session) place(roomID string) *place {
	i := slices.IndexFunc(s.rooms, func(p place) bool { return p.roomID == roomID })
	if i < 0 {
		return nil
	}
	return &s.rooms[i]
}

// addPlace begins a stay in a room. The caller holds mu.
func (s *Session) addPlace(r chat.RoomView) *place {
	s.stays++
	s.rooms = append(s.rooms, place{roomID: shared(r.ID), look: lookOf(r), memberSeq: r.Head.Seq, stay: s.stays})
	return &s.rooms[len(s.rooms)-1]
}

func (s *Session) dropPlace(roomID string) {
	s.rooms = slices.DeleteFunc(s.rooms, func(p place) bool { return p.roomID == roomID })
}

// note logs something of the connection. A logger is made only for that: thousands of connections would keep one each.
func (s *Session) note(level slog.Level, what string, args ...any) {
	if !s.srv.log.Enabled(s.srv.ctx, level) {
		return
	}
	log := s.srv.log.With("request_id", s.requestID, "connection", s.id, "user", s.userID)
	log.Log(s.srv.ctx, level, what, args...) //nolint:sloglint // the callers' texts are constants
}

func (s *Session) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.srv.ctx, storeTimeout)
}
