package redis

import (
	"fmt"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gochat-dev/gochat/internal/redistest"
)

// rooms enough to lie on every master.
func rooms() []string {
	all := make([]string, 0, 60)
	for i := range cap(all) {
		all = append(all, fmt.Sprint("room", i))
	}
	return all
}

// hears checks that every room's notices come.
func hears(t *testing.T, at recorder, from *Backplane, user string) {
	t.Helper()
	want := make(map[string]bool)
	for _, room := range rooms() {
		publish(t, from, typing(room, user))
		want[room+" "+user] = true
	}
	for len(want) > 0 {
		got := <-at.said
		if !want[got] {
			t.Fatalf("heard %q", got)
		}
		delete(want, got)
	}
}

// TestClusterLinks: there is one link for each master, and all of it comes back when one of them does.
func TestClusterLinks(t *testing.T) {
	c, err := redistest.StartCluster(3)
	must(t, err)
	t.Cleanup(func() { must(t, c.Stop()) })
	a, b := node(t, c.URL(), "a"), node(t, c.URL(), "b")
	at := listen(t, b)
	at.expect(t, "up")
	for _, room := range rooms() {
		must(t, b.Watch(t.Context(), room))
	}
	hears(t, at, a, "u1")
	for i, s := range c.Nodes {
		clients := do(t, s, "CLIENT", "LIST", "TYPE", "pubsub").(string)
		if links := strings.Count(clients, "\n"); links > 2 { // one of each node, a's only where the nodewide channel is
			t.Errorf("master %d has %d subscribers:\n%s", i, links, clients)
		}
		do(t, s, "CLIENT", "KILL", "TYPE", "pubsub")
		at.skip(t, "up")
		hears(t, at, a, fmt.Sprint("again", i))
	}
}

// TestSlotMoves: Redis ends the subscriptions of a slot that it gives to another master; they follow it there.
func TestSlotMoves(t *testing.T) {
	c, err := redistest.StartCluster(3)
	must(t, err)
	t.Cleanup(func() { must(t, c.Stop()) })
	a, b := node(t, c.URL(), "a"), node(t, c.URL(), "b")
	at := listen(t, b)
	at.expect(t, "up")
	must(t, b.Watch(t.Context(), "lobby"))

	master, err := b.client.(*goredis.ClusterClient).MasterForKey(t.Context(), b.channel("lobby"))
	must(t, err)
	slot := do(t, c.Nodes[0], "CLUSTER", "KEYSLOT", "lobby")
	var to *redistest.Server
	for _, s := range c.Nodes {
		if s.Addr() != master.Options().Addr {
			to = s
		}
	}
	id := do(t, to, "CLUSTER", "MYID")
	for _, s := range append([]*redistest.Server{to}, c.Nodes...) { // the new owner first
		do(t, s, "CLUSTER", "SETSLOT", slot, "NODE", id)
	}
	at.expect(t, "down", "up")
	publish(t, a, typing("lobby", "u1"))
	at.expect(t, "lobby u1")
	if err := firstNumber(a); err != nil {
		t.Errorf("a number from the new master: %v", err)
	}
}
