package checker

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/gochat-dev/gochat/internal/wire"
)

// pipe is a connection in memory: the node's end is a session.Socket, the client's end a Conn. What is under way is
// bounded, so a client that does not read makes the node's writes wait.
type pipe struct {
	down chan packet // node to client
	up   chan []byte // client to node

	closed chan struct{} // the node's end: what was written can still be read
	cut    chan struct{} // the network: nothing comes through any more, either way
	hurry  chan struct{} // a write that is stuck fails
	unread chan struct{} // the node reads no more

	mu     sync.Mutex
	timers []*time.Timer // guarded by mu
}

// packet is one message, or the close frame.
type packet struct {
	data []byte
	end  *CloseError
}

const pipeDepth = 8

func newPipe() *pipe {
	return &pipe{
		down: make(chan packet, pipeDepth), up: make(chan []byte, pipeDepth),
		closed: make(chan struct{}), cut: make(chan struct{}),
		hurry: make(chan struct{}), unread: make(chan struct{}),
	}
}

var errCut = errors.New("connection cut")

// shut closes a channel once.
func (p *pipe) shut(c chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-c:
	default:
		close(c)
	}
}

func (p *pipe) shutAfter(d time.Duration, c chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timers = append(p.timers, time.AfterFunc(d, func() { p.shut(c) }))
}

func (p *pipe) sever() { p.shut(p.cut) }

// node is the end of a pipe that a session holds.
type nodeEnd struct{ *pipe }

// Read implements session.Socket.
func (p nodeEnd) Read() ([]byte, error) {
	select {
	case m := <-p.up:
		return m, nil
	case <-p.cut:
		return nil, errCut
	case <-p.closed:
		return nil, io.EOF
	case <-p.unread:
		return nil, errors.New("read deadline")
	}
}

// Write implements session.Socket.
func (p nodeEnd) Write(frames []*wire.Frame) error {
	if len(frames) == 0 {
		return nil
	}
	payloads := make([][]byte, 0, len(frames))
	for _, f := range frames {
		payloads = append(payloads, f.Payload())
	}
	return p.write(packet{data: bytes.Join(payloads, []byte{'\n'})})
}

func (p nodeEnd) write(m packet) error {
	select {
	case <-p.cut: // first: a select picks any
		return errCut
	default:
	}
	select {
	case p.down <- m:
		return nil
	case <-p.cut:
		return errCut
	case <-p.closed:
		return io.ErrClosedPipe
	case <-p.hurry:
		return errors.New("write deadline")
	}
}

// Finish implements session.Socket.
func (p nodeEnd) Finish(code int, reason string) {
	const within = 2 * time.Second
	p.Hurry(within)
	if err := p.write(packet{end: &CloseError{code, reason}}); err != nil {
		p.Close()
	}
	p.shutAfter(within, p.unread)
}

// Hurry implements session.Socket.
func (p nodeEnd) Hurry(within time.Duration) { p.shutAfter(within, p.hurry) }

// Close implements session.Socket.
func (p nodeEnd) Close() {
	p.shut(p.closed)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.timers {
		t.Stop()
	}
}

// CloseError is the close frame of a connection. Code 0 stands for a connection that ended without one.
type CloseError struct {
	Code   int
	Reason string
}

func (e *CloseError) Error() string { return fmt.Sprintf("closed with %d %s", e.Code, e.Reason) }

// clientEnd is the end of a pipe that a client holds.
type clientEnd struct{ *pipe }

// Read implements Conn.
func (p clientEnd) Read() ([]byte, error) {
	select {
	case <-p.cut:
		return nil, errCut
	case m := <-p.down:
		return m.read()
	default:
	}
	select {
	case <-p.cut:
		return nil, errCut
	case m := <-p.down:
		return m.read()
	case <-p.closed:
		select {
		case m := <-p.down:
			return m.read()
		default:
			return nil, io.EOF
		}
	}
}

func (m packet) read() ([]byte, error) {
	if m.end != nil {
		return nil, m.end
	}
	return m.data, nil
}

// Write implements Conn.
func (p clientEnd) Write(data []byte) error {
	select {
	case p.up <- data:
		return nil
	case <-p.cut:
		return errCut
	case <-p.closed:
		return io.ErrClosedPipe
	}
}

// Close implements Conn.
func (p clientEnd) Close() { p.sever() }
