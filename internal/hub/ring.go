package hub

import (
	"slices"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

// ring holds the most recent entries of a live room, encoded (RES4). They form a chain from base on.
type ring struct {
	base       chat.Position // of the entry before the first one held
	items      []item        // ascending
	bytes      int
	maxItems   int
	maxBytes   int
	deadPrefix int // items at the front of the backing array that have been let go
}

type item struct {
	at    chat.Position
	frame *wire.Frame
	left  string // the user that this entry took out of the room, or ""
}

// leaver is the user that an entry takes out of its room, or "".
func leaver(e *chat.Entry) string {
	if e.Kind != chat.KindMemberLeft {
		return ""
	}
	return e.Subject()
}

// newRing holds the last entries of a log that ends at head.
func newRing(cfg Config, head chat.Position, recent []Delivery) ring {
	r := ring{base: head, maxItems: cfg.RingEntries, maxBytes: cfg.RingBytes}
	if len(recent) > 0 {
		r.base = recent[0].Entry.Prev()
	}
	for _, d := range recent {
		r.add(item{at: d.Entry.Position(), frame: d.Frame, left: leaver(d.Entry)})
	}
	return r
}

// add appends the newest entry and lets the oldest ones go.
func (r *ring) add(it item) {
	r.items = append(r.items, it)
	r.bytes += it.frame.Len()
	for len(r.items) > r.maxItems || (r.bytes > r.maxBytes && len(r.items) > 1) {
		r.base = r.items[0].at
		r.bytes -= r.items[0].frame.Len()
		r.items[0] = item{}
		r.items = r.items[1:]
		r.deadPrefix++
	}
	if r.deadPrefix > r.maxItems {
		r.items = slices.Clone(r.items)
		r.deadPrefix = 0
	}
}

// run is a stretch of a ring.
type run struct {
	items []item
	bytes int
}

func (r run) frames() []*wire.Frame {
	out := make([]*wire.Frame, 0, len(r.items))
	for _, it := range r.items {
		out = append(out, it.frame)
	}
	return out
}

// after returns what follows a position; false if the ring does not hold the position, with its id where one is named.
func (r *ring) after(at chat.Position) (run, bool) {
	from := -1
	if r.base.Matches(at) {
		from = 0
	} else if i, ok := slices.BinarySearchFunc(r.items, at.Seq, func(it item, seq int64) int {
		return int(it.at.Seq - seq)
	}); ok && r.items[i].at.Matches(at) {
		from = i + 1
	}
	if from < 0 {
		return run{}, false
	}
	out := run{items: r.items[from:]}
	for _, it := range out.items {
		out.bytes += it.frame.Len()
	}
	return out, true
}

// memberSince reports whether a user who was a member when the room's head was seq is known to be one still.
func (r *ring) memberSince(userID string, seq int64) bool {
	if r.base.Seq > seq {
		return false // what happened in between is not held
	}
	for i := len(r.items) - 1; i >= 0 && r.items[i].at.Seq > seq; i-- {
		if r.items[i].left == userID {
			return false
		}
	}
	return true
}
