package session

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

// must is a frame that must not be lost, of about n bytes; may is a signal of about as many.
func must(n int) *wire.Frame { return wire.RoomRemoved(strings.Repeat("r", n), wire.ReasonLeft) }
func may(n int) *wire.Frame  { return wire.Typing("room", strings.Repeat("u", n), true) }

// box is an outbox whose writer is the test, and whose socket takes what it is told to.
type box struct {
	outbox
	direct []*wire.Frame // written by who put them
	takes  writeResult
}

func newBox(limit int, takes writeResult) *box {
	b := &box{takes: takes}
	b.init(limit, func(f *wire.Frame) writeResult {
		if b.takes != wroteNothing {
			b.direct = append(b.direct, f)
		}
		return b.takes
	})
	return b
}

// drain takes everything that waits, until the box is empty or closed.
func (b *box) drain() []*wire.Frame {
	var all []*wire.Frame
	for {
		b.mu.Lock()
		empty := !b.work()
		b.mu.Unlock()
		if empty {
			return all
		}
		got := b.take(nil)
		all = append(all, got.frames...)
		if got.closing {
			return all
		}
	}
}

func TestOutbox(t *testing.T) {
	t.Run("[HUB4] an outbox is bounded in bytes", func(t *testing.T) {
		b := newBox(1000, wroteNothing)
		n := 0
		for b.put(must(100)) {
			n++
		}
		if n < 5 || b.size() > 1000 {
			t.Errorf("%d frames, %d bytes", n, b.size())
		}
		if got := len(b.drain()); got != n || b.size() != 0 {
			t.Errorf("%d of %d frames came out, %d bytes are left", got, n, b.size())
		}
		if !b.put(must(100)) {
			t.Error("full after it was emptied")
		}
	})
	t.Run("[HUB4] signals are shed first, and never to the last half", func(t *testing.T) {
		b := newBox(1000, wroteNothing)
		signal, entry := may(100), must(100)
		for range 20 {
			if !b.put(signal) {
				t.Fatal("a signal was refused: it is to be shed")
			}
		}
		if b.size() > 500+signal.Len() {
			t.Errorf("signals take %d of 1000 bytes", b.size())
		}
		n := 0
		for b.put(entry) {
			n++
		}
		if want := 1000 / entry.Len(); n != want {
			t.Errorf("%d entries fit beside the signals, want %d", n, want)
		}
		got := b.drain()
		if len(got) != n || slices.Contains(got, signal) {
			t.Errorf("%d frames came out, want the %d entries alone", len(got), n)
		}
	})
	t.Run("[HUB4] an answer that was asked for always fits", func(t *testing.T) {
		b := newBox(1000, wroteNothing)
		b.putAnswer(must(5000))
		if b.put(must(10)) {
			t.Error("a push fits on top of it")
		}
		if len(b.drain()) != 1 {
			t.Error("the answer was lost")
		}
	})
	t.Run("[HUB4] a replay does not count, and is paced", func(t *testing.T) {
		b := newBox(1000, wroteNothing)
		replay := make([]*wire.Frame, 100)
		for i := range replay {
			replay[i] = must(1000)
		}
		b.setReplay(replay)
		if b.size() != 0 || !b.put(must(100)) {
			t.Error("the replay counts against the limit")
		}
		got := b.take(nil)
		if n := len(got.frames); n < 10 || n > 40 {
			t.Errorf("%d frames of 1 KB in one go", n)
		}
		if rest := len(b.drain()); rest+len(got.frames) != 101 || b.replaying() {
			t.Errorf("%d frames came out, want 101", rest+len(got.frames))
		}
	})
	t.Run("closing flushes what waits, or not", func(t *testing.T) {
		for _, flush := range []bool{true, false} {
			b := newBox(1000, wroteNothing)
			b.put(must(10))
			b.setReplay([]*wire.Frame{must(10)})
			b.close(flush)
			if !b.put(must(10)) {
				t.Error("a closed outbox reports an overflow")
			}
			b.putAlways(must(10))
			want := 0
			if flush {
				want = 1
			}
			if got := len(b.drain()); got != want {
				t.Errorf("flush %v: %d frames came out, want %d", flush, got, want)
			}
		}
	})
	t.Run("a slice that is given back is used again", func(t *testing.T) {
		b := newBox(1000, wroteNothing)
		b.put(must(10))
		first := b.take(nil).frames
		b.put(must(10))
		if again := b.take(first).frames; &again[0] != &first[0] {
			t.Error("a new slice was made")
		}
	})
}

