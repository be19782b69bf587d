package redis

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/redistest"
)

const (
	patience = 15 * time.Second
	callTime = 500 * time.Millisecond // what a caller gives a call
)

// recorder is a Listener that says in words what it hears: "up", "down", or room and user of who types.
type recorder struct{ said chan string }

func (r recorder) Up()                  { r.said <- "up" }
func (r recorder) Down()                { r.said <- "down" }
func (r recorder) Notice(n chat.Notice) { r.said <- inWords(n) }

func inWords(n chat.Notice) string { return n.RoomID + " " + n.Typing.UserID }

// listen listens until the test ends.
func listen(t *testing.T, b *Backplane) recorder {
	t.Helper()
	r := recorder{said: make(chan string, 10_000)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Listen(ctx, r) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Listen: %v", err)
		}
	})
	return r
}

// expect waits for what is to be heard next.
func (r recorder) expect(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		select {
		case got := <-r.said:
			if got != w {
				t.Fatalf("heard %q, want %q", got, w)
			}
		case <-time.After(patience):
			t.Fatalf("%q was not heard", w)
		}
	}
}

// skip waits for what is to be heard, whatever comes before.
func (r recorder) skip(t *testing.T, want string) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case got := <-r.said:
			if got == want {
				return
			}
		case <-deadline:
			t.Fatalf("%q was not heard", want)
		}
	}
}

// skipTo waits until everything that from has published is heard.
func (r recorder) skipTo(t *testing.T, from *Backplane, mark string) {
	t.Helper()
	publish(t, from, typing("", mark))
	r.skip(t, " "+mark)
}

func typing(room, user string) chat.Notice {
	return chat.Notice{RoomID: room, Typing: &chat.Typing{UserID: user, On: true}}
}

func publish(t *testing.T, b *Backplane, notices ...chat.Notice) {
	t.Helper()
	must(t, b.Publish(t.Context(), notices, nil))
}

// calls makes every call once, each in its own time.
func calls(b *Backplane) map[string]error {
	in := func(call func(ctx context.Context) error) error {
		ctx, cancel := context.WithTimeout(context.Background(), callTime)
		defer cancel()
		start := time.Now()
		err := call(ctx)
		if late := time.Since(start) - callTime; late > callTime*4/5 { // go-redis alone would wait for as long again
			err = errors.Join(err, fmt.Errorf("%w: %v late", errLate, late))
		}
		return err
	}
	states := map[string]chat.State{"u1": chat.Online}
	return map[string]error{
		"Number": in(func(ctx context.Context) error {
			_, err := b.Number(ctx, map[string]int{"lobby": 1})
			return err
		}),
		"Publish": in(func(ctx context.Context) error {
			return b.Publish(ctx, []chat.Notice{typing("lobby", "u1")}, map[string]int64{"lobby": 1 << 40})
		}),
		"Watch": in(func(ctx context.Context) error { return b.Watch(ctx, "lobby") }),
		"Beat":  in(func(ctx context.Context) error { return b.Beat(ctx, "a", states) }),
		"SetState": in(func(ctx context.Context) error {
			_, err := b.SetState(ctx, "a", states)
			return err
		}),
		"Claim": in(func(ctx context.Context) error { _, err := b.Claim(ctx); return err }),
		"Here":  in(func(ctx context.Context) error { _, err := b.Here(ctx); return err }),
	}
}

var errLate = errors.New("the call did not end with its context")

// unavailableSoon: every call fails, as it should, and in time.
func unavailableSoon(t *testing.T, when string, b *Backplane) {
	t.Helper()
	for name, err := range calls(b) {
		if !errors.Is(err, chat.ErrUnavailable) || errors.Is(err, errLate) {
			t.Errorf("%s: %s: %v, want ErrUnavailable within %v", when, name, err, callTime)
		}
	}
}

// well: every call succeeds again, after what go-redis holds of broken connections has been used up.
func well(t *testing.T, b *Backplane) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		var failed []error
		for name, err := range calls(b) {
			if err != nil {
				failed = append(failed, fmt.Errorf("%s: %w", name, err))
			}
		}
		if len(failed) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still not well: %v", errors.Join(failed...))
		}
	}
}

// watchWhileDown: it fails, and counts all the same.
func watchWhileDown(t *testing.T, b *Backplane, room string) {
	t.Helper()
	if err := b.Watch(t.Context(), room); !errors.Is(err, chat.ErrUnavailable) {
		t.Errorf("Watch while Redis is away: %v, want ErrUnavailable", err)
	}
}

func TestRedisKilledAndRestartedEmpty(t *testing.T) {
	s := own(t, redistest.Config{})
	a, b := node(t, s.URL(), "a"), node(t, s.URL(), "b")
	atA, atB := listen(t, a), listen(t, b)
	atA.expect(t, "up")
	atB.expect(t, "up")
	for _, room := range []string{"lobby", "left while down"} {
		must(t, b.Watch(t.Context(), room))
	}
	publish(t, a, typing("lobby", "u1"))
	atB.expect(t, "lobby u1")

	must(t, s.Kill())
	atA.expect(t, "down")
	atB.expect(t, "down")
	unavailableSoon(t, "while Redis is away", a)
	watchWhileDown(t, b, "watched while down")
	must(t, b.Unwatch(t.Context(), "left while down"))

	must(t, s.Launch())
	atA.expect(t, "up")
	atB.expect(t, "up")
	well(t, a)
	atB.skipTo(t, a, "restarted")
	publish(t, a, typing("left while down", "u2"), typing("watched while down", "u3"), typing("lobby", "u4"))
	atB.expect(t, "watched while down u3", "lobby u4")
}

