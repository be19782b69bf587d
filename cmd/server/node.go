package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gochat-dev/gochat/internal/auth"
	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/httpapi"
	"github.com/gochat-dev/gochat/internal/metrics"
	"github.com/gochat-dev/gochat/internal/presence"
	"github.com/gochat-dev/gochat/internal/relay"
	"github.com/gochat-dev/gochat/internal/session"
	"github.com/gochat-dev/gochat/internal/settings"
	"github.com/gochat-dev/gochat/web"
)

// node is everything that one server runs.
type node struct {
	cfg settings.Server
	log *slog.Logger

	store     chat.Store
	backplane chat.Backplane
	relay     *relay.Relay
	presence  *presence.Service
	sessions  *session.Server
	accounts  *auth.Service
	api       *httpapi.API

	public, admin net.Listener
	lock          *os.File // of the data directory; nil on Postgres
}

const (
	sweepEvery   = time.Hour        // idle guests, ended sessions
	finishWithin = 5 * time.Second  // for requests under way, after the connections are gone
	startWithin  = 30 * time.Second // to open the store, when its database is there
)

// open wires a node and starts what it needs before it can serve.
func open(ctx context.Context, cfg settings.Server, log *slog.Logger) (_ *node, err error) {
	n := &node{cfg: cfg, log: log}
	defer func() {
		if err != nil {
			n.close()
		}
	}()
	// The addresses first: whether another server is running is the likeliest thing to be wrong.
	if n.public, err = net.Listen("tcp", cfg.Listen); err != nil {
		return nil, fmt.Errorf("GOCHAT_LISTEN: %w", err)
	}
	if n.admin, err = net.Listen("tcp", cfg.AdminListen); err != nil {
		return nil, fmt.Errorf("GOCHAT_ADMIN_LISTEN: %w", err)
	}
	if cfg.PostgresURL != "" {
		if err = awaitDatabase(ctx, cfg.PostgresURL, databaseWithin, log); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	if n.store, err = openStore(ctx, cfg); err != nil {
		return nil, err
	}
	if cfg.PostgresURL == "" {
		if n.lock, err = lockDir(cfg.DataDir); err != nil {
			return nil, err
		}
	}
	keys, err := openKeys(ctx, cfg, n.store, log)
	if err != nil {
		return nil, err
	}
	return n, n.wire(ctx, auth.NewTokens(keys, cfg.AccessTokenTTL))
}

// wire connects the parts, from the store outwards.
func (n *node) wire(ctx context.Context, tokens *auth.Tokens) error {
	name := chat.NewID()
	series := metrics.New(version)
	var err error
	if n.backplane, err = openBackplane(ctx, n.cfg, name, n.log); err != nil {
		return err
	}
	config := relay.Config{
		Node: name, Store: n.store, Backplane: n.backplane, Log: n.log, Observe: series,
		Alone:    n.cfg.RedisURL == "" && n.cfg.PostgresURL == "",
		SendRate: n.cfg.SendRate.Limit(), SendBurst: 2 * n.cfg.SendRate.N,
	}
	config.Hub.Observe = series
	if n.cfg.PostgresURL != "" {
		config.Committers = sharedCommitters
	}
	n.relay = relay.New(config)
	n.presence = presence.New(presence.Config{
		Node: name, Backplane: n.backplane, Hub: n.relay.Hub(), Publisher: n.relay, Log: n.log,
	})
	verify := func(token string) (session.Identity, error) {
		claims, err := tokens.Verify(token)
		return session.Identity{UserID: claims.UserID, SessionID: claims.SessionID, Expires: claims.ExpiresAt}, err
	}
	n.sessions = session.New(session.Config{
		Store: n.store, Relay: n.relay, Presence: n.presence, Verify: verify,
		Log: n.log, Observe: series, MaxConnections: n.cfg.MaxConnections, MaxWaiting: maxWaiting(debug.SetMemoryLimit(-1)),
	})
	series.Connections(n.sessions.Count)
	series.ConnectionsMax(n.cfg.MaxConnections)
	series.SendsWaiting(n.relay.Waiting)
	if schema, ok := n.store.(interface{ SchemaVersion() int64 }); ok {
		series.SchemaVersion(schema.SchemaVersion())
	}
	if err := n.relay.Start(ctx, n.sessions, n.presence); err != nil {
		return fmt.Errorf("reading the store: %w", err)
	}
	n.accounts = auth.New(auth.Config{
		Store: n.store, Tokens: tokens, Relay: n.relay, Registration: auth.Registration(n.cfg.Registration),
		Guests: n.cfg.Guests, RefreshTTL: n.cfg.RefreshTokenTTL, Limit: n.cfg.AuthRate.Limit(), Burst: n.cfg.AuthRate.N,
		Observe: series, Log: n.log,
	})
	var app fs.FS
	if n.cfg.Web == settings.WebEmbedded {
		app = web.Dist()
	}
	n.api, err = httpapi.New(httpapi.Config{
		Store: n.store, Relay: n.relay, Presence: n.presence, Auth: n.accounts,
		Edge: httpapi.Edge{
			PublicURL: n.cfg.PublicURL, AllowedOrigins: n.cfg.AllowedOrigins, TrustedProxies: n.cfg.TrustedProxies,
		},
		WebSocket: &httpapi.Socket{Sessions: n.sessions, Verify: verify},
		App:       app, Metrics: series.Registry(), PPROF: n.cfg.PPROF, Version: version, Log: n.log,
	})
	return err
}

// waitingBytes is what a connection costs that waits to be admitted: the buffers and goroutines of its HTTP request.
const waitingBytes = 28 << 10

// maxWaiting is how many connections may wait to be admitted where the memory is limited (GOMEMLIMIT): a quarter of it is theirs,
// so that a mass reconnect doesn't end the process (RES4). Without a limit there is none.
func maxWaiting(memory int64) int {
	if memory == math.MaxInt64 {
		return 0
	}
	return int(max(memory/4/waitingBytes, 100))
}

// serve serves until ctx ends, then drains (DRN1): readiness fails at once, every connection is asked to go
// elsewhere, what is being committed is finished, and everything is joined.
func (n *node) serve(ctx context.Context) error {
	var wg sync.WaitGroup
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	wg.Go(func() { n.presence.Run(running) })
	wg.Go(func() { n.sweep(running) })

	public := httpapi.NewServer(n.cfg.Listen, n.api.Public(), n.log)
	admin := httpapi.NewServer(n.cfg.AdminListen, n.api.Admin(), n.log)
	failed := make(chan error, 2)
	wg.Go(func() { failed <- public.Serve(n.public) })
	wg.Go(func() { failed <- admin.Serve(n.admin) })
	n.log.Info("serving", "version", version, "address", n.public.Addr().String(), "admin", n.admin.Addr().String(), "data", n.cfg.DataDir)

	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		n.drain()
	}
	finish, cancel := context.WithTimeout(context.Background(), finishWithin)
	defer cancel()
	err = errors.Join(ignoreClosed(err), shutdown(finish, public))
	n.sessions.Close()
	stop()
	err = errors.Join(err, shutdown(finish, admin))
	wg.Wait()
	n.close()
	n.log.Info("stopped")
	return err
}

