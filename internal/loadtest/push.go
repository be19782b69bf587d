//go:build linux

package loadtest

import (
	"bytes"
	"errors"
	"strconv"
)

var errBadObject = errors.New("not a JSON object")

// push is what the generator looks at in one object from the server; the slices are views into the frame.
// Strings are compared raw: ids and the generator's own bodies hold nothing that JSON escapes.
type push struct {
	kind      string // the object's "type"; empty for one that is only counted
	id        int64
	roomID    []byte
	seq, prev int64 // prev is seq-1 where the field is left out
	messageID []byte
	body      []byte
	recovered bool
	errorCode []byte
}

// parsePush reads one object. It allocates nothing: at 10,000 deliveries a second, encoding/json would
// cost the machine more than the server under test.
func parsePush(object []byte) (push, error) {
	var p push
	prev := int64(-1)
	err := eachMember(object, func(key, value []byte) {
		switch string(key) {
		case "type":
			p.kind = pushType(unquote(value))
		case "id":
			p.id = integer(value)
		case "room_id":
			p.roomID = unquote(value)
		case "seq":
			p.seq = integer(value)
		case "prev_seq":
			prev = integer(value)
		case "message_id":
			p.messageID = unquote(value)
		case "body":
			p.body = unquote(value)
		case "recovered":
			p.recovered = string(value) == "true"
		case "error":
			p.errorCode = errorCode(value)
		}
	})
	if p.prev = prev; prev < 0 {
		p.prev = p.seq - 1
	}
	return p, err
}

// pushType returns the constant of a type that the generator acts on, so that no string is allocated.
func pushType(raw []byte) string {
	switch string(raw) {
	case "entry":
		return "entry"
	case "reply":
		return "reply"
	case "error":
		return "error"
	case "ping":
		return "ping"
	case "welcome":
		return "welcome"
	case "resumed":
		return "resumed"
	case "reconnect":
		return "reconnect"
	}
	return ""
}

func errorCode(object []byte) []byte {
	var code []byte
	// A malformed error object is still an error: its code is then empty.
	_ = eachMember(object, func(key, value []byte) {
		if string(key) == "code" {
			code = unquote(value)
		}
	})
	return code
}

// unquote strips the quotes of a raw JSON string; anything else is nil.
func unquote(raw []byte) []byte {
	if len(raw) < 2 || raw[0] != '"' {
		return nil
	}
	return raw[1 : len(raw)-1]
}

// integer reads a raw JSON integer; anything else is 0, which no entry has as its number.
func integer(raw []byte) int64 {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// eachMember calls visit with the raw key and the raw value of each top-level member of a JSON object.
// It checks only the structure it needs to find the next member; the values are not validated.
func eachMember(object []byte, visit func(key, value []byte)) error {
	b := trimSpace(object)
	if len(b) < 2 || b[0] != '{' {
		return errBadObject
	}
	b = trimSpace(b[1:])
	if len(b) > 0 && b[0] == '}' {
		return nil
	}
	for {
		n := stringEnd(b)
		if n == 0 {
			return errBadObject
		}
		key := b[1 : n-1]
		b = trimSpace(b[n:])
		if len(b) == 0 || b[0] != ':' {
			return errBadObject
		}
		b = trimSpace(b[1:])
		n = valueEnd(b)
		if n == 0 {
			return errBadObject
		}
		visit(key, b[:n])
		b = trimSpace(b[n:])
		switch {
		case len(b) == 0:
			return errBadObject
		case b[0] == '}':
			return nil
		case b[0] != ',':
			return errBadObject
		}
		b = trimSpace(b[1:])
	}
}

// stringEnd returns the length of the JSON string that b starts with, quotes included; 0 if there is none.
func stringEnd(b []byte) int {
	if len(b) == 0 || b[0] != '"' {
		return 0
	}
	for i := 1; ; {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return 0
		}
		end := i + n
		slashes := 0
		for b[end-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return end + 1
		}
		i = end + 1
	}
}

// valueEnd returns the length of the JSON value that b starts with; 0 if it does not end in b.
func valueEnd(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	switch b[0] {
	case '"':
		return stringEnd(b)
	case '{', '[':
		return nestedEnd(b)
	}
	for i, c := range b {
		if c == ',' || c == '}' || c == ']' || c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			return i
		}
	}
	return 0
}

func nestedEnd(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			n := stringEnd(b[i:])
			if n == 0 {
				return 0
			}
			i += n - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

func trimSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\r' || b[0] == '\n') {
		b = b[1:]
	}
	return b
}
