package session_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/session"
)

func TestOutboxes(t *testing.T) {
	body := strings.Repeat("x", 1000)
	prove(t, []rule{
		{"[HUB4] each connection has exactly two goroutines", func(s *stage) {
			n := s.node()
			ann := s.user()
			s.room(ann)
			var clients []*client
			for range 20 {
				clients = append(clients, s.connect(n, ann.hello()))
			}
			if n := atConnections(); n != 40 {
				s.Errorf("20 connections have %d goroutines", n)
			}
			for _, c := range clients {
				c.hang()
			}
			if n := atConnections(); n != 0 {
				s.Errorf("%d goroutines stay when the clients have gone", n)
			}
		}},
		{"[HUB4] an outbox that overflows closes with 4009; the client resumes and has lost nothing", func(s *stage) {
			n := s.node(smallOutbox)
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			c, other := s.connect(n, bob.hello()), s.connect(n, ann.hello())
			c.freeze()
			var last chat.Entry
			for range 20 {
				last = s.do(n, text(room, ann, body))
			}
			s.pass(3 * time.Second) // a write that is stuck fails
			if !slices.Equal(n.see.codes, []int{4009}) {
				s.Fatalf("connections ended with %v, want 4009", n.see.codes)
			}
			other.open()
			other.gets(run(3, 22)[:20]...)
			if last.Seq != 22 {
				s.Fatalf("the last one is numbered %d", last.Seq)
			}
			s.connect(n, bob.hello(session.Resume{RoomID: room, At: chat.Position{Seq: 2}})).gets(run(3, 22)...)
		}},
		{"[HUB4] a client that reads again in time gets everything, and the close frame not", func(s *stage) {
			n := s.node(smallOutbox)
			ann := s.user()
			room := s.room(ann)
			c := s.connect(n, ann.hello())
			c.freeze()
			for range 5 {
				s.do(n, text(room, ann, body))
			}
			c.open()
			c.unfreeze()
			c.gets("2", "3", "4", "5", "6")
		}},
		{"[HUB4] signals are shed before the connection is closed", func(s *stage) {
			n := s.node(smallOutbox)
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			c := s.connect(n, bob.hello())
			other := s.connect(n, ann.hello())
			s.pass(time.Second)
			c.take()
			c.freeze()
			for i := range 300 {
				other.done("typing", fields{"room_id": room, "on": i%2 == 0})
				s.pass(3 * time.Second)
				if i%10 == 0 {
					c.say(`{"type":"pong"}`)
					other.say(`{"type":"pong"}`)
				}
			}
			for range 5 {
				s.do(n, text(room, ann, body))
			}
			c.open()
			c.unfreeze()
			var entries []int64
			signals := 0
			for _, o := range c.take() {
				switch o.Type {
				case "entry":
					entries = append(entries, o.Seq)
				case "typing":
					signals++
				}
			}
			if !slices.Equal(entries, []int64{3, 4, 5, 6, 7}) || signals > 10 {
				s.Errorf("entries %v, and %d signals of 300", entries, signals)
			}
		}},
		{"[HUB3] a frozen client delays nobody", func(s *stage) {
			n := s.node(func(cfg *setup) { cfg.relay.Hub.Shards = 1 })
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			frozen := s.connect(n, bob.hello())
			c := s.connect(n, ann.hello())
			frozen.freeze()
			began := time.Now()
			for seq := int64(3); seq < 50; seq++ {
				s.do(n, text(room, ann, body))
				c.gets(fmt.Sprint(seq))
			}
			if took := time.Since(began); took > 0 {
				s.Errorf("it took %v of simulated time", took)
			}
			frozen.open()
		}},
		{"who asks and does not read is not answered: nothing grows", func(s *stage) {
			n := s.node(smallOutbox)
			ann := s.user()
			room := s.room(ann)
			s.texts(room, ann, 200)
			c := s.connect(n, ann.hello())
			c.freeze()
			for range 100 {
				c.put("history", fields{"room_id": room, "limit": 200})
				c.put("dance", nil)
			}
			synctest.Wait()
			if _, waiting := n.Count(); waiting > 100<<10 {
				s.Errorf("%d bytes wait", waiting)
			}
			c.open()
		}},
	})
}

// atConnections is how many goroutines do something for a connection, or wait to. The number of all goroutines would not
// do: those of the runtime and of the drivers come and go.
func atConnections() int {
	buf := make([]byte, 4<<20)
	n := 0
	for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(stack, "session.(*Session).") && !strings.Contains(stack, "session.(*Server).sweep") {
			n++
		}
	}
	return n
}
