package chattest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/chattest"
	"github.com/gochat-dev/gochat/internal/inmem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestFaultyWithoutFaults: what is wrapped stays what it was.
func TestFaultyWithoutFaults(t *testing.T) {
	chattest.TestBackplane(t, func(*testing.T) (a, b chat.Backplane) {
		network := inmem.NewNetwork()
		none := chattest.Faults{}
		return chattest.NewFaulty(network.Node("a"), 1, none), chattest.NewFaulty(network.Node("b"), 2, none)
	}, chattest.Bubble)
}

// stage is a network of two nodes, of which b is faulty and listened to.
type stage struct {
	network *inmem.Network
	a       *inmem.Node
	b       *chattest.Faulty
	heard   *log
}

// log keeps what a listener was told: "up", "down" and the numbers of the notices.
type log struct {
	mu   sync.Mutex
	said []string
}

func (l *log) Notice(n chat.Notice) { l.say(n.Typing.UserID) }
func (l *log) Up()                  { l.say("up") }
func (l *log) Down()                { l.say("down") }

func (l *log) say(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = append(l.said, s)
}

// take returns what was said since the last call, once everything has come to rest.
func (l *log) take() []string {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	said := l.said
	l.said = nil
	return said
}

func newStage(t *testing.T, seed uint64, faults chattest.Faults) *stage {
	t.Helper()
	network := inmem.NewNetwork()
	s := &stage{network: network, a: network.Node("a"), heard: &log{}}
	s.b = chattest.NewFaulty(network.Node("b"), seed, faults)
	if err := s.b.Watch(t.Context(), "lobby"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- s.b.Listen(ctx, s.heard) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Listen: %v", err)
		}
	})
	s.expect(t, "up")
	return s
}

func (s *stage) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := s.heard.take(); !slices.Equal(got, want) {
		t.Errorf("heard %v, want %v", got, want)
	}
}

// send publishes the notices from to to, one after the other, a millisecond apart.
func (s *stage) send(t *testing.T, from, to int) {
	t.Helper()
	for i := from; i <= to; i++ {
		n := chat.Notice{RoomID: "lobby", Typing: &chat.Typing{UserID: strconv.Itoa(i)}}
		if err := s.a.Publish(t.Context(), []chat.Notice{n}, nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestFaultyBus(t *testing.T) {
	const sent = 2_000
	for _, c := range []struct {
		name                  string
		faults                chattest.Faults
		lost, repeated, moved [2]int // between
	}{
		{name: "no faults"},
		{name: "loses 30 %", faults: chattest.Faults{Lose: 0.3}, lost: [2]int{500, 700}},
		{name: "loses all", faults: chattest.Faults{Lose: 1}, lost: [2]int{sent, sent}},
		{name: "repeats 10 %", faults: chattest.Faults{Repeat: 0.1}, repeated: [2]int{150, 250}},
		{
			name: "reorders 20 %", faults: chattest.Faults{Reorder: 0.2, Delay: 50 * time.Millisecond},
			moved: [2]int{300, 500},
		},
		{
			name:   "everything at once",
			faults: chattest.Faults{Lose: 0.3, Repeat: 0.1, Reorder: 0.2, Delay: 50 * time.Millisecond},
			lost:   [2]int{500, 700}, repeated: [2]int{90, 200}, moved: [2]int{200, 500},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, 7, c.faults)
				s.send(t, 1, sent)
				time.Sleep(c.faults.Delay)
				lost, repeated, moved := tally(t, s.heard.take(), sent)
				between(t, "lost", lost, c.lost)
				between(t, "repeated", repeated, c.repeated)
				between(t, "moved", moved, c.moved)

				s.b.SetFaults(chattest.Faults{})
				s.send(t, 1, 3)
				s.expect(t, "1", "2", "3")
			})
		})
	}
}

// tally counts what did not come, what came twice, and what came for the first time after a later one.
func tally(t *testing.T, heard []string, sent int) (lost, repeated, moved int) {
	t.Helper()
	seen := map[int]bool{}
	highest := 0
	for _, s := range heard {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("heard %q", s)
		}
		switch {
		case seen[n]:
			repeated++
		case n < highest:
			moved++
		}
		seen[n] = true
		highest = max(highest, n)
	}
	return sent - len(seen), repeated, moved
}

func between(t *testing.T, what string, got int, want [2]int) {
	t.Helper()
	if got < want[0] || got > want[1] {
		t.Errorf("%s: %d, want %d to %d", what, got, want[0], want[1])
	}
}

// TestFaultyKeepsOrder: what comes at the same moment comes in the order in which it was sent.
func TestFaultyKeepsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, chattest.Faults{Delay: time.Second})
		var batch []chat.Notice
		var want []string
		for i := range 50 {
			batch = append(batch, chat.Notice{RoomID: "lobby", Typing: &chat.Typing{UserID: strconv.Itoa(i)}})
			want = append(want, strconv.Itoa(i))
		}
		if err := s.a.Publish(t.Context(), batch, nil); err != nil {
			t.Fatal(err)
		}
		s.expect(t, want...)
	})
}

func TestFaultySeed(t *testing.T) {
	faults := chattest.Faults{Lose: 0.3, Repeat: 0.1, Reorder: 0.2, Delay: 50 * time.Millisecond}
	run := func(seed uint64) (heard []string) {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t, seed, faults)
			s.send(t, 1, 200)
			time.Sleep(faults.Delay)
			heard = s.heard.take()
		})
		return heard
	}
	if !slices.Equal(run(1), run(1)) {
		t.Error("the same seed gave other faults")
	}
	if slices.Equal(run(1), run(2)) {
		t.Error("another seed gave the same faults")
	}
}

