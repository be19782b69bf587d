package hub_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/hub"
	"github.com/gochat-dev/gochat/internal/wire"
)

// pos is where an entry of a log stands, counted from 1; 0 is the start.
func (h *history) pos(n int) chat.Position {
	if n == 0 {
		return chat.Position{}
	}
	return (*h)[n-1].Position()
}

func TestEnter(t *testing.T) {
	prove(t, []rule{
		{name: "[RES1] at the hub's position a connection is in at once", do: func(s *stage) {
			log := texts(3)
			s.live(log, "ann", "bob")
			c := newConn("bob")
			s.enter(c, log.head(), 3)
			s.got(c, "entered 3")
			s.deliver(log.add(chat.KindText, "ann", "hello"))
			s.got(c, "4")
		}},
		{name: "[RES1] if the hub is ahead, what is between comes first", do: func(s *stage) {
			log := texts(5)
			s.live(log, "ann")
			c := newConn("ann")
			s.enter(c, log.pos(2), 5)
			s.got(c, "3", "4", "5", "entered 5")
		}},
		{name: "[RES1] the start of the log is a position too", do: func(s *stage) {
			log := texts(2)
			s.live(log, "ann")
			c := newConn("ann")
			s.enter(c, chat.Position{}, 2)
			s.got(c, "1", "2", "entered 2")
		}},
		{name: "[RES1] a position without an id is compared by its number", do: func(s *stage) {
			log := texts(3)
			s.live(log, "ann")
			c := newConn("ann")
			s.enter(c, chat.Position{Seq: 2}, 3)
			s.got(c, "3", "entered 3")
		}},
		{name: "[RES1] if the hub is behind it is mended first", do: func(s *stage) {
			log := texts(3)
			s.live(log, "ann")
			last := log.head()
			log.add(chat.KindText, "ann", "committed elsewhere")
			c := newConn("ann")
			s.enter(c, log.head(), 4)
			s.got(c)
			s.mend(log, last)
			s.got(c, "entered 4")
		}},
		{name: "[RES1] a position that mending does not reach is for the store to judge", do: func(s *stage) {
			log := texts(3)
			s.live(log, "ann")
			c := newConn("ann")
			s.enter(c, chat.Position{Seq: 9, ID: "of another history"}, 9)
			s.mend(log, log.head())
			s.got(c, "unknown 9")
			s.asked()
		}},
		{name: "[RES1] at the store's head a hub that stands elsewhere asks the store first", do: func(s *stage) {
			log := texts(5)
			ann := s.live(log, "ann")[0]
			last := log.head()
			restored := texts(3)
			c := newConn("ann")
			s.hub.Enter(c, hub.Visit{RoomID: "room", At: restored.head(), MemberSeq: 3, AtHead: true})
			s.got(c)
			s.mend(restored, last)
			s.load(restored, "ann")
			s.got(c, "entered 3")
			s.got(ann, "resumed false 3", "changed 3")
		}},
		{name: "[RES1] while the room is loaded a connection waits", do: func(s *stage) {
			log := texts(3)
			c := newConn("ann")
			s.enter(c, log.pos(1), 3)
			s.got(c)
			s.load(log, "ann")
			s.got(c, "2", "3", "entered 3")
		}},
		{name: "[RES1] a load that fails is tried again, and who waits goes on waiting", do: func(s *stage) {
			log := texts(3)
			c := newConn("ann")
			s.enter(c, log.head(), 3)
			s.asked("load room")
			s.hub.Loaded("room", chat.Live{}, nil, chat.ErrUnavailable)
			s.pass(2 * time.Second)
			s.load(log, "ann")
			s.got(c, "entered 3")
		}},
		{name: "[RES1] a room that is not there is for the store to judge", do: func(s *stage) {
			c := newConn("ann")
			s.enter(c, chat.Position{Seq: 1}, 1)
			s.asked("load room")
			s.hub.Loaded("room", chat.Live{}, nil, chat.ErrNoRoom)
			s.got(c, "unknown 1")
			s.asked("forget room")
		}},
		{name: "[RES1] a number with another id is not the position", do: func(s *stage) {
			log := texts(3)
			s.live(log, "ann")
			c := newConn("ann")
			s.enter(c, chat.Position{Seq: 2, ID: "other"}, 3)
			s.got(c, "unknown 2")
		}},
		{name: "[RES1] what does not fit is handed over, and the room is entered after it", do: func(s *stage) {
			log := texts(3)
			s.live(log, "ann")
			c := newConn("ann")
			c.size = 0
			s.enter(c, log.pos(1), 3)
			s.got(c, "behind 3, 2, 3")
			s.deliver(log.add(chat.KindText, "ann", "meanwhile"))
			s.got(c)
			c.size = 1 << 20
			s.enter(c, log.pos(3), 3)
			s.got(c, "4", "entered 4")
		}},
		{name: "[RES1] one place per room and connection", do: func(s *stage) {
			log := texts(1)
			ann := s.live(log, "ann")[0]
			s.enter(ann, log.head(), 1)
			s.deliver(log.add(chat.KindText, "ann", "once"))
			s.got(ann, "2")
		}},
		{name: "[RES1] an ended connection enters nothing", do: func(s *stage) {
			log := texts(1)
			c := newConn("ann")
			s.enter(c, log.head(), 1)
			late := newConn("ann")
			c.end()
			s.hub.Drop(c)
			late.end()
			s.enter(late, log.head(), 1)
			s.load(log, "ann")
			s.deliver(log.add(chat.KindText, "ann", "hello"))
			s.got(c)
			s.got(late)
		}},
		{name: "[HUB7] removed between reading the membership and entering: look again", do: func(s *stage) {
			log := texts(3)
			s.live(log, "ann", "bob")
			s.deliver(log.add(chat.KindMemberLeft, "ann", "bob"))
			c := newConn("bob")
			s.enter(c, log.head(), 3) // a member at 3, but not at 4
			s.got(c, "unknown 4")
			s.enter(c, log.pos(3), 3)
			s.got(c, "unknown 3")
		}},
		{name: "[HUB7] removed while waiting for the room to be mended: look again", do: func(s *stage) {
			log := texts(3)
			s.live(log, "ann")
			last := log.head()
			c := newConn("bob")
			log.add(chat.KindText, "ann", "four")
			at := log.head()
			s.enter(c, at, 4)
			log.add(chat.KindMemberLeft, "ann", "bob")
			s.mend(log, last)
			s.got(c, "unknown 4")
		}},
		{name: "[HUB7] removed and back again is a new membership", do: func(s *stage) {
			log := texts(3)
			s.live(log, "ann")
			s.deliver(log.add(chat.KindMemberLeft, "ann", "bob"), log.add(chat.KindMemberJoined, "bob", "bob"))
			c := newConn("bob")
			s.enter(c, log.pos(2), 5)
			s.got(c, "3", "4", "5", "entered 5")
		}},
		{name: "[HUB7] what is asked for an earlier stay neither begins the next one nor ends it", do: func(s *stage) {
			log := texts(3)
			s.live(log, "ann", "bob")
			c := newConn("bob")
			c.stay = 2
			s.hub.Enter(c, hub.Visit{RoomID: "room", Stay: 1, At: log.pos(1), MemberSeq: 3})
			s.got(c)
			s.hub.Enter(c, hub.Visit{RoomID: "room", Stay: 2, At: log.head(), MemberSeq: 3})
			s.got(c, "entered 3")
			s.hub.Leave(c, "room", 1, "left")
			s.got(c)
			s.deliver(log.add(chat.KindText, "ann", "once"))
			s.got(c, "4")
			s.hub.Leave(c, "room", 2, "left")
			s.got(c, "removed 4 left")
		}},
		{name: "[HUB7] an earlier stay that waits for the room to be mended enters nothing", do: func(s *stage) {
			log := texts(3)
			s.live(log, "ann", "bob")
			last := log.head()
			c := newConn("bob")
			log.add(chat.KindText, "ann", "not heard of")
			s.enter(c, log.head(), 4)
			c.stay = 1 // removed, and added again
			s.hub.Enter(c, hub.Visit{RoomID: "room", Stay: 1, At: log.head(), MemberSeq: 4})
			s.mend(log, last)
			s.got(c, "entered 4")
			s.deliver(log.add(chat.KindText, "ann", "once"))
			s.got(c, "5")
		}},
		{name: "[RES4] a membership from before the ring is not known", cfg: hub.Config{RingEntries: 2}, do: func(s *stage) {
			log := texts(6)
			s.live(log, "ann")
			c := newConn("ann")
			s.enter(c, log.head(), 3)
			s.got(c, "unknown 6")
			s.enter(c, log.head(), 4)
			s.got(c, "entered 6")
		}},
		{name: "[RES4] the ring holds so many entries", cfg: hub.Config{RingEntries: 3}, do: func(s *stage) {
			log := texts(5)
			s.live(log, "ann")
			s.deliver(log.add(chat.KindText, "ann", "six"))
			c := newConn("ann")
			s.enter(c, log.pos(2), 6)
			s.got(c, "unknown 2")
			s.enter(c, log.pos(3), 6)
			s.got(c, "4", "5", "6", "entered 6")
		}},
		{name: "[RES4] the ring holds so many bytes", cfg: hub.Config{RingBytes: 4000}, do: func(s *stage) {
			log := texts(1)
			s.live(log, "ann")
			for range 4 {
				s.deliver(log.add(chat.KindText, "ann", strings.Repeat("x", 1000)))
			}
			c := newConn("ann")
			s.enter(c, log.pos(1), 5)
			s.got(c, "unknown 1")
			s.enter(c, log.pos(2), 5)
			s.got(c, "3", "4", "5", "entered 5")
		}},
		{name: "[RES4] an entry larger than the ring is held all the same", cfg: hub.Config{RingBytes: 500}, do: func(s *stage) {
			log := texts(1)
			s.live(log, "ann")
			s.deliver(log.add(chat.KindText, "ann", strings.Repeat("x", 1000)))
			c := newConn("ann")
			s.enter(c, log.pos(1), 2)
			s.got(c, "2", "entered 2")
		}},
		{name: "[RES4] the ring serves any position that it holds, for long", cfg: hub.Config{RingEntries: 10}, do: func(s *stage) {
			log := texts(1)
			s.live(log, "ann")
			for i := range 100 {
				s.deliver(log.addAt(log.head().Seq+int64(1+i%3), chat.KindText, "ann", "more"))
			}
			for back := 10; back >= 0; back-- {
				c := newConn("ann")
				s.enter(c, log.pos(len(*log)-back), log.head().Seq)
				var want []string
				for _, e := range (*log)[len(*log)-back:] {
					want = append(want, fmt.Sprint(e.Seq))
				}
				s.got(c, append(want, fmt.Sprint("entered ", log.head().Seq))...)
			}
			c := newConn("ann")
			s.enter(c, log.pos(len(*log)-11), log.head().Seq)
			s.got(c, fmt.Sprint("unknown ", log.pos(len(*log)-11).Seq))
		}},
		{name: "[RES4] a replay from the ring is not encoded again", do: func(s *stage) {
			log := texts(1)
			ann := s.live(log, "ann")[0]
			d := hub.Encode(new(log.add(chat.KindText, "ann", "hello")))
			s.hub.Deliver(d)
			synctest.Wait()
			c := newConn("ann")
			s.enter(c, log.pos(1), 2)
			if len(c.frames) != 1 || &c.frames[0].Bytes()[0] != &ann.frames[0].Bytes()[0] {
				s.Error("the replay has other bytes than the delivery")
			}
		}},
	})
}

