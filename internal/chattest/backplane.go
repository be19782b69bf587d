package chattest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// Clock is how a suite lets time pass for what it tests.
type Clock struct {
	// Run runs one test: synctest.Test where everything lives in this process, a plain call where it does not.
	Run func(t *testing.T, test func(t *testing.T))
	// Pass lets time pass, for the nodes and for whatever they rely on.
	Pass func(d time.Duration)
}

// Bubble is the clock of a backplane that lives in this process: time is simulated.
var Bubble = Clock{Run: synctest.Test, Pass: time.Sleep}

// TestBackplane is the suite that every Backplane passes. open makes two nodes of one fresh network, which the
// suite closes.
func TestBackplane(t *testing.T, open func(t *testing.T) (a, b chat.Backplane), clock Clock) {
	for _, suite := range [][]backplaneTest{numberTests, busTests, presenceTests, failureTests} {
		for _, test := range suite {
			t.Run(test.name, func(t *testing.T) {
				clock.Run(t, func(t *testing.T) {
					a, b := open(t)
					t.Cleanup(func() {
						if err := errors.Join(a.Close(), b.Close()); err != nil {
							t.Errorf("closing: %v", err)
						}
					})
					test.run(t, nodes{a: a, b: b, pass: clock.Pass})
				})
			})
		}
	}
}

type backplaneTest struct {
	name string
	run  func(t *testing.T, n nodes)
}

// nodes are two nodes of one network.
type nodes struct {
	a, b chat.Backplane
	pass func(d time.Duration)
}

var numberTests = []backplaneTest{
	{"[SEQ4] numbers are generated once, however many nodes ask at once", testNumbersUnique},
	{"[SEQ4] one trip serves several rooms", testNumbersOfRooms},
	{"[SEQ4] a head raises a counter that is missing or behind", testHeadRaises},
	{"[SEQ4] a head never lowers a counter", testHeadNeverLowers},
	{"[SEQ4] raising and generating at once repeats no number", testRaiseWhileGenerating},
}

// numbers generates count numbers for each room and fails the test where there are none.
func numbers(t *testing.T, b chat.Backplane, counts map[string]int) map[string]int64 {
	t.Helper()
	firsts, err := b.Number(t.Context(), counts)
	if err != nil {
		t.Fatalf("Number: %v", err)
	}
	if len(firsts) != len(counts) {
		t.Fatalf("numbers for %d rooms, asked for %d", len(firsts), len(counts))
	}
	for room := range counts {
		if firsts[room] < 1 {
			t.Fatalf("room %s: number %d", room, firsts[room])
		}
	}
	return firsts
}

// number generates one number.
func number(t *testing.T, b chat.Backplane, room string) int64 {
	t.Helper()
	return numbers(t, b, map[string]int{room: 1})[room]
}

func raise(t *testing.T, b chat.Backplane, heads map[string]int64) {
	t.Helper()
	if err := b.Publish(t.Context(), nil, heads); err != nil {
		t.Fatalf("Publish: %v", err)
	}
}

// ledger notes which numbers of which room have been given out.
type ledger struct {
	mu    sync.Mutex
	given map[string]map[int64]bool
	twice []string
}

func (l *ledger) note(room string, first int64, count int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.given == nil {
		l.given = make(map[string]map[int64]bool)
	}
	if l.given[room] == nil {
		l.given[room] = make(map[int64]bool)
	}
	for seq := first; seq < first+int64(count); seq++ {
		if l.given[room][seq] {
			l.twice = append(l.twice, fmt.Sprintf("%s/%d", room, seq))
		}
		l.given[room][seq] = true
	}
}

func testNumbersUnique(t *testing.T, n nodes) {
	var given ledger
	var wg sync.WaitGroup
	for worker := range 8 {
		b := []chat.Backplane{n.a, n.b}[worker%2]
		wg.Go(func() {
			last := map[string]int64{}
			for i := range 100 {
				counts := map[string]int{"lobby": 1 + i%3}
				if i%2 == 0 {
					counts["garden"] = 2
				}
				firsts, err := b.Number(t.Context(), counts)
				if err != nil {
					t.Errorf("Number: %v", err)
					return
				}
				for room, count := range counts {
					if firsts[room] <= last[room] {
						t.Errorf("%s: %d came after %d", room, firsts[room], last[room])
					}
					last[room] = firsts[room] + int64(count) - 1
					given.note(room, firsts[room], count)
				}
			}
		})
	}
	wg.Wait()
	if len(given.twice) > 0 {
		t.Errorf("given out twice: %v", given.twice)
	}
}

