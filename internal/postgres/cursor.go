package postgres

import (
	"encoding/base64"
	"encoding/json"

	"github.com/gochat-dev/gochat/internal/chat"
)

var errCursor = chat.Refuse(chat.CodeBadRequest, "this cursor is not one that was given out here")

// sortKey is what a collection is sorted by. A cursor is the key of the last item of a page, so what is
// inserted or deleted meanwhile neither repeats nor hides anything else.
type sortKey struct {
	Of   string `json:"of"` // the collection
	Name string `json:"name,omitempty"`
	Num  int64  `json:"num,omitempty"`
	Sub  int64  `json:"sub,omitempty"`
}

func (k sortKey) seal() string {
	b, err := json.Marshal(k)
	if err != nil {
		panic(err) // a plain struct of strings and numbers always encodes
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// unseal sets k to what a cursor of the collection says. An empty cursor leaves it as it is: the start.
func (k *sortKey) unseal(of, cursor string) error {
	if cursor == "" {
		return nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return errCursor
	}
	var key sortKey
	if json.Unmarshal(b, &key) != nil || key.Of != of || key.seal() != cursor {
		return errCursor
	}
	*k = key
	return nil
}

// pageSize is how many items a page of a collection has. One more is read, to see whether there is more.
func pageSize(p chat.Paging) int { return min(max(p.Limit, 1), chat.MaxRooms) }

// cut makes a page of the items read, and the cursor of the next one, or "".
func cut[T any](items []T, p chat.Paging, of string, key func(T) sortKey) ([]T, string) {
	size := pageSize(p)
	if len(items) <= size {
		return items, ""
	}
	k := key(items[size-1])
	k.Of = of
	return items[:size], k.seal()
}
