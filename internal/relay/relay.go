// Package relay moves an entry on: number, commit, publish, deliver, and mend what was missed.
package relay

import (
	"context"
	"hash/maphash"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/hub"
)

// Config sets up a Relay. Store, Backplane and Node must be set; the zero values of the rest work.
type Config struct {
	Node      string // this node's name, unique among the nodes
	Store     chat.Store
	Backplane chat.Backplane
	Alone     bool // no other node shares the store: it alone numbers (SEQ5), and there is nobody to tell
	Log       *slog.Logger
	Observe   Observer
	Hub       hub.Config

	SendRate  rate.Limit // texts per second and user; 0 = no limit
	SendBurst int        // 20

	Committers int           // how many batches may be under way at once: 1. Rooms are spread over them
	Batch      int           // most drafts in one batch: 256
	CheckEvery time.Duration // how often all that is live is compared with the store: 5 s (HUB5)
	HurryEvery time.Duration // and while bells are known to be lost: 1 s (HUB6)
	GiveUp     time.Duration // how long an unknown outcome is tried again: 10 s (SEQ3)
}

// Observer counts what happens in a relay; its methods do not wait.
type Observer interface {
	Committed(entries, duplicates int, took time.Duration)
	NumbersSkipped(n int64)
	BusLag(d time.Duration)
	BackplaneUp(up bool)
	StoreUp(up bool)
	RateLimited(what string)
	// SendEnded says how a send ended (committed, duplicate, refused, unavailable, abandoned), and how long it took.
	SendEnded(result string, took time.Duration)
}

// Sessions are the connections of this node, as the relay knows them. Its methods do not wait.
type Sessions interface {
	// RoomsChanged makes a user's connections read their list of rooms again; the empty user means everybody.
	RoomsChanged(userID string)
	// Revoked closes what a session opened.
	Revoked(userID, sessionID string)
	// Users are those who are connected.
	Users() []string
	// Judge compares the rooms versions that connections hold with the store's (HUB5).
	Judge(versions map[string]int64)
}

// Presences takes what other nodes say about who is here.
type Presences interface {
	Heard(change chat.PresenceChange)
	// Interrupted says that nothing can be heard or told; Rebuild that it can again, and notices may have been lost.
	Interrupted()
	Rebuild()
}

