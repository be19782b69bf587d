package chattest

import (
	"fmt"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

var pagingCases = []storeCase{
	{"every collection gives each item once, in pages of any size", pages},
	{"every collection refuses a cursor that is not its own", badCursors},
	{"what comes in between two pages neither repeats nor hides anything else", movingPages},
}

// collection is one that is paged: it reads a page as the names of its items.
type collection struct {
	name string
	page func(p chat.Paging) ([]string, string, error)
}

// collections fills a store with n of everything.
func collections(s *stage, n int) []collection {
	owner := s.user()
	room := s.room(chat.Private, owner)
	for i := range n {
		s.join(room, s.person(chat.User{DisplayName: fmt.Sprint("Same name ", i%3)}))
		d := s.create(owner, chat.NewRoom{Name: fmt.Sprint("Same name ", i%3), Visibility: chat.Public})
		d.At = s.at.Add(time.Duration(i%4) * time.Minute)
		s.post(d)
	}
	return []collection{
		{"RoomsOf", func(p chat.Paging) ([]string, string, error) {
			items, next, err := s.RoomsOf(s.ctx, owner, p)
			return ids(items, func(r chat.RoomView) string { return r.ID }), next, err
		}},
		{"PublicRooms", func(p chat.Paging) ([]string, string, error) {
			items, next, err := s.PublicRooms(s.ctx, owner, "same", p)
			return ids(items, func(r chat.RoomView) string { return r.ID }), next, err
		}},
		{"Members", func(p chat.Paging) ([]string, string, error) {
			items, next, err := s.Members(s.ctx, room, owner, p)
			return ids(items, func(m chat.Member) string { return m.User.ID }), next, err
		}},
		{"Invites", func(p chat.Paging) ([]string, string, error) {
			items, next, err := s.Invites(s.ctx, room, owner, p)
			return ids(items, func(i chat.Invite) string { return i.Code }), next, err
		}},
		{"SearchUsers", func(p chat.Paging) ([]string, string, error) {
			items, next, err := s.SearchUsers(s.ctx, "SAME", p)
			return ids(items, func(u chat.User) string { return u.ID }), next, err
		}},
	}
}

func ids[T any](items []T, id func(T) string) []string {
	var all []string
	for _, item := range items {
		all = append(all, id(item))
	}
	return all
}

func pages(s *stage) {
	const n = 13
	for _, c := range collections(s, n) {
		whole, next, err := c.page(chat.Paging{Limit: 100})
		s.no(err)
		same(s, c.name+": cursor at the end", next, "")
		if len(whole) < n || len(whole) > n+1 { // the owner and the room itself are among some
			s.Fatalf("%s: %d items", c.name, len(whole))
		}
		for _, size := range []int{1, 2, 5, len(whole) - 1, len(whole)} {
			var got []string
			p := chat.Paging{Limit: size}
			for more := true; more; more = p.Cursor != "" {
				var page []string
				page, p.Cursor, err = c.page(p)
				s.no(err)
				if len(page) == 0 || len(page) > size {
					s.Fatalf("%s: a page of %d has %d items", c.name, size, len(page))
				}
				got = append(got, page...)
			}
			same(s, fmt.Sprintf("%s in pages of %d", c.name, size), fmt.Sprint(got), fmt.Sprint(whole))
		}
	}
}

func badCursors(s *stage) {
	all := collections(s, 3)
	cursors := []string{"x", "AAAA", "e30", "bnVsbA", "W10", "\x00", "' OR 1=1", "🙂"}
	var own []string
	for _, c := range all {
		_, next, err := c.page(chat.Paging{Limit: 1})
		s.no(err)
		own = append(own, next)
	}
	for i, c := range all {
		bad := append([]string{own[(i+1)%len(own)], own[i] + "A", own[i][1:]}, cursors...)
		for _, cursor := range bad {
			_, _, err := c.page(chat.Paging{Limit: 1, Cursor: cursor})
			if err == nil {
				s.Errorf("%s took the cursor %q", c.name, cursor)
				continue
			}
			s.wants(chat.Refuse(chat.CodeBadRequest, ""), err)
		}
	}
}

func movingPages(s *stage) {
	owner := s.user()
	var rooms []string
	for i := range 6 {
		d := s.create(owner, chat.NewRoom{Name: fmt.Sprint("Room ", i), Visibility: chat.Public})
		d.At = s.at.Add(time.Duration(i) * time.Minute)
		rooms = append(rooms, s.post(d)[0].RoomID)
	}
	first, cursor, err := s.RoomsOf(s.ctx, owner, chat.Paging{Limit: 2})
	s.no(err)
	d := s.text(rooms[5], owner, "moves to the front, where it is already")
	d.At = s.at.Add(time.Hour)
	s.post(d)
	_, err = s.DeleteRoom(s.ctx, rooms[3], owner)
	s.no(err)
	second, cursor, err := s.RoomsOf(s.ctx, owner, chat.Paging{Limit: 2, Cursor: cursor})
	s.no(err)
	third, _, err := s.RoomsOf(s.ctx, owner, chat.Paging{Limit: 2, Cursor: cursor})
	s.no(err)
	got := ids(append(append(first, second...), third...), func(r chat.RoomView) string { return r.ID })
	same(s, "rooms", fmt.Sprint(got), fmt.Sprint([]string{rooms[5], rooms[4], rooms[2], rooms[1], rooms[0]}))
}
