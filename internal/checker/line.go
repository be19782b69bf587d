package checker

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/session"
	"github.com/gochat-dev/gochat/internal/wire"
)

// Conn is a client's end of a connection: a pipe, or a WebSocket. Read returns a *CloseError where the node said why
// it closes.
type Conn interface {
	Read() ([]byte, error)
	Write(message []byte) error
	Close()
}

// Dialer connects a client to some node. It returns a *Refused where the node says no.
type Dialer func(ctx context.Context, epoch string, resume []session.Resume) (Conn, error)

// Refused is a node's no to a connection.
type Refused struct {
	Err        error
	RetryAfter time.Duration
}

func (r *Refused) Error() string { return "refused: " + r.Err.Error() }

// object is any object that a node sends; it has the fields of all of them.
type object struct {
	Type string `json:"type"`
	ID   *int64 `json:"id"`
	wire.Entry
	Epoch     string        `json:"epoch"`
	Rooms     []wire.Room   `json:"rooms"`
	Room      *wire.Room    `json:"room"`
	Entries   []wire.Entry  `json:"entries"`
	HasMore   bool          `json:"has_more"`
	Recovered *bool         `json:"recovered"`
	HeadSeq   int64         `json:"head_seq"`
	Reason    string        `json:"reason"`
	WithinMS  int64         `json:"within_ms"`
	Error     *wire.Problem `json:"error"`

	Changes []chat.PresenceChange `json:"changes"`
}

// line is one connection of a client, with a reader and a writer of its own: a client that is stuck in neither can
// always go on.
type line struct {
	conn Conn
	in   chan []object
	end  chan error // why reading ended
	wake chan struct{}
	done chan struct{} // closed by hang
	wg   sync.WaitGroup

	mu  sync.Mutex
	out [][]byte // guarded by mu

	// owned by the client
	welcomed  bool
	feed      map[string]place // where the pushes of each live room stand
	resuming  map[string]bool
	pending   map[int64]*request
	answered  map[int64]bool
	opened    time.Time
	movingAt  time.Time // when to look for another node, after reconnect
	nextID    int64
	lastHeard time.Time
}

// place is the last entry of a room that a connection was pushed, or starts from. The id may be unknown.
type place struct {
	seq int64
	id  string
}

// request is a command that waits for its answer.
type request struct {
	kind   string
	roomID string
	item   *item // of a send
	gen    int   // of the copy that asked
	full   bool  // a join that names no position
	at     time.Time
}

func newLine(conn Conn, gate *gate) *line {
	ln := &line{
		conn: conn, in: make(chan []object), end: make(chan error, 1), wake: make(chan struct{}, 1), done: make(chan struct{}),
		feed: make(map[string]place), resuming: make(map[string]bool), pending: make(map[int64]*request),
		answered: make(map[int64]bool), opened: time.Now(), lastHeard: time.Now(),
	}
	ln.wg.Go(func() { ln.end <- ln.read(gate) })
	ln.wg.Go(ln.write)
	return ln
}

func (ln *line) read(gate *gate) error {
	for {
		if !gate.pass(ln.done) {
			return errCut
		}
		data, err := ln.conn.Read()
		if err != nil {
			return err
		}
		objects, err := parse(data)
		if err != nil {
			return err
		}
		select {
		case ln.in <- objects:
		case <-ln.done:
			return errCut
		}
	}
}

// parse reads the objects of a frame.
func parse(data []byte) ([]object, error) {
	var objects []object
	for len(data) > 0 {
		var rest []byte
		for i, b := range data {
			if b == '\n' {
				data, rest = data[:i], data[i+1:]
				break
			}
		}
		var o object
		if err := json.Unmarshal(data, &o); err != nil {
			return nil, err
		}
		objects = append(objects, o)
		data = rest
	}
	return objects, nil
}

func (ln *line) write() {
	for {
		select {
		case <-ln.wake:
		case <-ln.done:
			return
		}
		ln.mu.Lock()
		out := ln.out
		ln.out = nil
		ln.mu.Unlock()
		for _, m := range out {
			if ln.conn.Write(m) != nil {
				return // the reader will hear of it
			}
		}
	}
}

// command sends an object; a request waits for its answer.
func (ln *line) command(fields map[string]any, r *request) {
	if r != nil {
		ln.nextID++
		fields["id"] = ln.nextID
		r.at = time.Now()
		ln.pending[ln.nextID] = r
	}
	data, err := json.Marshal(fields)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	ln.mu.Lock()
	ln.out = append(ln.out, data)
	ln.mu.Unlock()
	select {
	case ln.wake <- struct{}{}:
	default:
	}
}

// hang ends the connection and waits for its goroutines.
func (ln *line) hang() {
	close(ln.done)
	ln.conn.Close()
	ln.wg.Wait()
}

// gate holds up whoever wants to pass while it is shut.
type gate struct {
	mu   sync.Mutex
	open chan struct{} // closed while the gate is open; guarded by mu
}

func newGate() *gate {
	g := &gate{open: make(chan struct{})}
	close(g.open)
	return g
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.open:
		g.open = make(chan struct{})
	default:
	}
}

func (g *gate) lift() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.open:
	default:
		close(g.open)
	}
}

// pass waits for the gate to open; false if done ends first.
func (g *gate) pass(done <-chan struct{}) bool {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	select {
	case <-open:
		return true
	case <-done:
		return false
	}
}
