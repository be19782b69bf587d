package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/redistest"
	"github.com/gochat-dev/gochat/internal/settings"
)

// Servers that the tests share, from the first that needs them on.
var (
	oneRedis = sync.OnceValues(func() (*redistest.Server, error) {
		return started(redistest.Start(redistest.Config{Args: []string{"--databases", "1000"}}))
	})
	redisCluster = sync.OnceValues(func() (*redistest.Cluster, error) { return started(redistest.StartCluster(3)) })
	databaseOf   atomic.Int64 // the last one of oneRedis that a chat was given

	stops struct { // of the servers that have been started
		sync.Mutex
		all []func() error
	}
)

func started[S interface{ Stop() error }](s S, err error) (S, error) {
	stops.Lock()
	defer stops.Unlock()
	if err == nil {
		stops.all = append(stops.all, s.Stop)
	}
	return s, err
}

// stopShared stops the servers that have been started.
func stopShared() error {
	err := databases.Stop()
	for _, stop := range stops.all {
		err = errors.Join(err, stop())
	}
	return err
}

// chats are the ways to run a chat: what SPEC.md promises holds in each.
var chats = []struct {
	name  string
	nodes int
	set   func(t *testing.T, cfg *settings.Server)
}{
	{"one node, SQLite", 1, func(*testing.T, *settings.Server) {}},
	{"three nodes, Postgres and Redis", 3, func(t *testing.T, cfg *settings.Server) {
		rd, err := oneRedis()
		must(t, err)
		cfg.PostgresURL, cfg.RedisURL = databases.New(t), fmt.Sprintf("redis://%s/%d", rd.Addr(), databaseOf.Add(1))
	}},
	{"three nodes, Postgres and a Redis Cluster", 3, func(t *testing.T, cfg *settings.Server) {
		rd, err := redisCluster()
		must(t, err)
		cfg.PostgresURL, cfg.RedisURL = databases.New(t), rd.URL()
	}},
}

// stage is a chat of real nodes, spoken to as clients do.
type stage struct {
	*testing.T
	nodes  []*node
	people int
}

// prove runs a rule in every chat.
func prove(t *testing.T, rule string, do func(s *stage)) {
	for _, c := range chats {
		t.Run(rule+" ("+c.name+")", func(t *testing.T) {
			t.Parallel()
			cfg := settings.Server{
				Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", DataDir: t.TempDir(), Registration: settings.RegistrationOpen,
				Guests: true, AccessTokenTTL: time.Hour, RefreshTokenTTL: 24 * time.Hour, Drain: 5 * time.Second,
			}
			c.set(t, &cfg)
			s := &stage{T: t}
			for range c.nodes {
				n, err := open(t.Context(), cfg, slog.New(slog.DiscardHandler))
				must(t, err)
				ctx, stop := context.WithCancel(context.Background())
				done := make(chan error, 1)
				go func() { done <- n.serve(ctx) }()
				t.Cleanup(func() {
					stop()
					if err := <-done; err != nil {
						t.Error(err)
					}
				})
				s.nodes = append(s.nodes, n)
			}
			do(s)
		})
	}
}

// at is one of the nodes: where there are fewer, one of those again.
func (s *stage) at(i int) *node { return s.nodes[i%len(s.nodes)] }

// person is somebody who is logged in, once.
type person struct {
	*stage
	name, id string
	token    string
	client   *http.Client // has the cookie
}

const password = "a long password"

// register makes an account on a node; login logs its owner in again, as another session.
func (s *stage) register(i int) *person {
	s.Helper()
	s.people++
	p := &person{stage: s, name: fmt.Sprint("person", s.people)}
	p.enter(i, "/auth/register")
	return p
}

func (p *person) login(i int) *person {
	p.Helper()
	again := &person{stage: p.stage, name: p.name}
	again.enter(i, "/auth/login")
	return again
}

func (p *person) enter(i int, path string) {
	p.Helper()
	jar, err := cookiejar.New(nil)
	must(p.T, err)
	p.client = &http.Client{Jar: jar, Transport: &http.Transport{}}
	p.Cleanup(p.client.CloseIdleConnections)
	var grant struct {
		User  struct{ ID string }
		Token string `json:"access_token"`
	}
	p.do(i, http.MethodPost, path, map[string]string{"username": p.name, "password": password}, &grant)
	p.id, p.token = grant.User.ID, grant.Token
}

// do makes a request of a node, which must be granted.
func (p *person) do(i int, method, path string, in, out any) {
	p.Helper()
	body, err := json.Marshal(in)
	must(p.T, err)
	req, err := http.NewRequestWithContext(p.Context(), method, "http://"+p.at(i).public.Addr().String()+"/api/v1"+path, bytes.NewReader(body))
	must(p.T, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+p.token)
	res, err := p.client.Do(req)
	must(p.T, err)
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	must(p.T, err)
	if res.StatusCode >= 300 {
		p.Fatalf("%s %s: %s %s", method, path, res.Status, answer)
	}
	if out != nil {
		must(p.T, json.Unmarshal(answer, out))
	}
}

// room makes a public room on the first node, with these members besides.
func (p *person) room(members ...*person) string {
	p.Helper()
	var room struct{ ID string }
	p.do(0, http.MethodPost, "/rooms", map[string]string{"name": "Room", "visibility": "public"}, &room)
	for _, m := range members {
		m.do(0, http.MethodPost, "/rooms/"+room.ID+"/join", struct{}{}, nil)
	}
	return room.ID
}

