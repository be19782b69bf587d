package session_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/session"
)

func TestGone(t *testing.T) {
	// Each makes a room of ann's that is not bob's any more, or never was, and says what bob has of it.
	for _, c := range []struct {
		name   string
		make   func(s *stage, ann, bob user) session.Resume
		reason string
	}{
		{"left", func(s *stage, ann, bob user) session.Resume {
			room := s.room(ann, bob)
			last := s.texts(room, ann, 3)[1]
			s.append(withID(leaving(room, bob, bob)))
			s.texts(room, ann, 5)
			return from(last)
		}, "left"},
		{"removed", func(s *stage, ann, bob user) session.Resume {
			room := s.room(ann, bob)
			last := s.texts(room, ann, 3)[2]
			s.append(withID(leaving(room, ann, bob)))
			return from(last)
		}, "removed"},
		{"removed, and only the number known", func(s *stage, ann, bob user) session.Resume {
			room := s.room(ann, bob)
			s.append(withID(leaving(room, ann, bob)))
			return session.Resume{RoomID: room, At: chat.Position{Seq: 2}}
		}, "removed"},
		{"left and come back, then removed", func(s *stage, ann, bob user) session.Resume {
			room := s.room(ann, bob)
			last := s.texts(room, ann, 1)[0]
			s.append(withID(leaving(room, bob, bob)), withID(joining(room, bob)), withID(leaving(room, ann, bob)))
			return from(last)
		}, "removed"},
		{"left long after the last entry received", func(s *stage, ann, bob user) session.Resume {
			room := s.room(ann, bob)
			last := s.texts(room, ann, 300)[0]
			s.append(withID(leaving(room, bob, bob)))
			return from(last)
		}, "removed"},
		{"deleted", func(s *stage, ann, bob user) session.Resume {
			room := s.room(ann, bob)
			last := s.texts(room, ann, 1)[0]
			_, err := s.db.DeleteRoom(s.ctx, room, ann.id)
			s.no(err)
			return from(last)
		}, "deleted"},
		{"no room at all", func(*stage, user, user) session.Resume {
			return session.Resume{RoomID: "nowhere", At: chat.Position{Seq: 1}}
		}, "deleted"},
		{"never a member: as if there were no room", func(s *stage, ann, _ user) session.Resume {
			return session.Resume{RoomID: s.room(ann), At: chat.Position{Seq: 1}}
		}, "deleted"},
	} {
		prove(t, []rule{{"a room that is not one's own any more: " + c.name, func(s *stage) {
			n := s.node()
			ann, bob := s.user(), s.user()
			s.connect(n, bob.hello(c.make(s, ann, bob))).gets("room_removed " + c.reason)
		}}})
	}
	prove(t, []rule{
		{"left after the list was read: the entries that are read say so", func(s *stage) {
			n := s.node(smallRing, deaf)
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			log := s.texts(room, ann, 30)
			p, err := n.Open(s.ctx, bob.hello(from(log[9])))
			s.no(err)
			s.append(withID(leaving(room, bob, bob)))
			c := s.client()
			p.Start(c)
			c.gets("welcome", "room_removed left")
		}},
	})
}

// manyRooms makes so many rooms more than a welcome holds, the oldest first, all of one user.
func manyRooms(s *stage, ann user, more int) []string {
	rooms := make([]string, chat.MaxRooms+more)
	for i := range rooms {
		rooms[i] = s.room(ann)
		s.pass(time.Millisecond) // the list is sorted by the time
	}
	return rooms
}

func TestMoreRoomsThanAWelcomeHolds(t *testing.T) {
	prove(t, []rule{
		{"live in every room, those past the welcome too; resumed in those that were named", func(s *stage) {
			n := s.node()
			ann := s.user()
			rooms := manyRooms(s, ann, 20)
			last := s.texts(rooms[3], ann, 1)[0]
			missed := s.texts(rooms[3], ann, 2) // it is at the front of the list now
			old, err := s.db.Load(s.ctx, rooms[1], 1)
			s.no(err)
			c := s.connect(n, ann.hello(from(last), from(old.Entries[0]), session.Resume{RoomID: "nowhere", At: chat.Position{Seq: 1}}))
			if len(c.welcome.Rooms) != chat.MaxRooms || c.welcome.Next == "" {
				s.Fatalf("a welcome with %d rooms, next %q", len(c.welcome.Rooms), c.welcome.Next)
			}
			c.getsAll(fmt.Sprint(missed[0].Seq), fmt.Sprint(missed[1].Seq), "resumed true 4", "resumed true 1", "room_removed deleted")
			for _, room := range []string{rooms[0], rooms[19], rooms[500]} {
				s.do(n, text(room, ann, "heard"))
				c.gets("2")
			}
		}},
		{"a store that fails meanwhile is asked again for the rest", func(s *stage) {
			n := s.node()
			ann := s.user()
			rooms := manyRooms(s, ann, 5)
			p, err := n.Open(s.ctx, ann.hello())
			s.no(err)
			n.store.fail(fmt.Errorf("test: %w", chat.ErrUnavailable))
			c := s.client()
			p.Start(c)
			synctest.Wait()
			n.store.fail(nil)
			s.pass(20 * time.Second)
			c.take()
			s.do(n, text(rooms[0], ann, "heard"))
			if got := c.describe(); !slices.Contains(got, "2") {
				s.Errorf("got %q", got)
			}
		}},
	})
}
