package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/hub"
	"github.com/gochat-dev/gochat/internal/wire"
)

// replay is a run of a room's log that the writer writes before the room is entered at its end (RES1).
type replay struct {
	roomID string
	stay   hub.Stay
	end    chat.Position
	ready  bool // the frames are in the outbox; false while the store is read
	head   bool // the store says that the log ends there
}

// advance moves the session's replays on: it enters the room whose replay is written, and starts the next one.
// Called by the writer.
func (s *Session) advance() {
	s.mu.Lock()
	if s.out.replaying() {
		s.mu.Unlock()
		return
	}
	var done *hub.Visit
	if s.current != nil && s.current.ready {
		if p := s.place(s.current.roomID); p != nil { // not removed in between
			v := p.visit(s.current.end)
			v.AtHead = s.current.head
			done = &v
		}
		s.current = nil
	}
	var next *hub.Event
	var begun *replay
	if s.current == nil && len(s.replays) > 0 {
		next = &s.replays[0]
		s.replays = s.replays[1:]
		begun = &replay{roomID: next.RoomID, stay: next.Stay, end: next.At}
		s.current = begun
	}
	s.mu.Unlock()
	if done != nil {
		s.srv.relay.Hub().Enter(s, *done)
	}
	switch {
	case next == nil:
	case next.Kind == hub.Behind:
		s.ready(begun, next.At, next.Run, false)
	default:
		s.srv.work.add(job{s, func(s *Session) { s.readRun(begun) }})
	}
}

// ready hands the frames of a replay to the writer, unless the room has been left meanwhile.
func (s *Session) ready(r *replay, end chat.Position, run []*wire.Frame, head bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != r {
		return
	}
	r.end, r.ready, r.head = end, true, head
	s.out.setReplay(run) // under mu: the writer must not find the replay ready and its frames not there yet
}

// skip ends the current replay without entering its room. The caller holds mu.
func (s *Session) skip() {
	s.current = nil
	s.out.nudge()
}

// readRun reads what follows a position that the hub does not hold. Run by a worker: so many at a time (RES4).
func (s *Session) readRun(r *replay) {
	if s.closed.Load() {
		return
	}
	roomID, at := r.roomID, r.end
	ctx, cancel := s.context()
	defer cancel()
	run, frames, err := s.srv.after(ctx, roomID, at)
	s.mu.Lock()
	p := s.place(roomID)
	switch {
	case p == nil || s.current != r: // removed meanwhile, and perhaps back again
	case errors.Is(err, chat.ErrNoRoom):
		s.removed(roomID, wire.ReasonDeleted)
	case err != nil:
		s.note(slog.LevelWarn, "reading what a client has missed failed", "room", roomID, "err", err)
		s.retry = append(s.retry, hub.Event{Kind: hub.Unknown, RoomID: roomID, Stay: r.stay, At: at})
		s.skip()
	case !run.Known || run.Epoch != s.epoch || len(run.Entries) > chat.MaxReplay:
		// Never a partial fill: the client drops its copy (RES3).
		p.lost = true
		s.skip()
		s.requestSync()
	case parting(run.Entries, s.userID, p.memberSeq) != "":
		s.skip()
		s.removed(roomID, parting(run.Entries, s.userID, p.memberSeq))
	default:
		end := at
		if n := len(run.Entries); n > 0 {
			end = run.Entries[n-1].Position()
		} else if run.Head.Seq == at.Seq {
			end = run.Head
		}
		p.memberSeq = max(p.memberSeq, end.Seq)
		s.mu.Unlock()
		s.ready(r, end, frames, end == run.Head)
		return
	}
	s.mu.Unlock()
}

// after reads a run; those who ask for the same one share the query (RES4).
func (srv *Server) after(ctx context.Context, roomID string, at chat.Position) (chat.Run, []*wire.Frame, error) {
	type result struct {
		run    chat.Run
		frames []*wire.Frame
	}
	key := fmt.Sprintf("%s:%d:%s", roomID, at.Seq, at.ID)
	v, err, _ := srv.flight.Do(key, func() (any, error) {
		run, err := srv.cfg.Store.After(ctx, roomID, at, chat.MaxReplay+1)
		if err != nil {
			return result{}, err
		}
		frames := make([]*wire.Frame, 0, len(run.Entries))
		for i := range run.Entries {
			frames = append(frames, wire.EncodeEntry(&run.Entries[i]))
		}
		return result{run, frames}, nil
	})
	r, _ := v.(result)
	return r.run, r.frames, err
}
