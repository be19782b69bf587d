package checker

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/chattest"
	"github.com/gochat-dev/gochat/internal/inmem"
	"github.com/gochat-dev/gochat/internal/session"
)

// Config sets up a run. The seed decides what happens in it, as far as goroutines leave that open.
type Config struct {
	Seed     uint64
	Database Database
	Log      *slog.Logger // of the nodes; nil: none
}

// run is one history under way: nodes, clients, and whoever breaks things.
type run struct {
	cfg     Config
	rand    *rand.Rand // of the driver alone
	plan    plan
	history *History
	ledger  *Ledger
	network *inmem.Network
	start   time.Time
	wg      sync.WaitGroup // nodes that close, operations under way

	users    []user
	rooms    []string
	clients  []*Client
	stop     context.CancelFunc // of the clients
	clientWG sync.WaitGroup

	mu    sync.Mutex
	nodes []*node // guarded by mu; nil where one is down
	bus   chattest.Faults
	ops   []*op // guarded by mu
}

// user is somebody with an account.
type user struct{ id, session string }

// op is a change that was made as REST makes it.
type op struct {
	draft chat.Draft
	entry chat.Entry // once acknowledged
	at    time.Time
}

const (
	breaking = 25 * time.Second // so long things are broken
	settling = 25 * time.Second // and so long they may take to be well again
)

// Run drives clients over nodes for a while, breaks what the seed says, heals it, and checks the record. It is to be
// called in a synctest bubble; an error means that the run could not be made.
func Run(ctx context.Context, cfg Config) (*History, error) {
	r := &run{
		cfg: cfg, rand: rand.New(rand.NewPCG(cfg.Seed, 1)), history: NewHistory(), network: inmem.NewNetwork(), start: time.Now(),
	}
	r.plan = newPlan(cfg.Seed)
	r.ledger = NewLedger(cfg.Database, r.history)
	r.history.note("", "", "seed %d: %s", cfg.Seed, r.plan)
	if err := r.setUp(ctx); err != nil {
		return r.history, err
	}
	r.breakThings(ctx)
	r.heal(ctx)
	time.Sleep(settling)
	for _, c := range r.clients {
		c.Back()
	}
	time.Sleep(2 * time.Second)
	r.stop()
	r.clientWG.Wait()
	r.verify(ctx)
	r.mu.Lock()
	nodes := r.nodes
	r.nodes = make([]*node, len(nodes))
	r.mu.Unlock()
	for _, n := range nodes {
		if n != nil {
			n.close()
		}
	}
	r.wg.Wait()
	return r.history, nil
}

func (r *run) setUp(ctx context.Context) error {
	if err := r.people(ctx); err != nil {
		return err
	}
	r.nodes = make([]*node, r.plan.nodes)
	if r.plan.lossyBus {
		r.bus = chattest.Faults{Lose: 0.3, Repeat: 0.1, Reorder: 0.3, Delay: 400 * time.Millisecond}
	}
	for i := range r.nodes {
		if err := r.startNode(ctx, i); err != nil {
			return err
		}
	}
	clients, cancel := context.WithCancel(ctx)
	r.stop = cancel
	for i := range r.plan.clients {
		u := r.users[i%len(r.users)]
		name := fmt.Sprintf("c%d/u%d", i, i%len(r.users))
		dice := rand.New(rand.NewPCG(r.cfg.Seed, uint64(100+i)))
		c := NewClient(ClientConfig{
			Name: name, UserID: u.id, Seed: r.cfg.Seed<<8 + uint64(i), Ledger: r.ledger,
			Dial: func(ctx context.Context, epoch string, resume []session.Resume) (Conn, error) {
				return r.dial(ctx, dice, u, epoch, resume)
			},
		}, r.history)
		r.clients = append(r.clients, c)
		r.clientWG.Go(func() { c.Run(clients) })
	}
	return nil
}

