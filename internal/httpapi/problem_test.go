package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/httpapi"
)

type operation struct{ method, path string }

// operations are those of the document.
func (s *server) operations() []operation {
	s.t.Helper()
	var document struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(s.api.OpenAPI(), &document); err != nil {
		s.t.Fatal(err)
	}
	var all []operation
	for path, methods := range document.Paths {
		for method := range methods {
			all = append(all, operation{strings.ToUpper(method), path})
		}
	}
	return all
}

// The paths of docs/protocol.md, each of which is in the document, and nothing else.
func TestEveryPathOfTheContractIsThere(t *testing.T) {
	contract := strings.Fields(`
		GET/instance
		POST/auth/register POST/auth/login POST/auth/guest POST/auth/refresh POST/auth/logout
		GET/auth/sessions DELETE/auth/sessions/{id}
		GET/users/me PATCH/users/me PUT/users/me/password GET/users
		POST/rooms GET/rooms GET/rooms/public GET/rooms/{room_id} PATCH/rooms/{room_id} DELETE/rooms/{room_id}
		POST/rooms/{room_id}/join POST/rooms/{room_id}/leave
		GET/rooms/{room_id}/members PATCH/rooms/{room_id}/members/{user_id} DELETE/rooms/{room_id}/members/{user_id}
		POST/rooms/{room_id}/invites GET/rooms/{room_id}/invites DELETE/rooms/{room_id}/invites/{code}
		GET/invites/{code} POST/invites/{code}/accept
		GET/rooms/{room_id}/messages POST/rooms/{room_id}/messages POST/rooms/{room_id}/read`)
	s := newServer(t, serverConfig{})
	there := make(map[string]bool)
	for _, o := range s.operations() {
		there[o.method+o.path] = true
	}
	for _, want := range contract {
		if !there[want] {
			t.Errorf("%s is missing", want)
		}
		delete(there, want)
	}
	for extra := range there {
		t.Errorf("%s is not in the contract", extra)
	}
}

func TestBadInputIsAProblemDocument(t *testing.T) {
	s := newServer(t, serverConfig{})
	p := s.register("alice")
	id := p.room("Room", chat.Private)
	for name, c := range map[string]struct {
		body   any
		kind   string
		status int
		code   chat.Code
	}{
		"no body":          {nil, "", 400, chat.CodeBadRequest},
		"empty body":       {"", "application/json", 400, chat.CodeBadRequest},
		"not JSON":         {"{", "application/json", 400, chat.CodeBadRequest},
		"two values":       {`{"body":"x"}{"body":"y"}`, "application/json", 400, chat.CodeBadRequest},
		"a list":           {"[]", "application/json", 400, chat.CodeBadRequest},
		"deep":             {strings.Repeat("[", 20_000), "application/json", 400, chat.CodeBadRequest},
		"invalid UTF-8":    {"{\"body\":\"\xc3\"}", "application/json", 400, chat.CodeBadRequest},
		"NUL anywhere":     {`{"body":"x","other":{"deep":["\u0000"]}}`, "application/json", 400, chat.CodeBadRequest},
		"NUL in a name":    {`{"body":"x","\u0000":1}`, "application/json", 400, chat.CodeBadRequest},
		"plain text":       {`{"body":"x"}`, "text/plain", 415, chat.CodeBadRequest},
		"a form":           {"body=x", "application/x-www-form-urlencoded", 415, chat.CodeBadRequest},
		"nonsense type":    {`{"body":"x"}`, ";;+", 415, chat.CodeBadRequest},
		"huge":             {`{"body":"` + strings.Repeat("x", 10<<20) + `"}`, "application/json", 413, chat.CodeTooLong},
		"NUL that is a \\": {`{"body":"\\u0000"}`, "application/json", 201, ""},
		"charset":          {`{"body":"x"}`, "application/json; charset=utf-8", 201, ""},
	} {
		t.Log(name)
		p.header.Set("Content-Type", c.kind)
		a := p.do("POST", "/rooms/"+id+"/messages", c.body)
		if c.status == 201 {
			a.expect(201)
			continue
		}
		a.refused(c.status, c.code)
	}
}

