package session_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/session"
)

// from names where a client stands in a room.
func from(e chat.Entry) session.Resume { return session.Resume{RoomID: e.RoomID, At: e.Position()} }

// run is what a client is sent that has missed the entries from one number to another.
func run(first, last int64) []string {
	var seqs []string
	for seq := first; seq <= last; seq++ {
		seqs = append(seqs, fmt.Sprint(seq))
	}
	return append(seqs, fmt.Sprint("resumed true ", last))
}

func TestResume(t *testing.T) {
	prove(t, []rule{
		{"[RES2] every entry after the last one received, in order, then resumed, then live", func(s *stage) {
			n := s.node()
			ann := s.user()
			room := s.room(ann)
			log := s.texts(room, ann, 30) // 2 to 31
			c := s.connect(n, ann.hello(from(log[9])))
			c.gets(run(12, 31)...)
			s.do(n, text(room, ann, "live"))
			c.gets("32")
			if n.see.resumes[true] != 1 || n.see.resumes[false] != 0 {
				s.Errorf("counted %v", n.see.resumes)
			}
		}},
		{"[RES2] the same from the store, where the ring does not reach", func(s *stage) {
			n := s.node(smallRing)
			ann := s.user()
			room := s.room(ann)
			log := s.texts(room, ann, 30)
			c := s.connect(n, ann.hello(from(log[9])))
			c.gets(run(12, 31)...)
			s.do(n, text(room, ann, "live"))
			c.gets("32")
		}},
		{"[RES2] without the message id only the number is checked", func(s *stage) {
			n := s.node()
			ann := s.user()
			room := s.room(ann)
			s.texts(room, ann, 4)
			c := s.connect(n, ann.hello(session.Resume{RoomID: room, At: chat.Position{Seq: 3}}))
			c.gets(run(4, 5)...)
			s.connect(n, ann.hello(session.Resume{RoomID: room})).gets(append([]string{"1 member_joined"}, run(2, 5)...)...)
		}},
		{"[RES2] who missed nothing is told so", func(s *stage) {
			n := s.node()
			ann := s.user()
			room := s.room(ann)
			log := s.texts(room, ann, 4)
			s.connect(n, ann.hello(from(log[3]))).gets("resumed true 5")
		}},
		{"[RES2] rooms that are not named are not replayed, and live all the same", func(s *stage) {
			n := s.node()
			ann := s.user()
			named, other := s.room(ann), s.room(ann)
			log := s.texts(named, ann, 2)
			s.texts(other, ann, 2)
			c := s.connect(n, ann.hello(from(log[0])))
			c.gets("3", "resumed true 3")
			s.do(n, text(other, ann, "live"))
			c.gets("4")
		}},
		{"[RES2] many rooms, each in its own order", func(s *stage) {
			n := s.node(smallRing)
			ann := s.user()
			var resume []session.Resume
			for range 50 {
				room := s.room(ann)
				resume = append(resume, from(s.texts(room, ann, 20)[0]))
			}
			c := s.connect(n, ann.hello(resume...))
			last := make(map[string]int64)
			for _, o := range c.take() {
				switch {
				case o.Type == "entry" && o.Seq != max(last[o.RoomID], 2)+1:
					s.Fatalf("after %d came %d", last[o.RoomID], o.Seq)
				case o.Type == "resumed" && (o.HeadSeq != 21 || last[o.RoomID] != 21 || !*o.Recovered):
					s.Fatalf("resumed at %d after %d, recovered %v", o.HeadSeq, last[o.RoomID], *o.Recovered)
				}
				last[o.RoomID] = max(o.Seq, o.HeadSeq)
			}
			if len(last) != 50 {
				s.Errorf("%d rooms were resumed", len(last))
			}
		}},
		{"[RES2] entries that are committed during the replay follow it", func(s *stage) {
			n := s.node(smallRing)
			ann := s.user()
			room := s.room(ann)
			log := s.texts(room, ann, 30)
			s.connect(n, ann.hello()) // the room is live
			p, err := n.Open(s.ctx, ann.hello(from(log[9])))
			s.no(err)
			n.store.shut()
			c := s.client()
			p.Start(c)
			for i := range 5 {
				s.do(n, text(room, ann, fmt.Sprint("meanwhile ", i)))
			}
			c.gets("welcome")
			n.store.open()
			c.gets(run(12, 36)...)
		}},
		{"[RES3] exactly 500 are replayed, one more is not", func(s *stage) {
			n := s.node()
			ann := s.user()
			room := s.room(ann)
			log := s.texts(room, ann, 502) // to 503
			s.connect(n, ann.hello(from(log[1]))).gets(run(4, 503)...)
			c := s.connect(n, ann.hello(from(log[0])))
			c.gets("resumed false 503")
			s.do(n, text(room, ann, "live"))
			c.gets("504")
			if n.see.resumes[true] != 1 || n.see.resumes[false] != 1 {
				s.Errorf("counted %v", n.see.resumes)
			}
		}},
		{"[RES3] a position that the history does not have: the copy is to be dropped, never a partial fill", func(s *stage) {
			n := s.node()
			ann := s.user()
			room := s.room(ann)
			s.texts(room, ann, 4)
			for _, at := range []chat.Position{
				{Seq: 9},                         // a number that is not reached
				{Seq: 5, ID: chat.NewID()},       // another id at the head
				{Seq: 3, ID: chat.NewID()},       // and before it
				{Seq: 1 << 62, ID: chat.NewID()}, // nonsense
			} {
				c := s.connect(n, ann.hello(session.Resume{RoomID: room, At: at}))
				c.gets("resumed false 5")
			}
		}},
		{"[RES3] a number that was passed over is not a position", func(s *stage) {
			n := s.node()
			ann := s.user()
			room := s.room(ann)
			_, err := s.db.Append(s.ctx, []chat.Draft{text(room, ann, "nine")}, map[string]int64{room: 9})
			s.no(err)
			s.connect(n, ann.hello(session.Resume{RoomID: room, At: chat.Position{Seq: 5}})).gets("resumed false 9")
		}},
		{"[RES3] another epoch: every copy is to be dropped", func(s *stage) {
			n := s.node()
			ann := s.user()
			room := s.room(ann)
			log := s.texts(room, ann, 4)
			h := ann.hello(from(log[1]))
			h.Epoch = "of the time before the restore"
			c := s.connect(n, h)
			c.gets("resumed false 5")
			s.do(n, text(room, ann, "live"))
			c.gets("6")
			h.Epoch = c.welcome.Epoch
			s.connect(n, h).gets(run(4, 6)...)
		}},
		{"[RES3] a new epoch while one is connected: every room is reset", func(s *stage) {
			n := s.node()
			ann := s.user()
			room := s.room(ann)
			c := s.connect(n, ann.hello())
			_, err := s.db.NewEpoch(s.ctx)
			s.no(err)
			s.pass(6 * time.Second)
			c.gets("resumed false 1")
			s.do(n, text(room, ann, "live"))
			c.gets("2")
		}},
		{"[HUB7] a reset finds somebody to be out, and back before the list is read: removed, then added", func(s *stage) {
			n := s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			c := s.connect(n, bob.hello())
			s.append(withID(leaving(room, ann, bob)))
			_, err := s.db.NewEpoch(s.ctx)
			s.no(err)
			n.store.shut("snapshot")
			s.pass(6 * time.Second)
			c.gets("room_removed removed")
			s.append(withID(joining(room, bob)))
			n.store.open()
			c.gets("room_added Room member")
			s.do(n, text(room, ann, "he is live in it"))
			c.gets("5")
		}},
		{"[HUB7] a room that is not one's own any more is removed right after the welcome", func(s *stage) {
			n := s.node()
			ann, bob := s.user(), s.user()
			room, kept := s.room(ann, bob), s.room(ann, bob)
			log := s.texts(room, ann, 4)
			at := from(s.texts(kept, ann, 1)[0])
			s.append(withID(leaving(room, ann, bob)))
			s.connect(n, bob.hello(from(log[0]), at)).gets("room_removed removed", "resumed true 3")
		}},
		{"[HUB7] removed while the replay is read: no later entry, and the room is gone", func(s *stage) {
			n := s.node(smallRing)
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			log := s.texts(room, ann, 30)
			p, err := n.Open(s.ctx, bob.hello(from(log[9])))
			s.no(err)
			n.store.shut()
			c := s.client()
			p.Start(c)
			synctest.Wait()
			s.do(n, leaving(room, ann, bob))
			s.do(n, text(room, ann, "he is gone"))
			n.store.open()
			synctest.Wait()
			got := c.describe()
			if !slices.Contains(got, "room_removed removed") || slices.Contains(got, "34") || slices.Contains(got, "resumed true 34") {
				s.Errorf("removed at 33, got %q", got)
			}
		}},
		{"[HUB7] removed after the list was read, without a bell: the entries that are read say so", func(s *stage) {
			n := s.node(smallRing, deaf)
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			log := s.texts(room, ann, 30) // to 32
			p, err := n.Open(s.ctx, bob.hello(from(log[9])))
			s.no(err)
			s.append(withID(leaving(room, ann, bob)))
			s.texts(room, ann, 1)
			c := s.client()
			p.Start(c)
			c.gets("welcome", "room_removed removed")
		}},
		{"deleted while the replay is read: the room is gone, and that is why", func(s *stage) {
			n := s.node(smallRing)
			ann, bob := s.user(), s.user()
			room, other := s.room(ann, bob), s.room(ann, bob)
			log := s.texts(room, ann, 30)
			p, err := n.Open(s.ctx, bob.hello(from(log[9])))
			s.no(err)
			n.store.shut()
			c := s.client()
			p.Start(c)
			c.gets("welcome")
			_, err = s.db.DeleteRoom(s.ctx, room, ann.id)
			s.no(err)
			n.store.open()
			c.gets("room_removed deleted")
			s.do(n, text(other, ann, "another room"))
			c.gets("3")
		}},
		{"[HUB4] a replay is paced by the writer and never causes 4009", func(s *stage) {
			n := s.node(smallOutbox)
			ann := s.user()
			room := s.room(ann)
			log := s.texts(room, ann, 500) // more than the outbox holds ten times over
			c := s.connect(n, ann.hello(from(log[0])))
			c.open()
			c.gets(run(3, 501)...)
			if c.largest > 64<<10 {
				s.Errorf("%d bytes were written at once", c.largest)
			}
		}},
		{"[HUB4] a client that is frozen during its replay is left alone", func(s *stage) {
			n := s.node(smallOutbox, smallRing)
			ann := s.user()
			room := s.room(ann)
			log := s.texts(room, ann, 400)
			c := s.dial(n, ann.hello(from(log[0])))
			c.freeze()
			s.pass(20 * time.Second)
			c.open()
			c.unfreeze()
			synctest.Wait()
			c.take()
			s.do(n, text(room, ann, "live"))
			c.gets("402")
		}},
		{"[RES4] so many reads at a time; the others wait", func(s *stage) {
			n := s.node(smallRing, func(cfg *setup) { cfg.session.Workers = 3 })
			ann := s.user()
			room := s.room(ann)
			log := s.texts(room, ann, 60)
			s.connect(n, ann.hello())
			pending := make([]*session.Pending, 20)
			for i := range pending {
				var err error
				pending[i], err = n.Open(s.ctx, ann.hello(from(log[i])))
				s.no(err)
			}
			n.store.shut()
			clients := make([]*client, len(pending))
			for i, p := range pending {
				clients[i] = s.client()
				p.Start(clients[i])
			}
			synctest.Wait()
			n.store.open()
			synctest.Wait()
			if most := n.store.atOnce("after"); most != 3 {
				s.Errorf("%d reads at a time, want 3", most)
			}
			for i, c := range clients {
				c.gets(append([]string{"welcome"}, run(int64(i+3), 61)...)...)
			}
		}},
		{"[RES4] those who missed the same share one query", func(s *stage) {
			n := s.node(smallRing, deaf, func(cfg *setup) { cfg.session.Workers = 20 })
			ann := s.user()
			room := s.room(ann)
			log := s.texts(room, ann, 60)
			s.connect(n, ann.hello())
			var pending []*session.Pending
			for range 20 {
				p, err := n.Open(s.ctx, ann.hello(from(log[9])))
				s.no(err)
				pending = append(pending, p)
			}
			n.store.shut()
			var clients []*client
			for _, p := range pending {
				c := s.client()
				p.Start(c)
				clients = append(clients, c)
			}
			synctest.Wait()
			n.store.open()
			synctest.Wait()
			if got := n.store.calls["after"]; got != 1 {
				s.Errorf("%d queries for 20 clients", got)
			}
			for _, c := range clients {
				c.take() // its welcome among it
			}
		}},
		{"[RES4] a mass reconnect is admitted so many at a time, and told to come back later", func(s *stage) {
			n := s.node(func(cfg *setup) { cfg.session.Workers = 3 })
			ann := s.user()
			n.store.shut()
			results := n.openMany(10, s, ann)
			if most := n.store.atOnce("snapshot"); most != 3 {
				s.Errorf("%d lists were read at a time, want 3", most)
			}
			s.pass(11 * time.Second)
			n.store.open()
			later := 0
			for range 10 {
				var refused *chat.Error
				switch err := <-results; {
				case errors.As(err, &refused) && refused.Code == chat.CodeUnavailable && refused.RetryAfter > 0:
					later++
				case !errors.Is(err, chat.ErrUnavailable): // of the three whose list could not be read in time
					s.Errorf("error is %v", err)
				}
			}
			if later == 0 {
				s.Error("nobody was told to come back later")
			}
		}},
		{"[RES4] of a mass reconnect only so many wait, the others are told at once", func(s *stage) {
			n := s.node(func(cfg *setup) { cfg.session.Workers, cfg.session.MaxWaiting = 2, 3 })
			ann := s.user()
			n.store.shut()
			results := n.openMany(10, s, ann)
			refused := 0
			for len(results) > 0 {
				var e *chat.Error
				if err := <-results; !errors.As(err, &e) || e.Code != chat.CodeUnavailable || e.RetryAfter <= 0 {
					s.Errorf("error is %v", err)
				}
				refused++
			}
			if refused != 10-2-3 {
				s.Errorf("%d were refused at once, want 5: two are read, three wait", refused)
			}
			n.store.open()
			for range 5 {
				s.no(<-results)
			}
		}},
		{"a store that is away while a replay is read: it is tried again", func(s *stage) {
			n := s.node(smallRing)
			ann := s.user()
			room := s.room(ann)
			log := s.texts(room, ann, 30)
			p, err := n.Open(s.ctx, ann.hello(from(log[9])))
			s.no(err)
			n.store.fail(fmt.Errorf("test: %w", chat.ErrUnavailable))
			c := s.client()
			p.Start(c)
			s.pass(3 * time.Second)
			c.open()
			n.store.heal()
			s.pass(3 * time.Second)
			got := c.describe()
			if want := append([]string{"welcome"}, run(12, 31)...); !slices.Equal(got, want) {
				s.Errorf("got %q, want %q", got, want)
			}
		}},
	})
}

// openMany opens so many connections of a user at once and gives up those that are admitted. It returns when all are, or wait; what
// became of each comes by the channel.
func (n *node) openMany(count int, s *stage, u user) <-chan error {
	results := make(chan error, count)
	for range count {
		go func() {
			p, err := n.Open(s.ctx, u.hello())
			if err == nil {
				p.Abort()
			}
			results <- err
		}()
	}
	synctest.Wait()
	return results
}
