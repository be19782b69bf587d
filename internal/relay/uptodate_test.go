package relay_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// seen is every way in which a store tells somebody how far they have read a room: "position/unread".
func (s *stage) seen(n *node, session, room, user string) []string {
	s.Helper()
	store := n.UpToDate(n.store)
	var seen []string
	note := func(views ...chat.RoomView) {
		for _, v := range views {
			if v.ID == room {
				seen = append(seen, fmt.Sprint(v.LastReadSeq, "/", v.UnreadCount))
			}
		}
	}
	view, err := store.Room(s.ctx, room, user)
	s.no(err)
	note(view)
	rooms, _, err := store.RoomsOf(s.ctx, user, chat.Paging{Limit: 10})
	s.no(err)
	note(rooms...)
	rooms, _, err = store.PublicRooms(s.ctx, user, "", chat.Paging{Limit: 10})
	s.no(err)
	note(rooms...)
	snap, err := store.Snapshot(s.ctx, user, session)
	s.no(err)
	note(snap.Rooms...)
	opened, err := store.Open(s.ctx, room, user, nil, 10)
	s.no(err)
	note(opened.Room)
	for _, r := range opened.Reads {
		if r.UserID == user {
			seen = append(seen, fmt.Sprint("read ", r.Seq))
		}
	}
	return seen
}

func (s *stage) sees(n *node, session, room, user, want string, read int64) {
	s.Helper()
	all := []string{want, want, want, want, want, fmt.Sprint("read ", read)}
	if got := s.seen(n, session, room, user); fmt.Sprint(got) != fmt.Sprint(all) {
		s.Errorf("seen is %v, want %v", got, all)
	}
}

func (s *stage) session(user string) string {
	s.Helper()
	id := chat.NewID()
	s.no(s.store.CreateSession(s.ctx, chat.Session{
		ID: id, UserID: user, CreatedAt: time.Now(), LastSeenAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour),
	}, chat.NewID()))
	return id
}

func TestReadsAreSeenAtOnce(t *testing.T) {
	prove(t, []rule{
		{"[SIG2] one sees what one has read, before it is saved, while it can't be and after", func(s *stage) {
			a := s.node()
			ann, bob := s.user(), s.user()
			room, other := s.room(ann, bob), s.room(ann, bob)
			ofAnn, ofBob := s.session(ann), s.session(bob)
			for range 5 {
				s.do(a, text(room, ann, "hello")) // 3 to 7
				s.do(a, text(other, ann, "hello"))
			}
			s.sees(a, ofBob, room, bob, "2/5", 2)
			a.store.failReads(true)
			for _, step := range []struct {
				seq  int64
				want string
			}{{5, "5/2"}, {7, "7/0"}} {
				_, _, err := a.Read(s.ctx, room, bob, step.seq)
				s.no(err)
				s.sees(a, ofBob, room, bob, step.want, step.seq)
				s.pass(1500 * time.Millisecond)
				s.sees(a, ofBob, room, bob, step.want, step.seq)
			}
			s.sees(a, ofBob, other, bob, "2/5", 2) // the others stay as they are
			s.sees(a, ofAnn, room, ann, "1/0", 1)
			a.store.failReads(false)
			s.pass(1500 * time.Millisecond)
			s.sees(a, ofBob, room, bob, "7/0", 7)
			s.do(a, text(room, ann, "hello"))
			s.sees(a, ofBob, room, bob, "7/1", 7)
		}},
		{"[SIG2] who opens a room sees how far the others have read it, saved or not", func(s *stage) {
			a := s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			s.do(a, text(room, ann, "hello")) // 3
			_, _, err := a.Read(s.ctx, room, bob, 3)
			s.no(err)
			opened, err := a.UpToDate(a.store).Open(s.ctx, room, ann, nil, 10)
			s.no(err)
			for _, r := range opened.Reads {
				if r.UserID == bob && r.Seq != 3 {
					s.Errorf("bob is said to have read up to %d", r.Seq)
				}
			}
		}},
		{"[SIG2] what is saved amid a read of the store does not go back", func(s *stage) {
			a := s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			for range 3 {
				s.do(a, text(room, ann, "hello")) // 3 to 5
			}
			_, _, err := a.Read(s.ctx, room, bob, 5)
			s.no(err)
			held := &slowRoom{Store: a.store, amid: func() {
				a.SaveReads()
				synctest.Wait()
			}}
			view, err := a.UpToDate(held).Room(s.ctx, room, bob)
			s.no(err)
			if view.LastReadSeq != 5 || view.UnreadCount != 0 {
				s.Errorf("at %d with %d unread", view.LastReadSeq, view.UnreadCount)
			}
		}},
		{"[SIG2][SIG3] what can't be counted stays as the store has it", func(s *stage) {
			a := s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			for range 3 {
				s.do(a, text(room, ann, "hello")) // 3 to 5
			}
			_, _, err := a.Read(s.ctx, room, bob, 4)
			s.no(err)
			view, err := a.UpToDate(uncountable{a.store}).Room(s.ctx, room, bob)
			s.no(err)
			if view.LastReadSeq != 2 || view.UnreadCount != 3 {
				s.Errorf("at %d with %d unread", view.LastReadSeq, view.UnreadCount)
			}
		}},
	})
}
