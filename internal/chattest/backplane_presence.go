package chattest

import (
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

var presenceTests = []backplaneTest{
	{"[PRS1] a user's state is the best of all nodes", testBestState},
	{"[PRS2] a state lasts 30 s, and every beat renews it", testBeat},
	{"[PRS2] a beat is the whole truth about its node", testBeatReplaces},
	{"[PRS4] whom no node renews is claimed exactly once", testClaimOnce},
	{"[PRS4] whom some node renews is not claimed", testClaimSpares},
	{"[PRS4] whose leaving was told is not claimed as well", testLeavingIsNotClaimed},
	{"[PRS4] who has come back is not claimed", testComingBackIsNotClaimed},
}

// states is what the tests compare: users by name.
type states = map[string]chat.State

func beat(t *testing.T, b chat.Backplane, node string, all states) {
	t.Helper()
	if err := b.Beat(t.Context(), node, all); err != nil {
		t.Fatalf("Beat: %v", err)
	}
}

// set changes states and compares what they are over all nodes then.
func set(t *testing.T, b chat.Backplane, node string, changes, want states) {
	t.Helper()
	got, err := b.SetState(t.Context(), node, changes)
	if err != nil {
		t.Fatalf("SetState: %v", err)
	}
	if !maps.Equal(got, want) {
		t.Errorf("after %v on %s: %v, want %v", changes, node, got, want)
	}
}

func here(t *testing.T, b chat.Backplane, want states) {
	t.Helper()
	got, err := b.Here(t.Context())
	if err != nil {
		t.Fatalf("Here: %v", err)
	}
	if !maps.Equal(got, want) {
		t.Errorf("here are %v, want %v", got, want)
	}
}

// claimed claims and compares; want is in order.
func claimed(t *testing.T, b chat.Backplane, want ...string) {
	t.Helper()
	got, err := b.Claim(t.Context())
	if err != nil {
		t.Fatalf("Claim: %v", err)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("claimed %v, want %v", got, want)
	}
}

func testBestState(t *testing.T, n nodes) {
	here(t, n.a, states{})
	set(t, n.a, "a", states{"u1": chat.Away, "u2": chat.Online}, states{"u1": chat.Away, "u2": chat.Online})
	set(t, n.b, "b", states{"u1": chat.Online, "u2": chat.Away}, states{"u1": chat.Online, "u2": chat.Online})
	for _, b := range []chat.Backplane{n.a, n.b} {
		here(t, b, states{"u1": chat.Online, "u2": chat.Online})
	}
	set(t, n.a, "a", states{"u2": chat.Offline}, states{"u2": chat.Away})
	set(t, n.b, "b", states{"u1": chat.Away}, states{"u1": chat.Away})
	set(t, n.b, "b", states{"u1": chat.Offline, "u2": chat.Offline}, states{"u1": chat.Away, "u2": chat.Offline})
	here(t, n.b, states{"u1": chat.Away})
	set(t, n.a, "a", states{"u1": chat.Offline, "never seen": chat.Offline}, states{"u1": chat.Offline, "never seen": chat.Offline})
	here(t, n.b, states{})
}

func testBeat(t *testing.T, n nodes) {
	set(t, n.a, "a", states{"u1": chat.Online, "u2": chat.Away}, states{"u1": chat.Online, "u2": chat.Away})
	for range 3 { // 60 s, beaten every 20
		n.pass(chat.PresenceTTL * 2 / 3)
		here(t, n.b, states{"u1": chat.Online, "u2": chat.Away})
		beat(t, n.a, "a", states{"u1": chat.Online, "u2": chat.Away})
	}
	n.pass(chat.PresenceTTL - time.Second)
	here(t, n.b, states{"u1": chat.Online, "u2": chat.Away})
	n.pass(2 * time.Second)
	here(t, n.a, states{})
	here(t, n.b, states{})
}

func testBeatReplaces(t *testing.T, n nodes) {
	beat(t, n.a, "a", states{"u1": chat.Online, "u2": chat.Online, "u3": chat.Online, "u4": chat.Online})
	beat(t, n.b, "b", states{"u3": chat.Away})
	beat(t, n.a, "a", states{"u1": chat.Away, "u4": chat.Offline, "u5": chat.Online})
	here(t, n.b, states{"u1": chat.Away, "u3": chat.Away, "u5": chat.Online})
	// Nobody was told that u2 and u4 have left: somebody has to claim them.
	claimed(t, n.b, "u2", "u4")
	claimed(t, n.a)
	beat(t, n.a, "a", states{})
	here(t, n.b, states{"u3": chat.Away})
	claimed(t, n.a, "u1", "u5")
}

func testClaimOnce(t *testing.T, n nodes) {
	all := states{}
	for _, user := range []string{"u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8"} {
		all[user] = chat.Online
	}
	beat(t, n.a, "a", all)
	beat(t, n.b, "b", states{"u1": chat.Away})
	claimed(t, n.b)
	n.pass(chat.PresenceTTL + time.Second)
	var mu sync.Mutex
	var got []string
	var wg sync.WaitGroup
	for i := range 8 {
		b := []chat.Backplane{n.a, n.b}[i%2]
		wg.Go(func() {
			gone, err := b.Claim(t.Context())
			if err != nil {
				t.Errorf("Claim: %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			got = append(got, gone...)
		})
	}
	wg.Wait()
	slices.Sort(got)
	if want := slices.Sorted(maps.Keys(all)); !slices.Equal(got, want) {
		t.Errorf("claimed %v, want each of %v once", got, want)
	}
	claimed(t, n.a)
	claimed(t, n.b)
}

func testClaimSpares(t *testing.T, n nodes) {
	beat(t, n.a, "a", states{"u1": chat.Online, "u2": chat.Online})
	n.pass(chat.PresenceTTL / 2)
	beat(t, n.b, "b", states{"u2": chat.Away})
	n.pass(chat.PresenceTTL/2 + time.Second)
	here(t, n.b, states{"u2": chat.Away}) // a has died
	claimed(t, n.b, "u1")
	here(t, n.b, states{"u2": chat.Away})
	n.pass(chat.PresenceTTL / 2)
	claimed(t, n.b, "u2")
	claimed(t, n.b)
}

func testLeavingIsNotClaimed(t *testing.T, n nodes) {
	beat(t, n.a, "a", states{"u1": chat.Online, "u2": chat.Online})
	set(t, n.a, "a", states{"u1": chat.Offline}, states{"u1": chat.Offline})
	n.pass(chat.PresenceTTL / 2)
	set(t, n.b, "b", states{"u2": chat.Online}, states{"u2": chat.Online})
	n.pass(chat.PresenceTTL/2 + time.Second)
	// a has died, nobody has claimed yet, and u2 leaves b: whoever asked tells the others.
	set(t, n.b, "b", states{"u2": chat.Offline}, states{"u2": chat.Offline})
	claimed(t, n.b)
	n.pass(chat.PresenceTTL)
	claimed(t, n.b)
}

func testComingBackIsNotClaimed(t *testing.T, n nodes) {
	beat(t, n.a, "a", states{"u1": chat.Online, "u2": chat.Online, "u3": chat.Online})
	n.pass(chat.PresenceTTL + time.Second)
	beat(t, n.a, "a", states{"u1": chat.Online})
	set(t, n.b, "b", states{"u2": chat.Away}, states{"u2": chat.Away})
	claimed(t, n.b, "u3")
	here(t, n.b, states{"u1": chat.Online, "u2": chat.Away})
}
