package session_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/chattest"
	"github.com/gochat-dev/gochat/internal/hub"
)

func TestRooms(t *testing.T) {
	prove(t, []rule{
		{"a room that is joined or created becomes live by itself, on every node", func(s *stage) {
			a, b := s.node(), s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann)
			near, far := s.connect(a, bob.hello()), s.connect(b, bob.hello())
			s.do(a, joining(room, bob))
			for _, c := range []*client{near, far} {
				c.gets("room_added Room member")
			}
			s.do(a, text(room, ann, "hello"))
			near.gets("3")
			far.gets("3")
			made := s.smallRoom(b, bob)
			near.gets("room_added Small owner")
			far.gets("room_added Small owner")
			s.do(a, text(made, bob, "hello"))
			near.gets("2")
			far.gets("2")
		}},
		{"[RES1] what is said while a room is being added is not lost", func(s *stage) {
			n := s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann)
			c := s.connect(n, bob.hello())
			s.connect(n, ann.hello())
			n.store.shut()
			s.do(n, joining(room, bob))
			for i := range 5 {
				s.do(n, text(room, ann, fmt.Sprint(i)))
			}
			n.store.open()
			synctest.Wait()
			got := c.take()
			if len(got) == 0 || got[0].Type != "room_added" {
				s.Fatalf("got %+v", got)
			}
			last := got[0].Room.HeadSeq
			for _, o := range got[1:] {
				if o.Seq != last+1 {
					s.Errorf("after %d came %d", last, o.Seq)
				}
				last = o.Seq
			}
			if last != 7 {
				s.Errorf("it ends at %d, want 7", last)
			}
		}},
		{"who leaves gets the entry that says so, and room_removed with the reason left", func(s *stage) {
			a, b := s.node(), s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			clients := []*client{s.connect(a, bob.hello()), s.connect(b, bob.hello())}
			other := s.connect(a, ann.hello())
			s.do(a, leaving(room, bob, bob))
			s.do(a, text(room, ann, "he is gone"))
			for _, c := range clients {
				c.gets("3 member_left", "room_removed left")
				c.refused(chat.CodeNotAMember, "send", fields{"room_id": room, "body": "me again"})
			}
			other.gets("3 member_left", "4")
		}},
		{"[HUB7] after the removal no later entry reaches the removed, on any node", func(s *stage) {
			a, b := s.node(), s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			clients := []*client{s.connect(a, bob.hello()), s.connect(b, bob.hello())}
			s.do(a, leaving(room, ann, bob))
			s.do(b, text(room, ann, "he is gone"))
			for _, c := range clients {
				c.gets("3 member_left", "room_removed removed")
			}
		}},
		{"[HUB7] the bell of a removal is lost: the next one heard makes up for it", func(s *stage) {
			a, b := s.node(deaf), s.node(deaf)
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			c := s.connect(b, bob.hello())
			b.bus.SetFaults(chattest.Faults{Lose: 1})
			s.do(a, leaving(room, ann, bob))
			b.bus.SetFaults(chattest.Faults{})
			s.do(a, text(room, ann, "he is gone"))
			c.gets("3 member_left", "room_removed removed")
		}},
		{"[HUB7] removed and taken back: the room is removed, then added", func(s *stage) {
			n := s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			c := s.connect(n, bob.hello())
			s.do(n, leaving(room, ann, bob))
			s.do(n, text(room, ann, "not for him"))
			s.do(n, joining(room, bob))
			s.do(n, text(room, ann, "for him again"))
			c.gets("3 member_left", "room_removed removed", "room_added Room member", "6")
		}},
		{"[HUB7] removed and taken back at once: never an entry from in between as live", func(s *stage) {
			n := s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			c := s.connect(n, bob.hello())
			n.store.shut() // nobody can read a list
			s.do(n, leaving(room, ann, bob))
			s.do(n, text(room, ann, "not for him"))
			s.do(n, joining(room, bob))
			n.store.open()
			synctest.Wait()
			s.do(n, text(room, ann, "for him again"))
			c.gets("3 member_left", "room_removed removed", "room_added Room member", "6")
		}},
		{"[HUB7] what is said of somebody's last stay in a room does not end the next one", func(s *stage) {
			n := s.node(deaf, oneShard)
			ann, bob := s.user(), s.user()
			room, other := s.room(ann, bob), s.room(ann)
			c := s.connect(n, bob.hello())
			p := s.plug(n, other)
			n.store.shut("load")
			left := s.append(withID(leaving(room, ann, bob)))
			n.RoomsChanged(bob.id) // the list is read, and why the room is gone is asked,
			synctest.Wait()
			n.relay.Hub().Deliver(hub.Encode(&left[0])) // but the hub hears of it first
			c.gets("3 member_left", "room_removed removed")
			s.append(withID(joining(room, bob)))
			n.relay.Hub().Deliver(hub.Encode(&s.texts(other, ann, 1)[0])) // now the hub is busy,
			n.store.open()                                                // it is told that the room is gone, and the list is read again
			c.gets("room_added Room member")
			close(p.gate)
			s.do(n, text(room, ann, "once"))
			c.gets("5")
		}},
		{"[HUB7] a list that was read before the removal is read again", func(s *stage) {
			n := s.node(deaf)
			ann, bob := s.user(), s.user()
			room := s.room(ann)
			c := s.connect(n, bob.hello())
			n.store.old(true)
			n.store.shut("snapshot")
			s.append(withID(joining(room, bob)))
			n.RoomsChanged(bob.id)
			synctest.Wait()
			s.append(withID(leaving(room, ann, bob)))
			n.RoomsChanged(bob.id)
			synctest.Wait()
			n.store.old(false)
			n.store.open()
			c.gets()
		}},
		{"[HUB7] a change that comes while a list is acted upon has it read again", func(s *stage) {
			n := s.node(deaf)
			ann, bob := s.user(), s.user()
			room, next := s.room(ann, bob), s.room(ann)
			c := s.connect(n, bob.hello())
			n.store.shut("load")
			s.append(withID(leaving(room, ann, bob)))
			n.RoomsChanged(bob.id)
			synctest.Wait()
			s.append(withID(joining(next, bob)))
			n.RoomsChanged(bob.id)
			synctest.Wait()
			n.store.open()
			c.getsAll("room_added Room member", "room_removed removed") // of two rooms
			s.do(n, text(next, ann, "hello"))
			c.gets("3")
		}},
		{"who has left is told so also if the list is read before the entry is heard", func(s *stage) {
			n := s.node(deaf)
			ann, bob, cy := s.user(), s.user(), s.user()
			room := s.room(ann, bob, cy)
			left, removed := s.connect(n, bob.hello()), s.connect(n, cy.hello())
			s.append(withID(leaving(room, bob, bob)), withID(leaving(room, ann, cy)))
			n.RoomsChanged("")
			left.gets("room_removed left")
			removed.gets("room_removed removed")
		}},
		{"a change between the admission and the socket is not lost", func(s *stage) {
			n := s.node(deaf)
			ann, bob := s.user(), s.user()
			room := s.room(ann)
			p, err := n.Open(s.ctx, bob.hello())
			s.no(err)
			s.append(withID(joining(room, bob)))
			n.RoomsChanged(bob.id)
			c := s.client()
			p.Start(c)
			c.gets("welcome", "room_added Room member")
		}},
		{"a room that is deleted is removed with that reason", func(s *stage) {
			a, b := s.node(), s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			clients := []*client{s.connect(a, bob.hello()), s.connect(b, bob.hello()), s.connect(b, ann.hello())}
			members, err := s.db.DeleteRoom(s.ctx, room, ann.id)
			s.no(err)
			for _, m := range members {
				a.relay.Notify(s.ctx, chat.UserNotice{UserID: m, Kind: chat.RoomsChanged})
			}
			for _, c := range clients {
				c.gets("room_removed deleted")
				c.refused(chat.CodeNotAMember, "send", fields{"room_id": room, "body": "anyone?"})
			}
		}},
		{"a new name or role is told with room_updated", func(s *stage) {
			n := s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			c, other := s.connect(n, bob.hello()), s.connect(n, ann.hello())
			name := "Garden"
			s.do(n, chat.Draft{RoomID: room, SenderID: ann.id, Kind: chat.KindRoomChanged, Change: &chat.RoomChanged{Name: &name}})
			c.getsAll("3 room_changed", "room_updated Garden member")
			other.getsAll("3 room_changed", "room_updated Garden owner")
			s.do(n, chat.Draft{
				RoomID: room, SenderID: ann.id, Kind: chat.KindRoleChanged,
				Role: &chat.RoleChanged{UserID: bob.id, Role: chat.RoleAdmin, By: ann.id},
			})
			c.getsAll("4 role_changed", "room_updated Garden admin")
			other.gets("4 role_changed")
		}},
		{"[HUB5] a lost notice of a membership is found by the rooms version", func(s *stage) {
			a, b := s.node(), s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann)
			c := s.connect(b, bob.hello())
			s.pass(6 * time.Second)
			b.bus.SetFaults(chattest.Faults{Lose: 1})
			s.do(a, joining(room, bob))
			c.gets()
			s.pass(6 * time.Second)
			c.gets("room_added Room member")
			s.do(b, text(room, ann, "hello"))
			c.gets("3")
		}},
		{"[HUB5] a list that could not be read is read later", func(s *stage) {
			n := s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann)
			c := s.connect(n, bob.hello())
			s.append(withID(joining(room, bob)))
			n.store.fail(fmt.Errorf("test: %w", chat.ErrUnavailable))
			n.RoomsChanged(bob.id)
			s.pass(time.Second)
			n.store.heal()
			s.pass(6 * time.Second)
			c.gets("room_added Room member")
		}},
		{"a session that was revoked without a word is found when the list is read", func(s *stage) {
			n := s.node()
			ann := s.user()
			c := s.connect(n, ann.hello())
			_, err := s.db.Revoke(s.ctx, ann.id, ann.session, "")
			s.no(err)
			s.pass(6 * time.Second)
			c.closed(4100)
		}},
	})
}

func withID(d chat.Draft) chat.Draft {
	d.ClientID, d.At = chat.NewID(), time.Now()
	return d
}
