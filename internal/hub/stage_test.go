package hub_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/hub"
	"github.com/gochat-dev/gochat/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stage is a hub in a bubble of simulated time, with a Source that the test answers for.
type stage struct {
	*testing.T
	hub *hub.Hub
	src *source
	see *observer
}

// rule is a clause of SPEC.md and its proof.
type rule struct {
	name string
	cfg  hub.Config
	do   func(s *stage)
}

func prove(t *testing.T, rules []rule) {
	t.Helper()
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stage{T: t, src: &source{}, see: &observer{}}
				r.cfg.Observe = s.see
				s.hub = hub.New(r.cfg, s.src)
				defer s.hub.Close()
				r.do(s)
			})
		})
	}
}

// history is a room's log.
type history []chat.Entry

// add appends an entry of a kind, one number further.
func (h *history) add(kind chat.Kind, sender, about string) chat.Entry {
	return h.addAt(h.head().Seq+1, kind, sender, about)
}

func (h *history) addAt(seq int64, kind chat.Kind, sender, about string) chat.Entry {
	prev := h.head()
	e := chat.Entry{
		RoomID: "room", Seq: seq, PrevSeq: prev.Seq, PrevID: prev.ID, MessageID: chat.NewID(), SenderID: sender, Kind: kind,
	}
	if kind == chat.KindText {
		e.Body = about
	} else {
		e.Data = json.RawMessage(fmt.Sprintf(`{"user_id":%q}`, about))
	}
	*h = append(*h, e)
	return e
}

func (h *history) head() chat.Position {
	if len(*h) == 0 {
		return chat.Position{}
	}
	return (*h)[len(*h)-1].Position()
}

// texts is a log of n texts of ann's.
func texts(n int) *history {
	h := &history{}
	for i := range n {
		h.add(chat.KindText, "ann", fmt.Sprint("text ", i+1))
	}
	return h
}

// after is what a store answers to a mend.
func (h *history) after(last chat.Position) chat.Run {
	run := chat.Run{Head: h.head(), Known: last == chat.Position{}}
	for _, e := range *h {
		if e.Seq > last.Seq {
			run.Entries = append(run.Entries, e)
		}
		run.Known = run.Known || e.Position() == last
	}
	if !run.Known {
		run.Entries = nil
	}
	return run
}

func encoded(entries []chat.Entry) []hub.Delivery {
	var out []hub.Delivery
	for i := range entries {
		out = append(out, hub.Encode(&entries[i]))
	}
	return out
}

// load answers the question for a room that has just become live.
func (s *stage) load(h *history, members ...string) {
	s.Helper()
	s.asked("load room")
	s.hub.Loaded("room", chat.Live{Head: h.head(), Entries: *h, Members: members}, encoded(*h), nil)
	synctest.Wait()
}

// mend answers the question for what follows a position.
func (s *stage) mend(h *history, last chat.Position) {
	s.Helper()
	s.asked(fmt.Sprintf("mend room %d", last.Seq))
	run := h.after(last)
	s.hub.Mended("room", last, run, encoded(run.Entries), nil)
	synctest.Wait()
}

// live makes the room live at the end of a log, with a connection of each member in it.
func (s *stage) live(h *history, members ...string) []*conn {
	s.Helper()
	var conns []*conn
	for _, user := range members {
		c := newConn(user)
		conns = append(conns, c)
		s.hub.Enter(c, hub.Visit{RoomID: "room", At: h.head(), MemberSeq: h.head().Seq})
	}
	synctest.Wait()
	s.load(h, members...)
	for _, c := range conns {
		s.got(c, fmt.Sprintf("entered %d", h.head().Seq))
	}
	return conns
}

func (s *stage) deliver(entries ...chat.Entry) {
	for _, e := range entries {
		s.hub.Deliver(hub.Encode(&e))
	}
	synctest.Wait()
}

func (s *stage) enter(c *conn, at chat.Position, memberSeq int64) {
	s.hub.Enter(c, hub.Visit{RoomID: "room", At: at, MemberSeq: memberSeq})
	synctest.Wait()
}

// pass lets time pass.
func (s *stage) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// got wants exactly this to have come to a connection since it was last asked.
func (s *stage) got(c *conn, want ...string) {
	s.Helper()
	synctest.Wait()
	if got := c.take(); !slices.Equal(got, want) {
		s.Fatalf("%s got %q, want %q", c.user, got, want)
	}
}

// asked wants exactly this to have been asked of the Source since it was last asked.
func (s *stage) asked(want ...string) {
	s.Helper()
	synctest.Wait()
	if got := s.src.take(); !slices.Equal(got, want) {
		s.Fatalf("the source was asked %q, want %q", got, want)
	}
}

// at wants the room to stand at a position.
func (s *stage) at(want chat.Position) {
	s.Helper()
	if got := s.hub.Positions()["room"]; got != want {
		s.Fatalf("the room is at %v, want %v", got, want)
	}
}