func TestRedisAwayAtTheStart(t *testing.T) {
	s := own(t, redistest.Config{})
	must(t, s.Kill())
	start := time.Now()
	b := node(t, s.URL(), "b")
	if waited := time.Since(start); waited > 3*time.Second {
		t.Errorf("Open waited %v", waited)
	}
	at := listen(t, b)
	at.expect(t, "down")
	watchWhileDown(t, b, "lobby")
	must(t, s.Launch())
	at.expect(t, "up")
	publish(t, node(t, s.URL(), "a"), typing("lobby", "u1"))
	at.expect(t, "lobby u1")
}

// TestRedisPaused: no send waits longer than its caller allows, and the node knows that bells are lost.
func TestRedisPaused(t *testing.T) {
	s := own(t, redistest.Config{})
	a, b := node(t, s.URL(), "a"), node(t, s.URL(), "b")
	at := listen(t, b)
	at.expect(t, "up")
	must(t, b.Watch(t.Context(), "lobby"))
	must(t, s.Pause())
	for start := time.Now(); time.Since(start) < 10*time.Second; {
		unavailableSoon(t, "while Redis is frozen", a)
	}
	at.expect(t, "down")
	must(t, s.Resume())
	at.skip(t, "up") // what Redis had not sent before is lost or comes late, as it likes
	well(t, a)
	at.skipTo(t, a, "resumed")
}

func TestSubscriptionKilled(t *testing.T) {
	s := shared(t)
	a, b := node(t, s.URL(), "a"), node(t, s.URL(), "b")
	at := listen(t, b)
	at.expect(t, "up")
	must(t, b.Watch(t.Context(), "lobby"))
	for i := range 5 {
		do(t, s, "CLIENT", "KILL", "TYPE", "pubsub")
		at.expect(t, "down", "up")
		user := fmt.Sprint("u", i)
		publish(t, a, typing("lobby", user))
		at.expect(t, "lobby "+user)
	}
}

// TestFlushAll: [SEQ4] the counters start again, and the next head puts them right.
func TestFlushAll(t *testing.T) {
	t.Run("[SEQ4] a flushed counter is raised by the next head", func(t *testing.T) {
		s := shared(t)
		a := node(t, s.URL(), "a")
		ctx := t.Context()
		must(t, a.Publish(ctx, nil, map[string]int64{"lobby": 100}))
		number(t, a, 101)
		do(t, s, "FLUSHALL")
		must(t, a.Publish(ctx, nil, map[string]int64{"lobby": 101})) // all that this node knows is that 101 was generated
		number(t, a, 1)                                              // the store puts it above its own head: 102
		must(t, a.Publish(ctx, nil, map[string]int64{"lobby": 102}))
		number(t, a, 103)
	})
}

func number(t *testing.T, b *Backplane, want int64) {
	t.Helper()
	got, err := b.Number(t.Context(), map[string]int{"lobby": 1})
	if err != nil || got["lobby"] != want {
		t.Errorf("number %d (%v), want %d", got["lobby"], err, want)
	}
}

// TestWatchAndUnwatchAtOnce: whatever happens in between, the last word counts, and a Watch that has returned stands.
func TestWatchAndUnwatchAtOnce(t *testing.T) {
	s := shared(t)
	a, b := node(t, s.URL(), "a"), node(t, s.URL(), "b")
	at := listen(t, b)
	at.expect(t, "up")
	for i := range 300 {
		for range i % 4 {
			must(t, b.Watch(t.Context(), "lobby"))
			must(t, b.Unwatch(t.Context(), "lobby"))
		}
		must(t, b.Watch(t.Context(), "lobby"))
		user := fmt.Sprint("u", i)
		publish(t, a, typing("lobby", user))
		at.expect(t, "lobby "+user)
		must(t, b.Unwatch(t.Context(), "lobby"))
		publish(t, a, typing("lobby", "too late"), typing("", "end"))
		at.expect(t, " end")
	}
}

// TestDatabasesAreSeparate: pub/sub takes no notice of databases, the names of the channels do.
func TestDatabasesAreSeparate(t *testing.T) {
	s := shared(t)
	url := "redis://" + s.Addr()
	a, b, other := node(t, url+"/1", "a"), node(t, url+"/1", "b"), node(t, url+"/2", "other")
	at, atOther := listen(t, b), listen(t, other)
	at.expect(t, "up")
	atOther.expect(t, "up")
	publish(t, a, typing("", "u1"))
	at.expect(t, " u1")
	publish(t, node(t, url+"/2", "another"), typing("", "u2"))
	atOther.expect(t, " u2")
}
