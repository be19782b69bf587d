package faults

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"testing"
)

// lossy is what becomes of the notices that one connection from Redis brings: of 100, 30 are lost, 10 come twice, and 30
// come after the next one. Everything else passes.
type lossy struct {
	dice    *rand.Rand
	partial []byte // of a reply
	held    []byte // a notice that waits for the next
}

func (l *lossy) mangle(piece []byte) []byte {
	l.partial = append(l.partial, piece...)
	var out []byte
	for {
		n := reply(l.partial)
		if n == 0 {
			return out
		}
		one := bytes.Clone(l.partial[:n])
		l.partial = l.partial[n:]
		if !isNotice(one) {
			out = append(out, one...)
			continue
		}
		switch k := l.dice.IntN(100); {
		case k < 30:
		case k < 40:
			out = append(out, one...)
			out = append(out, one...)
		case k < 70 && l.held == nil:
			l.held = one
			continue
		default:
			out = append(out, one...)
		}
		out = append(out, l.held...)
		l.held = nil
	}
}

// isNotice reports whether a reply is what a subscriber is pushed.
func isNotice(one []byte) bool {
	return bytes.HasPrefix(one, []byte("*3\r\n$7\r\nmessage\r\n"))
}

// reply is how long the first reply of a stream is (RESP 2); 0 while there is more to come.
func reply(stream []byte) int {
	line := bytes.Index(stream, []byte("\r\n")) + 2
	if line < 2 {
		return 0
	}
	n, err := strconv.Atoi(string(stream[1 : line-2]))
	switch {
	case err != nil || n < 0: // a status, an error; or nothing, of either kind
		return line
	case stream[0] == '$':
		if line+n+2 > len(stream) {
			return 0
		}
		return line + n + 2
	case stream[0] != '*':
		return line
	}
	at := line
	for range n {
		one := reply(stream[at:])
		if one == 0 {
			return 0
		}
		at += one
	}
	return at
}

func TestLossy(t *testing.T) {
	const notice, other = "*3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n$2\r\n%d\r\n", "*2\r\n*-1\r\n$3\r\nabc\r\n"
	l := &lossy{dice: rand.New(rand.NewPCG(1, 1))}
	var got []byte
	for i := range 1000 {
		stream := []byte(other + string(bytes.ReplaceAll([]byte(notice), []byte("%d"), []byte(strconv.Itoa(10+i%90)))))
		got = append(got, l.mangle(stream[:7])...)
		got = append(got, l.mangle(stream[7:])...)
	}
	if n := bytes.Count(got, []byte(other)); n != 1000 {
		t.Errorf("%d of 1000 other replies passed", n)
	}
	if n := bytes.Count(got, []byte("message")); n < 700 || n > 900 {
		t.Errorf("%d of 1000 notices came through, want 700 and 100 twice, about", n)
	}
}
