package relay_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/chattest"
	"github.com/gochat-dev/gochat/internal/relay"
)

// usual has a node compare as often as one does that is not under test.
func usual(cfg *relay.Config) { cfg.CheckEvery = 0 }

func TestBells(t *testing.T) {
	prove(t, []rule{
		{"[HUB1] an entry reaches every node, in the same order", func(s *stage) {
			a, b := s.node(), s.node()
			ann := s.user()
			room := s.room(ann)
			clients := []*client{s.watch(a, room, ann), s.watch(b, room, ann)}
			for i := range 5 {
				s.do(s.nodes[i%2], text(room, ann, fmt.Sprint(i)))
			}
			for _, c := range clients {
				s.got(c, 2, 3, 4, 5, 6)
			}
		}},
		{"[HUB1] bells that are lost, repeated and reordered leave no gap behind the next one heard", func(s *stage) {
			a, b := s.node(), s.node()
			ann := s.user()
			room := s.room(ann)
			c := s.watch(b, room, ann)
			b.bus.SetFaults(chattest.Faults{Lose: 0.3, Repeat: 0.5, Reorder: 0.5, Delay: time.Second})
			for i := range 50 {
				s.do(a, text(room, ann, fmt.Sprint(i)))
				s.pass(100 * time.Millisecond)
			}
			s.pass(time.Second)
			b.bus.SetFaults(chattest.Faults{})
			s.do(a, text(room, ann, "heard"))
			synctest.Wait()
			if got := c.take(); len(got) != 51 || !slices.IsSorted(got) || got[50] != 52 {
				s.Errorf("pushed were %v", got)
			}
		}},
		{"[HUB1] a node that is far behind reads on until it is not", func(s *stage) {
			a, b := s.node(), s.node()
			ann := s.user()
			room := s.room(ann)
			c := s.watch(b, room, ann)
			b.bus.SetFaults(chattest.Faults{Lose: 1})
			var drafts []chat.Draft
			for i := range 1300 { // more than are read at once
				drafts = append(drafts, text(room, ann, fmt.Sprint(i)))
			}
			_, err := s.store.Append(s.ctx, drafts, nil)
			s.no(err)
			b.bus.SetFaults(chattest.Faults{})
			s.do(a, text(room, ann, "heard"))
			synctest.Wait()
			if got := c.take(); len(got) != 1301 || !slices.IsSorted(got) {
				s.Errorf("%d entries were pushed, want 1301 in order", len(got))
			}
		}},
		{"[HUB5] a last bell that is lost is found within 5 s", func(s *stage) {
			a, b := s.node(usual), s.node(usual)
			ann := s.user()
			room := s.room(ann)
			c := s.watch(b, room, ann)
			s.pass(11 * time.Second)
			b.bus.SetFaults(chattest.Faults{Lose: 1})
			e := s.do(a, text(room, ann, "lost"))
			s.pass(5*time.Second + time.Millisecond)
			s.got(c, e.Seq)
		}},
		{"[HUB5] one question for all rooms and users", func(s *stage) {
			b := s.node(usual)
			ann := s.user()
			for range 20 {
				s.watch(b, s.room(ann), ann)
			}
			b.said.note(func() { b.said.users = []string{ann, s.user()} })
			b.store.compared()
			s.pass(50 * time.Second)
			asked := b.store.compared()
			if len(asked) < 9 || len(asked) > 11 {
				s.Errorf("asked %d times in 50 s", len(asked))
			}
			for _, q := range asked {
				if len(q.Rooms) != 20 || len(q.Users) != 2 || q.Silent {
					s.Errorf("asked about %d rooms, %d users, silent %v", len(q.Rooms), len(q.Users), q.Silent)
				}
			}
			if got := b.said.versions[len(b.said.versions)-1]; len(got) != 2 {
				s.Errorf("sessions were told the versions %v", got)
			}
		}},
		{"[HUB5] nodes that start together do not ask together", func(s *stage) {
			var first []time.Duration
			began := time.Now()
			for range 8 {
				s.node(usual)
			}
			for range 5000 {
				s.pass(time.Millisecond)
				for _, n := range s.nodes {
					if len(n.store.compared()) > 0 {
						first = append(first, time.Since(began))
					}
				}
			}
			slices.Sort(first)
			if spread := first[len(first)-1] - first[0]; spread < time.Second/2 {
				s.Errorf("all asked within %v", spread)
			}
		}},
		{"[HUB5] when the subscription stands again all is compared at once", func(s *stage) {
			a, b := s.node(), s.node()
			ann := s.user()
			room := s.room(ann)
			c := s.watch(b, room, ann)
			b.bus.SetFaults(chattest.Faults{Lose: 1})
			e := s.do(a, text(room, ann, "lost"))
			b.bus.Cut()
			synctest.Wait() // Down has it compared at once as well
			s.got(c, e.Seq)
			b.store.compared()
			before := b.said.rebuilt
			b.bus.Mend()
			synctest.Wait()
			if len(b.store.compared()) == 0 || b.said.rebuilt != before+1 {
				s.Error("nothing was compared, or presence not rebuilt")
			}
			if got := b.said.busUp; !slices.Equal(got, []bool{true, false, true}) {
				s.Errorf("the backplane was said to be up: %v", got)
			}
		}},
		{"[HUB5] a user's rooms version is compared", func(s *stage) {
			a := s.node(usual)
			ann, bob := s.user(), s.user()
			a.said.note(func() { a.said.users = []string{ann, bob} })
			s.pass(5 * time.Second)
			s.room(ann)
			s.pass(5 * time.Second)
			v := a.said.versions
			if old, now := v[0], v[len(v)-1]; old[ann] == now[ann] || old[bob] != now[bob] {
				s.Errorf("versions %v, then %v: want ann's alone to change", old, now)
			}
		}},
		{"[HUB6] while the backplane is down nodes see each other's entries within about a second", func(s *stage) {
			a, b := s.node(usual), s.node(usual)
			ann := s.user()
			room := s.room(ann)
			onA, onB := s.watch(a, room, ann), s.watch(b, room, ann)
			a.bus.Cut()
			b.bus.Cut()
			synctest.Wait()
			for seq := int64(2); seq < 8; seq++ {
				s.do(a, text(room, ann, "without a bell"))
				s.got(onA, seq)
				s.pass(1100 * time.Millisecond)
				s.got(onB, seq)
			}
		}},
		{"[HUB6] a node that can't publish marks itself silent, and all compare every second", func(s *stage) {
			a, b := s.node(usual), s.node(usual)
			ann := s.user()
			room := s.room(ann)
			onB := s.watch(b, room, ann)
			a.bus.Cut() // b's subscription stands: it can't know by itself
			s.do(a, text(room, ann, "without a bell"))
			s.pass(5 * time.Second)
			s.got(onB, 2)
			s.do(a, text(room, ann, "without a bell"))
			s.pass(1100 * time.Millisecond)
			s.got(onB, 3)
		}},
		{"[HUB6] a node that can publish again is silent no more, also if it has nothing to say", func(s *stage) {
			a, b := s.node(usual), s.node(usual)
			ann := s.user()
			room := s.room(ann)
			s.watch(b, room, ann)
			s.watch(a, room, ann)
			a.bus.Cut()
			s.do(a, text(room, ann, "without a bell"))
			s.pass(10 * time.Second)
			a.bus.Mend()
			s.pass(chat.SilentTTL + 10*time.Second)
			for i, n := range s.nodes {
				n.store.compared()
				s.pass(20 * time.Second)
				asked := n.store.compared()
				if len(asked) > 5 {
					s.Errorf("node %d still compares %d times in 20 s", i+1, len(asked))
				}
				for _, q := range asked {
					if q.Silent {
						s.Errorf("node %d still marks itself silent", i+1)
					}
				}
			}
		}},
		{"[SEQ4] the counter of a room whose bell could not be rung is raised later", func(s *stage) {
			a := s.node(usual)
			ann := s.user()
			room := s.room(ann)
			a.bus.Cut()
			for range 5 {
				s.do(a, text(room, ann, "uncounted"))
			}
			a.bus.Mend()
			s.pass(10 * time.Second)
			next, err := a.bus.Number(s.ctx, map[string]int{room: 1})
			s.no(err)
			if next[room] != 7 {
				s.Errorf("the counter goes on at %d, want 7", next[room])
			}
		}},
		{"[RES3] another epoch is noticed and resets every room", func(s *stage) {
			a := s.node(usual)
			ann := s.user()
			room := s.room(ann)
			c := s.watch(a, room, ann)
			_, err := s.store.NewEpoch(s.ctx)
			s.no(err)
			s.pass(6 * time.Second)
			if !slices.Contains(c.said, "resumed") || !slices.Contains(a.said.changed, "") {
				s.Errorf("pushed were %v; lists of %v are read again, want everybody's", c.said, a.said.changed)
			}
			s.do(a, text(room, ann, "on it goes"))
			s.got(c, 2)
		}},
		{"notices about users reach their sessions on every node", func(s *stage) {
			a, b := s.node(), s.node()
			a.Notify(s.ctx, chat.UserNotice{UserID: "ann", Kind: chat.SessionRevoked, Session: "s1"})
			synctest.Wait()
			for _, n := range []*node{a, b} {
				if !slices.Equal(n.said.revoked, []string{"s1"}) {
					s.Errorf("revoked were %v", n.said.revoked)
				}
			}
		}},
		{"a backplane that ends is listened to again", func(s *stage) {
			a := s.node()
			s.no(a.bus.Close())
			s.pass(3 * time.Second)
			ann := s.user()
			room := s.room(ann)
			c := s.watch(a, room, ann)
			s.do(a, text(room, ann, "alone"))
			s.got(c, 2)
		}},
	})
}

