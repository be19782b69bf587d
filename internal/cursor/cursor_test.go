package cursor

import (
	"encoding/base64"
	"errors"
	"testing"

	"github.com/gochat-dev/gochat/internal/chat"
)

// A cursor is either one that was given out, to the letter, or refused.
func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add("bnVsbA")
	f.Add(Key{Of: "rooms", Name: "Ä", Num: 1 << 60, Sub: -1}.seal())
	for _, text := range []string{`{"of":"rooms","num":1,"more":2}`, `{"num":1,"of":"rooms"}`, `{"of":"members"}`, `{"of":"rooms","num":1e3}`} {
		f.Add(base64.RawURLEncoding.EncodeToString([]byte(text)))
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		var key Key
		err := key.Unseal("rooms", cursor)
		switch {
		case err != nil:
			if !errors.Is(err, chat.Refuse(chat.CodeBadRequest, "")) || key != (Key{}) {
				t.Fatalf("refused with %v, and %+v", err, key)
			}
		case cursor != "" && key.seal() != cursor:
			t.Fatalf("%q was taken as %+v", cursor, key)
		}
	})
}
