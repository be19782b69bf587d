//go:build linux

package loadtest

import (
	"bytes"
	"errors"
	"testing"
)

func TestParseFrame(t *testing.T) {
	long := bytes.Repeat([]byte("x"), 70_000)
	tests := []struct {
		name   string
		bytes  []byte
		opcode byte
		fin    bool
		want   []byte
		err    error
	}{
		{"text of RFC 6455, section 5.7", []byte{0x81, 0x05, 'H', 'e', 'l', 'l', 'o'}, opText, true, []byte("Hello"), nil},
		{"first fragment", []byte{0x01, 0x03, 'H', 'e', 'l'}, opText, false, []byte("Hel"), nil},
		{"last fragment", []byte{0x80, 0x02, 'l', 'o'}, opContinuation, true, []byte("lo"), nil},
		{"ping", []byte{0x89, 0x00}, opPing, true, nil, nil},
		{"16-bit length", serverFrame(opText, long[:300]), opText, true, long[:300], nil},
		{"64-bit length", serverFrame(opText, long), opText, true, long, nil},
		{"masked", []byte{0x81, 0x80, 0, 0, 0, 0}, 0, false, nil, errMaskedFrame},
		{"reserved bit: compression was not agreed on", []byte{0xC1, 0x00}, 0, false, nil, errReservedBits},
		{"unknown data opcode", []byte{0x83, 0x00}, 0, false, nil, errOpcode},
		{"unknown control opcode", []byte{0x8B, 0x00}, 0, false, nil, errOpcode},
		{"fragmented control frame", []byte{0x09, 0x00}, 0, false, nil, errControlFrame},
		{"long control frame", []byte{0x88, 126, 0, 200}, 0, false, nil, errControlFrame},
		{"control frame with a long form of a short length", []byte{0x88, 126, 0, 0}, 0, false, nil, errControlFrame},
		{"too large", []byte{0x81, 127, 0, 0, 0, 0, 0xFF, 0, 0, 0}, 0, false, nil, errFrameTooLarge},
		{"length with the sign bit", []byte{0x81, 127, 0xFF, 0, 0, 0, 0, 0, 0, 0}, 0, false, nil, errFrameTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, used, err := parseFrame(append(tt.bytes, 0xEE))
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err != nil {
				return
			}
			if used != len(tt.bytes) || f.opcode != tt.opcode || f.fin != tt.fin || !bytes.Equal(f.payload, tt.want) {
				t.Errorf("frame %#x fin=%v with %d bytes, %d used", f.opcode, f.fin, len(f.payload), used)
			}
			for cut := range min(len(tt.bytes), 20) {
				if _, used, err := parseFrame(tt.bytes[:cut]); used != 0 || err != nil {
					t.Errorf("cut after %d bytes: used %d, %v; want to wait for more", cut, used, err)
				}
			}
		})
	}
}

func TestClientFramesAreReadBack(t *testing.T) {
	for _, size := range []int{0, 1, 125, 126, 300, 65_535} {
		payload := bytes.Repeat([]byte("ab"), size)[:size]
		b := appendFrame(nil, opText, 0x01020304, payload)
		if size > 3 && bytes.Contains(b, payload[:4]) {
			t.Errorf("%d bytes: the payload is not masked", size)
		}
		f, used, err := parseClientFrame(b)
		if err != nil || used != len(b) || f.opcode != opText || !bytes.Equal(f.payload, payload) {
			t.Errorf("%d bytes: used %d of %d, %v", size, used, len(b), err)
		}
	}
}

func TestCloseCode(t *testing.T) {
	if got := closeCode([]byte{0x0F, 0xA9, 'x'}); got != 4009 {
		t.Errorf("close code %d, want 4009", got)
	}
	if got := closeCode(nil); got != 1005 {
		t.Errorf("close without a code: %d, want 1005", got)
	}
}

// FuzzParseFrame: no input panics, reads past its end, or is used differently when it arrives in pieces.
func FuzzParseFrame(f *testing.F) {
	f.Add([]byte{0x81, 0x05, 'H', 'e', 'l', 'l', 'o', 0x89, 0x00}, 3)
	f.Add(serverFrame(opText, bytes.Repeat([]byte("x"), 300)), 4)
	f.Add([]byte{0x88, 126, 0, 200}, 1)
	f.Add([]byte{0x81, 127, 0xFF, 0, 0, 0, 0, 0, 0, 0}, 9)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		fr, used, err := parseFrame(b)
		if used < 0 || used > len(b) || err != nil && used != 0 {
			t.Fatalf("used %d of %d, %v", used, len(b), err)
		}
		if used == 0 {
			return
		}
		if cut %= used; cut < 0 {
			cut = -cut
		}
		if _, early, err := parseFrame(b[:cut]); early != 0 || err != nil {
			t.Fatalf("the first %d of %d bytes: used %d, %v", cut, used, early, err)
		}
		if fr.fin {
			again, n, err := parseFrame(serverFrame(fr.opcode, fr.payload))
			if err != nil || n == 0 || !bytes.Equal(again.payload, fr.payload) {
				t.Fatalf("written again it reads differently: %v", err)
			}
		}
	})
}