func testNumbersOfRooms(t *testing.T, n nodes) {
	counts := map[string]int{"one": 3, "two": 1, "three": 500}
	first := numbers(t, n.a, counts)
	second := numbers(t, n.b, counts)
	for room, count := range counts {
		if second[room] < first[room]+int64(count) {
			t.Errorf("%s: %d numbers from %d on, then again from %d", room, count, first[room], second[room])
		}
	}
	if firsts := numbers(t, n.a, map[string]int{}); len(firsts) != 0 {
		t.Errorf("numbers for no room: %v", firsts)
	}
}

func testHeadRaises(t *testing.T, n nodes) {
	number(t, n.a, "behind")
	raise(t, n.a, map[string]int64{"missing": 100, "behind": 200})
	for room, head := range map[string]int64{"missing": 100, "behind": 200} {
		if got := number(t, n.b, room); got <= head {
			t.Errorf("%s: the number after head %d is %d", room, head, got)
		}
	}
}

func testHeadNeverLowers(t *testing.T, n nodes) {
	raise(t, n.a, map[string]int64{"lobby": 1_000})
	before := number(t, n.a, "lobby")
	raise(t, n.b, map[string]int64{"lobby": 10})
	raise(t, n.b, map[string]int64{"lobby": 0})
	if after := number(t, n.b, "lobby"); after <= before {
		t.Errorf("%d came after %d", after, before)
	}
}

func testRaiseWhileGenerating(t *testing.T, n nodes) {
	var given ledger
	var wg sync.WaitGroup
	for worker := range 4 {
		b := []chat.Backplane{n.a, n.b}[worker%2]
		wg.Go(func() {
			for range 100 {
				firsts, err := b.Number(t.Context(), map[string]int{"lobby": 2})
				if err != nil {
					t.Errorf("Number: %v", err)
					return
				}
				given.note("lobby", firsts["lobby"], 2)
				// As after a commit: the head is what has just been numbered, or a little above.
				head := firsts["lobby"] + int64(worker)
				if err := b.Publish(t.Context(), nil, map[string]int64{"lobby": head}); err != nil {
					t.Errorf("Publish: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	if len(given.twice) > 0 {
		t.Errorf("given out twice: %v", given.twice)
	}
}

var failureTests = []backplaneTest{
	{"a call without time left fails as unavailable", testNoTimeLeft},
	{"a closed node fails as unavailable and leaves the other alone", testClosed},
}

// calls makes every call of a backplane once and returns what came of each.
func calls(ctx context.Context, b chat.Backplane) map[string]error {
	out := make(map[string]error)
	_, out["Number"] = b.Number(ctx, map[string]int{"lobby": 1})
	out["Publish"] = b.Publish(ctx, []chat.Notice{typing("lobby", "u1")}, map[string]int64{"lobby": 1})
	out["Watch"] = b.Watch(ctx, "lobby")
	out["Unwatch"] = b.Unwatch(ctx, "lobby")
	out["Beat"] = b.Beat(ctx, "a", map[string]chat.State{"u1": chat.Online})
	_, out["SetState"] = b.SetState(ctx, "a", map[string]chat.State{"u1": chat.Online})
	_, out["Claim"] = b.Claim(ctx)
	_, out["Here"] = b.Here(ctx)
	return out
}

func allUnavailable(t *testing.T, results map[string]error) {
	t.Helper()
	for name, err := range results {
		if !errors.Is(err, chat.ErrUnavailable) {
			t.Errorf("%s: %v, want ErrUnavailable", name, err)
		}
	}
}

func allWell(t *testing.T, results map[string]error) {
	t.Helper()
	for name, err := range results {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func testNoTimeLeft(t *testing.T, n nodes) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	allUnavailable(t, calls(ctx, n.a))
	allWell(t, calls(t.Context(), n.a))
}

func testClosed(t *testing.T, n nodes) {
	listening := make(chan error, 1)
	up := newEar()
	go func() { listening <- n.a.Listen(context.WithoutCancel(t.Context()), up) }()
	up.waitUp(t)
	if err := n.a.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if err := <-listening; !errors.Is(err, chat.ErrUnavailable) {
		t.Errorf("Listen: %v, want ErrUnavailable", err)
	}
	allUnavailable(t, calls(t.Context(), n.a))
	allWell(t, calls(t.Context(), n.b))
}
