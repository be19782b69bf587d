package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/gochat-dev/gochat/internal/chat"
)

// process is a server as people run it: the built binary, on free ports, with a data directory of the test's.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	base  string // http://address
	admin string
	done  chan error
}

var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "gochat-server")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "server")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building the server: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	err := stopShared()
	if path, failed := binary(); failed == nil {
		err = errors.Join(err, os.RemoveAll(filepath.Dir(path)))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func start(t *testing.T, dir string, env ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(path), done: make(chan error, 1)}
	p.cmd.Env = append(os.Environ(), "GOCHAT_LISTEN=127.0.0.1:0", "GOCHAT_ADMIN_LISTEN=127.0.0.1:0",
		"GOCHAT_DATA_DIR="+dir, "GOCHAT_SEND_RATE=0", "GOCHAT_AUTH_RATE=0", "GOCHAT_LOG_FORMAT=json")
	p.cmd.Env = append(p.cmd.Env, env...)
	log, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		var line struct{ Msg, Address, Admin string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
			p.base, p.admin = "http://"+line.Address, line.Admin
			break
		}
		t.Log(lines.Text())
	}
	go func() {
		_, _ = io.Copy(io.Discard, log) // ends with the process
		p.done <- p.cmd.Wait()
	}()
	t.Cleanup(p.kill)
	if p.base == "" {
		t.Fatal("the server did not start")
	}
	return p
}

// kill ends the process with SIGKILL and waits for it; a second call does nothing.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended already
	if _, open := <-p.done; open {
		close(p.done)
	}
}

// call makes a request and decodes the answer.
func (p *process) call(token, method, path string, in, out any) {
	p.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		p.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.base+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode >= 300 {
		p.t.Fatalf("%s %s: %s", method, path, res.Status)
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		p.t.Fatal(err)
	}
}

// metric is a series without labels.
func (p *process) metric(name string) string {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, "http://"+p.admin+"/metrics", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), name+" "); found {
			return value
		}
	}
	return "missing"
}

// someone registers, or logs in again, and returns an access token.
func (p *process) someone(path string) string {
	var grant struct {
		Token string `json:"access_token"`
	}
	p.call("", http.MethodPost, path, map[string]string{"username": "somebody", "password": "a long password"}, &grant)
	return grant.Token
}

