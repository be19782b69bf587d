// Package monitoring runs a real Prometheus over two real servers that talk, and asks it everything that the dashboard and
// the alerts of a ChatCluster ask.
package monitoring

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/gochat-dev/gochat/internal/pgtest"
	"github.com/gochat-dev/gochat/internal/redistest"
)

// node is a server as people run it.
type node struct{ base, admin string }

// nodes are servers with what they share.
type nodes struct {
	all      []node
	database *pgtest.Server
	redis    *redistest.Server
}

// startNodes starts servers that share a Postgres and a Redis. They end with the test.
func startNodes(t *testing.T, count int) nodes {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "server")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/server").CombinedOutput(); err != nil {
		t.Fatalf("building the server: %v\n%s", err, out)
	}
	database, err := pgtest.Start(pgtest.Config{})
	no(t, err)
	t.Cleanup(func() { no(t, database.Stop()) })
	url, err := database.Create(context.Background(), "chat")
	no(t, err)
	redis, err := redistest.Start(redistest.Config{})
	no(t, err)
	t.Cleanup(func() { no(t, redis.Stop()) })
	env := append(os.Environ(), "GOCHAT_POSTGRES_URL="+url, "GOCHAT_REDIS_URL="+redis.URL(), "GOCHAT_LISTEN=127.0.0.1:0",
		"GOCHAT_ADMIN_LISTEN=127.0.0.1:0", "GOCHAT_SEND_RATE=0", "GOCHAT_AUTH_RATE=0", "GOCHAT_LOG_FORMAT=json", "GOCHAT_MAX_CONNECTIONS=100")
	migrate := exec.CommandContext(t.Context(), binary, "migrate")
	migrate.Env = env
	if out, err := migrate.CombinedOutput(); err != nil {
		t.Fatalf("migrate: %v\n%s", err, out)
	}
	n := nodes{database: database, redis: redis}
	for range count {
		n.all = append(n.all, startNode(t, binary, env))
	}
	return n
}

func startNode(t *testing.T, binary string, env []string) node {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), binary)
	cmd.Env = env
	log, err := cmd.StderrPipe()
	no(t, err)
	no(t, cmd.Start())
	var reading sync.WaitGroup
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended already
		reading.Wait()
		_ = cmd.Wait() // killed: what it says of that is known
	})
	serving := make(chan node, 1)
	reading.Go(func() {
		defer close(serving)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			var line struct{ Msg, Address, Admin string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
				serving <- node{"http://" + line.Address, line.Admin}
			}
		}
	})
	n, ok := <-serving
	if !ok {
		t.Fatal("the server did not start")
	}
	return n
}

// call asks the REST interface for something.
func (n node) call(t *testing.T, token, method, path string, in, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	no(t, err)
	req, err := http.NewRequestWithContext(t.Context(), method, n.base+"/api/v1"+path, bytes.NewReader(body))
	no(t, err)
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	no(t, err)
	defer func() { _ = res.Body.Close() }() // it has been read
	if res.StatusCode >= http.StatusMultipleChoices {
		t.Fatalf("%s %s: %s", method, path, res.Status)
	}
	no(t, json.NewDecoder(res.Body).Decode(out))
}

func no(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
