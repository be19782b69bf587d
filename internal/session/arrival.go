package session

import (
	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/hub"
	"github.com/gochat-dev/gochat/internal/wire"
)

// arrival is how a connection's rooms are entered: where the client named its last entry after that, else at the head
// that the list of rooms had. It is kept while there are rooms past those of the welcome; a worker owns it then.
type arrival struct {
	resume map[string]Resume
	stale  bool   // the client comes from another epoch: its positions mean nothing
	cursor string // of the rooms that are not read yet; empty: all are
}

// begin enters the rooms of the welcome. Those past them, if any, are left to a worker.
func (s *Session) begin(hello Hello, snap chat.Snapshot, gone map[string]string) {
	a := &arrival{
		resume: make(map[string]Resume, len(hello.Resume)), cursor: snap.More,
		stale: hello.Epoch != "" && hello.Epoch != snap.Epoch,
	}
	for _, r := range hello.Resume {
		a.resume[r.RoomID] = r
	}
	enter := make([]hub.Visit, 0, len(snap.Rooms))
	s.mu.Lock()
	for roomID, reason := range gone {
		s.out.putAlways(wire.RoomRemoved(roomID, reason))
	}
	for _, r := range snap.Rooms {
		if p := s.place(r.ID); p != nil { // not removed in between
			enter = append(enter, s.arrive(a, p, r))
		}
	}
	s.started = true
	if a.cursor != "" {
		s.rest, s.syncing = a, queued
	}
	pending := s.syncing == queued
	s.mu.Unlock()
	for _, v := range enter {
		s.srv.relay.Hub().Enter(s, v)
	}
	if pending {
		s.srv.work.add(job{s, (*Session).sync})
	}
}

// arrive says where a room is entered, and tells the client at once if its position in it is of no use. The caller
// holds mu.
func (s *Session) arrive(a *arrival, p *place, r chat.RoomView) hub.Visit {
	named, ok := a.resume[r.ID]
	delete(a.resume, r.ID)
	switch at := named.At; {
	case !ok:
		return p.visit(r.Head)
	case a.stale, at.Seq > r.Head.Seq, at.Seq == r.Head.Seq && !at.Matches(r.Head):
		s.out.putAlways(wire.Resumed(r.ID, false, r.Head.Seq))
		s.srv.cfg.Observe.Resumed(false)
		return p.visit(r.Head)
	default:
		p.resuming = true
		return p.visit(at)
	}
}

// arriveInRest enters the rooms past those of the welcome, page by page. A room that becomes active meanwhile moves to
// the front of the list, where the sync of which this is a part finds it. An error is of the store: called again, it
// goes on from there. Run by a worker.
func (s *Session) arriveInRest() error {
	s.mu.Lock()
	a := s.rest
	s.mu.Unlock()
	for a != nil && a.cursor != "" && !s.closed.Load() {
		ctx, cancel := s.context()
		rooms, next, err := s.srv.cfg.Store.RoomsOf(ctx, s.userID, chat.Paging{Limit: chat.MaxRooms, Cursor: a.cursor})
		cancel()
		if err != nil {
			return err
		}
		a.cursor = next
		enter := make([]hub.Visit, 0, len(rooms))
		s.mu.Lock()
		for _, r := range rooms {
			if s.place(r.ID) == nil {
				enter = append(enter, s.arrive(a, s.addPlace(r), r))
			}
		}
		s.mu.Unlock()
		for _, v := range enter {
			s.srv.relay.Hub().Enter(s, v)
		}
	}
	return nil
}

// arrived ends the arrival. It returns the rooms that the client named and that have turned out not to be its user's.
// The caller holds mu.
func (s *Session) arrived() (gone []Resume) {
	if s.rest == nil {
		return nil
	}
	for roomID, r := range s.rest.resume {
		if s.place(roomID) == nil {
			gone = append(gone, r)
		}
	}
	s.rest = nil
	return gone
}

// sayGone tells the client of rooms that it named and that are not its user's.
func (s *Session) sayGone(rooms []Resume) {
	for _, r := range rooms {
		ctx, cancel := s.context()
		s.out.putAlways(wire.RoomRemoved(r.RoomID, s.srv.whyGoneSince(ctx, s.userID, r)))
		cancel()
	}
}
