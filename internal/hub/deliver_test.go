package hub_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/hub"
)

func TestDeliver(t *testing.T) {
	prove(t, []rule{
		{name: "[HUB1] an entry is delivered if it points at the last one", do: func(s *stage) {
			log := texts(3)
			ann := s.live(log, "ann")[0]
			s.deliver(log.add(chat.KindText, "ann", "hello"))
			s.got(ann, "4")
			s.at(log.head())
			s.asked()
		}},
		{name: "[HUB1] numbers that were passed over make no gap", do: func(s *stage) {
			log := texts(3)
			ann := s.live(log, "ann")[0]
			s.deliver(log.addAt(9, chat.KindText, "ann", "hello"))
			s.got(ann, "9")
			s.asked()
		}},
		{name: "[HUB1] an entry at or below the last one is dropped", do: func(s *stage) {
			log := texts(3)
			ann := s.live(log, "ann")[0]
			s.deliver((*log)[2], (*log)[0])
			s.got(ann)
			s.asked()
			if s.see.duplicates != 2 {
				s.Errorf("%d duplicates counted, want 2", s.see.duplicates)
			}
		}},
		{name: "[HUB1] a gap is mended from the store before anything later is delivered", do: func(s *stage) {
			log := texts(3)
			ann := s.live(log, "ann")[0]
			last := log.head()
			log.add(chat.KindText, "ann", "lost on the way")
			s.deliver(log.add(chat.KindText, "ann", "heard"))
			s.got(ann)
			s.mend(log, last)
			s.got(ann, "4", "5")
			s.at(log.head())
			s.asked()
		}},
		{name: "[HUB1] an entry that names the last number with another id is a gap", do: func(s *stage) {
			log := texts(3)
			ann := s.live(log, "ann")[0]
			last := log.head()
			other := *log
			forged := other.add(chat.KindText, "ann", "of another history")
			forged.PrevID = chat.NewID()
			s.deliver(forged)
			s.got(ann)
			s.mend(log, last)
			s.got(ann)
			s.at(last)
		}},
		{name: "[HUB1] a gap is asked for once, and once more for what was heard meanwhile", do: mendOnce},
		{name: "[HUB1] what comes in order while a gap is mended is not delivered twice", do: func(s *stage) {
			log := texts(3)
			ann := s.live(log, "ann")[0]
			last := log.head()
			four := log.add(chat.KindText, "ann", "four")
			five := log.add(chat.KindText, "ann", "five")
			s.deliver(five, four) // out of order
			s.got(ann, "4")
			s.mend(log, last)
			s.got(ann, "5")
			s.asked()
		}},
		{name: "[HUB1] a mend cut at its limit is gone on with", do: func(s *stage) {
			log := texts(3)
			ann := s.live(log, "ann")[0]
			last := log.head()
			for range 3 {
				log.add(chat.KindText, "ann", "missed")
			}
			s.hub.Judge("room", last, log.head())
			s.asked("mend room 3")
			run := log.after(last)
			run.Entries = run.Entries[:2]
			s.hub.Mended("room", last, run, encoded(run.Entries), nil)
			s.got(ann, "4", "5")
			s.mend(log, run.Entries[1].Position())
			s.got(ann, "6")
			s.asked()
		}},
		{name: "[HUB1] a store without the last number resets the room", do: resetRoom(func(*history) *history { return texts(1) })},
		{name: "[HUB1] a store with another id at the last number resets the room", do: resetRoom(func(*history) *history {
			return texts(3)
		})},
		{name: "[HUB1] a mend that fails is tried again a second later", do: func(s *stage) {
			log := texts(3)
			ann := s.live(log, "ann")[0]
			last := log.head()
			log.add(chat.KindText, "ann", "missed")
			s.deliver(log.add(chat.KindText, "ann", "heard"))
			s.asked("mend room 3")
			s.hub.Mended("room", last, chat.Run{}, nil, chat.ErrUnavailable)
			s.pass(time.Second / 2)
			s.asked()
			s.pass(time.Second)
			s.mend(log, last)
			s.got(ann, "4", "5")
		}},
		{name: "[HUB1] an entry of a room that is being loaded is not lost", do: func(s *stage) {
			log := texts(3)
			ann := newConn("ann")
			s.enter(ann, log.head(), 3)
			before := *log
			last := log.head()
			s.deliver(log.add(chat.KindText, "ann", "committed after the load was read"))
			s.load(&before, "ann")
			s.got(ann, "entered 3")
			s.mend(log, last)
			s.got(ann, "4")
		}},
		{name: "[HUB2] all connections get the same bytes", do: func(s *stage) {
			log := texts(1)
			conns := s.live(log, "ann", "bob", "cy")
			d := hub.Encode(new(log.add(chat.KindText, "ann", "hello")))
			s.hub.Deliver(d)
			synctest.Wait()
			for _, c := range conns {
				if len(c.frames) != 1 || &c.frames[0].Bytes()[0] != &d.Frame.Bytes()[0] {
					s.Errorf("%s got other bytes than were encoded", c.user)
				}
			}
		}},
		{name: "[HUB3] a room that waits for the store delays no other room of its shard", cfg: hub.Config{Shards: 1}, do: func(s *stage) {
			log := texts(1)
			ann := s.live(log, "ann")[0]
			s.hub.Enter(newConn("bob"), hub.Visit{RoomID: "loading"})
			s.asked("load loading") // and gets no answer
			s.deliver(log.add(chat.KindText, "ann", "hello"))
			s.got(ann, "2")
		}},
		{name: "[HUB3] entering, leaving and delivering at once keep every connection's order", cfg: hub.Config{RingEntries: 500}, do: crowd},
		{name: "[HUB7] a removed user's connections get the removal and nothing after it", do: func(s *stage) {
			log := texts(1)
			conns := s.live(log, "ann", "bob", "bob", "cy")
			s.deliver(log.add(chat.KindMemberLeft, "ann", "bob"), log.add(chat.KindText, "ann", "he is gone"))
			s.got(conns[0], "2", "3")
			s.got(conns[1], "2", "removed 2 removed")
			s.got(conns[2], "2", "removed 2 removed")
			s.got(conns[3], "2", "3")
		}},
		{name: "[HUB7] who leaves is told so", do: func(s *stage) {
			log := texts(1)
			conns := s.live(log, "ann", "bob")
			s.deliver(log.add(chat.KindMemberLeft, "bob", "bob"))
			s.got(conns[1], "2", "removed 2 left")
		}},
		{name: "[HUB7] a removal found by mending counts as one that was heard", do: func(s *stage) {
			log := texts(1)
			bob := s.live(log, "ann", "bob")[1]
			last := log.head()
			log.add(chat.KindMemberLeft, "ann", "bob")
			s.deliver(log.add(chat.KindText, "ann", "he is gone"))
			s.mend(log, last)
			s.got(bob, "2", "removed 2 removed")
		}},
		{name: "[HUB7] after a reset those who are no members any more are out, and told so", do: func(s *stage) {
			log := texts(3)
			bob := s.live(log, "ann", "bob")[1]
			s.hub.Reset()
			s.load(texts(2), "ann")
			s.got(bob, "removed 2 removed") // not only to read the list: they may be in it again by then
			s.hub.Deliver(hub.Encode(&(*texts(3))[2]))
			s.got(bob)
		}},
		{name: "[HUB5] a head found by the comparison mends the room", do: func(s *stage) {
			log := texts(3)
			ann := s.live(log, "ann")[0]
			last := log.head()
			log.add(chat.KindText, "ann", "the last bell was lost")
			s.hub.Judge("room", last, log.head())
			s.mend(log, last)
			s.got(ann, "4")
		}},
		{name: "[HUB5] an answer to an earlier position is discarded", do: func(s *stage) {
			log := texts(3)
			s.live(log, "ann")
			asked := log.head()
			s.deliver(log.add(chat.KindText, "ann", "in between"))
			s.hub.Judge("room", asked, asked) // the store's head when it was asked
			s.asked()
		}},
		{name: "[RES3] another epoch resets every room", do: func(s *stage) {
			log := texts(3)
			ann := s.live(log, "ann")[0]
			s.hub.Reset()
			s.load(log, "ann")
			s.got(ann, "resumed false 3", "changed 3")
			s.deliver(log.add(chat.KindText, "ann", "on it goes"))
			s.got(ann, "4")
		}},
		{name: "roles and the room's looks have lists read again", do: func(s *stage) {
			log := texts(1)
			conns := s.live(log, "ann", "bob")
			s.deliver(log.add(chat.KindRoleChanged, "ann", "bob"))
			s.got(conns[0], "2")
			s.got(conns[1], "2", "changed 2")
			s.deliver(log.add(chat.KindRoomChanged, "ann", ""))
			s.got(conns[0], "3", "changed 3")
			s.got(conns[1], "3", "changed 3")
		}},
		{name: "a room that is gone is forgotten, and its people are told so", do: func(s *stage) {
			log := texts(1)
			ann := s.live(log, "ann")[0]
			s.hub.Judge("room", log.head(), chat.Position{})
			s.asked("mend room 1")
			s.hub.Mended("room", log.head(), chat.Run{}, nil, chat.ErrNoRoom)
			s.got(ann, "removed 1 deleted")
			s.asked("forget room")
			if len(s.hub.Positions()) != 0 || s.see.rooms != 0 {
				s.Error("the room is still live")
			}
		}},
		{name: "a room without connections is let go after a while", cfg: hub.Config{Linger: 10 * time.Second}, do: func(s *stage) {
			log := texts(1)
			ann := s.live(log, "ann")[0]
			s.pass(20 * time.Second)
			s.asked()
			s.hub.Drop(ann)
			s.pass(9 * time.Second)
			s.asked()
			s.pass(2 * time.Second)
			s.asked("forget room")
			s.deliver(log.add(chat.KindText, "ann", "nobody listens"))
			s.got(ann)
		}},
	})
}