// shutdown lets requests under way finish. What is still open when ctx ends, a connection that nobody has used yet among
// it, is closed: it is no reason to end with an error.
func shutdown(ctx context.Context, s *http.Server) error {
	err := s.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return s.Close()
	}
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// drain asks everybody to go elsewhere. A node that has no others gives no more time than clients need to hear of it; one
// that has stays for a moment even if nobody is connected, for proxies go on sending requests until they have looked.
func (n *node) drain() {
	n.api.Drain()
	window, notice := n.cfg.Drain-finishWithin/5, time.Duration(0)
	if n.cfg.RedisURL == "" {
		window = min(window, aloneWindow)
	} else {
		notice = min(window/4, noticeWithin)
	}
	noticed := time.After(notice)
	connections, _ := n.sessions.Count()
	n.log.Info("leaving", "connections", connections, "within", window)
	ctx, cancel := context.WithTimeout(context.Background(), n.cfg.Drain)
	defer cancel()
	n.sessions.Drain(ctx, window)
	<-noticed
}

// noticeWithin is how long proxies may take to notice that a node is not ready any more.
const noticeWithin = 3 * time.Second

// aloneWindow is the drain of a node whose clients have nowhere else to go: they come back when it has been restarted.
const aloneWindow = 3 * time.Second

// sweep runs the store's housekeeping.
func (n *node) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if err := n.accounts.Sweep(ctx); err != nil && ctx.Err() == nil {
			n.log.Warn("housekeeping failed: it is tried again in an hour", "err", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// close closes what has been opened, in the other order.
func (n *node) close() {
	if n.sessions != nil {
		n.sessions.Close()
	}
	if n.relay != nil {
		n.relay.Close()
	}
	for _, c := range []interface{ Close() error }{n.backplane, n.store, n.public, n.admin} {
		if c == nil {
			continue
		}
		if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			n.log.Warn("closing", "err", err)
		}
	}
	if n.lock != nil {
		if err := n.lock.Close(); err != nil {
			n.log.Warn("closing", "err", err)
		}
	}
}
