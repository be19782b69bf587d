package relay_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/relay"
)

// failing fails so many times and then no more.
func failing(times int32, err error) func() error {
	var n atomic.Int32
	return func() error {
		if n.Add(1) <= times {
			return fmt.Errorf("test: %w", err)
		}
		return nil
	}
}

func TestCommit(t *testing.T) {
	prove(t, []rule{
		{"[SEQ3] neither the reply nor any push comes before the commit", func(s *stage) {
			a, b := s.node(), s.node()
			ann := s.user()
			room := s.room(ann)
			onA, onB := s.watch(a, room, ann), s.watch(b, room, ann)
			goOn := a.store.shut()
			var got answers
			got.post(a, room, ann, "hello", nil)
			s.pass(5 * time.Second)
			s.answered(&got)
			s.got(onA)
			s.got(onB)
			goOn()
			s.answered(&got, "hello 2")
			s.got(onA, 2)
			s.got(onB, 2)
		}},
		{"[SEQ3] a commit whose answer is lost is tried again before anything later of the room", func(s *stage) {
			a := s.node()
			ann := s.user()
			room := s.room(ann)
			c := s.watch(a, room, ann)
			a.store.set(nil, failing(3, chat.ErrUnknownOutcome))
			var got answers
			got.post(a, room, ann, "first", nil)
			synctest.Wait()
			got.post(a, room, ann, "second", nil)
			s.answered(&got)
			s.pass(time.Second)
			s.answered(&got, "first 2", "second 3")
			s.logIs(room, "2 first", "3 second")
			s.got(c, 2, 3)
		}},
		{"[SEQ3] giving up closes the connection and drops what it had queued; the others go on", func(s *stage) {
			a := s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			a.store.set(func(d []chat.Draft) error {
				if d[0].Body == "stuck" {
					return fmt.Errorf("test: %w", chat.ErrUnknownOutcome)
				}
				return nil
			}, nil)
			var anns, bobs origin
			var got, others answers
			got.post(a, room, ann, "stuck", &anns)
			synctest.Wait()
			got.post(a, room, ann, "queued", &anns)
			others.post(a, room, bob, "patient", &bobs)
			s.pass(5 * time.Second)
			if anns.Closed() {
				s.Error("closed before the outcome was given up")
			}
			s.pass(10 * time.Second)
			if !anns.Closed() || bobs.Closed() {
				s.Errorf("ann's connection closed: %v, bob's: %v", anns.Closed(), bobs.Closed())
			}
			s.answered(&others, "patient 3")
			s.logIs(room, "3 patient") // 2 is bob's joining
		}},
		{"[SEQ7] what a connection sends to a room keeps its order through retries and batches", func(s *stage) {
			a := s.node(func(cfg *relay.Config) { cfg.Batch = 7 })
			ann := s.user()
			room := s.room(ann)
			var n atomic.Int32
			a.store.set(nil, func() error {
				if n.Add(1)%3 != 0 {
					return fmt.Errorf("test: %w", chat.ErrUnknownOutcome)
				}
				return nil
			})
			var from origin
			var got answers
			var want []string
			for i := range 50 {
				got.post(a, room, ann, fmt.Sprint("text ", i), &from)
				want = append(want, fmt.Sprintf("%d text %d", i+2, i))
			}
			s.pass(30 * time.Second)
			s.logIs(room, want...)
		}},
		{"[SEQ7] after a send that could not be stored, those of the connection and room that were sent before it was known wait until it comes again", func(s *stage) {
			a := s.node()
			ann := s.user()
			room, other := s.room(ann), s.room(ann)
			first := text(room, ann, "first")
			var second origin
			from := origin{deaf: true}
			var got answers
			a.store.set(func(d []chat.Draft) error {
				if d[0].Body == "first" {
					return fmt.Errorf("test: %w", chat.ErrUnavailable)
				}
				return nil
			}, nil)
			goOn := a.store.shut()
			got.postDraft(a, first, &from)
			synctest.Wait()
			got.post(a, room, ann, "behind", &from)
			got.post(a, room, ann, "of another connection", &second)
			got.post(a, other, ann, "of another room", &from)
			goOn()
			a.store.heal()
			s.answered(&got, "first unavailable", "behind unavailable", "of another connection 2", "of another room 2")
			got.post(a, room, ann, "too soon", &from)
			s.answered(&got, "too soon unavailable")
			s.pass(10 * time.Second)
			from.heldUp = time.Now()
			got.post(a, room, ann, "read late", &from)
			s.answered(&got, "read late unavailable")
			from.answer()
			got.postDraft(a, first, &from)
			got.post(a, room, ann, "behind", &from)
			s.answered(&got, "first 3", "behind 4")
		}},
		{"[SEQ7] what was sent twice before its sender heard that it could not be stored is no sign that it has heard", func(s *stage) {
			a := s.node()
			ann := s.user()
			room := s.room(ann)
			first, behind := text(room, ann, "first"), text(room, ann, "behind")
			from := origin{deaf: true}
			var got answers
			a.store.set(func([]chat.Draft) error { return fmt.Errorf("test: %w", chat.ErrUnavailable) }, nil)
			got.postDraft(a, first, &from)
			s.answered(&got, "first unavailable")
			got.postDraft(a, behind, &from)
			a.store.heal()
			s.pass(10 * time.Second)
			from.heldUp = time.Now() // all this was sent within a moment, and is read only now
			got.postDraft(a, first, &from)
			got.post(a, room, ann, "last", &from)
			s.answered(&got, "behind unavailable", "last unavailable", "first 2")
			from.answer()
			s.pass(time.Second)
			got.postDraft(a, behind, &from)
			got.post(a, room, ann, "last", &from)
			s.answered(&got, "behind 3", "last 4")
		}},
		{"[SEQ7] a draft that could not be stored and never comes again holds up its connection's room for five seconds, if the client does not say that it has heard", func(s *stage) {
			a := s.node()
			ann := s.user()
			room := s.room(ann)
			from := origin{deaf: true}
			var got answers
			a.store.set(func([]chat.Draft) error { return fmt.Errorf("test: %w", chat.ErrUnavailable) }, nil)
			got.post(a, room, ann, "given up", &from)
			s.answered(&got, "given up unavailable")
			a.store.heal()
			s.pass(4999 * time.Millisecond)
			got.post(a, room, ann, "another", &from)
			s.answered(&got, "another unavailable")
			s.pass(time.Millisecond)
			got.post(a, room, ann, "another", &from)
			s.answered(&got, "another 2")
		}},
		{"[SEQ7] who does not say that it has heard repeats what could not be stored, after as long as it was told to wait, and what it sent behind", func(s *stage) {
			a := s.node()
			ann := s.user()
			room := s.room(ann)
			first := text(room, ann, "first")
			from := origin{deaf: true}
			var got answers
			a.store.set(func([]chat.Draft) error { return fmt.Errorf("test: %w", chat.ErrUnavailable) }, nil)
			got.postDraft(a, first, &from)
			s.answered(&got, "first unavailable")
			a.store.heal()
			s.pass(time.Second)
			got.postDraft(a, first, &from)
			got.post(a, room, ann, "behind", &from)
			s.answered(&got, "first 2", "behind 3")
		}},
		{"[SEQ7] a draft that could not be stored and never comes again holds up its connection's room for a second after the client has heard", func(s *stage) {
			a := s.node()
			ann := s.user()
			room := s.room(ann)
			var from origin
			var got answers
			a.store.set(func([]chat.Draft) error { return fmt.Errorf("test: %w", chat.ErrUnavailable) }, nil)
			got.post(a, room, ann, "given up", &from)
			s.answered(&got, "given up unavailable")
			a.store.heal()
			s.pass(999 * time.Millisecond)
			got.post(a, room, ann, "another", &from)
			s.answered(&got, "another unavailable")
			s.pass(time.Millisecond)
			got.post(a, room, ann, "another", &from)
			s.answered(&got, "another 2")
		}},
		{"[SEQ7] a reader that is held up again and again does not hold up its connection's room for more than two minutes", func(s *stage) {
			a := s.node()
			ann := s.user()
			room := s.room(ann)
			from := origin{deaf: true}
			var got answers
			a.store.set(func([]chat.Draft) error { return fmt.Errorf("test: %w", chat.ErrUnavailable) }, nil)
			got.post(a, room, ann, "given up", &from)
			s.answered(&got, "given up unavailable")
			a.store.heal()
			for range 119 {
				s.pass(time.Second)
				from.heldUp = time.Now()
				got.post(a, room, ann, "another", &from)
				s.answered(&got, "another unavailable")
			}
			s.pass(time.Second)
			from.heldUp = time.Now()
			got.post(a, room, ann, "another", &from)
			s.answered(&got, "another 2")
		}},
		{"[SEQ7] a bad draft fails alone", func(s *stage) {
			a := s.node()
			ann := s.user()
			room := s.room(ann)
			a.store.set(func(drafts []chat.Draft) error {
				for _, d := range drafts {
					if d.Body == "bad" {
						return fmt.Errorf("test: %w", chat.ErrBadData)
					}
				}
				return nil
			}, nil)
			goOn := a.store.shut()
			var from origin
			var got answers
			got.post(a, room, ann, "wait", &from)
			synctest.Wait()
			for _, body := range []string{"one", "two", "bad", "three", "four"} {
				got.post(a, room, ann, body, &from)
			}
			goOn()
			s.answered(&got, "wait 2", "one 3", "two 4", "bad bad_request", "three 5", "four 6")
			s.logIs(room, "2 wait", "3 one", "4 two", "5 three", "6 four")
		}},
		{"[SEQ7] a store that fails between the halves of a split batch leaves no doubt behind", func(s *stage) {
			a := s.node()
			ann := s.user()
			room := s.room(ann)
			a.store.set(func(drafts []chat.Draft) error {
				switch {
				case len(drafts) > 1:
					return fmt.Errorf("test: %w", chat.ErrBadData)
				case drafts[0].Body == "two":
					return fmt.Errorf("test: %w", chat.ErrUnavailable)
				}
				return nil
			}, nil)
			goOn := a.store.shut()
			var first, from origin
			var got answers
			got.post(a, room, ann, "wait", &first)
			synctest.Wait()
			got.post(a, room, ann, "one", &from)
			got.post(a, room, ann, "two", &from)
			goOn()
			if !from.Closed() {
				s.Error("the client was not told to resend: one of its texts is stored, one is not")
			}
			s.logIs(room, "2 wait", "3 one")
		}},
		{"[SEQ8] who was removed sends nothing after the removal", func(s *stage) {
			a := s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			goOn := a.store.shut()
			var got answers
			got.post(a, room, ann, "wait", nil)
			synctest.Wait()
			got.post(a, room, bob, "still here", nil)
			got.postDraft(a, chat.Draft{
				RoomID: room, SenderID: ann, ClientID: chat.NewID(), Kind: chat.KindMemberLeft,
				Leave: &chat.MemberLeft{UserID: bob, By: ann},
			}, nil)
			got.post(a, room, bob, "too late", nil)
			goOn()
			s.answered(&got, "wait 3", "still here 4", " 5", "too late not_a_member")
		}},
		{"while one commit is under way, what arrives waits together and goes with the next one", func(s *stage) {
			a := s.node()
			ann := s.user()
			room := s.room(ann)
			goOn := a.store.shut()
			var got answers
			for i := range 101 {
				got.post(a, room, ann, fmt.Sprint(i), nil)
				synctest.Wait()
			}
			goOn()
			if b := a.store.batches(); len(b) != 2 || len(b[0]) != 1 || len(b[1]) != 100 {
				s.Errorf("%d batches", len(b))
			}
		}},
		{"memberships and roles that change have their people's lists read again, on every node", func(s *stage) {
			a, b := s.node(), s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann)
			s.watch(b, room, ann)
			s.do(a, chat.Draft{RoomID: room, SenderID: bob, Kind: chat.KindMemberJoined, Join: &chat.Joining{}})
			s.do(a, chat.Draft{
				RoomID: room, SenderID: ann, Kind: chat.KindRoleChanged,
				Role: &chat.RoleChanged{UserID: bob, Role: chat.RoleAdmin, By: ann},
			})
			synctest.Wait()
			for _, n := range []*node{a, b} {
				if got := fmt.Sprint(n.said.changed); got != fmt.Sprint([]string{bob, bob}) {
					s.Errorf("told of changes of %s, want twice %s", got, bob)
				}
			}
		}},
		{"what would change nothing says so", func(s *stage) {
			a := s.node()
			ann := s.user()
			room := s.room(ann)
			_, err := a.Do(s.ctx, chat.Draft{RoomID: room, SenderID: ann, Kind: chat.KindMemberJoined, Join: &chat.Joining{}})
			if err != chat.ErrAlreadyDone {
				s.Errorf("error is %v", err)
			}
		}},
		{"closing finishes the commits under way and rings their bells", func(s *stage) {
			a, b := s.node(), s.node()
			ann := s.user()
			room := s.room(ann)
			c := s.watch(b, room, ann)
			goOn := a.store.shut()
			var got answers
			got.post(a, room, ann, "under way", nil)
			synctest.Wait()
			got.post(a, room, ann, "queued", nil)
			closed := make(chan struct{})
			go func() { a.Close(); close(closed) }()
			synctest.Wait()
			goOn()
			<-closed
			s.nodes = s.nodes[1:]
			s.no(a.bus.Close())
			s.answered(&got, "under way 2", "queued 3")
			s.got(c, 2, 3)
			got.post(a, room, ann, "too late", nil)
			s.answered(&got, "too late unavailable")
		}},
	})
}
