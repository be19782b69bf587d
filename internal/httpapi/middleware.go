package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gochat-dev/gochat/internal/auth"
	"github.com/gochat-dev/gochat/internal/chat"
)

// visit is what handlers know of the request besides their input.
type visit struct {
	id      string
	addr    netip.Addr
	agent   string
	https   bool
	baseURL string
	origin  bool // the Origin is allowed, or there is none
	foreign bool // it is one of another origin
	log     *slog.Logger
}

type visitKey struct{}

func visitOf(ctx context.Context) visit {
	if v, ok := ctx.Value(visitKey{}).(visit); ok {
		return v
	}
	return visit{log: slog.New(slog.DiscardHandler)}
}

func (v visit) visitor() auth.Visitor { return auth.Visitor{Addr: v.addr, UserAgent: v.agent} }

// RequestID is the id of the request that ctx belongs to, as in its log lines and its X-Request-Id header.
func RequestID(ctx context.Context) string { return visitOf(ctx).id }

var saneRequestID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// wrap puts around a handler what every request gets: an id, a log line, the headers that keep browsers
// careful, and an answer where a handler panics.
func (a *API) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		id := r.Header.Get("X-Request-ID")
		if !saneRequestID.MatchString(id) {
			id = chat.NewID()
		}
		v := visit{
			id: id, addr: a.edge.ClientAddr(r), agent: r.UserAgent(), https: a.edge.HTTPS(r),
			baseURL: a.edge.BaseURL(r), origin: a.edge.OriginAllowed(r), foreign: a.edge.Foreign(r),
			log: a.log.With("request_id", id),
		}
		r = r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
		w.Header().Set("X-Request-ID", id)
		rec := &recorder{ResponseWriter: w}
		defer func() {
			if p := recover(); p != nil {
				rec.panicked(v.log, p)
			}
			v.logAccess(r, rec, time.Since(started))
		}()
		setHeaders(w.Header(), r)
		if a.answerCORS(rec, r) {
			return
		}
		next.ServeHTTP(rec, r)
	})
}

// logAccess writes the line of a request. It names the route, not the path: that may hold the code of an invite.
func (v visit) logAccess(r *http.Request, rec *recorder, took time.Duration) {
	level := slog.LevelDebug
	if rec.status >= http.StatusInternalServerError && rec.status != http.StatusServiceUnavailable {
		level = slog.LevelInfo // what can't be served for now is told by the problem's own line, where there is news in it
	}
	v.log.Log(r.Context(), level, "request", "method", r.Method, "route", r.Pattern, "status", rec.status,
		"bytes", rec.bytes, "took", took, "addr", v.addr)
}

// setHeaders sets what every answer carries. Answers of the API are for their caller only; the app's files set
// other rules for themselves.
func setHeaders(h http.Header, r *http.Request) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin") // the path of an invite page is a secret
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if strings.HasPrefix(r.URL.Path, "/api/") {
		h.Set("Cache-Control", "no-store")
	}
}

// answerCORS lets pages of the allowed origins use the API. It reports true where it has answered: a preflight.
func (a *API) answerCORS(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if len(a.edge.AllowedOrigins) == 0 || !strings.HasPrefix(r.URL.Path, "/api/") {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	if !a.edge.Foreign(r) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		h.Set("Access-Control-Expose-Headers", "Retry-After, X-Request-Id")
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Request-Id")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// recorder notes what is answered.
type recorder struct {
	http.ResponseWriter
	status int // 0: nothing answered yet
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Hijack implements http.Hijacker, which the upgrade to a WebSocket asks for.
func (r *recorder) Hijack() (conn net.Conn, buffered *bufio.ReadWriter, err error) {
	conn, buffered, err = http.NewResponseController(r.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take over the connection: %w", err)
	}
	r.status = http.StatusSwitchingProtocols
	return conn, buffered, nil
}

// panicked logs a panic and answers 500 if nothing has been answered yet.
func (r *recorder) panicked(log *slog.Logger, p any) {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(err)
	}
	log.Error("a handler panicked", "panic", p, "stack", string(debug.Stack()))
	if r.status == 0 {
		problem(http.StatusInternalServerError, codeInternal, "something went wrong on the server").write(r)
	}
}
