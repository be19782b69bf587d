package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"
)

// Frame is one encoded object, with the header of an unmasked WebSocket text frame (RFC 6455 section 5.2) in
// front of it, so that it can be written to any number of connections as it is (HUB2). It is immutable.
type Frame struct {
	bytes  []byte // header and payload
	offset int    // where the payload starts
	signal bool
	born   time.Time // when the entry was committed; zero where that does not count
}

// Bytes is the whole WebSocket frame.
func (f *Frame) Bytes() []byte { return f.bytes }

// Payload is the JSON object alone.
func (f *Frame) Payload() []byte { return f.bytes[f.offset:] }

// Len is the size of the whole frame in bytes.
func (f *Frame) Len() int { return len(f.bytes) }

// Signal reports whether the frame may be shed when a client is slow (HUB4).
func (f *Frame) Signal() bool { return f.signal }

// Committed is when the entry of a live delivery was committed; zero for all other frames.
func (f *Frame) Committed() time.Time { return f.born }

// Live returns the frame as one of a live delivery, sharing its bytes.
func (f *Frame) Live(committed time.Time) *Frame {
	live := *f
	live.born = committed
	return &live
}

// AppendHeader appends the header of a final, unmasked WebSocket text frame with n bytes of payload.
func AppendHeader(b []byte, n int) []byte {
	const finText = 0x81
	switch {
	case n < 126:
		return append(b, finText, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, finText, 126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, finText, 127), uint64(n))
	}
}

// Merge appends one WebSocket frame that holds the payloads of all frames, separated by newlines.
func Merge(b []byte, frames []*Frame) []byte {
	n := len(frames) - 1
	for _, f := range frames {
		n += len(f.Payload())
	}
	b = AppendHeader(b, n)
	for i, f := range frames {
		if i > 0 {
			b = append(b, '\n')
		}
		b = append(b, f.Payload()...)
	}
	return b
}

// encode makes a frame of an object.
func encode(v any) *Frame { return framed(object(v)) }

// object is the JSON of an object. It never holds a raw newline.
func object(v any) []byte {
	var buf bytes.Buffer
	buf.Grow(512)
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("wire: encoding %T: %v", v, err)) // our own structs always encode
	}
	return buf.Bytes()[:buf.Len()-1] // without the encoder's newline
}

// framed puts the header in front of a payload. The copy has the exact size: rings keep frames for a long time (RES4).
func framed(payload []byte) *Frame {
	b := AppendHeader(make([]byte, 0, headerLen(len(payload))+len(payload)), len(payload))
	offset := len(b)
	return &Frame{bytes: append(b, payload...), offset: offset}
}

func headerLen(n int) int {
	switch {
	case n < 126:
		return 2
	case n < 1<<16:
		return 4
	default:
		return 10
	}
}

func signal(v any) *Frame {
	f := encode(v)
	f.signal = true
	return f
}

// typed starts every object that the server sends.
type typed struct {
	Type string `json:"type"`
}
