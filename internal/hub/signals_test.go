package hub_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/hub"
)

const tick = 250 * time.Millisecond

func (s *stage) states(state chat.State, users ...string) {
	var changes []chat.PresenceChange
	for _, u := range users {
		changes = append(changes, chat.PresenceChange{UserID: u, State: state})
	}
	s.hub.SetStates(changes)
	synctest.Wait()
}

// people are so many users.
func people(n int) []string {
	var users []string
	for i := range n {
		users = append(users, fmt.Sprint("user ", i))
	}
	return users
}

func TestPresence(t *testing.T) {
	prove(t, []rule{
		{name: "[PRS5] changes are coalesced: one frame per 250 ms at most", do: func(s *stage) {
			ann := s.live(texts(1), "ann", "bob", "cy")[0]
			s.pass(2 * tick)
			s.states(chat.Online, "bob")
			s.states(chat.Away, "bob")
			s.states(chat.Online, "cy")
			s.got(ann)
			s.pass(tick)
			s.got(ann, "presence: bob away, cy online")
			s.states(chat.Offline, "bob")
			s.states(chat.Online, "bob")
			s.pass(tick)
			s.got(ann, "presence: bob online")
			s.pass(4 * tick)
			s.got(ann)
		}},
		{name: "[PRS3] a change reaches the rooms that one shares, and no others", do: func(s *stage) {
			ann := s.live(texts(1), "ann", "bob")[0]
			s.states(chat.Online, "stranger")
			s.pass(tick)
			s.got(ann)
			s.states(chat.Online, "bob")
			s.states(chat.Online, "bob") // nothing new
			s.pass(tick)
			s.got(ann, "presence: bob online")
			s.states(chat.Offline, "nobody")
			s.pass(tick)
			s.got(ann)
		}},
		{name: "[PRS3] who joins is shown to those who are in the room", do: func(s *stage) {
			log := texts(1)
			ann := s.live(log, "ann")[0]
			s.states(chat.Online, "bob")
			s.deliver(log.add(chat.KindMemberJoined, "bob", "bob"))
			s.pass(tick)
			s.got(ann, "2", "presence: bob online")
		}},
		{name: "[PRS3] who has left the room is not shown in it any more", do: func(s *stage) {
			log := texts(1)
			ann := s.live(log, "ann", "bob")[0]
			s.states(chat.Online, "bob")
			s.deliver(log.add(chat.KindMemberLeft, "bob", "bob"))
			s.states(chat.Away, "bob")
			s.pass(tick)
			s.got(ann, "2")
		}},
		{name: "[PRS5] with more than 200 people online only the count is pushed", do: func(s *stage) {
			crowd := append([]string{"ann"}, people(210)...)
			log := texts(1)
			ann := newConn("ann")
			s.enter(ann, log.head(), 1)
			s.load(log, crowd...)
			s.got(ann, "entered 1")
			s.states(chat.Online, crowd[:199]...)
			s.pass(tick)
			ann.take()
			s.states(chat.Online, crowd[199])
			s.pass(tick)
			s.got(ann, "presence: "+crowd[199]+" online") // 200 are not more than 200
			s.states(chat.Online, crowd[200])
			s.pass(tick)
			s.got(ann, "presence: 201")
			s.states(chat.Away, crowd[5]) // away is here too: nothing to tell
			s.pass(tick)
			s.got(ann)
			if p, _, _ := s.hub.Here("room"); p.States != nil || p.Online != 201 {
				s.Errorf("here are %v, want the number 201 alone", p)
			}
			s.deliver(log.add(chat.KindMemberLeft, crowd[5], crowd[5]), log.add(chat.KindMemberLeft, crowd[6], crowd[6]))
			s.pass(tick)
			// From here on there are names again: all of them, since the count says nothing of who it was.
			got := ann.take()
			if len(got) != 3 || strings.Count(got[2], "online") != 199 {
				s.Errorf("got %.200q, want two removals and the states of 199", got)
			}
		}},
		{name: "a new name or picture is pushed once to whoever shares a room", do: func(s *stage) {
			ann := s.live(texts(1), "ann", "bob")[0]
			s.hub.Enter(ann, hub.Visit{RoomID: "other"})
			s.asked("load other")
			s.hub.Loaded("other", chat.Live{Members: []string{"ann", "bob"}}, nil, nil)
			s.got(ann, "entered 0")
			s.hub.UserUpdated(chat.User{ID: "stranger"})
			s.got(ann)
		}},
	})
}

