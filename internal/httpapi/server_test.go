package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"golang.org/x/time/rate"

	"github.com/gochat-dev/gochat/internal/auth"
	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/httpapi"
	"github.com/gochat-dev/gochat/internal/inmem"
	"github.com/gochat-dev/gochat/internal/presence"
	"github.com/gochat-dev/gochat/internal/relay"
	"github.com/gochat-dev/gochat/internal/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is an API over real parts: SQLite, the relay, a backplane in memory.
type server struct {
	t       *testing.T
	api     *httpapi.API
	store   *sqlite.Store
	here    whoIsHere
	notices *notices
	tokens  *auth.Tokens
}

type serverConfig struct {
	edge         httpapi.Edge
	registration auth.Registration
	guests       bool
	limit        rate.Limit
	burst        int
	sendRate     rate.Limit
	app          fs.FS
	pprof        bool
	metrics      prometheus.Gatherer
	websocket    http.Handler
	log          *slog.Logger
	store        func(chat.Store) chat.Store // what the API sees of the store
}

// whoIsHere are the states of those who are not offline.
type whoIsHere map[string]chat.State

func (w whoIsHere) States(_ context.Context, userIDs []string) map[string]chat.State {
	states := make(map[string]chat.State)
	for _, id := range userIDs {
		if state, ok := w[id]; ok {
			states[id] = state
		}
	}
	return states
}

// notices are the connections of a node, as the relay knows them: it notes what they are told.
type notices struct{ told chan chat.UserNotice }

func (n *notices) RoomsChanged(userID string) {
	n.told <- chat.UserNotice{UserID: userID, Kind: chat.RoomsChanged}
}

func (n *notices) Revoked(userID, sessionID string) {
	n.told <- chat.UserNotice{UserID: userID, Kind: chat.SessionRevoked, Session: sessionID}
}
func (n *notices) Users() []string        { return nil }
func (n *notices) Judge(map[string]int64) {}

var testKeys = auth.Keys{{ID: "test", Secret: bytes.Repeat([]byte{7}, 32)}}