func (s *stage) number(t *testing.T) (int64, error) {
	t.Helper()
	firsts, err := s.b.Number(t.Context(), map[string]int{"lobby": 1})
	return firsts["lobby"], err
}

func TestFaultyCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, chattest.Faults{Repeat: 1, Delay: time.Minute})
		s.send(t, 1, 1) // the second copy is under way for up to a minute
		s.expect(t, "1")
		s.b.SetFaults(chattest.Faults{})

		s.b.Cut()
		s.b.Cut()
		s.expect(t, "down")
		for name, call := range map[string]func() error{
			"Number":   func() error { _, err := s.number(t); return err },
			"Publish":  func() error { return s.b.Publish(t.Context(), nil, map[string]int64{"lobby": 50}) },
			"Watch":    func() error { return s.b.Watch(t.Context(), "garden") },
			"Unwatch":  func() error { return s.b.Unwatch(t.Context(), "lobby") },
			"Beat":     func() error { return s.b.Beat(t.Context(), "b", nil) },
			"SetState": func() error { _, err := s.b.SetState(t.Context(), "b", nil); return err },
			"Claim":    func() error { _, err := s.b.Claim(t.Context()); return err },
			"Here":     func() error { _, err := s.b.Here(t.Context()); return err },
		} {
			if err := call(); !errors.Is(err, chat.ErrUnavailable) {
				t.Errorf("%s: %v, want ErrUnavailable", name, err)
			}
		}
		s.send(t, 2, 3)
		s.expect(t)

		s.b.Mend()
		s.expect(t, "up")
		time.Sleep(time.Minute)
		s.expect(t) // what was under way at the cut never comes
		s.send(t, 4, 4)
		s.expect(t) // Unwatch was made up for
		garden := chat.Notice{RoomID: "garden", Typing: &chat.Typing{UserID: "5"}}
		if err := s.a.Publish(t.Context(), []chat.Notice{garden}, nil); err != nil {
			t.Fatal(err)
		}
		s.expect(t, "5") // and so was Watch
		if n, err := s.number(t); err != nil || n != 1 {
			t.Errorf("number %d (%v), want 1: nothing of the calls that failed was done", n, err)
		}
	})
}

func TestFaultyShortCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, chattest.Faults{})
		s.b.Cut()
		s.b.Mend()
		s.expect(t, "down", "up")
	})
}

func TestFaultyPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, chattest.Faults{})
		start := time.Now()
		s.b.Pause()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if err := s.b.Watch(ctx, "garden"); !errors.Is(err, chat.ErrUnavailable) || time.Since(start) != 2*time.Second {
			t.Errorf("Watch: %v after %v, want ErrUnavailable after 2s", err, time.Since(start))
		}
		s.send(t, 1, 2)
		s.expect(t)
		time.AfterFunc(8*time.Second, s.b.Resume)
		if _, err := s.number(t); err != nil {
			t.Errorf("Number: %v", err)
		}
		if waited := time.Since(start); waited < 10*time.Second || waited > 11*time.Second {
			t.Errorf("Number waited until %v, want 10s", waited)
		}
		s.expect(t, "1", "2") // late, not lost
		garden := chat.Notice{RoomID: "garden", Typing: &chat.Typing{UserID: "3"}}
		if err := s.a.Publish(t.Context(), []chat.Notice{garden}, nil); err != nil {
			t.Fatal(err)
		}
		s.expect(t, "3")
	})
}

func TestFaultyAnswerLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, chattest.Faults{LoseAnswer: 1})
		for range 3 {
			if n, err := s.number(t); !errors.Is(err, chat.ErrUnavailable) || n != 0 {
				t.Errorf("number %d (%v), want ErrUnavailable", n, err)
			}
		}
		if err := s.b.Publish(t.Context(), nil, map[string]int64{"garden": 9}); !errors.Is(err, chat.ErrUnavailable) {
			t.Errorf("Publish: %v, want ErrUnavailable", err)
		}
		got, err := s.a.Number(t.Context(), map[string]int{"lobby": 1, "garden": 1})
		if err != nil || got["lobby"] != 4 || got["garden"] != 10 {
			t.Errorf("numbers %v (%v), want 4 and 10: what failed was done all the same", got, err)
		}
	})
}

// TestFaultyForget: numbers start again, and the head that the store knows puts them right (SEQ4).
func TestFaultyForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, chattest.Faults{})
		for range 5 {
			if _, err := s.number(t); err != nil {
				t.Fatal(err)
			}
		}
		s.network.Forget()
		if n, err := s.number(t); err != nil || n != 1 {
			t.Errorf("number %d (%v), want 1", n, err)
		}
		if err := s.b.Publish(t.Context(), nil, map[string]int64{"lobby": 6}); err != nil {
			t.Fatal(err)
		}
		if n, err := s.number(t); err != nil || n != 7 {
			t.Errorf("number %d (%v), want 7", n, err)
		}
		s.send(t, 1, 1)
		s.expect(t, "1") // subscriptions stand
	})
}

// TestFaultyCutFromTheStart: a node that starts without a backplane is told so, and told when it is there.
func TestFaultyCutFromTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := chattest.NewFaulty(inmem.NewNetwork().Node("b"), 1, chattest.Faults{})
		b.Cut()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		heard := &log{}
		go func() { done <- b.Listen(ctx, heard) }()
		before := heard.take()
		b.Mend()
		after := heard.take()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Listen: %v", err)
		}
		if got := fmt.Sprint(before, after); got != "[down] [up]" {
			t.Errorf("heard %s, want [down] [up]", got)
		}
	})
}