// tab is a connection. What it receives waits in got.
type tab struct {
	*person
	conn    *websocket.Conn
	welcome pushed
	writing sync.Mutex
	id      int

	mu   sync.Mutex
	got  []pushed
	code int           // that it was closed with
	more chan struct{} // closed, and made anew, when something has come
}

// pushedState is a change of presence.
type pushedState struct {
	UserID string `json:"user_id"`
	State  string
}

// pushed is what the tests look at of an object.
type pushed struct {
	Type    string
	ID      int
	RoomID  string `json:"room_id"`
	Seq     int64
	PrevSeq *int64 `json:"prev_seq"`
	Kind    string
	Body    string
	Message string `json:"message_id"`
	Epoch   string
	Reason  string
	UserID  string `json:"user_id"`
	On      bool
	Reads   []struct {
		UserID string `json:"user_id"`
		Seq    int64
	}
	Changes   []pushedState
	Presence  map[string]any
	Recovered *bool
	HeadSeq   int64 `json:"head_seq"`
	Unread    int   `json:"unread_count"`
	LastRead  int64 `json:"last_read_seq"`
	Entries   []pushed
	Error     struct{ Code string }
	Data      json.RawMessage
}

// connect opens a tab on a node and takes its welcome.
func (p *person) connect(i int, query ...string) *tab {
	p.Helper()
	d := websocket.Dialer{Subprotocols: []string{"gochat.v1", "gochat.bearer." + p.token}}
	u := url.URL{Scheme: "ws", Host: p.at(i).public.Addr().String(), Path: "/api/v1/ws", RawQuery: strings.Join(query, "&")}
	conn, res, err := d.DialContext(p.Context(), u.String(), nil)
	must(p.T, err)
	must(p.T, res.Body.Close())
	c := &tab{person: p, conn: conn, more: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.read()
	}()
	p.Cleanup(func() {
		_ = conn.Close() // the server may have closed it
		<-done
	})
	c.welcome = c.wants("welcome", func(o pushed) bool { return o.Type == "welcome" })
	return c
}

func (c *tab) read() {
	for {
		_, frame, err := c.conn.ReadMessage()
		c.mu.Lock()
		if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
			c.code = closed.Code
		}
		for line := range bytes.SplitSeq(frame, []byte{'\n'}) {
			var o pushed
			if err == nil && json.Unmarshal(line, &o) == nil {
				c.got = append(c.got, o)
			}
		}
		close(c.more)
		c.more = make(chan struct{})
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// patience is how long a test waits for what must come at once; the rules that have a time check it themselves.
const patience = 15 * time.Second

// wants waits for an object, and drops what came before it.
func (c *tab) wants(what string, is func(pushed) bool) pushed {
	c.Helper()
	timeout := time.After(patience)
	for {
		c.mu.Lock()
		for i, o := range c.got {
			if is(o) {
				c.got = c.got[i+1:]
				c.mu.Unlock()
				return o
			}
		}
		more, got, code := c.more, c.got, c.code
		c.mu.Unlock()
		select {
		case <-more:
		case <-timeout:
			c.Fatalf("%s waited in vain for %s; closed with %d; got %+v", c.name, what, code, got)
		}
	}
}

func (c *tab) wantsText(body string) pushed {
	c.Helper()
	return c.wants("the text "+body, func(o pushed) bool { return o.Type == "entry" && o.Body == body })
}

// closed waits until the server has closed the connection, with this code.
func (c *tab) closed(want int) {
	c.Helper()
	timeout := time.After(patience)
	for {
		c.mu.Lock()
		code, more := c.code, c.more
		c.mu.Unlock()
		if code != 0 {
			if code != want {
				c.Errorf("%s was closed with %d, want %d", c.name, code, want)
			}
			return
		}
		select {
		case <-more:
		case <-timeout:
			c.Fatalf("%s was not closed", c.name)
		}
	}
}

// since is what has come and was not taken.
func (c *tab) since() []pushed {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]pushed(nil), c.got...)
}

// command sends one and returns its answer.
func (c *tab) command(kind string, fields map[string]any) pushed {
	c.Helper()
	c.writing.Lock()
	c.id++
	id := c.id
	frame := map[string]any{"type": kind, "id": id}
	maps.Copy(frame, fields)
	err := c.conn.WriteJSON(frame)
	c.writing.Unlock()
	must(c.T, err)
	return c.answer(id)
}

// answer waits for the answer to a command, and leaves everything else where it is.
func (c *tab) answer(id int) pushed {
	c.Helper()
	timeout := time.After(patience)
	for {
		c.mu.Lock()
		for i, o := range c.got {
			if o.ID == id && (o.Type == "reply" || o.Type == "error") {
				c.got = append(c.got[:i:i], c.got[i+1:]...)
				c.mu.Unlock()
				return o
			}
		}
		more, code := c.more, c.code
		c.mu.Unlock()
		select {
		case <-more:
		case <-timeout:
			c.Fatalf("%s has no answer to %d; closed with %d", c.name, id, code)
		}
	}
}

// say sends a text, which must be taken, and returns the answer.
func (c *tab) say(room, body string) pushed {
	c.Helper()
	answer := c.command("send", map[string]any{"room_id": room, "client_id": chat.NewID(), "body": body})
	if answer.Type != "reply" {
		c.Fatalf("%s: %q was refused: %s", c.name, body, answer.Error.Code)
	}
	return answer
}
