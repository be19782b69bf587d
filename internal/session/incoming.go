package session

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"

	"github.com/gobwas/ws"

	"github.com/gochat-dev/gochat/internal/wire"
)

// incoming is what a connection holds while a message arrives. In between it is in a pool: of thousands of connections
// few are being read at a time.
type incoming struct {
	buf     [4 << 10]byte           // what came with the last read from the socket,
	unread  []byte                  // and what of it has not been looked at
	message []byte                  // so far, unmasked
	header  [ws.MaxHeaderSize]byte  // while it is read
	control [maxControlPayload]byte // the payload of a control frame
}

const maxControlPayload = ws.MaxControlFramePayloadSize

var incomings = sync.Pool{New: func() any { return new(incoming) }}

// release returns it to the pool, but for the memory of an unusually long message.
func (in *incoming) release() {
	if cap(in.message) > len(in.buf) {
		in.message = nil
	}
	incomings.Put(in)
}

// closeError is a client's close frame, as an error of Read.
type closeError struct {
	code int // 0: it named none
}

func (c closeError) Error() string { return fmt.Sprintf("the client closed with code %d", c.code) }

// errProtocol says that what was read is no WebSocket frame (RFC 6455 section 5.2).
var errProtocol = errors.New("protocol error")

// Read implements Socket. What is refused with ErrTooLarge or ErrNotText is skipped by the next call.
func (w *WebSocket) Read() ([]byte, error) {
	for {
		if w.in != nil && len(w.in.unread) == 0 && !w.state.Fragmented() {
			w.in.release()
			w.in = nil
		}
		if err := w.fill(); err != nil {
			return nil, err
		}
		if w.skip > 0 {
			w.skip -= int64(len(w.in.take(w.skip)))
			continue
		}
		done, err := w.frame()
		switch {
		case err != nil:
			return nil, err
		case done:
			return w.in.message, nil
		}
	}
}

// fill waits until there is something unread. A connection that is silent holds no buffer meanwhile.
func (w *WebSocket) fill() error {
	if w.in != nil && len(w.in.unread) > 0 {
		return nil
	}
	if w.raw == nil {
		w.receive(w.net.Read)
	} else if err := w.raw.Read(w.readable); err != nil {
		return err
	}
	if len(w.in.unread) > 0 {
		return nil
	}
	if w.readErr == nil {
		w.readErr = io.EOF
	}
	return w.readErr
}

// onReadable reads what the socket has; false if that is nothing yet.
func (w *WebSocket) onReadable(fd uintptr) bool {
	silent := w.in == nil
	w.receive(func(b []byte) (int, error) { return receive(fd, b) })
	if !errors.Is(w.readErr, syscall.EAGAIN) {
		return true
	}
	if silent {
		w.in.release()
		w.in = nil
	}
	return false
}

func (w *WebSocket) receive(read func([]byte) (int, error)) {
	if w.in == nil {
		w.in, _ = incomings.Get().(*incoming)
	}
	var n int
	n, w.readErr = read(w.in.buf[:])
	w.in.unread = w.in.buf[:n]
}

// take returns at most n of the bytes that are unread.
func (in *incoming) take(n int64) []byte {
	b := in.unread[:min(n, int64(len(in.unread)))]
	in.unread = in.unread[len(b):]
	return b
}

// frame reads one frame, and reports whether that completes a message.
func (w *WebSocket) frame() (done bool, err error) {
	h, err := ws.ReadHeaderBuffer((*unread)(w), w.in.header[:0])
	if err == nil {
		err = ws.CheckHeader(h, w.state)
	}
	if err != nil {
		return false, asProtocol(err)
	}
	if h.OpCode.IsControl() {
		return false, w.control(h)
	}
	if h.OpCode != ws.OpContinuation {
		w.in.message, w.refused = w.in.message[:0], false
	}
	w.state = w.state.Set(ws.StateFragmented)
	if h.Fin {
		w.state = w.state.Clear(ws.StateFragmented)
	}
	switch {
	case w.refused:
		w.skip = h.Length
		return false, nil
	case h.OpCode == ws.OpBinary:
		w.refused, w.skip = true, h.Length
		return false, ErrNotText
	case h.Length > wire.MaxFrame-int64(len(w.in.message)):
		w.refused, w.skip = true, h.Length
		return false, ErrTooLarge
	}
	return h.Fin, w.payload(h)
}

// payload appends a frame's payload to the message.
func (w *WebSocket) payload(h ws.Header) error {
	start := len(w.in.message)
	for left := h.Length; left > 0; {
		if err := w.fill(); err != nil {
			return err
		}
		part := w.in.take(left)
		w.in.message = append(w.in.message, part...)
		left -= int64(len(part))
	}
	ws.Cipher(w.in.message[start:], h.Mask, 0)
	return nil
}

// control takes a control frame. It may come amid the fragments of a message.
func (w *WebSocket) control(h ws.Header) error {
	payload := w.in.control[:h.Length]
	if _, err := io.ReadFull((*unread)(w), payload); err != nil {
		return err
	}
	ws.Cipher(payload, h.Mask, 0)
	switch h.OpCode {
	case ws.OpPing:
		w.pinged(payload)
	case ws.OpClose:
		return readClose(payload)
	}
	return nil
}

func readClose(payload []byte) error {
	if len(payload) == 0 {
		return closeError{}
	}
	code, reason := ws.ParseCloseFrameData(payload)
	if err := ws.CheckCloseFrameData(code, reason); err != nil {
		return asProtocol(err)
	}
	return closeError{int(code)}
}

func asProtocol(err error) error {
	var broken ws.ProtocolError
	if errors.As(err, &broken) || errors.Is(err, ws.ErrHeaderLengthMSB) || errors.Is(err, ws.ErrHeaderLengthUnexpected) {
		return fmt.Errorf("%w: %w", errProtocol, err)
	}
	return err
}

// unread is the connection's bytes from the first one that is unread on, as an io.Reader.
type unread WebSocket

func (u *unread) Read(p []byte) (int, error) {
	w := (*WebSocket)(u)
	if err := w.fill(); err != nil {
		return 0, err
	}
	return copy(p, w.in.take(int64(len(p)))), nil
}