func TestFaultsAreAllNamedWithoutTheirValues(t *testing.T) {
	s := newServer(t, serverConfig{})
	p := s.nobody().do("POST", "/auth/register", `{"username":"No","password":"hunter2","display_name":7}`).refused(400, chat.CodeBadRequest)
	if len(p.Errors) < 3 || strings.Contains(fmt.Sprint(p), "hunter2") {
		t.Errorf("%+v", p)
	}
	if p.Errors[0].Location == "" || p.Errors[0].Message == "" || !strings.Contains(p.Detail, p.Errors[0].Message) {
		t.Errorf("%+v", p)
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	s := newServer(t, serverConfig{})
	p := s.register("alice")
	for _, path := range []string{"/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/rooms", "/api/v1/nothing", "/api/v1/rooms/x/y/z", "/api/v1/users/x", "/api/v1/ws"} {
		p.send(s.api.Public(), "GET", path, nil).refused(404, chat.CodeNotFound)
	}
	a := p.do("DELETE", "/rooms", nil)
	a.refused(405, chat.CodeBadRequest)
	if got := a.Header().Get("Allow"); got != "GET, HEAD, POST" {
		t.Errorf("Allow %q", got)
	}
	p.do("GET", "/rooms/a%00b", nil).refused(400, chat.CodeBadRequest)
	p.do("GET", "/users?query=%00", nil).refused(400, chat.CodeBadRequest)
	p.do("GET", "/users?query=%ff", nil).refused(400, chat.CodeBadRequest)
	p.do("GET", "/rooms/a%ffb", nil).refused(400, chat.CodeBadRequest)
}

// brokenStore fails in the way of its error.
type brokenStore struct {
	chat.Store
	err error
}

func (b brokenStore) RoomsOf(context.Context, string, chat.Paging) ([]chat.RoomView, string, error) {
	if b.err == nil {
		panic("broken")
	}
	return nil, "", b.err
}

func TestFailuresAreNotExplainedToTheClient(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		status int
		code   chat.Code
		logged string
	}{
		"the store is away":  {fmt.Errorf("dial tcp 10.0.0.7: refused: %w", chat.ErrUnavailable), 503, chat.CodeUnavailable, "10.0.0.7"},
		"outcome unknown":    {fmt.Errorf("10.0.0.7: %w", chat.ErrUnknownOutcome), 503, chat.CodeUnavailable, "10.0.0.7"},
		"something else":     {errors.New("secret 10.0.0.7"), 500, "internal", "10.0.0.7"},
		"a panic":            {nil, 500, "internal", "broken"},
		"a wrapped refusal":  {fmt.Errorf("10.0.0.7: %w", chat.ErrForbidden), 403, chat.CodeForbidden, ""},
		"the client is gone": {context.Canceled, 503, chat.CodeUnavailable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			s := newServer(t, serverConfig{
				store: func(s chat.Store) chat.Store { return brokenStore{s, c.err} },
				log:   slog.New(slog.NewTextHandler(&log, nil)),
			})
			p := s.register("alice")
			p.header.Set("X-Request-ID", "abc-123")
			a := p.do("GET", "/rooms", nil)
			got := a.refused(c.status, c.code)
			if strings.Contains(a.Body.String(), "10.0.0.7") {
				t.Errorf("the answer tells: %s", a.Body)
			}
			if (c.code == chat.CodeUnavailable) != (got.RetryAfterMS > 0) {
				t.Errorf("retry_after_ms %d", got.RetryAfterMS)
			}
			if !strings.Contains(log.String(), c.logged) || (c.logged != "" && !strings.Contains(log.String(), "request_id=abc-123")) {
				t.Errorf("the log does not tell:\n%s", &log)
			}
		})
	}
}

func TestRequestID(t *testing.T) {
	s := newServer(t, serverConfig{})
	p := s.nobody()
	for sent, kept := range map[string]bool{
		"abc-1.2_X": true, "": false, "a b": false, "a\nb": false, strings.Repeat("x", 64): true, strings.Repeat("x", 65): false, "ü": false,
	} {
		p.header["X-Request-Id"] = []string{sent}
		got := p.do("GET", "/invites/x", nil).Header().Get("X-Request-ID")
		if (got == sent) != kept || got == "" {
			t.Errorf("sent %q, got %q", sent, got)
		}
	}
}

func TestAnswersOfTheAPIAreNotKept(t *testing.T) {
	s := newServer(t, serverConfig{})
	a := s.register("alice").do("GET", "/users/me", nil).expect(200)
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
	} {
		if got := a.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestCORSForAllowedOriginsOnly(t *testing.T) {
	s := newServer(t, serverConfig{edge: httpapi.Edge{AllowedOrigins: []string{"https://app.example.com"}}})
	p := s.register("alice")
	p.header.Set("Origin", "https://app.example.com")
	a := p.do("GET", "/users/me", nil).expect(200)
	if a.Header().Get("Access-Control-Allow-Origin") != "https://app.example.com" || a.Header().Get("Access-Control-Allow-Credentials") != "true" || a.Header().Get("Vary") != "Origin" {
		t.Errorf("%v", a.Header())
	}
	p.header.Set("Access-Control-Request-Method", "PATCH")
	a = p.do("OPTIONS", "/users/me", nil).expect(204)
	if !strings.Contains(a.Header().Get("Access-Control-Allow-Methods"), "PATCH") || !strings.Contains(a.Header().Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Errorf("%v", a.Header())
	}
	p.header.Set("Origin", "https://evil.example.net")
	a = p.do("OPTIONS", "/users/me", nil)
	a.refused(405, chat.CodeBadRequest)
	if got := a.Header().Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("allowed: %q", got)
	}
}

// goneClient takes no answer.
type goneClient struct{ *httptest.ResponseRecorder }

func (goneClient) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAClientThatHasGoneIsNoPanic(t *testing.T) {
	var log bytes.Buffer
	s := newServer(t, serverConfig{log: slog.New(slog.NewTextHandler(&log, nil))})
	p := s.register("alice")
	for _, path := range []string{"/users/me", "/rooms/x", "/openapi.json", "/nothing"} {
		r := httptest.NewRequest(http.MethodGet, httpapi.Base+path, nil)
		r.Header.Set("Authorization", "Bearer "+p.token)
		s.api.Public().ServeHTTP(goneClient{httptest.NewRecorder()}, r)
	}
	if log.Len() > 0 {
		t.Errorf("the log complains:\n%s", &log)
	}
}

func TestAHandlerThatWasAbortedStaysAborted(t *testing.T) {
	s := newServer(t, serverConfig{websocket: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })})
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("got %v", err)
		}
	}()
	s.nobody().do("GET", "/ws", nil)
	t.Error("it was answered")
}
