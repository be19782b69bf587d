package hub

import (
	"errors"
	"slices"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

// room is a room that is live on this node. Owned by its shard.
type room struct {
	id      string
	loading bool          // last, ring and members are not known yet
	last    chat.Position // every seat has been pushed the log up to here, exactly
	ring    ring
	seats   []*seat
	waiting []enter          // until loaded or mended
	asking  []chan hereReply // until loaded

	mending bool
	heard   int64     // the highest number heard of since the read under way was asked for
	retryAt time.Time // set when that read failed: ask again then
	reset   bool      // loading because the history changed: seats are to be told

	members map[string]struct{}
	online  int // members who are not offline
	signals
	emptySince time.Time
}

// retryAfter is how long a failed read of the store is waited for before it is asked again.
const retryAfter = time.Second

func (r *room) seatOf(seats []*seat) *seat {
	for _, st := range seats {
		if st.room == r {
			return st
		}
	}
	return nil
}

func (r *room) stopWaiting(c Conn) {
	r.waiting = slices.DeleteFunc(r.waiting, func(e enter) bool { return e.conn == c })
}

// mend asks the store for what follows the room's position, unless that is under way.
func (s *shard) mend(r *room) {
	if r.mending || r.loading {
		return
	}
	r.mending, r.heard = true, 0
	s.cfg.Observe.Mended()
	s.source.Mend(r.id, r.last)
}

func (c mended) apply(s *shard) {
	r := s.rooms[c.roomID]
	if r == nil || r.loading || !r.mending {
		return
	}
	if c.err != nil {
		if errors.Is(c.err, chat.ErrNoRoom) {
			s.abandon(r)
			return
		}
		r.retryAt = time.Now().Add(retryAfter) // still mending: the tick asks again
		return
	}
	r.mending = false
	if !c.run.Known && c.last == r.last {
		s.reload(r)
		return
	}
	for _, d := range c.entries {
		if d.Entry.Seq > r.last.Seq && d.Entry.Prev() == r.last {
			s.deliver(r, d)
		}
	}
	more := len(c.entries) > 0 && c.run.Head.Seq > r.last.Seq // the run was cut at its limit
	if more || r.heard > r.last.Seq || !c.run.Known {
		s.mend(r)
	}
	s.admit(r)
}

// admit lets those in who waited for the room to be loaded or mended.
func (s *shard) admit(r *room) {
	waiting := r.waiting
	r.waiting = nil
	for _, e := range waiting {
		if r.mending && e.At.Seq > r.last.Seq {
			r.waiting = append(r.waiting, e)
			continue
		}
		s.enter(r, e)
	}
}

// reload drops what is known of a room whose history changed, and reads it anew (HUB1).
func (s *shard) reload(r *room) {
	if r.loading {
		r.reset = true
		return
	}
	r.loading, r.reset, r.mending, r.heard = true, true, false, 0
	s.cfg.Observe.Reset()
	s.source.Load(r.id)
}

func (resetAll) apply(s *shard) {
	for _, r := range s.rooms {
		s.reload(r)
	}
}

func (c loaded) apply(s *shard) {
	r := s.rooms[c.roomID]
	if r == nil || !r.loading {
		return
	}
	if c.err != nil {
		if errors.Is(c.err, chat.ErrNoRoom) {
			s.abandon(r)
			return
		}
		r.retryAt = time.Now().Add(retryAfter)
		r.answerAsking(hereReply{}) // they do not wait for a store that is away
		return
	}
	wasReset := r.reset
	r.loading, r.reset = false, false
	r.last = c.live.Head
	r.ring = newRing(s.cfg, c.live.Head, c.recent)
	s.setMembers(r, c.live.Members)
	r.presence, r.counted = nil, 0 // whoever opens the room is told who is here
	if r.online > chat.CrowdedRoom {
		r.counted = r.online
	}
	if wasReset {
		frame := wire.Resumed(r.id, false, r.last.Seq)
		for _, st := range slices.Clone(r.seats) {
			if _, ok := r.members[st.conn.UserID()]; !ok {
				s.remove(st, wire.ReasonRemoved) // told at once: they may be back before they read their list
				continue
			}
			st.conn.Push(frame)
			st.tell(Changed)
		}
	}
	if r.heard > r.last.Seq {
		s.mend(r)
	}
	s.admit(r)
	r.answerAsking(s.here(r))
}

func (r *room) answerAsking(h hereReply) {
	for _, reply := range r.asking {
		reply <- h
	}
	r.asking = nil
}

// abandon forgets a room that is not there any more. Whoever waits for it asks the store, and is told.
func (s *shard) abandon(r *room) {
	for _, e := range r.waiting {
		e.unknown()
	}
	r.answerAsking(hereReply{})
	for _, st := range slices.Clone(r.seats) {
		s.remove(st, wire.ReasonDeleted)
	}
	s.forget(r)
}

func (s *shard) forget(r *room) {
	s.setMembers(r, nil)
	delete(s.rooms, r.id)
	s.cfg.Observe.Rooms(-1)
	s.source.Forget(r.id)
}

func (c judge) apply(s *shard) {
	r := s.rooms[c.roomID]
	if r == nil || r.loading || r.last != c.asked || c.head == r.last {
		return
	}
	s.mend(r)
}

func (c here) apply(s *shard) {
	r := s.rooms[c.roomID]
	switch {
	case r == nil:
		c.reply <- hereReply{}
	case r.loading:
		r.asking = append(r.asking, c.reply)
	default:
		c.reply <- s.here(r)
	}
}

func (s *shard) here(r *room) hereReply {
	h := hereReply{live: true, typing: make([]string, 0, len(r.typing))}
	for user, t := range r.typing {
		if t.shown {
			h.typing = append(h.typing, user)
		}
	}
	if r.online > chat.CrowdedRoom {
		h.presence.Online = r.online
		return h
	}
	h.presence.States = make(map[string]chat.State, r.online)
	for user := range r.members {
		if state, ok := s.states[user]; ok {
			h.presence.States[user] = state
		}
	}
	return h
}

// setMembers replaces who is a member of a room.
func (s *shard) setMembers(r *room, users []string) {
	for user := range r.members {
		s.removeMember(r, user)
	}
	r.members = make(map[string]struct{}, len(users))
	for _, user := range users {
		s.addMember(r, user)
	}
}

func (s *shard) addMember(r *room, user string) {
	if _, ok := r.members[user]; ok {
		return
	}
	r.members[user] = struct{}{}
	s.members[user] = append(s.members[user], r)
	if state, ok := s.states[user]; ok {
		r.online++
		r.presenceChanged(user, state)
	}
}

func (s *shard) removeMember(r *room, user string) {
	if _, ok := r.members[user]; !ok {
		return
	}
	delete(r.members, user)
	delete(r.presence, user)
	rooms := s.members[user]
	i := slices.Index(rooms, r)
	if rooms = slices.Delete(rooms, i, i+1); len(rooms) == 0 {
		delete(s.members, user)
	} else {
		s.members[user] = rooms
	}
	if _, ok := s.states[user]; ok {
		r.online--
	}
}
