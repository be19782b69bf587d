package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/httpapi"
)

// awayStore can't be reached.
type awayStore struct{ chat.Store }

func (awayStore) Ping(context.Context) error {
	return fmt.Errorf("dial 10.0.0.7: %w", chat.ErrUnavailable)
}

func TestHealth(t *testing.T) {
	away := func(s chat.Store) chat.Store { return awayStore{s} }
	for name, c := range map[string]struct {
		store     func(chat.Store) chat.Store
		drain     bool
		ready     int
		complains string
	}{
		"well":              {ready: 200},
		"the store is away": {store: away, ready: 503, complains: "10.0.0.7"},
		"leaving":           {drain: true, ready: 503, complains: "leaving"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, serverConfig{store: c.store})
			if c.drain {
				s.api.Drain()
			}
			n := s.nobody()
			n.send(s.api.Public(), "GET", "/livez", nil).expect(200)
			n.send(s.api.Admin(), "GET", "/livez", nil).expect(200)
			public := n.send(s.api.Public(), "GET", "/readyz", nil).expect(c.ready)
			admin := n.send(s.api.Admin(), "GET", "/readyz", nil).expect(c.ready)
			if got := public.Body.String(); got != "ok\n" && got != "unavailable\n" {
				t.Errorf("the public answer gives detail: %q", got)
			}
			detail := admin.object()
			if (detail["status"] == "ok") != (c.ready == 200) || detail["version"] != "test" || detail["checks"].(map[string]any)["store"] == nil {
				t.Errorf("%v", detail)
			}
			if !strings.Contains(admin.Body.String(), c.complains) {
				t.Errorf("the cause is not named: %s", admin.Body)
			}
			n.send(s.api.Public(), "POST", "/readyz", nil).expect(405)
		})
	}
}

func TestAdminPort(t *testing.T) {
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "gochat_test_total", Help: "Of this test."})
	registry.MustRegister(counter)
	s := newServer(t, serverConfig{metrics: registry, pprof: true})
	if a := s.nobody().send(s.api.Admin(), "GET", "/metrics", nil).expect(200); !strings.Contains(a.Body.String(), "gochat_test_total 0") {
		t.Errorf("%s", a.Body)
	}
	s.nobody().send(s.api.Admin(), "GET", "/debug/pprof/", nil).expect(200)
	s.nobody().send(s.api.Admin(), "GET", "/debug/pprof/heap", nil).expect(200)
	s.nobody().send(s.api.Admin(), "GET", "/api/v1/openapi.json", nil).expect(404)
	off := newServer(t, serverConfig{})
	off.nobody().send(off.api.Admin(), "GET", "/debug/pprof/", nil).expect(404)
	off.nobody().send(off.api.Admin(), "GET", "/metrics", nil).expect(404)
}

func TestPageOfTheDocument(t *testing.T) {
	s := newServer(t, serverConfig{})
	a := s.nobody().do("GET", "/docs", nil).expect(200)
	page := a.Body.String()
	for _, o := range s.operations() {
		if !strings.Contains(page, ">"+o.method+"</span> <code>"+httpapi.Base+o.path+"<") {
			t.Errorf("%s %s is not on the page", o.method, o.path)
		}
	}
	for _, bad := range []string{"`", "<script", "style=", "http://", "https://", "<img"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q in it", bad)
		}
	}
	if got := a.Header().Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'; style-src 'self'") {
		t.Errorf("policy %q", got)
	}
	style := s.nobody().do("GET", "/docs.css", nil).expect(200)
	if got := style.Header().Get("Content-Type"); got != "text/css; charset=utf-8" {
		t.Errorf("style is %q", got)
	}
	document := s.nobody().do("GET", "/openapi.json", nil).expect(200).object()
	if document["openapi"] != "3.1.0" {
		t.Errorf("version %v", document["openapi"])
	}
}

// The upgrade needs the connection itself, through everything that is put around handlers.
func TestWebSocketRouteGetsTheConnection(t *testing.T) {
	upgrader := websocket.Upgrader{}
	seen := make(chan string, 1)
	s := newServer(t, serverConfig{websocket: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- httpapi.RequestID(r.Context()) + " " + httpapi.BearerToken(r)
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		if err := conn.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
			t.Error(err)
		}
		_ = conn.Close()
	})})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := httpapi.NewServer(listener.Addr().String(), s.api.Public(), slog.New(slog.DiscardHandler))
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	header := http.Header{"Authorization": {"Bearer abc"}, "X-Request-Id": {"id-7"}}
	conn, resp, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+listener.Addr().String()+"/api/v1/ws", header)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = resp.Body.Close()
	if _, frame, err := conn.ReadMessage(); err != nil || string(frame) != "hello" {
		t.Errorf("%q %v", frame, err)
	}
	if got := <-seen; got != "id-7 abc" {
		t.Errorf("the handler saw %q", got)
	}
}

func TestAPINeedsItsParts(t *testing.T) {
	if _, err := httpapi.New(httpapi.Config{}); err == nil {
		t.Error("an API of nothing was made")
	}
}