func (p *process) dial(token string) *websocket.Conn {
	p.t.Helper()
	d := websocket.Dialer{Subprotocols: []string{"gochat.v1", "gochat.bearer." + token}}
	conn, res, err := d.DialContext(p.t.Context(), "ws"+p.base[len("http"):]+"/api/v1/ws", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	_ = res.Body.Close() // empty after an upgrade
	p.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// object is what a test looks at of whatever the server sends.
type object struct {
	User     struct{ ID string }
	Changes  []pushedChange
	Type     string `json:"type"`
	Seq      int64  `json:"seq"`
	ID       int    `json:"id"`
	Body     string `json:"body"`
	WithinMS int64  `json:"within_ms"`
}

// objects hands over every object that comes until the connection ends, and returns what ended it.
func objects(conn *websocket.Conn, each func(object)) error {
	for {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			return err
		}
		for line := range bytes.SplitSeq(frame, []byte{'\n'}) {
			var o object
			if err := json.Unmarshal(line, &o); err != nil {
				return err
			}
			each(o)
		}
	}
}

func send(conn *websocket.Conn, room string, id int, body string) error {
	return conn.WriteJSON(map[string]any{"type": "send", "id": id, "room_id": room, "client_id": chat.NewID(), "body": body})
}

func TestKilled(t *testing.T) {
	t.Run("[SEQ3] what was acknowledged before a SIGKILL is there once, in order", func(t *testing.T) {
		dir := t.TempDir()
		p := start(t, dir)
		token := p.someone("/auth/register")
		var room struct {
			ID string `json:"id"`
		}
		p.call(token, http.MethodPost, "/rooms", map[string]string{"name": "General", "visibility": "public"}, &room)

		const senders, enough = 4, 200
		var mu sync.Mutex
		acknowledged := make(map[int64]string)
		plenty := make(chan struct{})
		var clients sync.WaitGroup
		for sender := range senders {
			conn := p.dial(token)
			body := func(id int) string { return fmt.Sprintf("%d from %d", id, sender) }
			clients.Go(func() {
				id := 0
				for err := error(nil); err == nil; { // until the server is gone
					id++
					err = send(conn, room.ID, id, body(id))
				}
			})
			clients.Go(func() {
				_ = objects(conn, func(o object) { // ends with the server
					if o.Type != "reply" {
						return
					}
					mu.Lock()
					defer mu.Unlock()
					acknowledged[o.Seq] = body(o.ID)
					if len(acknowledged) == enough {
						close(plenty)
					}
				})
			})
		}
		<-plenty
		p.kill()
		clients.Wait()

		again := start(t, dir)
		history := again.history(again.someone("/auth/login"), room.ID)
		bodies := make(map[string]int)
		last := int64(0)
		for _, e := range history {
			if e.Seq <= last {
				t.Errorf("%d comes after %d", e.Seq, last)
			}
			last = e.Seq
			bodies[e.Body]++
		}
		at := make(map[int64]string, len(history))
		for _, e := range history {
			at[e.Seq] = e.Body
		}
		for seq, body := range acknowledged {
			if at[seq] != body || bodies[body] != 1 {
				t.Errorf("%q was acknowledged as %d: there stands %q, and it is there %d times", body, seq, at[seq], bodies[body])
			}
		}
		t.Logf("%d acknowledged, %d stored", len(acknowledged), len(history))
	})
}

// history reads a whole room.
func (p *process) history(token, room string) []object {
	var all []object
	for after := int64(0); ; {
		var page struct {
			Items   []object `json:"items"`
			HasMore bool     `json:"has_more"`
		}
		p.call(token, http.MethodGet, fmt.Sprintf("/rooms/%s/messages?after_seq=%d&limit=200", room, after), nil, &page)
		all = append(all, page.Items...)
		if !page.HasMore || len(page.Items) == 0 {
			return all
		}
		after = page.Items[len(page.Items)-1].Seq
	}
}

func TestStopped(t *testing.T) {
	t.Run("[DRN1] at SIGTERM clients are asked to move, sends are still answered, then 1001 and exit 0 within the window", func(t *testing.T) {
		p := start(t, t.TempDir(), "GOCHAT_DRAIN=20s")
		token := p.someone("/auth/register")
		var room struct {
			ID string `json:"id"`
		}
		p.call(token, http.MethodPost, "/rooms", map[string]string{"name": "General", "visibility": "public"}, &room)
		conn := p.dial(token)
		var asked, answered bool
		ended := make(chan error, 1)
		welcomed := make(chan struct{})
		go func() {
			ended <- objects(conn, func(o object) {
				switch o.Type {
				case "welcome":
					close(welcomed)
				case "reconnect":
					asked = o.WithinMS > 0
					if err := send(conn, room.ID, 7, "one more"); err != nil {
						t.Error(err)
					}
				case "reply":
					answered = answered || o.ID == 7
				}
			})
		}()
		<-welcomed
		began := time.Now()
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !websocket.IsCloseError(err, websocket.CloseGoingAway) {
			t.Errorf("the connection ended with %v, want 1001", err)
		}
		if !asked || !answered {
			t.Errorf("asked to reconnect: %v; a send meanwhile answered: %v", asked, answered)
		}
		if err := <-p.done; err != nil {
			t.Errorf("the server ended with %v, want exit 0", err)
		}
		close(p.done)
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("leaving took %v, more than the window", took)
		}
	})
	t.Run("[DRN1] a connection that nobody has used yet holds up nobody", func(t *testing.T) {
		p := start(t, t.TempDir())
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }() // the server has closed it
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := <-p.done; err != nil {
			t.Errorf("the server ended with %v, want exit 0", err)
		}
		close(p.done)
	})
	t.Run("a second server on the same directory is refused", func(t *testing.T) {
		dir := t.TempDir()
		start(t, dir)
		path, err := binary()
		if err != nil {
			t.Fatal(err)
		}
		second := exec.Command(path)
		second.Env = append(os.Environ(), "GOCHAT_LISTEN=127.0.0.1:0", "GOCHAT_ADMIN_LISTEN=127.0.0.1:0", "GOCHAT_DATA_DIR="+dir)
		out, err := second.CombinedOutput()
		if err == nil || !bytes.Contains(out, []byte("another server runs")) {
			t.Errorf("it ended with %v and said %q", err, out)
		}
	})
}
