package relay_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/chattest"
	"github.com/gochat-dev/gochat/internal/relay"
)

func TestNumbers(t *testing.T) {
	prove(t, []rule{
		{"[SEQ2] a resend returns the first number, on any node, and uses up none", func(s *stage) {
			a, b := s.node(), s.node()
			ann := s.user()
			room := s.room(ann)
			d := text(room, ann, "once")
			first := s.do(a, d)
			for _, n := range []*node{a, b, b} {
				if again := s.do(n, d); again.Position() != first.Position() {
					s.Errorf("sent again it stands at %v, first at %v", again.Position(), first.Position())
				}
			}
			s.do(b, text(room, ann, "next"))
			s.logIs(room, "2 once", "3 next")
			if a.said.counts.duplicates != 1 || b.said.counts.duplicates != 2 {
				s.Errorf("counted %d and %d duplicates, want 1 and 2", a.said.counts.duplicates, b.said.counts.duplicates)
			}
		}},
		{"[SEQ2] the same client_id in other letters is the same", func(s *stage) {
			a := s.node()
			ann := s.user()
			d := text(s.room(ann), ann, "once")
			first := s.do(a, d)
			d.ClientID = strings.ToUpper(d.ClientID)
			if again := s.do(a, d); again.Seq != first.Seq {
				s.Errorf("stands at %d and %d", first.Seq, again.Seq)
			}
		}},
		{"[SEQ2] a resend rings the bell again", func(s *stage) {
			a, b := s.node(), s.node()
			ann := s.user()
			room := s.room(ann)
			c := s.watch(b, room, ann)
			b.bus.SetFaults(chattest.Faults{Lose: 1})
			d := text(room, ann, "hello")
			e := s.do(a, d)
			s.got(c)
			b.bus.SetFaults(chattest.Faults{})
			s.do(a, d)
			s.got(c, e.Seq)
		}},
		{"[SEQ2] duplicates within one batch are one", func(s *stage) {
			a := s.node()
			ann := s.user()
			room := s.room(ann)
			goOn := a.store.shut()
			var got answers
			got.post(a, room, ann, "first", nil)
			synctest.Wait()
			d := text(room, ann, "twice")
			got.postDraft(a, d, nil)
			got.postDraft(a, d, nil)
			got.post(a, room, ann, "last", nil)
			goOn()
			s.answered(&got, "first 2", "twice 3", "twice 3", "last 4")
			s.logIs(room, "2 first", "3 twice", "4 last")
		}},
		{"[SEQ2] who is no member any more still gets the number of what they sent before", func(s *stage) {
			a := s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			d := text(room, bob, "hello")
			first := s.do(a, d)
			s.do(a, chat.Draft{RoomID: room, SenderID: bob, Kind: chat.KindMemberLeft, Leave: &chat.MemberLeft{UserID: bob}})
			if again := s.do(a, d); again.Seq != first.Seq {
				s.Errorf("stands at %d and %d", first.Seq, again.Seq)
			}
			var got answers
			got.post(a, room, bob, "more", nil)
			s.answered(&got, "more not_a_member")
		}},
		{"[SEQ4] numbers are above what the backplane generated", func(s *stage) {
			a := s.node()
			ann := s.user()
			room := s.room(ann)
			_, err := a.bus.Number(s.ctx, map[string]int{room: 10}) // another node's, never committed
			s.no(err)
			s.do(a, text(room, ann, "one"))
			s.logIs(room, "11 one")
			if a.said.skipped != 9 {
				s.Errorf("%d numbers were counted as passed over, want 9", a.said.skipped)
			}
		}},
		{"[SEQ4] numbers are above what the store has, and a counter that is behind is raised", func(s *stage) {
			a := s.node()
			ann := s.user()
			room := s.room(ann)
			for i := range 5 {
				s.do(a, text(room, ann, fmt.Sprint(i)))
			}
			s.net.Forget()
			if e := s.do(a, text(room, ann, "after the loss")); e.Seq != 7 {
				s.Errorf("numbered %d, want 7", e.Seq)
			}
			synctest.Wait()
			next, err := a.bus.Number(s.ctx, map[string]int{room: 1})
			s.no(err)
			if next[room] != 8 {
				s.Errorf("the counter goes on at %d, want 8", next[room])
			}
		}},
		{"[SEQ4] a batch has consecutive numbers per room, in order", func(s *stage) {
			a := s.node()
			ann := s.user()
			one, two := s.room(ann), s.room(ann)
			goOn := a.store.shut()
			var got answers
			got.post(a, one, ann, "wait", nil)
			synctest.Wait()
			for i := range 3 {
				got.post(a, one, ann, fmt.Sprint("one", i), nil)
				got.post(a, two, ann, fmt.Sprint("two", i), nil)
			}
			goOn()
			s.answered(&got, "wait 2", "one0 3", "two0 2", "one1 4", "two1 3", "one2 5", "two2 4")
		}},
		{"[SEQ5] without the backplane the store alone decides", func(s *stage) {
			a := s.node()
			ann := s.user()
			room := s.room(ann)
			c := s.watch(a, room, ann)
			a.bus.Cut()
			s.do(a, text(room, ann, "one"))
			s.do(a, text(room, ann, "two"))
			s.logIs(room, "2 one", "3 two")
			s.got(c, 2, 3)
			a.bus.Mend()
			s.pass(2 * time.Second)
			s.do(a, text(room, ann, "three"))
			s.logIs(room, "2 one", "3 two", "4 three")
		}},
		{"[SEQ2][SEQ5] a node that is alone: the store numbers, and takes out duplicates, by itself", func(s *stage) {
			a := s.node(func(cfg *relay.Config) { cfg.Alone = true })
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			c := s.watch(a, room, ann)
			once, gone := text(room, ann, "once"), text(room, bob, "gone")
			first, second := s.do(a, once), s.do(a, gone)
			s.do(a, chat.Draft{RoomID: room, SenderID: bob, Kind: chat.KindMemberLeft, Leave: &chat.MemberLeft{UserID: bob}})
			for range 2 {
				if again := s.do(a, once); again.Position() != first.Position() {
					s.Errorf("sent again it stands at %v, first at %v", again.Position(), first.Position())
				}
				if again := s.do(a, gone); again.Position() != second.Position() {
					s.Errorf("of who has left it stands at %v, first at %v", again.Position(), second.Position())
				}
			}
			s.do(a, text(room, ann, "next"))
			s.logIs(room, fmt.Sprint(first.Seq, " once"), fmt.Sprint(second.Seq, " gone"), fmt.Sprint(second.Seq+2, " next"))
			s.got(c, first.Seq, second.Seq, second.Seq+1, second.Seq+2)
			if a.said.counts.duplicates != 4 {
				s.Errorf("counted %d duplicates, want 4", a.said.counts.duplicates)
			}
			firsts, err := a.bus.Number(s.ctx, map[string]int{room: 1})
			s.no(err)
			if firsts[room] != 1 {
				s.Errorf("the backplane would go on at %d, and was not to be asked or told", firsts[room])
			}
		}},
		{"[SEQ5] two nodes may disagree about the backplane", func(s *stage) {
			a, b := s.node(hurried), s.node(hurried)
			ann := s.user()
			room := s.room(ann)
			onA, onB := s.watch(a, room, ann), s.watch(b, room, ann)
			b.bus.Cut()
			for i := range 3 {
				s.do(a, text(room, ann, fmt.Sprint("a", i)))
				s.do(b, text(room, ann, fmt.Sprint("b", i)))
			}
			s.logIs(room, "2 a0", "3 b0", "4 a1", "5 b1", "6 a2", "7 b2")
			s.pass(6 * time.Second)
			s.got(onA, 2, 3, 4, 5, 6, 7)
			s.got(onB, 2, 3, 4, 5, 6, 7)
		}},
		{"[SEQ5] a backplane that does not answer holds up no send for more than 2 s", func(s *stage) {
			a := s.node()
			ann := s.user()
			room := s.room(ann)
			a.bus.Pause()
			for i := range 5 {
				began := time.Now()
				s.do(a, text(room, ann, fmt.Sprint(i)))
				if took := time.Since(began); took > 2*time.Second {
					s.Errorf("send %d took %v", i, took)
				}
			}
		}},
		{"[SEQ6] a number that was generated and not committed is never used", func(s *stage) {
			a := s.node()
			ann := s.user()
			room := s.room(ann)
			s.do(a, text(room, ann, "two"))
			a.store.set(always(chat.ErrUnavailable), nil)
			var got answers
			got.post(a, room, ann, "lost", nil)
			s.answered(&got, "lost unavailable")
			a.store.heal()
			s.do(a, text(room, ann, "four"))
			s.logIs(room, "2 two", "4 four")
		}},
	})
}

func hurried(cfg *relay.Config) { cfg.CheckEvery = 5 * time.Second }
