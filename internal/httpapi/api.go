// Package httpapi serves the REST interface, the WebSocket upgrade, health and the web app.
package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"sync/atomic"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/gochat-dev/gochat/internal/auth"
	"github.com/gochat-dev/gochat/internal/chat"
)

// Base is where the API stands.
const Base = "/api/v1"

// Relay commits what changes a room, and moves read positions.
type Relay interface {
	// Do commits a draft and waits for it. chat.ErrAlreadyDone where there is nothing to change.
	Do(ctx context.Context, d chat.Draft) (chat.Entry, error)
	// Read moves a member's read position forward. It returns where it stands and how many are unread.
	Read(ctx context.Context, roomID, userID string, seq int64) (int64, int, error)
	// UpToDate is the store with the read positions that are not saved yet laid over it.
	UpToDate(store chat.Store) chat.Store
	// Notify tells every node, this one too, something about a user.
	Notify(ctx context.Context, n chat.UserNotice)
}

// Presence knows who is here. Who is offline is left out of what States returns.
type Presence interface {
	States(ctx context.Context, userIDs []string) map[string]chat.State
}

// Config sets up an API. Store, Relay, Presence and Auth must be set.
type Config struct {
	Store    chat.Store
	Relay    Relay
	Presence Presence
	Auth     *auth.Service
	Edge     Edge

	WebSocket http.Handler        // GET /api/v1/ws; nil: 404
	App       fs.FS               // the built web app; nil: it is served from elsewhere; without index.html in it a page says how to build it
	Metrics   prometheus.Gatherer // /metrics on the admin port; nil: none
	PPROF     bool                // /debug/pprof/ on the admin port
	Version   string              // of the server
	Log       *slog.Logger
}

// API is everything that a node answers over HTTP.
type API struct {
	cfg      Config
	log      *slog.Logger
	store    chat.Store
	relay    Relay
	presence Presence
	auth     *auth.Service
	edge     Edge

	rest     huma.API
	document []byte // the OpenAPI document
	public   http.Handler
	admin    http.Handler
	draining atomic.Bool
}

// New makes an API.
func New(cfg Config) (*API, error) {
	if cfg.Store == nil || cfg.Relay == nil || cfg.Presence == nil || cfg.Auth == nil {
		return nil, errors.New("httpapi: Store, Relay, Presence and Auth must be set")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	a := &API{
		cfg: cfg, log: cfg.Log, store: cfg.Relay.UpToDate(cfg.Store), relay: cfg.Relay, presence: cfg.Presence, auth: cfg.Auth, edge: cfg.Edge,
	}
	routes := a.routes()
	var err error
	if a.document, err = a.encodeDocument(); err != nil {
		return nil, err
	}
	if err := a.serveDocument(routes); err != nil {
		return nil, err
	}
	app, err := newApp(cfg.App)
	if err != nil {
		return nil, err
	}
	public := http.NewServeMux()
	public.Handle("/api", problems{routes})
	public.Handle("/api/", problems{routes})
	public.Handle("/livez", health{a: a})
	public.Handle("/readyz", health{a: a, ready: true})
	public.Handle("/", app)
	a.public = a.wrap(public)
	a.admin = a.wrap(a.adminRoutes())
	return a, nil
}

// Public is the handler of the public address.
func (a *API) Public() http.Handler { return a.public }

// Admin is the handler of the admin address: metrics, health in detail, pprof if it is on.
func (a *API) Admin() http.Handler { return a.admin }

// OpenAPI is the OpenAPI 3.1 document of the API, generated from its handlers: the same bytes each time.
func (a *API) OpenAPI() []byte { return bytes.Clone(a.document) }

// Document is the OpenAPI document without a server behind it, for whoever writes it to a file.
func Document() ([]byte, error) {
	a := &API{}
	a.routes()
	return a.encodeDocument()
}

// Drain makes readiness fail from now on: the node is leaving (DRN1).
func (a *API) Drain() { a.draining.Store(true) }

// routes are the paths under Base.
func (a *API) routes() *http.ServeMux {
	mux := http.NewServeMux()
	a.rest = humago.NewWithPrefix(mux, Base, humaConfig())
	a.rest.UseMiddleware(a.authenticate)
	a.instanceRoutes()
	a.accountRoutes()
	a.sessionRoutes()
	a.userRoutes()
	a.roomRoutes()
	a.memberRoutes()
	a.inviteRoutes()
	a.messageRoutes()
	if a.cfg.WebSocket != nil {
		mux.Handle("GET "+Base+"/ws", a.cfg.WebSocket)
	}
	return mux
}

func (a *API) adminRoutes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /livez", health{a: a, detail: true})
	mux.Handle("GET /readyz", health{a: a, ready: true, detail: true})
	if a.cfg.Metrics != nil {
		mux.Handle("GET /metrics", promhttp.HandlerFor(a.cfg.Metrics, promhttp.HandlerOpts{
			ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
		}))
	}
	if a.cfg.PPROF {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return mux
}

// encodeDocument writes the document. That unknown members are ignored goes without saying in JSON Schema; said, it
// makes clumsy types in generated clients.
func (a *API) encodeDocument() ([]byte, error) {
	for _, schema := range a.rest.OpenAPI().Components.Schemas.Map() {
		schema.AdditionalProperties = nil
	}
	plain, err := json.Marshal(a.rest.OpenAPI())
	if err != nil {
		return nil, err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, plain, "", "  "); err != nil {
		return nil, err
	}
	indented.WriteByte('\n')
	return indented.Bytes(), nil
}
