package wire

import (
	"bytes"
	"encoding/json"
)

// Unmarshal reads JSON as json.Unmarshal does, but a field's name is itself in lower case only, as the contract has it:
// the library would take ROOM_ID for room_id. Names that are written otherwise are those of unknown fields.
func Unmarshal(data []byte, v any) error {
	if lowerNames(data) || !json.Valid(data) { // what is no JSON is refused in the library's words
		return json.Unmarshal(data, v)
	}
	var tree any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber() // they stay as they are written
	if err := decoder.Decode(&tree); err != nil {
		return err
	}
	exact, err := json.Marshal(withoutStrangers(tree))
	if err != nil {
		return err
	}
	return json.Unmarshal(exact, v)
}

// lowerNames reports whether the names in JSON are all written in lower case ASCII without escapes, as nearly always.
func lowerNames(data []byte) bool {
	for {
		start := bytes.IndexByte(data, '"')
		if start < 0 {
			return true
		}
		data = data[start+1:]
		end := endOfString(data)
		if end < 0 {
			return true // not JSON
		}
		text := data[:end]
		data = bytes.TrimLeft(data[end+1:], " \t\r\n")
		if len(data) > 0 && data[0] == ':' && !isLower(text) {
			return false
		}
	}
}

// endOfString is where the quote stands that ends a string; -1 if none does.
func endOfString(data []byte) int {
	for from := 0; ; {
		i := bytes.IndexByte(data[from:], '"')
		if i < 0 {
			return -1
		}
		end := from + i
		slashes := 0
		for slashes < end && data[end-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return end
		}
		from = end + 1
	}
}

func isLower[T string | []byte](name T) bool {
	for i := range len(name) {
		if c := name[i]; c >= 0x80 || c == '\\' || (c >= 'A' && c <= 'Z') {
			return false
		}
	}
	return true
}

// withoutStrangers leaves out of objects the fields whose names none of ours is written like.
func withoutStrangers(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = withoutStrangers(v[i])
		}
	case map[string]any:
		for name, value := range v {
			if !isLower(name) {
				delete(v, name)
				continue
			}
			v[name] = withoutStrangers(value)
		}
	}
	return v
}
