package hub

import (
	"slices"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

// command is something a shard does; apply runs in the shard's goroutine.
type command interface{ apply(s *shard) }

// inboxSize bounds what waits for a shard. A shard never waits, so a full inbox drains by itself.
const inboxSize = 1024

// shard owns the rooms that hash to it. All fields but inbox are owned by run.
type shard struct {
	inbox  chan command
	cfg    Config
	source Source

	rooms   map[string]*room
	conns   map[Conn][]*seat
	states  map[string]chat.State // who is not offline, over all nodes
	members map[string][]*room    // user → live rooms that they are a member of
}

// seat is one connection's place in one room.
type seat struct {
	conn  Conn
	room  *room
	index int32 // in room.seats
	stay  Stay
}

func newShard(cfg Config, source Source) *shard {
	return &shard{
		inbox: make(chan command, inboxSize), cfg: cfg, source: source,
		rooms: make(map[string]*room), conns: make(map[Conn][]*seat),
		states: make(map[string]chat.State), members: make(map[string][]*room),
	}
}

func (s *shard) run(done <-chan struct{}) {
	tick := time.NewTicker(s.cfg.Tick)
	defer tick.Stop()
	for {
		select {
		case c := <-s.inbox:
			c.apply(s)
		case now := <-tick.C:
			s.tick(now)
		case <-done:
			return
		}
	}
}

type (
	deliver struct{ Delivery }
	enter   struct {
		Visit
		conn   Conn
		mended bool // has waited for a mend already
	}
	leave struct {
		conn   Conn
		roomID string
		stay   Stay
		reason string
	}
	drop   struct{ conn Conn }
	loaded struct {
		roomID string
		live   chat.Live
		recent []Delivery
		err    error
	}
	mended struct {
		roomID  string
		last    chat.Position
		run     chat.Run
		entries []Delivery
		err     error
	}
	judge struct {
		roomID      string
		asked, head chat.Position
	}
	resetAll  struct{}
	positions struct{ reply chan map[string]chat.Position }
	here      struct {
		roomID string
		reply  chan hereReply
	}
	hereReply struct {
		presence wire.Presence
		typing   []string
		live     bool
	}
)

func (c deliver) apply(s *shard) {
	r := s.rooms[c.Entry.RoomID]
	if r == nil {
		return
	}
	if r.loading {
		r.heard = max(r.heard, c.Entry.Seq)
		return
	}
	s.offer(r, c.Delivery)
}

// offer delivers an entry if it follows the room's position, drops it if it is known, and mends the gap
// otherwise (HUB1).
func (s *shard) offer(r *room, d Delivery) {
	switch {
	case d.Entry.Prev() == r.last:
		s.deliver(r, d)
	case d.Entry.Seq <= r.last.Seq:
		s.cfg.Observe.Duplicate()
	default:
		r.heard = max(r.heard, d.Entry.Seq)
		s.mend(r)
	}
}

// deliver moves the room on by one entry and pushes it to every connection.
func (s *shard) deliver(r *room, d Delivery) {
	r.last = d.Entry.Position()
	r.ring.add(item{at: r.last, frame: d.Frame, left: leaver(d.Entry)})
	live := d.Frame.Live(d.Committed)
	for _, seat := range r.seats {
		seat.conn.Push(live)
	}
	s.cfg.Observe.Delivered(len(r.seats))
	switch d.Entry.Kind {
	case chat.KindText:
		r.stopTyping(d.Entry.SenderID)
	case chat.KindMemberJoined:
		s.addMember(r, d.Entry.Subject())
	case chat.KindMemberLeft:
		s.removed(r, d.Entry)
	case chat.KindRoleChanged:
		s.changed(r, d.Entry.Subject())
	case chat.KindRoomChanged:
		s.changed(r, "")
	}
}

// removed drops a user's connections from a room, right after the entry that says so (HUB7).
func (s *shard) removed(r *room, e *chat.Entry) {
	userID, reason := e.Subject(), wire.ReasonRemoved
	if e.SenderID == userID {
		reason = wire.ReasonLeft
	}
	s.removeMember(r, userID)
	for _, st := range slices.Backward(r.seats) { // the seat that moves into an emptied place has been looked at
		if st.conn.UserID() == userID {
			s.remove(st, reason)
		}
	}
}

// changed tells a user's connections in a room (all, for the empty user) to read their list again.
func (s *shard) changed(r *room, userID string) {
	for _, st := range r.seats {
		if userID == "" || st.conn.UserID() == userID {
			st.tell(Changed)
		}
	}
}

func (c enter) apply(s *shard) {
	if !c.conn.Stays(c.RoomID, c.Stay) {
		return // its Drop or Leave may have been here already
	}
	r := s.rooms[c.RoomID]
	if r == nil {
		r = &room{id: c.RoomID, loading: true}
		s.rooms[c.RoomID] = r
		s.cfg.Observe.Rooms(+1)
		s.source.Load(c.RoomID)
	}
	r.emptySince = time.Time{}
	if r.seatOf(s.conns[c.conn]) != nil {
		return // the connection is in already
	}
	if r.loading || r.mending && c.At.Seq > r.last.Seq {
		r.waiting = append(r.waiting, c)
		return
	}
	s.enter(r, c)
}

// enter lets a connection into a room at exactly the room's position, or tells it what to do first (RES1).
func (s *shard) enter(r *room, c enter) {
	if !c.conn.Stays(c.RoomID, c.Stay) {
		return
	}
	if c.At.Seq > r.last.Seq {
		// The hub is behind: mend first. What still does not fit then is for the store to judge.
		if c.mended {
			c.unknown()
			return
		}
		c.mended = true
		r.waiting = append(r.waiting, c)
		s.mend(r)
		return
	}
	run, ok := r.ring.after(c.At)
	if !ok || !r.ring.memberSince(c.conn.UserID(), c.MemberSeq) {
		if c.AtHead && !c.mended {
			c.mended = true
			r.waiting = append(r.waiting, c)
			s.mend(r)
			return
		}
		c.unknown()
		return
	}
	if !c.conn.Fits(run.bytes) {
		c.conn.Tell(Event{Kind: Behind, RoomID: r.id, Stay: c.Stay, At: r.last, Run: run.frames()})
		return
	}
	for _, it := range run.items {
		c.conn.Push(it.frame)
	}
	st := &seat{conn: c.conn, room: r, index: int32(len(r.seats)), stay: c.Stay}
	r.seats = append(r.seats, st)
	s.conns[c.conn] = append(s.conns[c.conn], st)
	st.tell(Entered)
}

// unknown sends a connection to the store with its position.
func (c enter) unknown() {
	c.conn.Tell(Event{Kind: Unknown, RoomID: c.RoomID, Stay: c.Stay, At: c.At})
}

func (c leave) apply(s *shard) {
	if !c.conn.Stays(c.roomID, c.stay) {
		return
	}
	ev := Event{Kind: Removed, RoomID: c.roomID, Stay: c.stay, Reason: c.reason}
	if r := s.rooms[c.roomID]; r != nil {
		ev.At = r.last
		r.stopWaiting(c.conn)
		if st := r.seatOf(s.conns[c.conn]); st != nil {
			s.unseat(st)
		}
	}
	c.conn.Tell(ev)
}

func (c drop) apply(s *shard) {
	for _, st := range slices.Clone(s.conns[c.conn]) {
		s.unseat(st)
	}
	for _, r := range s.rooms {
		r.stopWaiting(c.conn)
	}
}

// tell tells the connection something about its stay, after all that it was pushed.
func (st *seat) tell(kind EventKind) {
	st.conn.Tell(Event{Kind: kind, RoomID: st.room.id, Stay: st.stay, At: st.room.last})
}

// remove takes a connection out of a room, and tells it so.
func (s *shard) remove(st *seat, reason string) {
	s.unseat(st)
	st.conn.Tell(Event{Kind: Removed, RoomID: st.room.id, Stay: st.stay, At: st.room.last, Reason: reason})
}

// unseat takes a connection out of a room: the last seat moves into its place.
func (s *shard) unseat(st *seat) {
	r := st.room
	last := r.seats[len(r.seats)-1]
	r.seats[st.index] = last
	last.index = st.index
	r.seats[len(r.seats)-1] = nil
	r.seats = r.seats[:len(r.seats)-1]

	seats := s.conns[st.conn]
	i := slices.Index(seats, st)
	seats = slices.Delete(seats, i, i+1)
	if len(seats) == 0 {
		delete(s.conns, st.conn)
	} else {
		s.conns[st.conn] = seats
	}
}

func (c positions) apply(s *shard) {
	all := make(map[string]chat.Position, len(s.rooms))
	for id, r := range s.rooms {
		if !r.loading {
			all[id] = r.last
		}
	}
	c.reply <- all
}
