package checker

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/session"
)

// Client behaves as docs/protocol.md wants it, and records and checks everything that it sees. It has one goroutine
// that owns everything but the queue of things to do.
type Client struct {
	name, userID string
	dial         Dialer
	stays        bool
	silence      time.Duration
	history      *History
	ledger       *Ledger // nil where nobody sees what is committed: then what was seen is kept, and looked up in the end
	rand         *rand.Rand
	gate         *gate // shut: the client does not read

	mu   sync.Mutex
	todo []func() // guarded by mu
	wake chan struct{}

	line     *line
	lastLine *line // the one that the client had when it was stopped
	epoch    string
	rooms    map[string]*roomCopy
	outbox   []*item              // not acknowledged yet, in the order of sending
	sent     []*item              // all, in the order of sending
	pause    map[string]time.Time // rooms in which nothing is sent for a while
	failed   int                  // connections in a row that failed

	seen    []sighting // kept where there is no ledger
	answers []answer   // likewise

	absence absence

	nomore bool // a close code forbade to come back
	frozen bool
	thawed time.Time // when a client that was frozen sends again
}

// ClientConfig sets up a Client.
type ClientConfig struct {
	Name, UserID string
	Dial         Dialer
	Stays        bool // it does not move when it is asked to
	Seed         uint64
	Ledger       *Ledger
	Silence      time.Duration // nothing heard for this long: reconnect; default 15 s
}

// NewClient makes a client. Run runs it.
func NewClient(cfg ClientConfig, h *History) *Client {
	return &Client{
		name: cfg.Name, userID: cfg.UserID, dial: cfg.Dial, stays: cfg.Stays, history: h, ledger: cfg.Ledger,
		rand: rand.New(rand.NewPCG(cfg.Seed, 77)), gate: newGate(), wake: make(chan struct{}, 1),
		rooms: make(map[string]*roomCopy), pause: make(map[string]time.Time), silence: cmp.Or(cfg.Silence, defaultSilence),
	}
}

// Do has the client's goroutine do something. It does not wait for it.
func (c *Client) Do(f func()) {
	c.mu.Lock()
	c.todo = append(c.todo, f)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *Client) doAll() {
	c.mu.Lock()
	todo := c.todo
	c.todo = nil
	c.mu.Unlock()
	for _, f := range todo {
		f()
	}
}

// Send has the client say something in a room.
func (c *Client) Send(roomID, body string) {
	c.Do(func() {
		it := &item{roomID: roomID, clientID: c.uuid(), body: body, said: time.Now()}
		c.outbox = append(c.outbox, it)
		c.sent = append(c.sent, it)
		c.transmit(roomID)
	})
}

// Repeat has the client send something again that was acknowledged already, as after a lost answer (SEQ2).
func (c *Client) Repeat() {
	c.Do(func() {
		for _, i := range c.rand.Perm(len(c.sent)) {
			if it := c.sent[i]; !it.acked.IsZero() && c.live() && !c.frozen {
				c.history.note(c.name, it.roomID, "send again %s", short(it.clientID))
				c.put(it)
				return
			}
		}
	})
}

// uuid is a UUID of the client's own randomness.
func (c *Client) uuid() string {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(c.rand.Uint32())
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id.String()
}

// Freeze stops the client as a suspended computer does: it reads and sends nothing more.
func (c *Client) Freeze() {
	c.history.note(c.name, "", "frozen")
	c.gate.shut()
	c.Do(func() { c.frozen = true })
}

// Thaw ends Freeze. What has waited to be read is read before anything is sent.
func (c *Client) Thaw() {
	c.gate.lift()
	c.Do(func() {
		if c.frozen {
			c.thawed = time.Now().Add(clientTick)
		}
	})
}

const (
	clientTick  = 200 * time.Millisecond
	gapPatience = time.Second            // what is missing is asked for after this long (RES5)
	firstTry    = 500 * time.Millisecond // the first attempt to reconnect comes within this
	maxBackoff  = 5 * time.Second        // shorter than a real client's, so that runs are short

	defaultSilence = 15 * time.Second // three pings of the nodes that a run makes
)

// Run keeps the client connected until ctx ends.
func (c *Client) Run(ctx context.Context) {
	for ctx.Err() == nil && !c.nomore {
		ln, err := c.connect(ctx)
		if err == nil {
			err = c.serve(ctx, ln)
			c.absence.begin()
			c.line, c.lastLine = nil, c.line
			if ctx.Err() == nil {
				c.lastLine = nil
			}
		}
		c.history.note(c.name, "", "disconnected: %v", err)
		c.backoff(ctx, err)
	}
	for ctx.Err() == nil {
		select {
		case <-c.wake:
			c.doAll()
		case <-ctx.Done():
		}
	}
}

func (c *Client) backoff(ctx context.Context, err error) {
	limit := min(firstTry<<min(c.failed, 10), maxBackoff)
	c.failed++
	wait := time.Duration(c.rand.Int64N(int64(limit)))
	if refused, ok := errors.AsType[*Refused](err); ok {
		wait = max(wait, refused.RetryAfter)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		case <-c.wake:
			c.doAll()
		}
	}
}

// connect opens a connection that resumes where the client stands.
func (c *Client) connect(ctx context.Context) (*line, error) {
	var resume []session.Resume
	feed := make(map[string]place)
	for id, room := range c.rooms {
		if !room.joined || len(resume) == 50 {
			continue
		}
		last := room.last()
		resume = append(resume, session.Resume{RoomID: id, At: chat.Position{Seq: last.seq, ID: last.id}})
		feed[id] = last
		c.history.note(c.name, id, "resume from %d %s", last.seq, short(last.id))
	}
	slices.SortFunc(resume, func(a, b session.Resume) int { return int(a.At.Seq - b.At.Seq) })
	conn, err := c.dial(ctx, c.epoch, resume)
	if err != nil {
		return nil, err
	}
	ln := newLine(conn, c.gate)
	ln.feed = feed
	for id := range feed {
		ln.resuming[id] = true
	}
	return ln, nil
}

