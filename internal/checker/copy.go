package checker

import (
	"container/heap"
	"time"

	"github.com/gochat-dev/gochat/internal/wire"
)

// roomCopy is what a client has of a room: a stretch of its log without gaps, and what came early.
type roomCopy struct {
	gen      int  // raised when the copy is dropped: answers to older questions do not count
	joined   bool // there is a copy; false until join is answered
	start    int64
	entries  []wire.Entry // ascending; the first one follows start
	early    earlyQueue
	gapSince time.Time // when an entry came early; zero while there is no gap
	asking   bool      // a join is under way
	back     bool      // a page of older entries is under way
	whole    bool      // it reaches the start of the log
}

// earlyQueue is a priority queue of entries that can't be placed yet, the lowest number first.
type earlyQueue []wire.Entry

func (q earlyQueue) Len() int           { return len(q) }
func (q earlyQueue) Less(i, j int) bool { return q[i].Seq < q[j].Seq }
func (q earlyQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *earlyQueue) Push(x any) { *q = append(*q, x.(wire.Entry)) }

// Pop implements heap.Interface.
func (q *earlyQueue) Pop() any {
	old := *q
	e := old[len(old)-1]
	*q = old[:len(old)-1]
	return e
}

// prevOf is the number of the entry before e: left out where it is the one before.
func prevOf(e *wire.Entry) int64 {
	if e.PrevSeq != nil {
		return *e.PrevSeq
	}
	return e.Seq - 1
}

// last is where the copy ends.
func (c *roomCopy) last() place {
	if n := len(c.entries); n > 0 {
		return place{c.entries[n-1].Seq, c.entries[n-1].MessageID}
	}
	return place{seq: c.start}
}

// drop forgets the copy.
func (c *roomCopy) drop() {
	*c = roomCopy{gen: c.gen + 1}
}

// accept takes an entry: it follows, it is known, or it waits in the queue.
func (c *roomCopy) accept(e wire.Entry) {
	if c.joined && e.Seq <= c.last().seq {
		return
	}
	heap.Push(&c.early, e)
	c.settle()
}

// settle places what has become placeable.
func (c *roomCopy) settle() {
	if !c.joined {
		return
	}
	for len(c.early) > 0 {
		e := c.early[0]
		last := c.last().seq
		if e.Seq > last && prevOf(&e) != last {
			break
		}
		heap.Pop(&c.early)
		if e.Seq > last {
			c.entries = append(c.entries, e)
		}
	}
	switch {
	case len(c.early) == 0:
		c.gapSince = time.Time{}
	case c.gapSince.IsZero():
		c.gapSince = time.Now()
	}
}

// replace takes a room's latest entries as the copy. head is the room's number where there are none.
func (c *roomCopy) replace(entries []wire.Entry, head int64) {
	c.joined, c.entries, c.start, c.whole = true, append([]wire.Entry(nil), entries...), head, false
	if len(entries) > 0 {
		c.start = prevOf(&entries[0])
	}
	c.settle()
}

// prepend takes a page of entries from before the copy; false where it does not fit.
func (c *roomCopy) prepend(entries []wire.Entry) bool {
	if len(entries) == 0 {
		return c.start == 0
	}
	if entries[len(entries)-1].Seq != c.start {
		return false
	}
	c.start = prevOf(&entries[0])
	c.entries = append(append([]wire.Entry(nil), entries...), c.entries...)
	return true
}