// source keeps what it is asked.
type source struct {
	mu    sync.Mutex
	asked []string
	said  []string
}

func (s *source) add(to *[]string, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*to = append(*to, fmt.Sprintf(format, args...))
}

func (s *source) Load(room string)   { s.add(&s.asked, "load %s", room) }
func (s *source) Forget(room string) { s.add(&s.asked, "forget %s", room) }
func (s *source) Mend(room string, last chat.Position) {
	s.add(&s.asked, "mend %s %d", room, last.Seq)
}

func (s *source) Publish(n chat.Notice) {
	switch {
	case n.Typing != nil:
		s.add(&s.said, "typing %s %s %v", n.RoomID, n.Typing.UserID, n.Typing.On)
	case n.Read != nil:
		s.add(&s.said, "read %s %s %d", n.RoomID, n.Read.UserID, n.Read.Seq)
	}
}

func (s *source) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

// published wants exactly this to have been published since it was last asked.
func (s *stage) published(want ...string) {
	s.Helper()
	synctest.Wait()
	s.src.mu.Lock()
	defer s.src.mu.Unlock()
	slices.Sort(s.src.said)
	if !slices.Equal(s.src.said, want) {
		s.Fatalf("published %q, want %q", s.src.said, want)
	}
	s.src.said = nil
}

// conn is a connection that keeps what it is given.
type conn struct {
	user string

	mu     sync.Mutex
	got    []string
	frames []*wire.Frame
	pushed []time.Time // when each frame came, from the start
	size   int         // of frames that fit, in bytes
	closed bool
	stay   hub.Stay // that it is in
}

func newConn(user string) *conn { return &conn{user: user, size: 1 << 20} }

func (c *conn) UserID() string { return c.user }

func (c *conn) Stays(_ string, stay hub.Stay) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.closed && stay == c.stay
}

func (c *conn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
}

func (c *conn) Push(f *wire.Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frames = append(c.frames, f)
	c.pushed = append(c.pushed, time.Now())
	c.got = append(c.got, describe(f))
}

func (c *conn) Fits(n int) bool { return n <= c.size }

func (c *conn) Tell(ev hub.Event) {
	kinds := map[hub.EventKind]string{
		hub.Entered: "entered", hub.Behind: "behind", hub.Unknown: "unknown", hub.Removed: "removed", hub.Changed: "changed",
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	said := fmt.Sprintf("%s %d", kinds[ev.Kind], ev.At.Seq)
	for _, f := range ev.Run {
		said += ", " + describe(f)
	}
	if ev.Reason != "" {
		said += " " + ev.Reason
	}
	c.got = append(c.got, said)
}

func (c *conn) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.got
	c.got, c.frames = nil, nil
	return got
}

// describe says in a few words what a frame says.
func describe(f *wire.Frame) string {
	var o struct {
		Type      string
		Seq       int64
		UserID    string `json:"user_id"`
		On        bool
		Recovered bool
		HeadSeq   int64 `json:"head_seq"`
		Reads     []struct {
			UserID string `json:"user_id"`
			Seq    int64
		}
		Changes []chat.PresenceChange
		Count   *int `json:"online_count"`
		User    wire.User
	}
	if err := json.Unmarshal(f.Payload(), &o); err != nil {
		return err.Error()
	}
	var parts []string
	switch o.Type {
	case "entry":
		return fmt.Sprint(o.Seq)
	case "resumed":
		return fmt.Sprintf("resumed %v %d", o.Recovered, o.HeadSeq)
	case "typing":
		return fmt.Sprintf("typing %s %v", o.UserID, o.On)
	case "user_updated":
		return "user_updated " + o.User.ID
	case "read":
		for _, r := range o.Reads {
			parts = append(parts, fmt.Sprintf("%s %d", r.UserID, r.Seq))
		}
	case "presence":
		if o.Count != nil {
			return fmt.Sprintf("presence: %d", *o.Count)
		}
		for _, c := range o.Changes {
			parts = append(parts, fmt.Sprintf("%s %s", c.UserID, c.State))
		}
	}
	slices.Sort(parts)
	return o.Type + ": " + strings.Join(parts, ", ")
}

// observer counts.
type observer struct {
	mu                                                  sync.Mutex
	delivered, duplicates, mended, resets, rooms, calls int
}

func (o *observer) count(n *int, by int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	*n += by
	o.calls++
}

func (o *observer) Delivered(n int) { o.count(&o.delivered, n) }
func (o *observer) Duplicate()      { o.count(&o.duplicates, 1) }
func (o *observer) Mended()         { o.count(&o.mended, 1) }
func (o *observer) Reset()          { o.count(&o.resets, 1) }
func (o *observer) Rooms(by int)    { o.count(&o.rooms, by) }
