package main

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/gorilla/websocket"
)

// healthcheck runs the command as a container's health check does, and returns its exit status and what it said.
func healthcheck(t *testing.T, admin string, args ...string) (status int, said string) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, append([]string{"healthcheck"}, args...)...)
	cmd.Env = append(os.Environ(), "GOCHAT_ADMIN_LISTEN="+admin, "HTTP_PROXY=http://127.0.0.1:1")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func TestHealthcheck(t *testing.T) {
	p := start(t, t.TempDir(), "GOCHAT_DRAIN=20s")
	check := func(when string, wantStatus int, wantSaid string, args ...string) {
		t.Helper()
		if status, said := healthcheck(t, p.admin, args...); status != wantStatus || !strings.Contains(said, wantSaid) {
			t.Errorf("%s: it exits %d and says %q, want %d and %q", when, status, said, wantStatus, wantSaid)
		}
	}
	check("serving", 0, "ready\n")
	check("serving", 0, "alive\n", "--live")

	conn := p.dial(p.someone("/auth/register"))
	asked, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- objects(conn, func(o object) {
			if o.Type == "reconnect" {
				close(asked)
			}
		})
	}()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-asked: // by then readiness fails, and the client's staying keeps the server here
	case err := <-ended:
		t.Fatalf("the connection ended with %v before it was asked to reconnect", err)
	}
	check("leaving", 1, "server: not ready: staying: the node is leaving\n")
	check("leaving", 0, "alive\n", "--live")
	if err := <-ended; !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("the connection ended with %v, want 1001", err)
	}
	if err := <-p.done; err != nil {
		t.Errorf("the server ended with %v, want exit 0", err)
	}
	close(p.done)
	check("gone", 1, "server: no answer: ")
	check("gone", 1, "server: no answer: ", "--live")
}

func TestReachable(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:9090": "127.0.0.1:9090", "10.1.2.3:9090": "10.1.2.3:9090", "localhost:9090": "localhost:9090",
		":9090": "127.0.0.1:9090", "0.0.0.0:9090": "127.0.0.1:9090", "[::]:9090": "[::1]:9090", "[::1]:9090": "[::1]:9090",
	} {
		if got := reachable(listen); got != want {
			t.Errorf("%s is reached at %s, want %s", listen, got, want)
		}
	}
}

func TestComplaint(t *testing.T) {
	for body, want := range map[string]string{
		`{"status":"unavailable","checks":{"store":{"ok":false,"error":"no space"},"staying":{"ok":false,"error":"leaving"},"x":{"ok":true}}}`: "not ready: staying: leaving; store: no space",
		`<html>`: "not well: 502 Bad Gateway",
		`{}`:     "not well: 502 Bad Gateway",
	} {
		if got := complaint("502 Bad Gateway", []byte(body)); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}