// TestDirect: while the writer is parked and nothing waits, who puts a frame in writes it.
func TestDirect(t *testing.T) {
	parked := func(t *testing.T, takes writeResult, do func(b *box, out <-chan batch)) {
		synctest.Test(t, func(*testing.T) {
			b, out := newBox(1000, takes), make(chan batch)
			go func() {
				defer close(out)
				for {
					got := b.take(nil)
					out <- got
					if got.closing {
						return
					}
				}
			}()
			synctest.Wait()
			do(b, out)
			synctest.Wait()
			b.close(false)
			for range out {
			}
		})
	}
	none := func(t *testing.T, out <-chan batch) {
		t.Helper()
		synctest.Wait()
		select {
		case got := <-out:
			t.Errorf("the writer was given %d frames", len(got.frames))
		default:
		}
	}
	t.Run("all taken: the writer sleeps on", func(t *testing.T) {
		parked(t, wroteAll, func(b *box, out <-chan batch) {
			b.put(must(10))
			b.put(may(10))
			none(t, out)
			if len(b.direct) != 2 || b.size() != 0 {
				t.Errorf("%d frames written, %d bytes wait", len(b.direct), b.size())
			}
		})
	})
	t.Run("nothing taken: the writer writes it", func(t *testing.T) {
		parked(t, wroteNothing, func(b *box, out <-chan batch) {
			f := must(10)
			b.put(f)
			if got := <-out; len(got.frames) != 1 || got.frames[0] != f {
				t.Errorf("the writer was given %v", got.frames)
			}
		})
	})
	t.Run("a part taken: the writer writes the rest before anything else", func(t *testing.T) {
		parked(t, wrotePart, func(b *box, out <-chan batch) {
			b.put(must(10))
			if got := <-out; len(got.frames) != 0 {
				t.Errorf("the writer was given %d frames beside the rest", len(got.frames))
			}
		})
	})
	t.Run("what waits is never overtaken", func(t *testing.T) {
		parked(t, wroteNothing, func(b *box, out <-chan batch) {
			var want []*wire.Frame
			for range 5 {
				f := must(10)
				want = append(want, f)
				b.put(f)
				b.mu.Lock()
				b.takes = wroteAll
				b.mu.Unlock()
			}
			var got []*wire.Frame
			for len(got) < len(want) {
				got = append(got, (<-out).frames...)
			}
			if !slices.Equal(got, want) || len(b.direct) != 0 {
				t.Errorf("%d of 5 came in order from the writer, %d beside it", len(got), len(b.direct))
			}
		})
	})
	t.Run("an answer is written at once, whatever its size", func(t *testing.T) {
		parked(t, wroteAll, func(b *box, out <-chan batch) {
			b.putAnswer(must(5000))
			none(t, out)
			if len(b.direct) != 1 {
				t.Errorf("%d frames written", len(b.direct))
			}
		})
	})
	t.Run("what may be put under a lock goes to the writer", func(t *testing.T) {
		parked(t, wroteAll, func(b *box, out <-chan batch) {
			b.putAlways(must(10))
			if got := <-out; len(got.frames) != 1 {
				t.Errorf("the writer was given %d frames", len(got.frames))
			}
		})
	})
}

func TestWaitBelow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(1000, wroteNothing)
		b.putAlways(must(2000))
		b.putAlways(must(10))
		answered := make(chan struct{})
		go func() { b.waitBelow(); close(answered) }()
		synctest.Wait()
		select {
		case <-answered:
			t.Fatal("did not wait")
		default:
		}
		b.drain()
		<-answered
		b.putAlways(must(2000))
		go b.close(false)
		b.waitBelow() // a closed connection waits for nothing
	})
}

func BenchmarkOutboxPut(b *testing.B) {
	e := chat.Entry{RoomID: chat.NewID(), MessageID: chat.NewID(), SenderID: chat.NewID(), Kind: chat.KindText, Body: strings.Repeat("x", 100)}
	frame := wire.EncodeEntry(&e)
	b.Run("direct", func(b *testing.B) {
		var o outbox
		o.init(1<<20, func(*wire.Frame) writeResult { return wroteAll })
		o.waiting = true
		b.ReportAllocs()
		for b.Loop() {
			o.put(frame)
		}
	})
	b.Run("queued", func(b *testing.B) {
		var o outbox
		o.init(1<<20, nil)
		var reuse []*wire.Frame
		b.ReportAllocs()
		for b.Loop() {
			for range 16 {
				o.put(frame)
			}
			reuse = o.take(reuse).frames
		}
	})
}
