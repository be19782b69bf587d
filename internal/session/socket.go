package session

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/gobwas/ws"

	"github.com/gochat-dev/gochat/internal/wire"
)

// Socket is one client's connection. One goroutine reads, one at a time writes.
type Socket interface {
	// Read returns the next message. The bytes are valid until the next call. ErrTooLarge, ErrNotText, or what
	// ended the connection.
	Read() ([]byte, error)
	// Write writes what is left of an earlier tryWrite, then the frames.
	Write(frames []*wire.Frame) error
	// Finish writes a close frame, unless the code is 0, and lets Read end soon.
	Finish(code int, reason string)
	// Hurry makes a Write that is stuck fail after a while.
	Hurry(within time.Duration)
	// Close closes the connection at once.
	Close()
}

// tryWriter is a Socket that can write without waiting.
type tryWriter interface {
	tryWrite(f *wire.Frame) writeResult
}

// What Read can say of a message that is none of the contract.
var (
	ErrTooLarge = errors.New("message too large")
	ErrNotText  = errors.New("not a text message")
)

// finishWithin is how long a client has to take what was written before the close frame, and to answer it.
const finishWithin = 2 * time.Second

// WebSocket is a Socket over a connection that has been upgraded. It parses frames with gobwas/ws, which keeps nothing
// per connection, and writes them itself: they are encoded once for all connections (HUB2).
type WebSocket struct {
	net net.Conn
	raw syscall.RawConn // nil where the connection has no file descriptor

	pong func() // wakes the writer: a control ping waits to be answered
	mu   sync.Mutex
	ping []byte // payload of the last control ping not answered yet; guarded by mu
	ask  bool   // guarded by mu

	// owned by the reader
	in       *incoming // nil while nothing is being read
	state    ws.State
	skip     int64 // bytes of a refused frame that are still to come
	refused  bool  // what follows of the message is not wanted
	readErr  error
	readable func(fd uintptr) bool // onReadable

	// owned by whoever writes
	buf  []byte
	rest []byte // of a frame that tryWrite wrote in part
	try  struct {
		data []byte
		n    int
		fn   func(fd uintptr) bool
	}
}

// NewWebSocket takes over an upgraded connection.
func NewWebSocket(conn net.Conn) *WebSocket {
	w := &WebSocket{net: conn, state: ws.StateServerSide}
	if sc, ok := w.net.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			w.raw = raw
			w.try.fn, w.readable = w.tryOnce, w.onReadable
		}
	}
	return w
}

// pinged notes a control ping, to be answered by whoever writes next.
func (w *WebSocket) pinged(payload []byte) {
	w.mu.Lock()
	w.ping, w.ask = append(w.ping[:0], payload...), true
	w.mu.Unlock()
	if w.pong != nil {
		w.pong()
	}
}

// Write implements Socket.
func (w *WebSocket) Write(frames []*wire.Frame) error {
	if len(w.rest) > 0 {
		rest := w.rest
		w.rest = nil
		if _, err := w.net.Write(rest); err != nil {
			return fmt.Errorf("writing to the client: %w", err)
		}
	}
	b := w.appendPong(w.buf[:0])
	switch {
	case len(frames) == 1 && len(b) == 0:
		_, err := w.net.Write(frames[0].Bytes())
		return err
	case len(frames) > 0:
		b = wire.Merge(b, frames)
	}
	if len(b) == 0 {
		return nil
	}
	_, err := w.net.Write(b)
	if cap(b) <= 4<<10 {
		w.buf = b[:0]
	} else {
		w.buf = nil
	}
	return err
}

// appendPong appends the answer to a control ping (RFC 6455 section 5.5.3), if one waits.
func (w *WebSocket) appendPong(b []byte) []byte {
	const finPong = 0x8a
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ask {
		return b
	}
	w.ask = false
	b = append(b, finPong, byte(len(w.ping))) // a control frame has at most 125 bytes of payload
	return append(b, w.ping...)
}

// tryWrite writes a frame without ever waiting.
func (w *WebSocket) tryWrite(f *wire.Frame) writeResult {
	if w.raw == nil || len(w.rest) > 0 {
		return wroteNothing
	}
	w.try.data, w.try.n = f.Bytes(), 0
	if err := w.raw.Write(w.try.fn); err != nil || w.try.n == 0 {
		return wroteNothing // the writer will meet the error, or wait for the socket
	}
	if w.try.n < len(w.try.data) {
		w.rest = w.try.data[w.try.n:]
		return wrotePart
	}
	return wroteAll
}

func (w *WebSocket) tryOnce(fd uintptr) bool {
	w.try.n = send(fd, w.try.data)
	return true
}

// Finish implements Socket.
func (w *WebSocket) Finish(code int, reason string) {
	deadline := time.Now().Add(finishWithin)
	if err := w.net.SetDeadline(deadline); err != nil {
		w.Close()
		return
	}
	if code != 0 && len(w.rest) == 0 {
		const finClose = 0x88
		payload := ws.NewCloseFrameBody(ws.StatusCode(code), reason)
		b := append([]byte{finClose, byte(len(payload))}, payload...)
		if _, err := w.net.Write(b); err != nil {
			w.Close()
			return
		}
	}
	if half, ok := w.net.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
		w.Close()
	}
}

// Hurry implements Socket.
func (w *WebSocket) Hurry(within time.Duration) {
	if err := w.net.SetWriteDeadline(time.Now().Add(within)); err != nil {
		w.Close()
	}
}

// Close implements Socket.
func (w *WebSocket) Close() {
	_ = w.net.Close() // the connection is over either way
}