func mendOnce(s *stage) {
	log := texts(3)
	ann := s.live(log, "ann")[0]
	last := log.head()
	log.add(chat.KindText, "ann", "lost")
	s.deliver(log.add(chat.KindText, "ann", "heard"))
	s.asked("mend room 3")
	before := *log
	log.add(chat.KindText, "ann", "lost too")
	s.deliver(log.add(chat.KindText, "ann", "heard while the store was read"))
	s.asked()
	run := before.after(last)
	s.hub.Mended("room", last, run, encoded(run.Entries), nil)
	s.got(ann, "4", "5")
	s.mend(log, before.head())
	s.got(ann, "6", "7")
	s.asked()
}

// resetRoom has the hub find, when it mends a gap, that the store tells another history.
func resetRoom(restored func(old *history) *history) func(s *stage) {
	return func(s *stage) {
		log := texts(3)
		ann := s.live(log, "ann")[0]
		last := log.head()
		now := restored(log)
		s.deliver(now.addAt(8, chat.KindText, "ann", "after the restore"))
		s.mend(now, last)
		s.got(ann)
		s.load(now, "ann")
		s.got(ann, "resumed false 8", "changed 8")
		s.deliver(now.add(chat.KindText, "ann", "on it goes"))
		s.got(ann, "9")
		if s.see.resets != 1 {
			s.Errorf("%d resets counted, want 1", s.see.resets)
		}
	}
}

