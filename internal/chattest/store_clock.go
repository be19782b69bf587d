package chattest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// TestStoreClock tests what a store decides by its own clock, in a bubble of testing/synctest: the store is
// opened and closed inside it, and hours pass at once.
func TestStoreClock(t *testing.T, open func(t *testing.T) chat.Store) {
	t.Helper()
	for _, c := range []storeCase{
		{"[HUB6] a silent mark ends by itself", silentEnds},
		{"a session ends when it expires", sessionExpires},
		{"an expired invite is listed no more", inviteExpires},
		{"a ping is answered at any time", func(s *stage) {
			for range 5 {
				s.no(s.Ping(s.ctx))
				time.Sleep(time.Second / 2)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := open(t)
				c.run(newStage(t, store))
				newStage(t, store).no(store.Close())
			})
		})
	}
}

func silentEnds(s *stage) {
	ask := func(node string, silent bool) bool {
		got, err := s.Compare(s.ctx, chat.CompareQuery{Node: node, Silent: silent})
		s.no(err)
		return got.Silent
	}
	ask("a", true)
	time.Sleep(chat.SilentTTL / 2)
	ask("a", true) // counts from here
	time.Sleep(chat.SilentTTL - time.Millisecond)
	same(s, "silent", ask("b", false), true)
	time.Sleep(time.Millisecond)
	same(s, "silent", ask("b", false), false)
}

func sessionExpires(s *stage) {
	u := s.user()
	ses, token := s.session(u)
	time.Sleep(24*time.Hour - time.Millisecond)
	_, err := s.Snapshot(s.ctx, u, ses.ID)
	s.no(err)
	time.Sleep(time.Millisecond)
	_, err = s.Snapshot(s.ctx, u, ses.ID)
	s.wants(chat.ErrRevoked, err)
	_, err = s.Session(s.ctx, ses.ID)
	s.wants(chat.ErrRevoked, err)
	_, err = s.SessionByToken(s.ctx, token)
	s.wants(chat.ErrRevoked, err)
	list, err := s.ListSessions(s.ctx, u)
	s.no(err)
	same(s, "sessions", len(list), 0)
}

func inviteExpires(s *stage) {
	u := s.user()
	room := s.room(chat.Private, u)
	s.invite(chat.Invite{RoomID: room, ExpiresAt: s.at.Add(time.Hour)})
	for _, want := range []int{1, 0} {
		list, _, err := s.Invites(s.ctx, room, u, chat.Paging{Limit: 5})
		s.no(err)
		same(s, "invites", len(list), want)
		time.Sleep(time.Hour)
	}
}
