package checker

import (
	"time"

	"github.com/gochat-dev/gochat/internal/wire"
)

// sighting is an entry that was seen.
type sighting struct {
	entry wire.Entry
	push  bool
	after place     // of a push: what was pushed before it
	at    time.Time // when it was seen
}

// answer is what a send was answered with.
type answer struct {
	item      *item
	seq       int64
	messageID string
	again     bool // it was acknowledged before
}

// item is a message of the client.
type item struct {
	roomID, clientID, body string
	said                   time.Time
	seq                    int64 // once acknowledged
	messageID              string
	acked                  time.Time
	refused                bool
	transmitted            *line
}

// Slowest is the same of what one client has said.
func (c *Client) Slowest(from, to time.Time) (slowest time.Duration, messages int) {
	waits := inside(c, func() []time.Duration { return c.waits(from, to) })
	for _, wait := range waits {
		slowest = max(slowest, wait)
	}
	return slowest, len(waits)
}

func (c *Client) waits(from, to time.Time) []time.Duration {
	var waits []time.Duration
	for _, it := range c.sent {
		switch {
		case it.said.Before(from) || it.said.After(to) || it.refused:
		case it.acked.IsZero():
			waits = append(waits, time.Since(it.said))
		default:
			waits = append(waits, it.acked.Sub(it.said))
		}
	}
	return waits
}

func (c *Client) saidIn(from, to time.Time) []*item {
	var out []*item
	for _, it := range c.sent {
		if !it.said.Before(from) && !it.said.After(to) {
			out = append(out, it)
		}
	}
	return out
}