// people makes the accounts, and the rooms with most of them in it.
func (r *run) people(ctx context.Context) error {
	store := r.ledger.Store()
	for i := range r.plan.users {
		u := user{chat.NewID(), chat.NewID()}
		if _, err := store.CreateUser(ctx, chat.User{ID: u.id, Username: fmt.Sprintf("user%d", i), DisplayName: "User", CreatedAt: r.start}, "x"); err != nil {
			return err
		}
		if err := store.CreateSession(ctx, chat.Session{
			ID: u.session, UserID: u.id, CreatedAt: r.start, LastSeenAt: r.start, ExpiresAt: r.start.Add(24 * time.Hour),
		}, u.session); err != nil {
			return err
		}
		r.users = append(r.users, u)
	}
	for i := range r.plan.rooms {
		room := chat.NewID()
		drafts := []chat.Draft{{
			RoomID: room, SenderID: r.users[0].id, ClientID: chat.NewID(), Kind: chat.KindMemberJoined, At: r.start,
			Create: &chat.NewRoom{Name: fmt.Sprint("Room ", i), Visibility: chat.Public},
		}}
		for _, u := range r.users[1:] {
			if r.plan.calm || i == 0 || r.rand.IntN(4) > 0 {
				drafts = append(drafts, joining(room, u))
			}
		}
		if _, err := r.ledger.Append(ctx, drafts, nil); err != nil {
			return err
		}
		r.rooms = append(r.rooms, room)
	}
	return nil
}

func joining(room string, u user) chat.Draft {
	return chat.Draft{
		RoomID: room, SenderID: u.id, ClientID: chat.NewID(), Kind: chat.KindMemberJoined, At: time.Now(), Join: &chat.Joining{},
	}
}

// startNode starts the node of a slot.
func (r *run) startNode(ctx context.Context, slot int) error {
	n, err := startNode(ctx, nodeConfig{
		name: fmt.Sprint("n", slot), seed: r.cfg.Seed<<16 + uint64(slot)<<8 + uint64(r.since().Seconds()),
		ledger: r.ledger, network: r.network, alone: r.plan.nodes == 1, size: r.plan.size, bus: r.bus, log: r.cfg.Log,
		store: r.plan.healthy(),
	})
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.nodes[slot] = n
	r.mu.Unlock()
	r.history.note("", "", "node n%d started", slot)
	return nil
}

func (r *run) since() time.Duration { return time.Since(r.start) }

// dial connects a client to some node that lives.
func (r *run) dial(ctx context.Context, dice *rand.Rand, u user, epoch string, resume []session.Resume) (Conn, error) {
	r.mu.Lock()
	var living []*node
	for _, n := range r.nodes {
		if n != nil {
			living = append(living, n)
		}
	}
	r.mu.Unlock()
	if len(living) == 0 {
		return nil, fmt.Errorf("no node lives")
	}
	n := living[dice.IntN(len(living))]
	return n.connect(ctx, session.Hello{
		Identity: session.Identity{UserID: u.id, SessionID: u.session, Expires: r.start.Add(24 * time.Hour)},
		Epoch:    epoch, Resume: resume,
	})
}

// do makes a change as REST makes it, on some node, and notes it if it is acknowledged.
func (r *run) do(d chat.Draft) {
	n := r.anyNode()
	if n == nil {
		return
	}
	r.wg.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		e, err := n.relay.Do(ctx, d)
		r.history.note("", d.RoomID, "%s of u%d by u%d on %s: %d %v", d.Kind, r.who(d.Target()), r.who(d.SenderID), n.name, e.Seq, err)
		if err != nil {
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ops = append(r.ops, &op{d, e, time.Now()})
	})
}

func (r *run) who(userID string) int {
	for i, u := range r.users {
		if u.id == userID {
			return i
		}
	}
	return -1
}

// anyNode is some node that lives, or nil.
func (r *run) anyNode() *node {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.rand.IntN(len(r.nodes))
	for i := range r.nodes {
		if n := r.nodes[(at+i)%len(r.nodes)]; n != nil {
			return n
		}
	}
	return nil
}
