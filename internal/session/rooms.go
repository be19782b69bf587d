package session

import (
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"slices"
	"unique"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/hub"
	"github.com/gochat-dev/gochat/internal/wire"
)

// syncState is where a session stands with reading its user's list of rooms.
type syncState int

const (
	synced  syncState = iota
	queued            // a worker will read it
	reading           // a worker reads it
	again             // it changed meanwhile: read it once more
)

// Tell implements hub.Conn. It is called by shards, so it never calls the hub: the writer and the workers do.
func (s *Session) Tell(ev hub.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.place(ev.RoomID)
	if p == nil || p.stay != ev.Stay {
		return
	}
	switch ev.Kind {
	case hub.Entered:
		p.memberSeq = max(p.memberSeq, ev.At.Seq)
		if p.resuming {
			p.resuming = false
			s.out.putAlways(wire.Resumed(ev.RoomID, true, ev.At.Seq))
			s.srv.cfg.Observe.Resumed(true)
		}
	case hub.Behind:
		p.memberSeq = max(p.memberSeq, ev.At.Seq)
		s.replays = append(s.replays, ev)
		s.out.nudge()
	case hub.Unknown:
		s.replays = append(s.replays, ev)
		s.out.nudge()
	case hub.Removed:
		s.removed(ev.RoomID, ev.Reason)
	case hub.Changed:
		s.requestSync()
	}
}

// removed notes that the user is out of a room: nothing of it that waits is written any more, and the rooms version is
// forgotten, so that the list is read again (HUB7). The caller holds mu.
func (s *Session) removed(roomID, reason string) {
	s.dropPlace(roomID)
	ofRoom := func(ev hub.Event) bool { return ev.RoomID == roomID }
	s.replays, s.retry = slices.DeleteFunc(s.replays, ofRoom), slices.DeleteFunc(s.retry, ofRoom)
	if s.current != nil && s.current.roomID == roomID {
		s.current = nil
		s.out.setReplay(nil)
	}
	s.removal++
	s.version = -1
	s.out.putAlways(wire.RoomRemoved(roomID, reason))
	s.requestSync()
}

// requestSync has a worker read the user's list of rooms. The caller holds mu.
func (s *Session) requestSync() {
	switch s.syncing {
	case synced:
		s.syncing = queued
		if s.started {
			s.srv.work.add(job{s, (*Session).sync})
		}
	case reading:
		s.syncing = again
	case queued, again:
	}
}

// sync reads the user's list of rooms and makes the connection agree with it. Run by a worker.
func (s *Session) sync() {
	for {
		s.mu.Lock()
		s.syncing = reading
		removal := s.removal
		s.mu.Unlock()
		if s.closed.Load() {
			return
		}
		snap, err := s.readList()
		if errors.Is(err, chat.ErrRevoked) {
			s.logout.Store(true)
			s.close(CloseRevoked, "this session has ended: log in again")
			return
		}
		s.mu.Lock()
		if err != nil {
			s.syncing = synced
			s.version = -1 // the periodic check asks again (HUB5)
			s.mu.Unlock()
			s.note(slog.LevelWarn, "reading the list of rooms failed", "err", err)
			return
		}
		if s.removal != removal || s.syncing == again {
			s.mu.Unlock()
			continue
		}
		enter, leave := s.apply(snap)
		gone := s.arrived()
		s.mu.Unlock()
		s.sayGone(gone)
		for _, p := range leave {
			// The hub says when: after all that the client was pushed of the room.
			s.srv.relay.Hub().Leave(s, p.roomID, p.stay, s.whyGone(p.roomID))
		}
		for _, v := range enter {
			s.srv.relay.Hub().Enter(s, v)
		}
		// Only now may another worker begin: its calls of the hub must not come between these.
		s.mu.Lock()
		if s.syncing != again {
			s.syncing = synced
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
	}
}

// readList reads the user's list of rooms, once all rooms that were there at the start have been entered.
func (s *Session) readList() (chat.Snapshot, error) {
	if err := s.arriveInRest(); err != nil {
		return chat.Snapshot{}, err
	}
	ctx, cancel := s.context()
	defer cancel()
	return s.srv.cfg.Store.Snapshot(ctx, s.userID, s.sessionID)
}

// apply compares the connection's rooms with the user's list. It returns the rooms to enter and to leave. The
// caller holds mu.
func (s *Session) apply(snap chat.Snapshot) (enter []hub.Visit, leave []place) {
	s.epoch, s.version = shared(snap.Epoch), snap.Version
	there := make(map[string]struct{}, len(snap.Rooms))
	for _, r := range snap.Rooms {
		there[r.ID] = struct{}{}
		p := s.place(r.ID)
		if p == nil {
			s.out.putAlways(wire.RoomAdded(wire.FromRoom(r)))
			if p = s.addPlace(r); s.rest != nil { // it was past those of the welcome, and has moved to the front
				enter = append(enter, s.arrive(s.rest, p, r))
			} else {
				enter = append(enter, p.visit(r.Head))
			}
			continue
		}
		if look := lookOf(r); look != p.look {
			p.look = look
			s.out.putAlways(wire.RoomUpdated(wire.FromRoom(r)))
		}
		if p.lost {
			p.lost, p.resuming, p.memberSeq = false, false, r.Head.Seq
			s.out.putAlways(wire.Resumed(r.ID, false, r.Head.Seq))
			s.srv.cfg.Observe.Resumed(false)
			enter = append(enter, p.visit(r.Head))
		}
	}
	if snap.More != "" {
		return enter, nil // the list is cut: what is not in it may still be the user's
	}
	for _, p := range s.rooms {
		if _, ok := there[p.roomID]; !ok {
			leave = append(leave, p)
		}
	}
	return enter, leave
}

// visit enters the room at a position.
func (p *place) visit(at chat.Position) hub.Visit {
	return hub.Visit{RoomID: p.roomID, Stay: p.stay, At: at, MemberSeq: p.memberSeq}
}

// shared returns the one copy of a string that many connections keep.
func shared(id string) string { return unique.Make(id).Value() }

// lookOf hashes what room_updated tells of.
func lookOf(r chat.RoomView) uint64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%q %q %q %q", r.Name, r.Topic, r.Visibility, r.Role) // a hash takes everything
	return h.Sum64()
}
