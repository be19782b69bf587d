package redis

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// BenchmarkBatch is what a batch of entries costs: its numbers, then its bells. Another node hears them.
func BenchmarkBatch(b *testing.B) {
	for _, rooms := range []int{1, 50} {
		b.Run(fmt.Sprintf("rooms=%d", rooms), func(b *testing.B) {
			s := shared(b)
			from, to := node(b, s.URL(), "from"), node(b, s.URL(), "to")
			counts, heads := make(map[string]int), make(map[string]int64)
			var notices []chat.Notice
			for i := range rooms {
				room := chat.NewID()
				counts[room] = 2
				if i%2 == 0 {
					must(b, to.Watch(b.Context(), room))
				}
				for range 2 {
					notices = append(notices, chat.Notice{RoomID: room, Entry: &chat.Entry{
						RoomID: room, Seq: 1, MessageID: chat.NewID(), ClientID: chat.NewID(), SenderID: chat.NewID(),
						Kind: chat.KindText, Body: strings.Repeat("x", 100), At: time.Now(),
					}})
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				firsts, err := from.Number(b.Context(), counts)
				must(b, err)
				for room, first := range firsts {
					heads[room] = first + 1
				}
				must(b, from.Publish(b.Context(), notices, heads))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(2*rooms), "ns/entry")
		})
	}
}

// BenchmarkPresence is what 5,000 users on each of three nodes cost, per call. busy-µs is Redis' own time for it: it
// does nothing else meanwhile.
func BenchmarkPresence(b *testing.B) {
	const users = 5_000
	s := shared(b)
	n := node(b, s.URL(), "a")
	mine, others, few := make(map[string]chat.State, users), make(map[string]chat.State, users), make(map[string]chat.State)
	for i := range users {
		mine[chat.NewID()] = []chat.State{chat.Online, chat.Away}[i%2]
		others[chat.NewID()] = chat.Online
	}
	for user, state := range mine {
		if few[user] = state; len(few) == 100 {
			break
		}
	}
	for _, name := range []string{"a", "b", "c"} {
		must(b, n.Beat(b.Context(), name, mine))
	}
	for _, c := range []struct {
		name string
		call func() error
	}{
		{"beat", func() error { return n.Beat(b.Context(), "a", mine) }},
		{"here", func() error { _, err := n.Here(b.Context()); return err }},
		{"set=100", func() error { _, err := n.SetState(b.Context(), "a", few); return err }},
		{"set=5000", func() error { _, err := n.SetState(b.Context(), "a", mine); return err }},
		{"claim=0", func() error { _, err := n.Claim(b.Context()); return err }},
		{"come+leave+claim=5000", func() error {
			err := errors.Join(n.Beat(b.Context(), "d", others), n.Beat(b.Context(), "d", nil))
			gone, e := n.Claim(b.Context())
			if len(gone) != users {
				e = errors.Join(e, fmt.Errorf("claimed %d", len(gone)))
			}
			return errors.Join(err, e)
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			do(b, s, "CONFIG", "RESETSTAT")
			for b.Loop() {
				must(b, c.call())
			}
			b.ReportMetric(busy(b, do(b, s, "INFO", "commandstats").(string))/float64(b.N), "busy-µs")
		})
	}
}

// busy is how long Redis has run scripts, in µs.
func busy(b *testing.B, stats string) float64 {
	b.Helper()
	var total float64
	for line := range strings.Lines(stats) {
		if strings.HasPrefix(line, "cmdstat_eval") {
			var calls, usec float64
			_, fields, _ := strings.Cut(line, ":")
			_, err := fmt.Sscanf(fields, "calls=%f,usec=%f", &calls, &usec)
			must(b, err)
			total += usec
		}
	}
	return total
}

// BenchmarkWatch is what a room costs that becomes live beside 5,000 others.
func BenchmarkWatch(b *testing.B) {
	n := node(b, shared(b).URL(), "a")
	for i := range 5_000 {
		must(b, n.Watch(b.Context(), fmt.Sprint("room", i)))
	}
	i := 5_000
	for b.Loop() {
		must(b, n.Watch(b.Context(), fmt.Sprint("room", i)))
		i++
	}
}