func TestTyping(t *testing.T) {
	on := func(s *stage, user string) { s.hub.Typing("room", user, true); synctest.Wait() }
	off := func(s *stage, user string) { s.hub.Typing("room", user, false); synctest.Wait() }
	prove(t, []rule{
		{name: "[SIG1] typing is relayed to the others of the room, here and elsewhere", do: func(s *stage) {
			conns := s.live(texts(1), "ann", "bob", "ann")
			on(s, "ann")
			s.got(conns[0])
			s.got(conns[1], "typing ann true")
			s.got(conns[2])
			s.published("typing room ann true")
		}},
		{name: "[SIG1] what another node says is not published again", do: func(s *stage) {
			bob := s.live(texts(1), "ann", "bob")[1]
			s.hub.Heard(chat.Notice{RoomID: "room", Typing: &chat.Typing{UserID: "ann", On: true}})
			s.got(bob, "typing ann true")
			s.pass(7 * time.Second)
			s.got(bob, "typing ann false")
			s.published()
		}},
		{name: "[SIG1] of somebody who is no member nothing is relayed", do: func(s *stage) {
			ann := s.live(texts(1), "ann")[0]
			on(s, "stranger")
			s.got(ann)
			s.published()
		}},
		{name: "[SIG1] typing expires after 6 s", do: func(s *stage) {
			bob := s.live(texts(1), "ann", "bob")[1]
			on(s, "ann")
			s.pass(5900 * time.Millisecond)
			s.got(bob, "typing ann true")
			s.pass(2 * tick)
			s.got(bob, "typing ann false")
			s.published("typing room ann false", "typing room ann true")
		}},
		{name: "[SIG1] who goes on typing is relayed again", do: func(s *stage) {
			bob := s.live(texts(1), "ann", "bob")[1]
			for range 10 {
				on(s, "ann")
				s.pass(time.Second)
			}
			s.got(bob, "typing ann true", "typing ann true", "typing ann true", "typing ann true", "typing ann true")
		}},
		{name: "[SIG1] a stop is relayed, but not sooner than 2 s after the start", do: func(s *stage) {
			bob := s.live(texts(1), "ann", "bob")[1]
			on(s, "ann")
			s.pass(time.Second)
			off(s, "ann")
			s.got(bob, "typing ann true")
			s.pass(time.Second + tick)
			s.got(bob, "typing ann false")
			s.pass(3 * time.Second)
			on(s, "ann")
			s.pass(3 * time.Second)
			off(s, "ann")
			s.got(bob, "typing ann true", "typing ann false")
		}},
		{name: "[SIG1] however often it is sent: at most once per 2 s", do: func(s *stage) {
			bob := s.live(texts(1), "ann", "bob")[1]
			for i := range 400 {
				s.hub.Typing("room", "ann", i%2 == 0)
				s.pass(50 * time.Millisecond)
			}
			relayed := bob.pushed
			for i := 1; i < len(relayed); i++ {
				if gap := relayed[i].Sub(relayed[i-1]); gap < 2*time.Second {
					s.Errorf("relayed twice within %v", gap)
				}
			}
			if len(relayed) < 5 {
				s.Errorf("relayed %d times in 20 s", len(relayed))
			}
		}},
		{name: "[SIG1] a text ends typing without a word, and does not make it faster", do: func(s *stage) {
			log := texts(1)
			bob := s.live(log, "ann", "bob")[1]
			on(s, "ann")
			s.deliver(log.add(chat.KindText, "ann", "hello"))
			s.got(bob, "typing ann true", "2")
			if _, typing, _ := s.hub.Here("room"); len(typing) != 0 {
				s.Errorf("%v type", typing)
			}
			on(s, "ann")
			s.got(bob)
			s.pass(2*time.Second + tick)
			s.got(bob, "typing ann true")
			s.deliver(log.add(chat.KindText, "ann", "hello"))
			s.pass(10 * time.Second)
			s.got(bob, "3")
		}},
		{name: "[SIG1] who opens the room is told who types", do: func(s *stage) {
			s.live(texts(1), "ann", "bob")
			on(s, "ann")
			if _, typing, _ := s.hub.Here("room"); !slices.Equal(typing, []string{"ann"}) {
				s.Errorf("%v type, want ann", typing)
			}
		}},
	})
}

func TestReads(t *testing.T) {
	prove(t, []rule{
		{name: "[SIG2] read positions are relayed, coalesced like presence", do: func(s *stage) {
			conns := s.live(texts(9), "ann", "bob", "ann")
			s.pass(2 * tick)
			for seq := range int64(5) {
				s.hub.Read(chat.Read{RoomID: "room", UserID: "ann", Seq: seq + 1})
			}
			s.hub.Read(chat.Read{RoomID: "room", UserID: "bob", Seq: 2})
			s.hub.Read(chat.Read{RoomID: "room", UserID: "bob", Seq: 1}) // forward only
			s.got(conns[0])
			s.pass(tick)
			for _, c := range conns { // one's own too, from another tab
				s.got(c, "read: ann 5, bob 2")
			}
			s.published("read room ann 5", "read room bob 2")
			s.pass(4 * tick)
			s.got(conns[0])
		}},
		{name: "[SIG2] what another node says is pushed and not published again", do: func(s *stage) {
			ann := s.live(texts(9), "ann", "bob")[0]
			s.hub.Heard(chat.Notice{RoomID: "room", Read: &chat.Read{UserID: "bob", Seq: 4}})
			s.pass(tick)
			s.got(ann, "read: bob 4")
			s.published()
		}},
		{name: "[SIG2] a read where nobody is connected is told to the other nodes", do: func(s *stage) {
			s.hub.Read(chat.Read{RoomID: "elsewhere", UserID: "ann", Seq: 4})
			s.published("read elsewhere ann 4")
		}},
		{name: "[SIG2] in a crowded room only one's own are pushed", do: func(s *stage) {
			log := texts(9)
			conns := []*conn{newConn("ann"), newConn("bob")}
			for _, c := range conns {
				s.enter(c, log.head(), 9)
			}
			crowd := append(people(250), "ann", "bob")
			s.load(log, crowd...)
			s.states(chat.Online, crowd...)
			s.pass(tick)
			for _, c := range conns {
				c.take()
			}
			s.hub.Read(chat.Read{RoomID: "room", UserID: "ann", Seq: 5})
			s.pass(tick)
			s.got(conns[0], "read: ann 5")
			s.got(conns[1])
		}},
	})
}

func TestClose(t *testing.T) {
	h := hub.New(hub.Config{}, &source{})
	h.Close()
	h.Close()
	c := newConn("ann")
	for range 3000 { // more than fit into an inbox that nobody empties
		h.Enter(c, hub.Visit{RoomID: "room"})
	}
	h.Deliver(hub.Encode(&(*texts(1))[0]))
	if _, _, live := h.Here("room"); live || len(h.Positions()) != 0 {
		t.Error("a closed hub has live rooms")
	}
}
