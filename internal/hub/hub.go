// Package hub keeps the rooms that are live on this node: their positions, their recent entries, and who is connected to them.
//
// Rooms are spread over shards by hash. A shard is one goroutine that owns all state of its rooms and is
// reached by a channel; nothing that can wait happens in it (HUB3). What has to wait (reading the store,
// publishing) is asked of the Source, which answers later.
package hub

import (
	"hash/maphash"
	"maps"
	"runtime"
	"sync"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

// Delivery is an entry on its way to the connections of a room, encoded once (HUB2).
type Delivery struct {
	Entry     *chat.Entry
	Frame     *wire.Frame
	Committed time.Time // when this node committed or heard of it; zero where it is read again
}

// Encode makes the delivery of an entry.
func Encode(e *chat.Entry) Delivery { return Delivery{Entry: e, Frame: wire.EncodeEntry(e)} }

// Conn is a connection as the hub knows it. Its methods are called from shards and never wait; in turn, a
// Conn never calls the hub while it holds a lock that these methods need.
type Conn interface {
	UserID() string
	// Stays reports whether the connection is still in a stay, or on its way into it: it has not ended, and was not told Removed.
	Stays(roomID string, stay Stay) bool
	// Push takes a frame for the client.
	Push(f *wire.Frame)
	// Fits reports whether n more bytes can be pushed now without overflow.
	Fits(n int) bool
	// Tell takes an event about one of the connection's rooms.
	Tell(ev Event)
}

// Stay numbers a connection's stays in its rooms, each from the list that has the room to Removed. Everything that is asked
// of the hub, and that it tells, is about one stay and does not concern a later one: somebody may be out of a room and in
// again while an answer is under way.
type Stay uint32

// Visit says where a connection is to enter a room.
type Visit struct {
	RoomID string
	Stay   Stay
	At     chat.Position
	// MemberSeq is the head of the room when the user's membership was read.
	MemberSeq int64
	// AtHead says that At is what the store has just said is the room's head. A hub that does not hold it may be in a history
	// that is no more, and asks the store before it sends anybody back there.
	AtHead bool
}

// Event is what a connection is told about one of its rooms.
type Event struct {
	Kind   EventKind
	RoomID string
	Stay   Stay
	At     chat.Position
	Run    []*wire.Frame // of Behind
	Reason string        // of Removed: one of wire's reasons
}

// EventKind says what an Event is about.
type EventKind int

const (
	// Entered: the connection is live in the room; what it was pushed ends At.
	Entered EventKind = iota
	// Behind: Run follows the position that was to be entered at. Write it, then enter again At.
	Behind
	// Unknown: the hub does not hold the position At, or not the membership there. Ask the store, then enter again.
	Unknown
	// Removed: the connection's user is out of the room and has been pushed all up to that.
	Removed
	// Changed: the room or the user's place in it changed. Read the user's list again.
	Changed
)

// Source does for the hub what may wait. Its methods return at once; Load and Mend are answered by
// Hub.Loaded and Hub.Mended.
type Source interface {
	// Load asks for all that is needed to make a room live.
	Load(roomID string)
	// Mend asks for what follows a position.
	Mend(roomID string, last chat.Position)
	// Forget says that a room is not live any more.
	Forget(roomID string)
	// Publish tells the other nodes.
	Publish(n chat.Notice)
}

// Config sets up a Hub. Its zero values work.
type Config struct {
	Shards      int           // GOMAXPROCS
	RingEntries int           // recent entries kept per room: 128
	RingBytes   int           // and at most this many bytes of them: 64 KiB
	Linger      time.Duration // how long a room stays live with nobody connected: 1 min
	Tick        time.Duration // how often signals are pushed, at most (PRS5): 250 ms
	Observe     Observer      // counts what happens; may be nil
}

// Observer counts what happens in a hub. Its methods are called from shards and never wait.
type Observer interface {
	Delivered(connections int)
	Duplicate()
	Mended()
	Reset()
	Rooms(change int)
}

// Hub is the shards.
type Hub struct {
	shards []*shard
	seed   maphash.Seed
	done   chan struct{} // closed by Close: calls return at once from then on
	wg     sync.WaitGroup
	once   sync.Once
}

// New starts a hub. Close ends it.
func New(cfg Config, source Source) *Hub {
	if cfg.Shards == 0 {
		cfg.Shards = runtime.GOMAXPROCS(0)
	}
	if cfg.RingEntries == 0 {
		cfg.RingEntries = 128
	}
	if cfg.RingBytes == 0 {
		cfg.RingBytes = 64 << 10
	}
	if cfg.Linger == 0 {
		cfg.Linger = time.Minute
	}
	if cfg.Tick == 0 {
		cfg.Tick = 250 * time.Millisecond
	}
	if cfg.Observe == nil {
		cfg.Observe = unobserved{}
	}
	h := &Hub{seed: maphash.MakeSeed(), done: make(chan struct{})}
	for range cfg.Shards {
		s := newShard(cfg, source)
		h.shards = append(h.shards, s)
		h.wg.Go(func() { s.run(h.done) })
	}
	return h
}

// Close ends the shards and waits for them. Calls made later do nothing.
func (h *Hub) Close() {
	h.once.Do(func() { close(h.done) })
	h.wg.Wait()
}

type unobserved struct{}

func (unobserved) Delivered(int) {}
func (unobserved) Duplicate()    {}
func (unobserved) Mended()       {}
func (unobserved) Reset()        {}
func (unobserved) Rooms(int)     {}

func (h *Hub) shard(roomID string) *shard {
	return h.shards[maphash.String(h.seed, roomID)%uint64(len(h.shards))]
}

// send hands a command to a shard; false after Close.
func (h *Hub) send(s *shard, c command) bool {
	select {
	case s.inbox <- c:
		return true
	case <-h.done:
		return false
	}
}

// Deliver hands over an entry that was committed here, or that another node announced.
func (h *Hub) Deliver(d Delivery) { h.send(h.shard(d.Entry.RoomID), deliver{d}) }

// Enter makes a connection live in a room at a position: it is told Entered when it is, or what to do first.
func (h *Hub) Enter(c Conn, v Visit) { h.send(h.shard(v.RoomID), enter{Visit: v, conn: c}) }

// Leave takes a connection out of a room; it is told Removed, with the reason, after all that it was pushed. A stay that has
// ended is left alone, and so is a later one.
func (h *Hub) Leave(c Conn, roomID string, stay Stay, reason string) {
	h.send(h.shard(roomID), leave{c, roomID, stay, reason})
}

// Drop takes a connection out of all rooms.
func (h *Hub) Drop(c Conn) {
	for _, s := range h.shards {
		h.send(s, drop{c})
	}
}

// Loaded answers Source.Load. recent are live.Entries, encoded.
func (h *Hub) Loaded(roomID string, live chat.Live, recent []Delivery, err error) {
	h.send(h.shard(roomID), loaded{roomID, live, recent, err})
}

// Mended answers Source.Mend: what the store has after the position last. entries are run.Entries, encoded.
func (h *Hub) Mended(roomID string, last chat.Position, run chat.Run, entries []Delivery, err error) {
	h.send(h.shard(roomID), mended{roomID, last, run, entries, err})
}

// Judge compares a live room with the store's head (HUB5). An answer to a position that the room has left is discarded.
func (h *Hub) Judge(roomID string, asked, head chat.Position) {
	h.send(h.shard(roomID), judge{roomID, asked, head})
}

// Reset drops what is known of all live rooms: the history changed (RES3).
func (h *Hub) Reset() {
	for _, s := range h.shards {
		h.send(s, resetAll{})
	}
}

// Positions returns where each live room stands.
func (h *Hub) Positions() map[string]chat.Position {
	all := make(map[string]chat.Position)
	for _, s := range h.shards {
		reply := make(chan map[string]chat.Position, 1)
		if !h.send(s, positions{reply}) {
			return all
		}
		select {
		case m := <-reply:
			maps.Copy(all, m)
		case <-h.done:
			return all
		}
	}
	return all
}

// Typing relays that a user of this node types in a room, or stopped (SIG1).
func (h *Hub) Typing(roomID, userID string, on bool) {
	h.send(h.shard(roomID), typing{roomID, userID, on, true})
}

// Read relays how far a user of this node has read (SIG2).
func (h *Hub) Read(r chat.Read) { h.send(h.shard(r.RoomID), read{r, true}) }

// Heard takes a typing or read notice of another node.
func (h *Hub) Heard(n chat.Notice) {
	switch {
	case n.Typing != nil:
		h.send(h.shard(n.RoomID), typing{n.RoomID, n.Typing.UserID, n.Typing.On, false})
	case n.Read != nil:
		r := *n.Read
		r.RoomID = n.RoomID
		h.send(h.shard(n.RoomID), read{r, false})
	}
}

// SetStates takes users' states over all nodes, and pushes what changed to those who share a room (PRS3, PRS5).
func (h *Hub) SetStates(changes []chat.PresenceChange) {
	for _, s := range h.shards {
		h.send(s, setStates{changes})
	}
}

// UserUpdated pushes a user's new name or picture to everyone who shares a room.
func (h *Hub) UserUpdated(u chat.User) {
	frame := wire.UserUpdated(wire.FromUser(u))
	for _, s := range h.shards {
		h.send(s, userUpdated{u.ID, frame})
	}
}

// Here is who is in a live room: the states of its members who are not offline, or (crowded) their number
// alone, and who types. It waits until the room is loaded; false if the room is not live.
func (h *Hub) Here(roomID string) (wire.Presence, []string, bool) {
	reply := make(chan hereReply, 1)
	if !h.send(h.shard(roomID), here{roomID, reply}) {
		return wire.Presence{}, nil, false
	}
	select {
	case r := <-reply:
		return r.presence, r.typing, r.live
	case <-h.done:
		return wire.Presence{}, nil, false
	}
}
