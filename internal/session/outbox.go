package session

import (
	"sync"

	"github.com/gochat-dev/gochat/internal/wire"
)

// outbox is what waits to be written to one connection, bounded in bytes (HUB4). Anyone may put frames in;
// exactly one goroutine at a time writes: the connection's writer, or, while that is parked and nothing waits,
// whoever puts a frame in, with a write that never waits (the hand-over to the writer would cost as much again
// as the write itself).
type outbox struct {
	limit  int                           // bytes of frames put that may wait
	direct func(*wire.Frame) writeResult // a write that never waits; nil where the socket has none

	mu      sync.Mutex
	parked  sync.Cond // the writer waits on it
	drained sync.Cond // the reader waits on it
	frames  []*wire.Frame
	bytes   int           // of frames
	replay  []*wire.Frame // of one room, paced by the writer; not counted (HUB4)
	writing bool          // someone is in direct
	rest    bool          // the socket holds the rest of a frame that direct wrote in part
	waiting bool          // the writer is parked
	nudged  bool          // the writer has something else to look at
	closing bool
}

// writeResult is what became of a frame in a write that never waits.
type writeResult int

const (
	wroteNothing writeResult = iota // the frame is still to be written
	wrotePart                       // the socket holds the rest
	wroteAll
)

func (o *outbox) init(limit int, direct func(*wire.Frame) writeResult) {
	o.limit, o.direct = limit, direct
	o.parked.L, o.drained.L = &o.mu, &o.mu
}

// put takes a frame for the client; false if it does not fit, even without the signals that wait.
func (o *outbox) put(f *wire.Frame) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closing {
		return true
	}
	if o.mayDirect() {
		o.putDirect(f)
		return true
	}
	switch {
	case o.bytes+f.Len() <= o.limit && !(f.Signal() && o.bytes > o.limit/2):
	case f.Signal():
		return true // shed
	default:
		o.shed()
		if o.bytes+f.Len() > o.limit {
			return false
		}
	}
	o.add(f)
	return true
}

// putAlways takes a frame whatever its size, and leaves it to the writer: it may be called under a lock.
func (o *outbox) putAlways(f *wire.Frame) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closing {
		o.add(f)
	}
}

// putAnswer takes a frame that the client asked for, whatever its size.
func (o *outbox) putAnswer(f *wire.Frame) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closing:
	case o.mayDirect():
		o.putDirect(f)
	default:
		o.add(f)
	}
}

// mayDirect reports whether whoever puts a frame in may write it: the writer is parked, and nothing waits.
func (o *outbox) mayDirect() bool {
	return o.direct != nil && o.waiting && !o.writing && !o.rest && !o.nudged && len(o.frames) == 0 && len(o.replay) == 0
}

func (o *outbox) add(f *wire.Frame) {
	o.frames = append(o.frames, f)
	o.bytes += f.Len()
	if !o.writing {
		o.parked.Signal()
	}
}

// putDirect writes a frame at once, if the socket takes it. mu is let go meanwhile: what others put waits.
func (o *outbox) putDirect(f *wire.Frame) {
	o.writing = true
	o.mu.Unlock()
	result := o.direct(f)
	o.mu.Lock()
	o.writing = false
	switch result {
	case wroteNothing:
		o.frames = append([]*wire.Frame{f}, o.frames...)
		o.bytes += f.Len()
	case wrotePart:
		o.rest = true
	case wroteAll:
	}
	if o.work() {
		o.parked.Signal()
	}
}

// shed drops the signals that wait.
func (o *outbox) shed() {
	kept := o.frames[:0]
	for _, f := range o.frames {
		if f.Signal() {
			o.bytes -= f.Len()
			continue
		}
		kept = append(kept, f)
	}
	clear(o.frames[len(kept):])
	o.frames = kept
}

// fits reports whether n more bytes can be put now, with room to spare.
func (o *outbox) fits(n int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes+n <= o.limit/2
}

// size is how many bytes wait.
func (o *outbox) size() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes
}

// waitBelow waits until less than half of the limit waits: whoever asks for much and does not read is not answered.
func (o *outbox) waitBelow() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.bytes > o.limit/2 && !o.closing {
		o.drained.Wait()
	}
}

// setReplay gives the writer the frames of a replay, to be written between what is put.
func (o *outbox) setReplay(frames []*wire.Frame) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.replay = frames
	o.nudged = true
	o.parked.Signal()
}

// nudge has the writer look at the session's other business.
func (o *outbox) nudge() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.nudged = true
	o.parked.Signal()
}

// close lets the writer write what waits, if flush, and end.
func (o *outbox) close(flush bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closing = true
	o.replay = nil
	if !flush {
		clear(o.frames)
		o.frames, o.bytes = nil, 0
	}
	o.drained.Signal()
	o.parked.Signal()
}

func (o *outbox) work() bool {
	return len(o.frames) > 0 || len(o.replay) > 0 || o.rest || o.nudged || o.closing
}

const (
	maxBatch    = 64 << 10 // bytes written at once
	replayChunk = 32 << 10 // of a replay, between what is put
)

// batch is what the writer is to do next.
type batch struct {
	frames  []*wire.Frame
	closing bool // nothing comes after this
}

// take waits for something to write. It reuses the slice that it is given.
func (o *outbox) take(reuse []*wire.Frame) batch {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.writing || !o.work() {
		o.waiting = true
		o.parked.Wait()
	}
	o.waiting = false
	b := batch{frames: reuse[:0]}
	o.nudged, o.rest = false, false
	var size int
	b.frames, o.frames, size = move(b.frames, o.frames, maxBatch)
	o.bytes -= size
	o.drained.Signal()
	b.frames, o.replay, _ = move(b.frames, o.replay, replayChunk)
	b.closing = o.closing && len(o.frames) == 0
	return b
}

// move moves frames of at most so many bytes, but at least one, from the front of one slice to the end of another.
func move(to, from []*wire.Frame, limit int) ([]*wire.Frame, []*wire.Frame, int) {
	n, size := 0, 0
	for n < len(from) && (n == 0 || size+from[n].Len() <= limit) {
		size += from[n].Len()
		n++
	}
	to = append(to, from[:n]...)
	if n == len(from) {
		return to, nil, size
	}
	return to, from[n:], size
}

// replaying reports whether a replay is not all written yet.
func (o *outbox) replaying() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.replay) > 0
}