func TestHere(t *testing.T) {
	here := func(s *stage) <-chan wire.Presence {
		got := make(chan wire.Presence, 1)
		go func() {
			p, _, live := s.hub.Here("room")
			if live {
				got <- p
			}
			close(got)
		}()
		synctest.Wait()
		return got
	}
	prove(t, []rule{
		{name: "[RES1] who is here waits for the room to be loaded", do: func(s *stage) {
			s.hub.SetStates([]chat.PresenceChange{{UserID: "ann", State: chat.Away}, {UserID: "cy", State: chat.Online}})
			s.enter(newConn("ann"), chat.Position{}, 0)
			got := here(s)
			select {
			case <-got:
				s.Fatal("answered before the room was loaded")
			default:
			}
			s.load(&history{}, "ann", "bob")
			if p := <-got; len(p.States) != 1 || p.States["ann"] != chat.Away {
				s.Errorf("here are %v", p.States)
			}
		}},
		{name: "a room that nobody is connected to is not live", do: func(s *stage) {
			if _, _, live := s.hub.Here("room"); live {
				s.Error("the room is live")
			}
		}},
		{name: "who asks does not wait for a store that is away", do: func(s *stage) {
			s.enter(newConn("ann"), chat.Position{}, 0)
			got := here(s)
			s.hub.Loaded("room", chat.Live{}, nil, chat.ErrUnavailable)
			synctest.Wait()
			select {
			case p, live := <-got:
				if live {
					s.Errorf("here are %v", p)
				}
			default:
				s.Error("still waiting")
			}
		}},
	})
}
