// Package cursor makes the pages of sorted collections, and the cursors that lead from one to the next, for every store alike.
package cursor

import (
	"encoding/base64"
	"encoding/json"

	"github.com/gochat-dev/gochat/internal/chat"
)

var errCursor = chat.Refuse(chat.CodeBadRequest, "this cursor is not one that was given out here")

// Key is what a collection is sorted by. A cursor is the key of the last item of a page, so what is
// inserted or deleted meanwhile neither repeats nor hides anything else.
type Key struct {
	Of   string `json:"of"` // the collection
	Name string `json:"name,omitempty"`
	Num  int64  `json:"num,omitempty"`
	Sub  int64  `json:"sub,omitempty"`
}

func (k Key) seal() string {
	b, err := json.Marshal(k)
	if err != nil {
		panic(err) // a plain struct of strings and numbers always encodes
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// Unseal sets k to what a cursor of the collection says. An empty cursor leaves it as it is: the start. One that was not
// given out for this collection is refused with an *chat.Error.
func (k *Key) Unseal(of, cursor string) error {
	if cursor == "" {
		return nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return errCursor
	}
	var key Key
	if json.Unmarshal(b, &key) != nil || key.Of != of || key.seal() != cursor {
		return errCursor
	}
	*k = key
	return nil
}

// Size is how many items a page of a collection has. One more is read, to see whether there is more.
func Size(p chat.Paging) int { return min(max(p.Limit, 1), chat.MaxRooms) }

// Cut makes a page of the items read, and the cursor of the next one, or "".
func Cut[T any](items []T, p chat.Paging, of string, key func(T) Key) ([]T, string) {
	size := Size(p)
	if len(items) <= size {
		return items, ""
	}
	k := key(items[size-1])
	k.Of = of
	return items[:size], k.seal()
}
