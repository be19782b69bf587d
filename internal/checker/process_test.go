package checker

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
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

	"github.com/gochat-dev/gochat/internal/session"
)

// process is the server as people run it: the built binary, with the same address and data directory at every start.
type process struct {
	t       *testing.T
	binary  string
	dir     string
	address string
	cmd     *exec.Cmd
	done    chan error
}

// newProcess builds the server.
func newProcess(t *testing.T, dir string) *process {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "server")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/server")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the server: %v\n%s", err, out)
	}
	p := &process{t: t, binary: binary, dir: dir, address: "127.0.0.1:0"}
	t.Cleanup(p.kill)
	return p
}

// start starts the server and waits until it serves.
func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.CommandContext(context.WithoutCancel(p.t.Context()), p.binary)
	p.cmd.Env = append(os.Environ(), "GOCHAT_LISTEN="+p.address, "GOCHAT_ADMIN_LISTEN=127.0.0.1:0", "GOCHAT_DATA_DIR="+p.dir,
		"GOCHAT_SEND_RATE=0", "GOCHAT_AUTH_RATE=0", "GOCHAT_LOG_FORMAT=json")
	log, err := p.cmd.StderrPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	lines, serving := bufio.NewScanner(log), false
	for !serving && lines.Scan() {
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
			if serving = true; strings.HasSuffix(p.address, ":0") {
				p.address = line.Address // the next starts take the same one
			}
			continue
		}
		p.t.Log(lines.Text())
	}
	done := make(chan error, 1)
	p.done = done
	go func(cmd *exec.Cmd) {
		_, _ = io.Copy(io.Discard, log) // ends with the process
		done <- cmd.Wait()
	}(p.cmd)
	if !serving {
		p.t.Fatal("the server did not start")
	}
}

// kill ends the server with SIGKILL.
func (p *process) kill() {
	if p.cmd != nil {
		_ = p.end(syscall.SIGKILL) // what it was killed with
	}
}

// end ends the server with a signal and returns how it went.
func (p *process) end(signal syscall.Signal) error {
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Errorf("%v: %v", signal, err)
	}
	err := <-p.done
	p.cmd = nil
	return err
}

// call makes a request and decodes the answer.
func (p *process) call(token, method, path string, in, out any) {
	p.t.Helper()
	if _, err := Address(p.address).Call(token, method, path, in, out); err != nil {
		p.t.Fatal(err)
	}
}

// ready reports what /readyz says.
func (p *process) ready() bool {
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, "http://"+p.address+"/readyz", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close() // nothing of it is read
	return res.StatusCode == http.StatusOK
}

// dial connects to the server, wherever it stands.
func (p *process) dial(ctx context.Context, token, epoch string, resume []session.Resume) (Conn, error) {
	return Address(p.address).Dial(ctx, websocket.Dialer{}, token, epoch, resume)
}

// crowd is clients that talk over a process.
type crowd struct {
	*run
	p     *process
	token string // of the first of them
}

// newCrowd registers people, makes rooms with all of them in it, and connects a client for each.
func newCrowd(t *testing.T, p *process, people, rooms int) *crowd {
	t.Helper()
	c := &crowd{p: p, run: &run{history: NewHistory(), start: time.Now()}}
	tokens := make([]string, people)
	for i := range people {
		var grant struct {
			Token string `json:"access_token"`
			User  struct {
				ID string `json:"id"`
			} `json:"user"`
		}
		p.call("", http.MethodPost, "/auth/register", map[string]string{"username": fmt.Sprintf("user%d", i), "password": "a long password"}, &grant)
		tokens[i] = grant.Token
		c.users = append(c.users, user{id: grant.User.ID})
	}
	c.token = tokens[0]
	for i := range rooms {
		var room struct {
			ID string `json:"id"`
		}
		p.call(c.token, http.MethodPost, "/rooms", map[string]string{"name": fmt.Sprint("Room ", i), "visibility": "public"}, &room)
		for _, token := range tokens[1:] {
			p.call(token, http.MethodPost, "/rooms/"+room.ID+"/join", nil, nil)
		}
		c.rooms = append(c.rooms, room.ID)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	c.stop = stop
	t.Cleanup(func() { stop(); c.clientWG.Wait() })
	for i, token := range tokens {
		client := NewClient(ClientConfig{
			Name: fmt.Sprint("c", i), UserID: c.users[i].id, Seed: uint64(i),
			Dial: func(ctx context.Context, epoch string, resume []session.Resume) (Conn, error) {
				return p.dial(ctx, token, epoch, resume)
			},
		}, c.history)
		c.clients = append(c.clients, client)
		c.clientWG.Go(func() { client.Run(ctx) })
	}
	return c
}

// talk has everybody say something now and then, until ctx ends.
func (c *crowd) talk(ctx context.Context) {
	ticker := time.NewTicker(4 * time.Millisecond)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ticker.C:
			c.clients[n%len(c.clients)].Send(c.rooms[n/3%len(c.rooms)], fmt.Sprintf("%d %s", n, strings.Repeat("word ", n%40)))
		case <-ctx.Done():
			return
		}
	}
}

