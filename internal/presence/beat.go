package presence

import (
	"context"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// Interrupted says that the backplane is out of reach: it may forget everybody, and who is missing in it when it is back is
// not gone for that. Rebuild ends it.
func (s *Service) Interrupted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interrupted = true
}

// Rebuild has everything written and read again: the backplane may have forgotten or lost it.
func (s *Service) Rebuild() {
	s.mu.Lock()
	s.interrupted, s.gatheredAt = false, time.Now().Add(regather)
	s.mu.Unlock()
	signal(s.redo)
}

// gathering reports whether who is missing in the backplane may be there all the same. The caller holds mu.
func (s *Service) gathering() bool { return s.interrupted || time.Now().Before(s.gatheredAt) }

// beat renews this node's users and compares the view with everybody's (PRS2).
func (s *Service) beat(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, busTimeout)
	defer cancel()
	s.mu.Lock()
	mine := make(map[string]chat.State, len(s.users))
	for id, u := range s.users {
		mine[id] = s.stateHere(u)
	}
	s.mu.Unlock()
	if err := s.cfg.Backplane.Beat(ctx, s.cfg.Node, mine); err != nil {
		s.cfg.Log.Warn("presence could not be renewed", "err", err)
		return
	}
	here, err := s.cfg.Backplane.Here(ctx)
	if err != nil {
		s.cfg.Log.Warn("presence could not be read", "err", err)
		return
	}
	s.mu.Lock()
	var changes []chat.PresenceChange
	for id := range s.view {
		if _, ok := here[id]; !ok && !s.gathering() {
			changes = append(changes, chat.PresenceChange{UserID: id, State: chat.Offline})
		}
	}
	for id, state := range here {
		if s.view[id] != s.best(id, state) { // all but a few are seen as they are
			changes = append(changes, chat.PresenceChange{UserID: id, State: state})
		}
	}
	s.mu.Unlock()
	for _, c := range s.see(changes) {
		if _, ok := mine[c.UserID]; ok { // who has just come, and is not told of yet
			s.cfg.Publisher.Publish(chat.Notice{Presence: &c})
		}
	}
}

// sweep turns those offline whose node died without a word. Each is claimed by one node, which announces it (PRS4).
func (s *Service) sweep(ctx context.Context) {
	s.mu.Lock()
	gathering := s.gathering()
	s.mu.Unlock()
	if gathering {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, busTimeout)
	defer cancel()
	gone, err := s.cfg.Backplane.Claim(ctx)
	if err != nil {
		s.cfg.Log.Warn("expired presence could not be claimed", "err", err)
		return
	}
	states := make(map[string]chat.State, len(gone))
	for _, id := range gone {
		states[id] = chat.Offline
	}
	s.announce(states)
}