func newServer(t *testing.T, cfg serverConfig) *server {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "chat.db")})
	if err != nil {
		t.Fatal(err)
	}
	node := inmem.NewNetwork().Node("node")
	r := relay.New(relay.Config{Node: "node", Store: store, Backplane: node, SendRate: cfg.sendRate, SendBurst: 3})
	s := &server{
		t: t, store: store, tokens: auth.NewTokens(testKeys, 15*time.Minute),
		notices: &notices{told: make(chan chat.UserNotice, 1000)},
		here:    whoIsHere{},
	}
	if err := r.Start(t.Context(), s.notices, presence.New(presence.Config{Node: "node", Backplane: node, Hub: r.Hub(), Publisher: r})); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		if err := node.Close(); err != nil {
			t.Error(err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	var seen chat.Store = store
	if cfg.store != nil {
		seen = cfg.store(store)
	}
	s.api, err = httpapi.New(httpapi.Config{
		Store: seen, Relay: r, Presence: s.here, Edge: cfg.edge, App: cfg.app, PPROF: cfg.pprof, Metrics: cfg.metrics,
		WebSocket: cfg.websocket, Version: "test", Log: cfg.log,
		Auth: auth.New(auth.Config{
			Store: seen, Tokens: s.tokens, Relay: r, Registration: cfg.registration, Guests: cfg.guests,
			Limit: cfg.limit, Burst: cfg.burst, Hash: auth.HashParams{MemoryKiB: 64, Passes: 1, Lanes: 1},
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// person is somebody who uses the API, with what a browser would remember. The zero token is nobody.
type person struct {
	s      *server
	id     string
	name   string
	token  string
	cookie *http.Cookie
	header http.Header // besides
	addr   string      // of the peer; default 192.0.2.1:1234
}

func (s *server) nobody() *person { return &person{s: s, header: http.Header{}} }

const password = "correct horse battery"

// register makes an account.
func (s *server) register(name string) *person {
	s.t.Helper()
	p := s.nobody()
	p.grant(p.do("POST", "/auth/register", fmt.Sprintf(`{"username":%q,"password":%q}`, name, password)).expect(201))
	return p
}

// grant takes over who one is now.
func (p *person) grant(a *answer) {
	var granted struct {
		User struct {
			ID       string `json:"id"`
			Username string `json:"username"`
		} `json:"user"`
		AccessToken string `json:"access_token"`
	}
	a.decode(&granted)
	p.id, p.name, p.token = granted.User.ID, granted.User.Username, granted.AccessToken
	p.takeCookie(a)
}

func (p *person) takeCookie(a *answer) {
	for _, c := range a.Result().Cookies() {
		if strings.HasPrefix(c.Name, "gochat_refresh") {
			p.cookie = c
		}
	}
}

// answer is what came back.
type answer struct {
	*httptest.ResponseRecorder
	t    *testing.T
	what string
}

// do sends a request to a path of the API.
func (p *person) do(method, path string, body any) *answer {
	p.s.t.Helper()
	return p.send(p.s.api.Public(), method, httpapi.Base+path, body)
}

// send sends a request anywhere.
func (p *person) send(h http.Handler, method, path string, body any) *answer {
	p.s.t.Helper()
	r := httptest.NewRequest(method, path, reader(p.s.t, body))
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if p.token != "" {
		r.Header.Set("Authorization", "Bearer "+p.token)
	}
	if p.cookie != nil {
		r.AddCookie(&http.Cookie{Name: p.cookie.Name, Value: p.cookie.Value})
	}
	maps.Copy(r.Header, p.header)
	if p.addr != "" {
		r.RemoteAddr = p.addr
	}
	if host := p.header.Get("Host"); host != "" {
		r.Host = host
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return &answer{w, p.s.t, method + " " + path}
}

func reader(t *testing.T, body any) io.Reader {
	t.Helper()
	switch body := body.(type) {
	case nil:
		return nil
	case string:
		return strings.NewReader(body)
	case []byte:
		return bytes.NewReader(body)
	default:
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.NewReader(b)
	}
}

// expect fails unless the status is this one.
func (a *answer) expect(status int) *answer {
	a.t.Helper()
	if a.Code != status {
		a.t.Fatalf("%s: got %d, want %d: %s", a.what, a.Code, status, a.Body)
	}
	return a
}

// refused fails unless the answer is a problem document with this status and code.
func (a *answer) refused(status int, code chat.Code) problem {
	a.t.Helper()
	var p problem
	a.expect(status).decode(&p)
	if kind := a.Header().Get("Content-Type"); kind != "application/problem+json" {
		a.t.Errorf("%s: a refusal has content type %q", a.what, kind)
	}
	if p.Code != code || p.Status != status || p.Detail == "" || p.Title != http.StatusText(status) {
		a.t.Errorf("%s: got %+v, want code %s", a.what, p, code)
	}
	return p
}

type problem struct {
	Title        string    `json:"title"`
	Status       int       `json:"status"`
	Detail       string    `json:"detail"`
	Code         chat.Code `json:"code"`
	RetryAfterMS int64     `json:"retry_after_ms"`
	Errors       []struct {
		Location string `json:"location"`
		Message  string `json:"message"`
	} `json:"errors"`
}

func (a *answer) decode(v any) *answer {
	a.t.Helper()
	if err := json.Unmarshal(a.Body.Bytes(), v); err != nil {
		a.t.Fatalf("%s: %v: %s", a.what, err, a.Body)
	}
	return a
}

// object is the answer as plain JSON.
func (a *answer) object() map[string]any {
	a.t.Helper()
	var o map[string]any
	a.decode(&o)
	return o
}

// items are those of a page, and the cursor of the next one.
func (a *answer) items() (items []map[string]any, next string) {
	a.t.Helper()
	var page struct {
		Items      []map[string]any `json:"items"`
		NextCursor *string          `json:"next_cursor"`
	}
	a.expect(200).decode(&page)
	if page.Items == nil {
		a.t.Errorf("%s: items is not a list: %s", a.what, a.Body)
	}
	if !strings.Contains(a.Body.String(), `"next_cursor"`) {
		a.t.Errorf("%s: there is no next_cursor: %s", a.what, a.Body)
	}
	if page.NextCursor != nil {
		next = *page.NextCursor
	}
	return page.Items, next
}

// room makes a room and returns its id.
func (p *person) room(name string, visibility chat.Visibility) string {
	p.s.t.Helper()
	a := p.do("POST", "/rooms", map[string]any{"name": name, "visibility": visibility}).expect(201)
	return a.object()["id"].(string)
}
