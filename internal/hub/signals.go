package hub

import (
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

const (
	typingEvery = 2 * time.Second // typing is relayed at most this often per user and room (SIG1)
	typingFor   = 6 * time.Second // and ends by itself after this long
)

// signals is what a room holds to push with the next tick: coalesced, not numbered, not kept.
type signals struct {
	presence map[string]chat.State
	counted  int // how many were online as last pushed; 0 while the room is not crowded
	reads    map[string]pendingRead
	typing   map[string]typist
}

type pendingRead struct {
	seq   int64
	local bool // moved by a user of this node: the other nodes are to be told
}

// typist is somebody who types in a room, or did a moment ago.
type typist struct {
	on      bool      // what they said last
	shown   bool      // what the others were told last
	relayed time.Time // when that was
	until   time.Time // when what is shown ends by itself
	local   bool      // they are connected to this node: the other nodes are to be told
}

func (g *signals) presenceChanged(user string, state chat.State) {
	if g.presence == nil {
		g.presence = make(map[string]chat.State)
	}
	g.presence[user] = state
}

type (
	typing struct {
		roomID, userID string
		on, local      bool
	}
	read struct {
		chat.Read
		local bool
	}
	setStates   struct{ changes []chat.PresenceChange }
	userUpdated struct {
		userID string
		frame  *wire.Frame
	}
)

func (c typing) apply(s *shard) {
	r := s.rooms[c.roomID]
	if r == nil || r.loading {
		return
	}
	if _, ok := r.members[c.userID]; !ok {
		return
	}
	t, known := r.typing[c.userID]
	if !known && !c.on {
		return
	}
	t.on, t.local = c.on, t.local || c.local
	if r.typing == nil {
		r.typing = make(map[string]typist)
	}
	r.typing[c.userID] = s.relayTyping(r, c.userID, t, time.Now(), t.on)
}

// relayTyping tells the others of the room, here and (of a user of this node) elsewhere, what is new: whether somebody
// types, or that they still do. What comes too soon after the last time waits for the tick (SIG1).
func (s *shard) relayTyping(r *room, userID string, t typist, now time.Time, still bool) typist {
	if (t.on == t.shown && !still) || now.Sub(t.relayed) < typingEvery {
		return t
	}
	t.shown, t.relayed, t.until = t.on, now, now.Add(typingFor)
	frame := wire.Typing(r.id, userID, t.on)
	for _, st := range r.seats {
		if st.conn.UserID() != userID {
			st.conn.Push(frame)
		}
	}
	if t.local {
		s.source.Publish(chat.Notice{RoomID: r.id, Typing: &chat.Typing{UserID: userID, On: t.on}})
	}
	return t
}

// flushTyping ends what has expired and relays what has waited.
func (s *shard) flushTyping(r *room, now time.Time) {
	for user, t := range r.typing {
		if t.shown && !now.Before(t.until) {
			t.on = false
		}
		t = s.relayTyping(r, user, t, now, false)
		if !t.on && !t.shown && now.Sub(t.relayed) >= typingEvery {
			delete(r.typing, user)
			continue
		}
		r.typing[user] = t
	}
}

// stopTyping notes that what somebody typed has come: clients end what they show by themselves.
func (r *room) stopTyping(user string) {
	if t, ok := r.typing[user]; ok {
		t.on, t.shown = false, false
		r.typing[user] = t
	}
}

func (c read) apply(s *shard) {
	r := s.rooms[c.RoomID]
	if r == nil || r.loading {
		if c.local { // nobody is to be told here, but perhaps elsewhere
			s.source.Publish(chat.Notice{RoomID: c.RoomID, Read: &chat.Read{UserID: c.UserID, Seq: c.Seq}})
		}
		return
	}
	if r.reads == nil {
		r.reads = make(map[string]pendingRead)
	}
	p := r.reads[c.UserID]
	if c.Seq > p.seq {
		r.reads[c.UserID] = pendingRead{seq: c.Seq, local: p.local || c.local}
	}
}

func (c setStates) apply(s *shard) {
	for _, change := range c.changes {
		old, was := s.states[change.UserID]
		if change.State == chat.Offline {
			if !was {
				continue
			}
			delete(s.states, change.UserID)
		} else {
			if was && old == change.State {
				continue
			}
			s.states[change.UserID] = change.State
		}
		for _, r := range s.members[change.UserID] {
			switch {
			case change.State == chat.Offline:
				r.online--
			case !was:
				r.online++
			}
			r.presenceChanged(change.UserID, change.State)
		}
	}
}

func (c userUpdated) apply(s *shard) {
	told := make(map[Conn]struct{})
	for _, r := range s.members[c.userID] {
		for _, st := range r.seats {
			if _, ok := told[st.conn]; !ok {
				told[st.conn] = struct{}{}
				st.conn.Push(c.frame)
			}
		}
	}
}

// tick pushes what has come together, ends what has expired, and asks again for what could not be read.
func (s *shard) tick(now time.Time) {
	for _, r := range s.rooms {
		if !r.retryAt.IsZero() && !now.Before(r.retryAt) {
			s.retry(r)
		}
		if r.loading {
			continue
		}
		s.flushPresence(r)
		s.flushReads(r)
		s.flushTyping(r, now)
		s.linger(r, now)
	}
}

func (s *shard) retry(r *room) {
	r.retryAt = time.Time{}
	if r.loading {
		s.source.Load(r.id)
	} else if r.mending {
		r.heard = 0
		s.source.Mend(r.id, r.last)
	}
}

// linger lets a room go that nobody has been connected to for a while.
func (s *shard) linger(r *room, now time.Time) {
	switch {
	case len(r.seats) > 0 || len(r.waiting) > 0:
		r.emptySince = time.Time{}
	case r.emptySince.IsZero():
		r.emptySince = now
	case now.Sub(r.emptySince) >= s.cfg.Linger:
		s.forget(r)
	}
}

// flushPresence pushes who has changed; in a crowded room only how many are here, and when the crowd has
// gone everybody who is (PRS5).
func (s *shard) flushPresence(r *room) {
	var frame *wire.Frame
	switch {
	case r.online > chat.CrowdedRoom:
		if r.online != r.counted {
			frame = wire.PresenceCount(r.id, r.online)
		}
		r.counted = r.online
	case r.counted > 0:
		frame = wire.PresenceChanges(r.id, changesTo(s.here(r).presence.States))
		r.counted = 0
	case len(r.presence) > 0:
		frame = wire.PresenceChanges(r.id, changesTo(r.presence))
	}
	r.presence = nil
	if frame == nil {
		return
	}
	for _, st := range r.seats {
		st.conn.Push(frame)
	}
}

func changesTo(states map[string]chat.State) []chat.PresenceChange {
	changes := make([]chat.PresenceChange, 0, len(states))
	for user, state := range states {
		changes = append(changes, chat.PresenceChange{UserID: user, State: state})
	}
	return changes
}

// flushReads pushes read positions to everyone, but in a crowded room only to the reader's own connections.
func (s *shard) flushReads(r *room) {
	if len(r.reads) == 0 {
		return
	}
	reads := make([]wire.Read, 0, len(r.reads))
	for user, p := range r.reads {
		reads = append(reads, wire.Read{UserID: user, Seq: p.seq})
		if p.local {
			s.source.Publish(chat.Notice{RoomID: r.id, Read: &chat.Read{UserID: user, Seq: p.seq}})
		}
	}
	pending := r.reads
	r.reads = nil
	if r.online <= chat.CrowdedRoom {
		frame := wire.Reads(r.id, reads)
		for _, st := range r.seats {
			st.conn.Push(frame)
		}
		return
	}
	for _, st := range r.seats {
		if p, ok := pending[st.conn.UserID()]; ok {
			st.conn.Push(wire.Reads(r.id, []wire.Read{{UserID: st.conn.UserID(), Seq: p.seq}}))
		}
	}
}
