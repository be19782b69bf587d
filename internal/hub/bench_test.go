package hub_test

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/hub"
	"github.com/gochat-dev/gochat/internal/wire"
)

// sink is a connection that counts what it is given and keeps nothing.
type sink struct{ pushed *atomic.Int64 }

func (sink) UserID() string              { return "ann" }
func (sink) Stays(string, hub.Stay) bool { return true }
func (k sink) Push(*wire.Frame)          { k.pushed.Add(1) }
func (sink) Fits(int) bool               { return true }
func (sink) Tell(hub.Event)              {}

// full is a hub with one room of so many connections, and a function that delivers the next entry of that room and
// returns when all have got it.
func full(tb testing.TB, connections int) func() {
	tb.Helper()
	h := hub.New(hub.Config{}, &source{})
	tb.Cleanup(h.Close)
	var pushed atomic.Int64
	for range connections {
		h.Enter(&sink{&pushed}, hub.Visit{RoomID: "room"})
	}
	h.Loaded("room", chat.Live{Members: []string{"ann"}}, nil, nil)
	log := &history{}
	frame := wire.EncodeEntry(new(log.add(chat.KindText, "ann", fmt.Sprintf("%0100d", 1))))
	e := chat.Entry{RoomID: "room", Kind: chat.KindText, MessageID: "id"}
	entries := make([]chat.Entry, 0, 1<<16)
	return func() {
		e.Seq, e.PrevSeq, e.PrevID = e.Seq+1, e.Seq, ""
		if e.PrevSeq > 0 {
			e.PrevID = "id"
		}
		if len(entries) == cap(entries) {
			entries = entries[:0] // those delivered long ago are not looked at any more
		}
		entries = append(entries, e)
		want := pushed.Load() + int64(connections)
		h.Deliver(hub.Delivery{Entry: &entries[len(entries)-1], Frame: frame})
		for pushed.Load() < want {
			runtime.Gosched()
		}
	}
}

func TestDeliverAllocates(t *testing.T) {
	t.Run("[HUB2] a delivery allocates as much for 5,000 connections as for 50", func(t *testing.T) {
		few := testing.AllocsPerRun(200, full(t, 50))
		many := testing.AllocsPerRun(200, full(t, 5000))
		if many > few+1 {
			t.Errorf("%v allocations for 5,000 connections, %v for 50", many, few)
		}
	})
}

func BenchmarkDeliver(b *testing.B) {
	for _, connections := range []int{50, 5000} {
		b.Run(fmt.Sprint(connections), func(b *testing.B) {
			deliver := full(b, connections)
			b.ReportAllocs()
			for b.Loop() {
				deliver()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(connections), "ns/connection")
		})
	}
}