// Relay is the journey of an entry on one node. It implements hub.Source.
type Relay struct {
	cfg  Config
	log  *slog.Logger
	hub  *hub.Hub
	seed maphash.Seed

	committers []*committer
	menders    []*mender
	publisher  publisher
	checker    checker
	reads      reads
	limits     limits

	sessions  Sessions
	presences Presences
	epoch     atomic.Pointer[string]

	numbersDown atomic.Pointer[time.Time] // until when the backplane is not asked for numbers; nil: it is asked
	storeDown   atomic.Bool
	waiting     atomic.Int64 // sends that have been taken in and not been answered yet

	ctx    context.Context // of the goroutines; ended by Close
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// New makes a relay and its hub. Start starts it.
func New(cfg Config) *Relay {
	setDefault(&cfg.Committers, 1)
	setDefault(&cfg.Batch, 256)
	setDefault(&cfg.SendBurst, 20)
	setDefault(&cfg.CheckEvery, 5*time.Second)
	setDefault(&cfg.HurryEvery, time.Second)
	setDefault(&cfg.GiveUp, 10*time.Second)
	setDefault(&cfg.Hub.RingEntries, 128)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Observe == nil {
		cfg.Observe = unobserved{}
	}
	r := &Relay{cfg: cfg, log: cfg.Log, seed: maphash.MakeSeed()}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.publisher.wake = make(chan struct{}, 1)
	r.publisher.stop = make(chan struct{})
	r.checker.kick = make(chan struct{}, 1)
	r.reads = reads{kick: make(chan struct{}, 1), ofUser: make(positions), ofRoom: make(positions)}
	r.limits.users = make(map[string]*rate.Limiter)
	for range cfg.Committers {
		r.committers = append(r.committers, &committer{relay: r, wake: make(chan struct{}, 1)})
	}
	for range menders {
		r.menders = append(r.menders, &mender{relay: r, wake: make(chan struct{}, 1)})
	}
	r.hub = hub.New(cfg.Hub, r)
	return r
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Hub is the hub that the relay delivers to.
func (r *Relay) Hub() *hub.Hub { return r.hub }

// Start starts the relay's goroutines. It fails if the store can't be read.
func (r *Relay) Start(ctx context.Context, s Sessions, p Presences) error {
	epoch, err := r.cfg.Store.Epoch(ctx)
	if err != nil {
		return err
	}
	r.epoch.Store(&epoch)
	r.sessions, r.presences = s, p
	for _, c := range r.committers {
		r.wg.Go(c.run)
	}
	for _, m := range r.menders {
		r.wg.Go(m.run)
	}
	r.publisher.wg.Go(r.publish)
	r.wg.Go(r.check)
	r.wg.Go(r.saveReads)
	r.wg.Go(r.listen)
	return nil
}

// Close finishes the commits under way, saves what is to be saved and ends the relay and its hub.
func (r *Relay) Close() {
	r.cancel()
	r.wg.Wait()
	close(r.publisher.stop) // last, so that the bells of the last commits ring
	r.publisher.wg.Wait()
	r.hub.Close()
}

func (r *Relay) shardOf(roomID string, n int) int {
	return int(maphash.String(r.seed, roomID) % uint64(n))
}

// listen hands over what comes from the other nodes, and listens again after a failure.
func (r *Relay) listen() {
	for r.ctx.Err() == nil {
		err := r.cfg.Backplane.Listen(r.ctx, listener{r})
		if err != nil && r.ctx.Err() == nil {
			r.log.Warn("listening to the backplane failed", "err", err)
			r.checker.down(true)
			wait(r.ctx, time.Second)
		}
	}
}

// deliver hands an entry that has just been committed, or heard of, to the hub.
func (r *Relay) deliver(e *chat.Entry) {
	d := hub.Encode(e)
	d.Committed = time.Now()
	r.hub.Deliver(d)
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// listener is the relay as the backplane knows it.
type listener struct{ *Relay }

// Notice implements chat.Listener.
func (l listener) Notice(n chat.Notice) {
	switch {
	case n.Entry != nil:
		l.cfg.Observe.BusLag(time.Since(n.Entry.At))
		l.deliver(n.Entry)
	case n.Presence != nil:
		l.presences.Heard(*n.Presence)
	case n.User != nil:
		l.tell(*n.User)
	default:
		l.hub.Heard(n)
	}
}

// Up implements chat.Listener: bells may have been lost, so everything is compared at once (HUB5).
func (l listener) Up() {
	l.cfg.Observe.BackplaneUp(true)
	l.checker.down(false)
	l.presences.Rebuild()
}

// Down implements chat.Listener.
func (l listener) Down() {
	l.cfg.Observe.BackplaneUp(false)
	l.checker.down(true)
	l.presences.Interrupted()
}

// Notify tells all nodes, this one first, something about a user.
func (r *Relay) Notify(_ context.Context, n chat.UserNotice) {
	r.tell(n)
	r.Publish(chat.Notice{User: &n})
}

func (r *Relay) tell(n chat.UserNotice) {
	switch n.Kind {
	case chat.RoomsChanged:
		r.sessions.RoomsChanged(n.UserID)
	case chat.SessionRevoked:
		r.sessions.Revoked(n.UserID, n.Session)
	case chat.ProfileChanged:
		if n.Profile != nil {
			r.hub.UserUpdated(*n.Profile)
		}
	}
}

// limits are the users' allowances to send, the socket's and REST's together.
type limits struct {
	mu    sync.Mutex
	users map[string]*rate.Limiter
}

const maxLimiters = 10000

// Allow takes one send from a user's allowance; otherwise it says how long to wait.
func (r *Relay) Allow(userID string) error {
	if r.cfg.SendRate == 0 {
		return nil
	}
	now := time.Now()
	r.limits.mu.Lock()
	defer r.limits.mu.Unlock()
	l := r.limits.users[userID]
	if l == nil {
		if len(r.limits.users) >= maxLimiters {
			r.limits.forgetFull(now)
		}
		l = rate.NewLimiter(r.cfg.SendRate, r.cfg.SendBurst)
		r.limits.users[userID] = l
	}
	take := l.ReserveN(now, 1)
	delay := take.DelayFrom(now)
	if delay == 0 {
		return nil
	}
	take.CancelAt(now)
	r.cfg.Observe.RateLimited("send")
	return &chat.Error{Code: chat.CodeRateLimited, Message: "you are sending too fast: wait a moment", RetryAfter: delay}
}

// forgetFull drops the allowances that are full: a new one is the same.
func (l *limits) forgetFull(now time.Time) {
	for user, lim := range l.users {
		if lim.TokensAt(now) >= float64(lim.Burst()) {
			delete(l.users, user)
		}
	}
}

type unobserved struct{}

func (unobserved) Committed(int, int, time.Duration) {}
func (unobserved) NumbersSkipped(int64)              {}
func (unobserved) BusLag(time.Duration)              {}
func (unobserved) BackplaneUp(bool)                  {}
func (unobserved) StoreUp(bool)                      {}
func (unobserved) RateLimited(string)                {}
func (unobserved) SendEnded(string, time.Duration)   {}
