package relay_test

import (
	"fmt"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/relay"
)

// said keeps what a relay says to sessions, presence and metrics.
type said struct {
	mu       sync.Mutex
	changed  []string // users whose rooms changed
	revoked  []string
	heard    []chat.PresenceChange
	rebuilt  int
	users    []string
	versions []map[string]int64
	counts   struct{ committed, duplicates int }
	skipped  int64
	limited  int
	ended    map[string]int // sends, by how they ended
	storeUp  []bool
	busUp    []bool
}

func (s *said) note(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *said) RoomsChanged(user string) { s.note(func() { s.changed = append(s.changed, user) }) }

func (s *said) Revoked(_, session string) { s.note(func() { s.revoked = append(s.revoked, session) }) }

func (s *said) Judge(v map[string]int64)    { s.note(func() { s.versions = append(s.versions, v) }) }
func (s *said) Heard(c chat.PresenceChange) { s.note(func() { s.heard = append(s.heard, c) }) }
func (s *said) Interrupted()                {}
func (s *said) Rebuild()                    { s.note(func() { s.rebuilt++ }) }
func (s *said) NumbersSkipped(n int64)      { s.note(func() { s.skipped += n }) }
func (s *said) BusLag(time.Duration)        {}
func (s *said) BackplaneUp(up bool)         { s.note(func() { s.busUp = append(s.busUp, up) }) }
func (s *said) StoreUp(up bool)             { s.note(func() { s.storeUp = append(s.storeUp, up) }) }
func (s *said) RateLimited(string)          { s.note(func() { s.limited++ }) }

func (s *said) SendEnded(result string, _ time.Duration) {
	s.note(func() {
		if s.ended == nil {
			s.ended = make(map[string]int)
		}
		s.ended[result]++
	})
}

func (s *said) Committed(n, dup int, _ time.Duration) {
	s.note(func() { s.counts.committed += n; s.counts.duplicates += dup })
}

func (s *said) Users() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.users)
}

// origin is the connection that drafts come from.
type origin struct {
	mu     sync.Mutex
	closed bool
	heldUp time.Time // set between posts
	deaf   bool      // answers nothing by itself

	asked    int64
	answered int64
	at       time.Time
}

func (o *origin) HeldUp() time.Time { return o.heldUp }

func (o *origin) Ask() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked++
	if !o.deaf {
		o.answered, o.at = o.asked, time.Now()
	}
	return o.asked
}

func (o *origin) Answered(question int64) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.answered < question {
		return time.Time{}
	}
	return o.at
}

// answer has what was asked be answered.
func (o *origin) answer() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answered, o.at = o.asked, time.Now()
}

func (o *origin) Closed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closed
}

func (o *origin) GiveUp() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
}

// answers collects what becomes of drafts that were posted.
type answers struct {
	mu  sync.Mutex
	got []string
}

// post queues a text and has its outcome noted as "body number" or "body code".
func (a *answers) post(n *node, room, user, body string, from relay.Origin) {
	a.postDraft(n, text(room, user, body), from)
}

func (a *answers) postDraft(n *node, d chat.Draft, from relay.Origin) {
	n.Post(d, from, func(o chat.Outcome) {
		said := fmt.Sprint(d.Body, " ", o.Entry.Seq)
		if err, ok := o.Err.(*chat.Error); ok {
			said = fmt.Sprint(d.Body, " ", err.Code)
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.got = append(a.got, said)
	})
}

func (s *stage) answered(a *answers, want ...string) {
	s.Helper()
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.Equal(a.got, want) {
		s.Fatalf("answered was %q, want %q", a.got, want)
	}
	a.got = nil
}
