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
	reads    map[string]pendingRead
	typing   map[string]typist
}

type pendingRead struct {
	seq   int64
	local bool // moved by a user of this node: the other nodes are to be told
}

type typist struct {
	relayed, until time.Time
	local          bool
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
	now := time.Now()
	t, on := r.typing[c.userID]
	recent := on && now.Sub(t.relayed) < typingEvery
	switch {
	case c.on && recent:
		t.until = t.relayed.Add(typingFor) // takes back a stop that was put off
		r.typing[c.userID] = t
	case c.on:
		if r.typing == nil {
			r.typing = make(map[string]typist)
		}
		r.typing[c.userID] = typist{relayed: now, until: now.Add(typingFor), local: c.local}
		s.relayTyping(r, c.userID, true, c.local)
	case recent:
		t.until = t.relayed.Add(typingEvery) // the tick says so when it may
		r.typing[c.userID] = t
	case on:
		delete(r.typing, c.userID)
		s.relayTyping(r, c.userID, false, t.local)
	}
}

// relayTyping pushes to the others of the room, here and (for a user of this node) elsewhere.
func (s *shard) relayTyping(r *room, userID string, on, local bool) {
	frame := wire.Typing(r.id, userID, on)
	for _, st := range r.seats {
		if st.conn.UserID() != userID {
			st.conn.Push(frame)
		}
	}
	if local {
		s.source.Publish(chat.Notice{RoomID: r.id, Typing: &chat.Typing{UserID: userID, On: on}})
	}
}

func (c read) apply(s *shard) {
	r := s.rooms[c.RoomID]
	if r == nil || r.loading {
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
		for r := range s.members[change.UserID] {
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
	for r := range s.members[c.userID] {
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
		for user, t := range r.typing {
			if !now.Before(t.until) {
				delete(r.typing, user)
				s.relayTyping(r, user, false, t.local)
			}
		}
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

func (s *shard) flushPresence(r *room) {
	if len(r.presence) == 0 {
		return
	}
	var frame *wire.Frame
	if r.online > chat.CrowdedRoom {
		frame = wire.PresenceCount(r.id, r.online)
	} else {
		changes := make([]chat.PresenceChange, 0, len(r.presence))
		for user, state := range r.presence {
			changes = append(changes, chat.PresenceChange{UserID: user, State: state})
		}
		frame = wire.PresenceChanges(r.id, changes)
	}
	r.presence = nil
	for _, st := range r.seats {
		st.conn.Push(frame)
	}
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