func TestReads(t *testing.T) {
	prove(t, []rule{
		{"[SIG2] a read position moves forward only, and never beyond the head", func(s *stage) {
			a := s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			for range 5 {
				s.do(a, text(room, ann, "hello")) // 3 to 7
			}
			for _, step := range []struct {
				seq, last int64
				unread    int
			}{{0, 2, 5}, {4, 4, 3}, {3, 4, 3}, {6, 6, 1}, {99, 7, 0}, {1, 7, 0}} {
				last, unread, err := a.Read(s.ctx, room, bob, step.seq)
				s.no(err)
				if last != step.last || unread != step.unread {
					s.Errorf("read %d: at %d with %d unread, want %d with %d", step.seq, last, unread, step.last, step.unread)
				}
				s.pass(300 * time.Millisecond) // before, while and after it is saved
			}
			s.pass(2 * time.Second)
			m, err := s.store.Member(s.ctx, room, bob)
			s.no(err)
			if m.LastReadSeq != 7 {
				s.Errorf("saved is %d, want 7", m.LastReadSeq)
			}
		}},
		{"[SIG2] it is written at most once a second, and at a disconnect", func(s *stage) {
			a := s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			for range 20 {
				s.do(a, text(room, ann, "hello"))
			}
			s.pass(1500 * time.Millisecond)
			saved := func() int64 {
				m, err := s.store.Member(s.ctx, room, bob)
				s.no(err)
				return m.LastReadSeq
			}
			_, _, err := a.Read(s.ctx, room, bob, 10)
			s.no(err)
			if saved() != 2 {
				s.Error("written at once")
			}
			a.SaveReads()
			synctest.Wait()
			if saved() != 10 {
				s.Error("not written when the client went")
			}
		}},
		{"[SIG2] what could not be saved is saved later", func(s *stage) {
			a := s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			s.do(a, text(room, ann, "hello"))
			a.store.failReads(true)
			_, _, err := a.Read(s.ctx, room, bob, 3)
			s.no(err)
			s.pass(3 * time.Second)
			last, _, err := a.Read(s.ctx, room, bob, 1)
			s.no(err)
			if last != 3 {
				s.Errorf("it went back to %d", last)
			}
			a.store.failReads(false)
			s.pass(2 * time.Second)
			if m, _ := s.store.Member(s.ctx, room, bob); m.LastReadSeq != 3 {
				s.Errorf("saved is %d, want 3", m.LastReadSeq)
			}
		}},
		{"[SIG2] it is relayed to the other nodes", func(s *stage) {
			a, b := s.node(), s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			onB := s.watch(b, room, ann)
			s.do(b, text(room, ann, "hello"))
			_, _, err := a.Read(s.ctx, room, bob, 3) // nobody is connected to the room on a
			s.no(err)
			s.pass(300 * time.Millisecond)
			if !slices.Equal(onB.said, []string{"read"}) {
				s.Errorf("pushed were %v", onB.said)
			}
		}},
		{"[SIG3] unread are the texts of others, up to 100", func(s *stage) {
			a := s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			s.do(a, text(room, bob, "one's own")) // 3
			for range 99 {
				s.do(a, text(room, ann, "hello"))
			}
			for _, want := range []int{99, 100, 100} {
				if _, unread, err := a.Read(s.ctx, room, bob, 2); err != nil || unread != want {
					s.Errorf("%d unread (%v), want %d", unread, err, want)
				}
				s.do(a, text(room, ann, "one more"))
			}
		}},
		{"[SIG2] only members read", func(s *stage) {
			a := s.node()
			ann, bob := s.user(), s.user()
			if _, _, err := a.Read(s.ctx, s.room(ann), bob, 1); err != chat.ErrNotAMember {
				s.Errorf("error is %v", err)
			}
		}},
	})
}
