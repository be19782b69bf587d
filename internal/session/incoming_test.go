package session_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// masked is a frame as a client sends it: first holds FIN, RSV and the opcode. length is told in the shortest form.
func masked(first byte, payload string) []byte {
	key := [4]byte{0x12, 0xa5, 0x00, 0xff}
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	b = append(b, key[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^key[i%4])
	}
	return b
}

const (
	fin          = 0x80
	continuation = 0x0
	textFrame    = 0x1
	binaryFrame  = 0x2
	closing      = 0x8
	pinging      = 0x9
	ponging      = 0xa
)

func TestFrames(t *testing.T) {
	g := serve(t, someone, 0)
	ping := func(id string) string { return `{"type":"ping","id":` + id + `}` }
	join := func(frames ...[]byte) []byte { return bytes.Join(frames, nil) }
	for _, good := range []struct {
		name   string
		frames []byte
	}{
		{"two messages", join(masked(fin|textFrame, ping("1")), masked(fin|textFrame, ping("2")))},
		{"a control ping and a pong amid fragments", join(masked(textFrame, `{"type":"pi`), masked(fin|pinging, "?"), masked(fin|ponging, ""),
			masked(fin|continuation, `ng","id":1}`), masked(fin|textFrame, ping("2")))},
		{"empty fragments", join(masked(textFrame, ""), masked(continuation, ping("1")+"\n"), masked(continuation, ""),
			masked(fin|continuation, ping("2")))},
		{"fragments larger than what is read at once", join(masked(textFrame, strings.Repeat(" ", 9_000)+ping("1")),
			masked(fin|continuation, "\n"+ping("2")+strings.Repeat(" ", 30_000)))},
	} {
		for _, step := range []int{1, 7, 1 << 20} {
			t.Run(good.name, func(t *testing.T) {
				c := g.dial()
				for rest := good.frames; len(rest) > 0; {
					n := min(step, len(rest))
					_, err := c.NetConn().Write(rest[:n])
					g.no(err)
					rest = rest[n:]
				}
				var ids []int
				for len(ids) < 2 {
					for _, o := range g.read(c) {
						if o.Type == "reply" {
							ids = append(ids, o.ID)
						}
					}
				}
				if ids[0] != 1 || ids[1] != 2 {
					t.Errorf("replies to %v", ids)
				}
				g.no(c.Close())
			})
		}
	}
	for _, bad := range []struct {
		name   string
		frames []byte
		code   int
	}{
		{"no mask", []byte{fin | textFrame, 2, '{', '}'}, 1002},
		{"a reserved bit", masked(fin|0x40|textFrame, ping("1")), 1002},
		{"a reserved opcode", masked(fin|0x3, ""), 1002},
		{"a control frame in fragments", masked(pinging, "?"), 1002},
		{"a control frame of 126 bytes", masked(fin|pinging, strings.Repeat("?", 126)), 1002},
		{"a continuation of nothing", masked(fin|continuation, ping("1")), 1002},
		{"a message amid another one", join(masked(textFrame, "{"), masked(fin|textFrame, ping("1"))), 1002},
		{"a negative length", []byte{fin | textFrame, 0x80 | 127, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, 1002},
		{"half a close code", masked(fin|closing, "\x03"), 1002},
		{"a close code that is never sent", masked(fin|closing, "\x03\xed"), 1002},
		{"a close reason that is not text", masked(fin|closing, "\x03\xe8\xff"), 1002},
		{"a length that nothing has", []byte{fin | textFrame, 0x80 | 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}, 1009},
		{"fragments of too much", join(masked(textFrame, strings.Repeat(" ", 40_000)), masked(continuation, strings.Repeat(" ", 40_000)),
			masked(continuation, "more"), masked(fin|continuation, ""), masked(fin|closing, "")), 1009},
		{"binary fragments", join(masked(binaryFrame, "1"), masked(fin|continuation, ping("1")), masked(fin|closing, "")), 4110},
	} {
		t.Run(bad.name, func(*testing.T) {
			c := g.dial()
			_, err := c.NetConn().Write(bad.frames)
			g.no(err)
			g.closed(c, bad.code)
			g.no(c.Close())
		})
	}
	t.Run("a connection that is cut amid a frame ends", func(*testing.T) {
		for _, part := range []int{1, 5, 10} {
			c := g.dial()
			_, err := c.NetConn().Write(masked(fin|textFrame, ping("1"))[:part])
			g.no(err)
			g.no(c.Close())
		}
		g.settle(0)
	})
}