// crowd enters and drops connections while entries are delivered: each must get a stretch without holes.
func crowd(s *stage) {
	log := texts(1)
	s.live(log, "ann")
	entries := make([]chat.Entry, 200)
	for i := range entries {
		entries[i] = log.add(chat.KindText, "ann", fmt.Sprint(i))
	}
	conns := make([]*conn, 50)
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range entries {
			s.hub.Deliver(hub.Encode(&entries[i]))
		}
	})
	for i := range conns {
		conns[i] = newConn(fmt.Sprint("user ", i))
		wg.Go(func() {
			s.hub.Enter(conns[i], hub.Visit{RoomID: "room", At: chat.Position{Seq: 1}, MemberSeq: 1})
			if i%2 == 0 {
				s.hub.Leave(conns[i], "room", 0, "left")
			}
		})
	}
	wg.Wait()
	synctest.Wait()
	for i, c := range conns {
		seq := 1
		got := c.take()
		if i%2 == 0 { // and nothing after that
			end := got[len(got)-1]
			if got = got[:len(got)-1]; !strings.HasPrefix(end, "removed ") {
				s.Fatalf("connection %d got %s last, and was not told that it is out", i, end)
			}
		}
		for _, what := range got {
			if what == fmt.Sprint("entered ", seq) {
				continue
			}
			if seq++; what != fmt.Sprint(seq) {
				s.Fatalf("connection %d got %s after %d", i, what, seq-1)
			}
		}
		if i%2 == 1 && seq != 201 {
			s.Errorf("connection %d ended at %d", i, seq)
		}
	}
}
