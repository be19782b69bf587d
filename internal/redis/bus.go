package redis

import (
	"context"
	"errors"
	"maps"
	"sync"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gochat-dev/gochat/internal/chat"
)

var errClosed = errors.New("the backplane has been closed")

func isClosed(err error) bool { return errors.Is(err, goredis.ErrClosed) }

// queueLength is how many notices may wait for the listener. What comes on top is lost, as a bus may (HUB5).
const queueLength = 8192

// bus is what the callers of chat.Bus, the listener and the subscription tell each other.
type bus struct {
	tried   chan struct{} // closed when the first attempt to subscribe has come to something
	changed chan struct{} // the rooms that are wanted have changed
	news    chan struct{} // for the listener

	mu      sync.Mutex
	rooms   map[string]*watch // wanted
	dirty   map[string]bool   // rooms that the subscription has to look at
	queue   []chat.Notice
	up      bool          // everything wanted at the time stood
	breaks  int           // how often it was interrupted
	down    error         // why there is no subscription; nil while there is one, or one is being made
	stopped chan struct{} // closed, and made anew, at each interruption
}

// watch is one room's place in the present subscription.
type watch struct {
	stands chan struct{} // closed when Redis has confirmed it
}

func newWatch() *watch { return &watch{stands: make(chan struct{})} }

func newBus() bus {
	return bus{
		tried: make(chan struct{}), changed: make(chan struct{}, 1), news: make(chan struct{}, 1),
		rooms: make(map[string]*watch), dirty: make(map[string]bool), stopped: make(chan struct{}),
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Watch implements chat.Bus.
func (b *Backplane) Watch(ctx context.Context, roomID string) error {
	stands, stopped, err := b.bus.want(roomID)
	if err := errors.Join(b.ready(ctx, "watch"), unavailable("watch", err)); err != nil {
		return err
	}
	select {
	case <-stands:
		return nil
	case <-stopped:
		return unavailable("watch", b.bus.why())
	case <-ctx.Done():
		return unavailable("watch", ctx.Err())
	}
}

// Unwatch implements chat.Bus. Nothing of the room is heard from then on, whenever Redis learns of it.
func (b *Backplane) Unwatch(ctx context.Context, roomID string) error {
	b.bus.unwant(roomID)
	return b.ready(ctx, "unwatch")
}

// want adds a room. The first channel closes when it stands, the second when that can't come any more.
func (s *bus) want(room string) (stands, stopped <-chan struct{}, down error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rooms[room] == nil {
		s.rooms[room] = newWatch()
		s.dirty[room] = true
		signal(s.changed)
	}
	return s.rooms[room].stands, s.stopped, s.down
}

func (s *bus) unwant(room string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rooms, room)
	s.dirty[room] = true
	signal(s.changed)
}

// changes are the rooms that have been wanted since the last call, or all of them, and those that are not wanted any
// more (nil).
func (s *bus) changes(all bool) map[string]*watch {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer clear(s.dirty)
	if all {
		return maps.Clone(s.rooms)
	}
	rooms := make(map[string]*watch, len(s.dirty))
	for room := range s.dirty {
		rooms[room] = s.rooms[room]
	}
	return rooms
}

// why is the reason for the last interruption.
func (s *bus) why() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down == nil {
		return errors.New("interrupted")
	}
	return s.down
}

// begin notes that a subscription is being made.
func (s *bus) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = nil
}

// stand notes that everything stands.
func (s *bus) stand() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.up = true
	signal(s.news)
	s.attempted()
}

// interrupt notes that nothing stands any more, and why.
func (s *bus) interrupt(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.up {
		s.breaks++
	}
	s.up, s.down = false, err
	for room := range s.rooms {
		s.rooms[room] = newWatch()
	}
	close(s.stopped)
	s.stopped = make(chan struct{})
	signal(s.news)
	s.attempted()
}

// attempted notes that Open need not wait any longer. The caller holds mu.
func (s *bus) attempted() {
	select {
	case <-s.tried:
	default:
		close(s.tried)
	}
}

// hear puts a notice into the queue, or loses it.
func (s *bus) hear(n chat.Notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.RoomID != "" && s.rooms[n.RoomID] == nil {
		return // Redis has not learnt of the Unwatch yet
	}
	if len(s.queue) < queueLength {
		s.queue = append(s.queue, n)
		signal(s.news)
	}
}

// told is what a listener has been told.
type told struct {
	up     bool
	breaks int
}

// take takes what a listener is to be told now.
func (s *bus) take(t *told) (down, up bool, notices []chat.Notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	down = t.up && t.breaks != s.breaks
	up = s.up && (down || !t.up)
	t.up, t.breaks = s.up, s.breaks
	notices, s.queue = s.queue, nil
	return down, up, notices
}

// Listen implements chat.Bus. It returns nil when ctx ends, an error after Close. Where Redis is away at the start,
// Down comes first.
func (b *Backplane) Listen(ctx context.Context, l chat.Listener) error {
	var t told
	for first := true; ; first = false {
		down, up, notices := b.bus.take(&t)
		if down || (first && !up) {
			l.Down()
		}
		if up {
			l.Up()
		}
		for _, n := range notices {
			l.Notice(n)
		}
		select {
		case <-b.bus.news:
		case <-ctx.Done():
			return nil
		case <-b.ctx.Done():
			return unavailable("listen", errClosed)
		}
	}
}
