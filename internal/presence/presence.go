// Package presence knows who is here: it counts the connections of this node's users, agrees with the other
// nodes through the backplane, and tells the hub what changed.
package presence

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/hub"
)

const (
	grace      = 5 * time.Second        // a user without a connection stays this long (PRS3)
	settle     = 100 * time.Millisecond // changes are gathered this long before they are told
	sweepEvery = 2 * time.Second        // expired users are claimed (PRS4)
	busTimeout = time.Second
	regather   = 5 * time.Second // after an interruption every node has written its users again by then
)

// Publisher tells the other nodes.
type Publisher interface {
	Publish(n chat.Notice)
}

// Config sets up a Service. All fields but Log must be set.
type Config struct {
	Node      string
	Backplane chat.Presence
	Hub       *hub.Hub
	Publisher Publisher
	Log       *slog.Logger
}

// Service knows who is here. Run runs it.
type Service struct {
	cfg  Config
	wake chan struct{} // something waits to be told
	redo chan struct{} // notices may have been lost: read everything again

	mu    sync.Mutex
	users map[string]*user      // those of this node
	dirty map[string]struct{}   // users of this node whose state may have changed
	view  map[string]chat.State // everybody who is not offline, over all nodes
	heard []chat.PresenceChange // of other nodes, in the order they came

	interrupted bool      // the backplane can't be reached, or not yet
	gatheredAt  time.Time // until then it may not have been told of everybody
}

// user is somebody who is connected to this node, or was a moment ago. Guarded by Service.mu.
type user struct {
	online, away int        // connections
	was          chat.State // the state before the last connection closed
	leaveAt      time.Time  // when they are offline, if nothing comes before; zero while connected
}

func (u *user) state() chat.State {
	switch {
	case u.online > 0:
		return chat.Online
	case u.away > 0:
		return chat.Away
	default:
		return chat.Offline
	}
}

// New makes a Service.
func New(cfg Config) *Service {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{
		cfg: cfg, wake: make(chan struct{}, 1), redo: make(chan struct{}, 1),
		users: make(map[string]*user), dirty: make(map[string]struct{}), view: make(map[string]chat.State),
	}
}

// Connected counts a connection, which starts online.
func (s *Service) Connected(userID string) {
	s.change(userID, func(u *user) {
		u.online++
		u.leaveAt = time.Time{}
	})
}

// Moved counts a connection that went from one state to another.
func (s *Service) Moved(userID string, from, to chat.State) {
	if from == to {
		return
	}
	s.change(userID, func(u *user) {
		u.count(from, -1)
		u.count(to, +1)
	})
}

// Disconnected counts a connection out. A user without another one is offline at once after a logout, else
// after a while in which they may come back (PRS3).
func (s *Service) Disconnected(userID string, from chat.State, logout bool) {
	s.change(userID, func(u *user) {
		u.was = u.state()
		u.count(from, -1)
		if u.online+u.away == 0 {
			u.leaveAt = time.Now()
			if !logout {
				u.leaveAt = u.leaveAt.Add(grace)
			}
		}
	})
}

func (u *user) count(state chat.State, by int) {
	if state == chat.Away {
		u.away += by
	} else {
		u.online += by
	}
}

func (s *Service) change(userID string, f func(u *user)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[userID]
	if u == nil {
		u = &user{}
		s.users[userID] = u
	}
	f(u)
	s.dirty[userID] = struct{}{}
	signal(s.wake)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// States returns the states of users over all nodes; who is offline is left out.
func (s *Service) States(_ context.Context, userIDs []string) map[string]chat.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	states := make(map[string]chat.State, len(userIDs))
	for _, id := range userIDs {
		if state, ok := s.view[id]; ok {
			states[id] = state
		}
	}
	return states
}

// Heard takes what another node says.
func (s *Service) Heard(change chat.PresenceChange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, change)
	signal(s.wake)
}

// Run keeps presence until ctx ends. It leaves this node's users as they are: they are about to connect to
// another node (DRN1), or expire.
func (s *Service) Run(ctx context.Context) {
	beat := time.NewTicker(chat.PresenceBeat)
	sweep := time.NewTicker(sweepEvery)
	gather := alarm{timer: time.NewTimer(0)}
	gathered := time.NewTimer(regather)
	defer gathered.Stop()
	defer beat.Stop()
	defer sweep.Stop()
	defer gather.timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
			gather.by(time.Now().Add(settle))
		case <-gather.timer.C:
			gather.due = time.Time{}
			s.hear(s.takeHeard())
			s.tell(ctx)
			gather.by(s.nextLeaving())
		case <-sweep.C:
			s.sweep(ctx)
		case <-beat.C:
			s.beat(ctx)
		case <-s.redo:
			gathered.Reset(regather)
			s.beat(ctx)
		case <-gathered.C:
			s.beat(ctx)
		}
	}
}

