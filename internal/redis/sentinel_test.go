package redis

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/redistest"
)

// TestFailover: a Sentinel makes a master of the replica, and everything goes on there.
func TestFailover(t *testing.T) {
	master := own(t, redistest.Config{})
	host, port, err := net.SplitHostPort(master.Addr())
	must(t, err)
	replica := own(t, redistest.Config{Args: []string{
		"--replicaof", host + " " + port, "--repl-diskless-sync-delay", "0",
	}})
	sentinel := own(t, redistest.Config{Sentinel: fmt.Sprintf(`
sentinel monitor chat %s %s 1
sentinel down-after-milliseconds chat 500
sentinel failover-timeout chat 2000
`, host, port)})
	eventually(t, "the Sentinel knows the replica, which has caught up", func() bool {
		return len(do(t, sentinel, "SENTINEL", "REPLICAS", "chat").([]any)) == 1 &&
			strings.Contains(do(t, replica, "INFO", "replication").(string), "master_link_status:up")
	})

	url := "redis://" + sentinel.Addr() + "?master_name=chat"
	a, b := node(t, url, "a"), node(t, url, "b")
	at := listen(t, b)
	at.expect(t, "up")
	must(t, b.Watch(t.Context(), "lobby"))
	must(t, firstNumber(a))
	publish(t, a, typing("lobby", "u1"))
	at.expect(t, "lobby u1")

	must(t, master.Kill())
	at.expect(t, "down", "up")
	well(t, a)
	at.skipTo(t, a, "promoted")
	publish(t, a, typing("lobby", "u2"))
	at.expect(t, "lobby u2")
}

// eventually looks until it is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(20 * time.Millisecond) { // between two looks
		if time.Now().After(deadline) {
			t.Fatalf("it is not so that %s", what)
		}
	}
}