// until waits for something to become true.
func (c *crowd) until(what string, within time.Duration, is func() bool) {
	c.p.t.Helper()
	deadline := time.Now().Add(within)
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !is() {
		if time.Now().After(deadline) {
			c.p.t.Fatalf("%s: not within %v\n%s", what, within, c.history.Tail())
		}
		<-ticker.C
	}
}

// acknowledged is how many messages were.
func (c *crowd) acknowledged() int {
	n := 0
	for _, client := range c.clients {
		n += inside(client, func() int { return len(client.sent) - len(client.outbox) })
	}
	return n
}

// settle waits until every client has all there is, and ends the server and the clients in good order.
func (c *crowd) settle() {
	c.p.t.Helper()
	heads := make(map[string]int64)
	c.until("all is acknowledged, and everybody has everything", 30*time.Second, func() bool {
		for _, client := range c.clients {
			if inside(client, func() bool { return len(client.outbox) > 0 || !client.live() }) {
				return false
			}
		}
		var list struct {
			Items []struct {
				ID   string `json:"id"`
				Head int64  `json:"head_seq"`
			} `json:"items"`
		}
		c.p.call(c.token, http.MethodGet, "/rooms", nil, &list)
		for _, room := range list.Items {
			heads[room.ID] = room.Head
		}
		for _, client := range c.clients {
			client.Back()
			if !inside(client, func() bool { return client.has(heads) }) {
				return false
			}
		}
		return true
	})
	c.stop()
	c.clientWG.Wait()
	if err := c.p.end(syscall.SIGTERM); err != nil {
		c.p.t.Errorf("the server ended with %v, want exit 0", err)
	}
}

// has reports whether the client has all of these rooms, from their start up to these numbers.
func (c *Client) has(heads map[string]int64) bool {
	for id, head := range heads {
		room := c.rooms[id]
		if room == nil || !room.whole || room.last().seq != head {
			return false
		}
	}
	return c.live() && len(c.line.pending) == 0
}

// compareWithFile checks the record against the file that the server has left.
func (c *crowd) compareWithFile() {
	t := c.p.t
	t.Helper()
	db := &sqliteDB{path: filepath.Join(c.p.dir, "gochat.db")}
	if err := db.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	c.ledger = NewLedger(db, c.history)
	for _, room := range c.rooms {
		log, err := readLog(t.Context(), db.Store(), room)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range log {
			c.ledger.committed(e)
		}
	}
	c.verify(t.Context())
	for _, v := range c.history.Violations() {
		t.Error(v)
	}
	if t.Failed() {
		t.Log(c.history.Excerpt())
	}
}

func TestServerProcess(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the server and runs it for some seconds")
	}
	t.Run("[SEQ1][SEQ2][SEQ3][SEQ7][RES2] killed again and again under load: what was acknowledged is there once, in order, and nobody misses anything", func(t *testing.T) {
		p := newProcess(t, t.TempDir())
		p.start()
		c := newCrowd(t, p, 5, 2)
		talking, quiet := context.WithCancel(t.Context())
		var talk sync.WaitGroup
		talk.Go(func() { c.talk(talking) })
		for i := range 3 {
			enough := c.acknowledged() + 150
			c.until("something is said", 30*time.Second, func() bool { return c.acknowledged() >= enough })
			c.history.note("", "", "FAULT SIGKILL %d", i)
			p.kill()
			p.start()
		}
		enough := c.acknowledged() + 100
		c.until("the talk goes on", 30*time.Second, func() bool { return c.acknowledged() >= enough })
		quiet()
		talk.Wait()
		c.settle()
		c.compareWithFile()
		t.Logf("%d messages, all acknowledged", len(c.ledger.commits))
	})
}