// alarm is a timer that fires at the earliest moment it was asked for.
type alarm struct {
	timer *time.Timer
	due   time.Time // zero: not set
}

func (a *alarm) by(at time.Time) {
	if !at.IsZero() && (a.due.IsZero() || at.Before(a.due)) {
		a.due = at
		a.timer.Reset(time.Until(at))
	}
}

// nextLeaving is when the next user's grace ends; zero if nobody is leaving.
func (s *Service) nextLeaving() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	var next time.Time
	for id := range s.dirty {
		if u := s.users[id]; u != nil && (next.IsZero() || u.leaveAt.Before(next)) {
			next = u.leaveAt
		}
	}
	return next
}

func (s *Service) takeHeard() []chat.PresenceChange {
	s.mu.Lock()
	defer s.mu.Unlock()
	heard := s.heard
	s.heard = nil
	return heard
}

// hear takes what other nodes said. One that said less of a user than is true here spoke too early, and whoever heard it
// is told better: this node's own news may have come before, or may be none any more when it is written.
func (s *Service) hear(heard []chat.PresenceChange) {
	var better []chat.PresenceChange
	s.mu.Lock()
	for _, c := range heard {
		if u := s.users[c.UserID]; u != nil && c.State.Better(s.stateHere(u)) != c.State {
			better = append(better, chat.PresenceChange{UserID: c.UserID, State: s.stateHere(u)})
		}
	}
	s.mu.Unlock()
	s.see(heard)
	for _, c := range better {
		s.cfg.Publisher.Publish(chat.Notice{Presence: &c})
	}
}

// tell writes the changes of this node's users to the backplane and passes on what became of them over all nodes.
func (s *Service) tell(ctx context.Context) {
	changes := s.takeChanges(time.Now())
	if len(changes) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, busTimeout)
	defer cancel()
	overall, err := s.cfg.Backplane.SetState(ctx, s.cfg.Node, changes)
	if err != nil {
		s.cfg.Log.Warn("presence could not be written: this node's view counts", "err", err)
		overall = changes
	}
	s.announce(overall)
}

// takeChanges returns the states of users that are to be told now. Who has left stays dirty until the grace ends.
func (s *Service) takeChanges(now time.Time) map[string]chat.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	changes := make(map[string]chat.State, len(s.dirty))
	for id := range s.dirty {
		u := s.users[id]
		if u == nil {
			delete(s.dirty, id)
			continue
		}
		if u.state() == chat.Offline {
			if now.Before(u.leaveAt) {
				continue
			}
			delete(s.users, id)
		}
		changes[id] = u.state()
		delete(s.dirty, id)
	}
	return changes
}

// announce tells the hub and the other nodes what is new.
func (s *Service) announce(states map[string]chat.State) {
	changes := make([]chat.PresenceChange, 0, len(states))
	for id, state := range states {
		changes = append(changes, chat.PresenceChange{UserID: id, State: state})
	}
	for _, c := range s.see(changes) {
		s.cfg.Publisher.Publish(chat.Notice{Presence: &c})
	}
}

// see updates the view, tells the hub what is new in it, and returns that. Called by Run alone, so that the hub
// hears changes in order.
func (s *Service) see(changes []chat.PresenceChange) []chat.PresenceChange {
	s.mu.Lock()
	fresh := make([]chat.PresenceChange, 0, len(changes))
	for _, c := range changes {
		c.State = s.best(c.UserID, c.State)
		old, ok := s.view[c.UserID]
		if !ok {
			old = chat.Offline
		}
		if old == c.State {
			continue
		}
		if c.State == chat.Offline {
			delete(s.view, c.UserID)
		} else {
			s.view[c.UserID] = c.State
		}
		fresh = append(fresh, c)
	}
	s.mu.Unlock()
	if len(fresh) > 0 {
		s.cfg.Hub.SetStates(fresh)
	}
	return fresh
}

// best is what a user's state is, of what has been heard and what is known here: another node can't know better who is
// connected to this one. The caller holds mu.
func (s *Service) best(userID string, heard chat.State) chat.State {
	if u := s.users[userID]; u != nil {
		return heard.Better(s.stateHere(u))
	}
	return heard
}

// stateHere is a user's state on this node; within the grace what it was. The caller holds mu.
func (s *Service) stateHere(u *user) chat.State {
	if state := u.state(); state != chat.Offline {
		return state
	}
	return u.was
}