// serve runs a connection until it ends, or another one has taken its place.
func (c *Client) serve(ctx context.Context, ln *line) error {
	c.line = ln
	defer func() { c.line.hang() }()
	ticker := time.NewTicker(clientTick)
	defer ticker.Stop()
	for {
		ln := c.line
		select {
		case objects := <-ln.in:
			ln.lastHeard = time.Now()
			for i := range objects {
				c.take(ln, &objects[i])
			}
		case err := <-ln.end:
			return c.ended(err)
		case <-c.wake:
			c.doAll()
		case now := <-ticker.C:
			if now.Sub(ln.lastHeard) > c.silence {
				return errors.New("nothing heard")
			}
			c.tick(ctx, now)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *Client) ended(err error) error {
	if end, ok := errors.AsType[*CloseError](err); ok {
		if end.Code == session.CloseTooLarge || end.Code >= 4100 && end.Code < 4200 {
			c.nomore = true
			c.history.violate("WS", c.name, "", "closed with %d %s: a good client is never told so", end.Code, end.Reason)
		}
	}
	return err
}

// tick does what is due: asks for what is missing, sends what was held back, moves to another node.
func (c *Client) tick(ctx context.Context, now time.Time) {
	ln := c.line
	if !ln.welcomed {
		return
	}
	if !c.thawed.IsZero() && now.After(c.thawed) {
		c.frozen, c.thawed = false, time.Time{}
		for _, it := range c.outbox {
			c.transmit(it.roomID)
		}
	}
	for id, room := range c.rooms {
		if !room.gapSince.IsZero() && now.Sub(room.gapSince) >= gapPatience && !room.asking {
			c.ask(id, room)
		}
	}
	for id, until := range c.pause {
		if !now.Before(until) {
			delete(c.pause, id)
			c.retransmit(id)
		}
	}
	if !ln.movingAt.IsZero() && !now.Before(ln.movingAt) {
		ln.movingAt = time.Time{}
		c.move(ctx)
	}
}

// move opens a new connection, resumes on it, and closes the old one.
func (c *Client) move(ctx context.Context) {
	ln, err := c.connect(ctx)
	if err != nil {
		c.history.note(c.name, "", "could not move: %v", err)
		c.line.movingAt = time.Now().Add(clientTick)
		return
	}
	c.history.note(c.name, "", "moves to another connection")
	c.line.hang()
	c.absence.begin()
	c.line = ln
}

func (c *Client) live() bool { return c.line != nil && c.line.welcomed }

// ask joins a room: for what follows the copy, or afresh where there is none.
func (c *Client) ask(roomID string, room *roomCopy) {
	if !c.live() {
		return
	}
	room.asking = true
	fields := map[string]any{"type": "join", "room_id": roomID}
	if room.joined {
		last := room.last()
		fields["last_received_seq"] = last.seq
		if last.id != "" {
			fields["last_received_id"] = last.id
		}
		c.history.note(c.name, roomID, "join after %d", last.seq)
	} else {
		c.history.note(c.name, roomID, "join")
	}
	c.line.command(fields, &request{kind: "join", roomID: roomID, gen: room.gen, full: !room.joined})
}

// transmit sends what waits for a room and was not sent on this connection yet.
func (c *Client) transmit(roomID string) {
	if _, paused := c.pause[roomID]; paused || c.frozen || !c.live() {
		return
	}
	for _, it := range c.outbox {
		if it.roomID == roomID && it.transmitted != c.line {
			c.history.note(c.name, roomID, "send %s %q", short(it.clientID), it.body[:min(len(it.body), 12)])
			c.put(it)
		}
	}
}

// retransmit sends all that waits for a room once more, in order.
func (c *Client) retransmit(roomID string) {
	for _, it := range c.outbox {
		if it.roomID == roomID {
			it.transmitted = nil
		}
	}
	c.transmit(roomID)
}

func (c *Client) put(it *item) {
	it.transmitted = c.line
	c.line.command(map[string]any{"type": "send", "room_id": it.roomID, "client_id": it.clientID, "body": it.body},
		&request{kind: "send", roomID: it.roomID, item: it})
}

// Back has the client read a room's whole history, page by page.
func (c *Client) Back() {
	c.Do(func() {
		for id, room := range c.rooms {
			c.pageBack(id, room)
		}
	})
}

func (c *Client) pageBack(roomID string, room *roomCopy) {
	if !room.joined || room.whole || room.back || !c.live() {
		return
	}
	if room.start == 0 {
		room.whole = true
		return
	}
	room.back = true
	c.line.command(map[string]any{"type": "history", "room_id": roomID, "before_seq": room.start + 1, "limit": 100},
		&request{kind: "history", roomID: roomID, gen: room.gen})
}

// Hang has the client lose its connection.
func (c *Client) Hang() {
	c.Do(func() {
		if c.line != nil {
			c.line.conn.Close()
		}
	})
}

// Signal has the client type and read, which nobody counts on.
func (c *Client) Signal(roomID string) {
	c.Do(func() {
		room := c.rooms[roomID]
		if room == nil || !c.live() {
			return
		}
		c.line.command(map[string]any{"type": "typing", "room_id": roomID, "on": c.rand.IntN(2) == 0}, &request{kind: "typing"})
		c.line.command(map[string]any{"type": "read", "room_id": roomID, "seq": room.last().seq}, &request{kind: "read"})
	})
}
