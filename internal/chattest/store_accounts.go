package chattest

import (
	"fmt"
	"slices"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

var accountCases = []storeCase{
	{"the first account that is not a guest is the instance's admin", firstAdmin},
	{"a user name belongs to one account, in any case", usernames},
	{"an account is stored as it was made, and changed by its owner", storedAccount},
	{"people are found by the start of their names, in any case", searchedUsers},
	{"an account that never took part can be removed, one that did can't", deletedAccount},
	{"a removed guest leaves its rooms and its name, and keeps neither log-in nor user name", deletedGuest},
}

func firstAdmin(s *stage) {
	admins := false
	for _, c := range []struct {
		user chat.User
		want bool
	}{
		{chat.User{Guest: true}, false},
		{chat.User{Username: "first"}, true},
		{chat.User{Username: "second"}, false},
		{chat.User{Username: "named", Admin: true}, true},
		{chat.User{Guest: true}, false},
	} {
		id := s.person(c.user)
		users, err := s.Users(s.ctx, []string{id})
		s.no(err)
		same(s, "admin", users[0].Admin, c.want)
		admins = admins || c.want
		has, err := s.HasAdmin(s.ctx)
		s.no(err)
		same(s, "there is an admin", has, admins)
	}
}

func usernames(s *stage) {
	id := s.person(chat.User{Username: "kay"})
	for _, name := range []string{"kay", "Kay", "KAY"} {
		_, err := s.CreateUser(s.ctx, chat.User{ID: chat.NewID(), Username: name, DisplayName: "X", CreatedAt: s.at}, "x")
		s.wants(chat.ErrUsernameTaken, err)
		u, hash, err := s.Credentials(s.ctx, name)
		s.no(err)
		same(s, "found", u.ID, id)
		same(s, "hash", hash, "hash of kay")
	}
	s.guest()
	s.guest() // any number of people have no user name
	for _, name := range []string{"ka", "", "kay%"} {
		_, _, err := s.Credentials(s.ctx, name)
		s.wants(chat.ErrNotFound, err)
	}
}

func storedAccount(s *stage) {
	id := s.person(chat.User{Username: "ida", DisplayName: "Ida Ünal", AvatarURL: "https://example.org/a.png"})
	read := func() chat.User {
		users, err := s.Users(s.ctx, []string{id, "nobody", id})
		s.no(err)
		same(s, "users", len(users), 1)
		return users[0]
	}
	u := read()
	if u.Username != "ida" || u.DisplayName != "Ida Ünal" || u.AvatarURL != "https://example.org/a.png" || u.Guest || !u.CreatedAt.Equal(s.at) {
		s.Fatalf("stored as %+v", u)
	}
	s.no(s.UpdateUser(s.ctx, chat.User{ID: id, DisplayName: "Ida", Username: "other", Admin: false}))
	u = read()
	if u.Username != "ida" || u.DisplayName != "Ida" || u.AvatarURL != "" || !u.Admin {
		s.Fatalf("changed to %+v", u)
	}
	s.no(s.SetPassword(s.ctx, id, "new hash"))
	_, hash, err := s.Credentials(s.ctx, "ida")
	s.no(err)
	same(s, "hash", hash, "new hash")
	s.wants(chat.ErrNotFound, s.UpdateUser(s.ctx, chat.User{ID: "nobody"}))
	s.wants(chat.ErrNotFound, s.SetPassword(s.ctx, "nobody", "x"))
	users, err := s.Users(s.ctx, nil)
	s.no(err)
	same(s, "users", len(users), 0)
}

func searchedUsers(s *stage) {
	for username, name := range map[string]string{"anton": "Toni", "toni2": "Berta", "x_y": "Émile", "z": "100% me"} {
		s.person(chat.User{Username: username, DisplayName: name})
	}
	s.person(chat.User{Guest: true, DisplayName: "Toni the guest"})
	for query, want := range map[string]string{
		"toni": "[Berta Toni Toni the guest]", "TON": "[Berta Toni Toni the guest]", "ANT": "[Toni]", "ém": "[Émile]", "ÉM": "[Émile]",
		"oni": "[]", "%": "[]", "_": "[]", "x_": "[Émile]", "100%": "[100% me]", "": "[100% me Berta Toni Toni the guest Émile]",
	} {
		users, _, err := s.SearchUsers(s.ctx, query, chat.Paging{Limit: 10})
		s.no(err)
		got := []string{}
		for _, u := range users {
			got = append(got, u.DisplayName)
		}
		slices.Sort(got)
		same(s, fmt.Sprintf("people for %q", query), fmt.Sprint(got), want)
	}
}

func deletedAccount(s *stage) {
	u := s.person(chat.User{Username: "gone"})
	ses, token := s.session(u)
	rooms, err := s.DeleteUser(s.ctx, u)
	s.no(err)
	same(s, "rooms", len(rooms), 0)
	users, err := s.Users(s.ctx, []string{u})
	s.no(err)
	same(s, "users", len(users), 0)
	_, err = s.Session(s.ctx, ses.ID)
	s.wants(chat.ErrRevoked, err)
	_, err = s.SessionByToken(s.ctx, token)
	s.wants(chat.ErrRevoked, err)
	again := s.person(chat.User{Username: "gone"})
	users, err = s.Users(s.ctx, []string{again})
	s.no(err)
	same(s, "admin", users[0].Admin, true) // it is the first again

	room := s.room(chat.Public, again)
	_, err = s.DeleteUser(s.ctx, again)
	s.wants(chat.ErrForbidden, err)
	_, err = s.Room(s.ctx, room, again)
	s.no(err)
	_, err = s.DeleteUser(s.ctx, "nobody")
	s.wants(chat.ErrNotFound, err)
}

func deletedGuest(s *stage) {
	owner := s.user()
	g := s.person(chat.User{Guest: true, Username: "guest-1", DisplayName: "Visitor"})
	room, left := s.room(chat.Public, owner, g), s.room(chat.Public, owner, g)
	ses, _ := s.session(g)
	e := s.post(s.text(room, g, "hello"), s.leaving(left, g))[0]
	rooms, err := s.DeleteUser(s.ctx, g)
	s.no(err)
	same(s, "rooms", fmt.Sprint(rooms), fmt.Sprint([]string{room}))

	users, err := s.Users(s.ctx, []string{g})
	s.no(err)
	if len(users) != 1 || users[0].DisplayName != "Visitor" || users[0].Username != "" {
		s.Fatalf("the sender of old entries is %+v", users)
	}
	log := s.log(room)
	if last := log[len(log)-1]; last.Position() != e.Position() || last.SenderID != g || last.Body != "hello" {
		s.Fatalf("its entry is %+v", last)
	}
	view, err := s.Room(s.ctx, room, owner)
	s.no(err)
	same(s, "members", view.MemberCount, 1)
	_, err = s.Session(s.ctx, ses.ID)
	s.wants(chat.ErrRevoked, err)
	_, err = s.Snapshot(s.ctx, g, ses.ID)
	s.wants(chat.ErrRevoked, err)
	for _, o := range s.append(s.text(room, g, "ghost"), s.joining(room, g, "")) {
		if o.Err == nil {
			s.Fatalf("a deleted guest did %+v", o.Entry)
		}
	}
	found, _, err := s.SearchUsers(s.ctx, "visitor", chat.Paging{Limit: 5})
	s.no(err)
	same(s, "found", len(found), 0)
	s.person(chat.User{Username: "guest-1"})
	_, err = s.DeleteUser(s.ctx, g)
	s.wants(chat.ErrNotFound, err)
}

var sessionCases = []storeCase{
	{"a token is traded for its successor", rotated},
	{"a traded token stays good for the grace, from its first trade", graced},
	{"reuse after the grace revokes the whole family", reused},
	{"unknown, expired and revoked tokens are all refused alike", badTokens},
	{"a session is good until it is revoked; one, or all but one", revoked},
	{"one of two who trade the same token at once does not lose", tradedAtOnce},
}

const grace = 30 * time.Second

func rotated(s *stage) {
	u := s.user()
	ses, t0 := s.session(u)
	t1, later := chat.NewID(), s.at.Add(time.Hour)
	got, err := s.Rotate(s.ctx, t0, t1, later, grace)
	s.no(err)
	if got.ID != ses.ID || got.UserID != u || got.UserAgent != "browser" || !got.CreatedAt.Equal(s.at) ||
		!got.LastSeenAt.Equal(later) || !got.ExpiresAt.Equal(later.Add(24*time.Hour)) {
		s.Fatalf("the session is %+v", got)
	}
	for _, token := range []string{t0, t1} {
		by, err := s.SessionByToken(s.ctx, token)
		s.no(err)
		same(s, "session", by, got)
	}
	stored, err := s.Session(s.ctx, ses.ID)
	s.no(err)
	same(s, "session", stored, got)
	_, err = s.Rotate(s.ctx, t1, chat.NewID(), later.Add(time.Hour), grace)
	s.no(err)
}

func graced(s *stage) {
	_, t0 := s.session(s.user())
	t1, t2, t3 := chat.NewID(), chat.NewID(), chat.NewID()
	_, err := s.Rotate(s.ctx, t0, t1, s.at, grace)
	s.no(err)
	_, err = s.Rotate(s.ctx, t0, t2, s.at.Add(grace-time.Second), grace)
	s.no(err)
	_, err = s.Rotate(s.ctx, t0, t3, s.at.Add(grace), grace)
	s.no(err)
	for _, token := range []string{t1, t2, t3} { // each is good, and its own
		_, err = s.Rotate(s.ctx, token, chat.NewID(), s.at.Add(time.Hour), grace)
		s.no(err)
	}
	_, err = s.Rotate(s.ctx, t0, chat.NewID(), s.at.Add(grace+time.Millisecond), grace)
	s.wants(chat.ErrRevoked, err)
}

func reused(s *stage) {
	u := s.user()
	ses, t0 := s.session(u)
	other, _ := s.session(u)
	t1 := chat.NewID()
	_, err := s.Rotate(s.ctx, t0, t1, s.at, grace)
	s.no(err)
	before := s.version(u)
	got, err := s.Rotate(s.ctx, t0, chat.NewID(), s.at.Add(time.Minute), grace)
	s.wants(chat.ErrRevoked, err)
	same(s, "revoked session", got.ID, ses.ID)
	same(s, "its user", got.UserID, u)
	if s.version(u) == before {
		s.Error("a revocation did not raise the rooms version")
	}
	for range 2 { // the second time there is nothing left to revoke
		got, err = s.Rotate(s.ctx, t1, chat.NewID(), s.at.Add(time.Minute), grace)
		s.wants(chat.ErrRevoked, err)
		same(s, "session", got, chat.Session{})
	}
	_, err = s.Session(s.ctx, ses.ID)
	s.wants(chat.ErrRevoked, err)
	_, err = s.Session(s.ctx, other.ID)
	s.no(err)
}

func badTokens(s *stage) {
	u := s.user()
	revoked, revokedToken := s.session(u)
	_, token := s.session(u)
	_, err := s.Revoke(s.ctx, u, revoked.ID, "")
	s.no(err)
	for _, c := range []struct {
		token string
		now   time.Time
	}{{"none", s.at}, {revokedToken, s.at}, {token, s.at.Add(24 * time.Hour)}} {
		got, err := s.Rotate(s.ctx, c.token, chat.NewID(), c.now, grace)
		s.wants(chat.ErrRevoked, err)
		same(s, "session", got, chat.Session{})
	}
	for _, token := range []string{"none", revokedToken} {
		_, err := s.SessionByToken(s.ctx, token)
		s.wants(chat.ErrRevoked, err)
	}
	s.wants(chat.ErrNotFound, s.CreateSession(s.ctx, chat.Session{ID: chat.NewID(), UserID: "nobody", ExpiresAt: s.at}, chat.NewID()))
}

func revoked(s *stage) {
	u, v := s.user(), s.user()
	var mine []chat.Session
	for i := range 4 {
		ses, token := s.session(u)
		got, err := s.Rotate(s.ctx, token, chat.NewID(), s.at.Add(time.Duration(i)*time.Minute), grace)
		s.no(err)
		mine = append(mine, got)
		same(s, "session", got.ID, ses.ID)
	}
	other, _ := s.session(v)
	list := func() []string {
		all, err := s.ListSessions(s.ctx, u)
		s.no(err)
		ids := []string{}
		for _, ses := range all {
			ids = append(ids, ses.ID)
		}
		return ids
	}
	same(s, "sessions, the last seen first", fmt.Sprint(list()), fmt.Sprint([]string{mine[3].ID, mine[2].ID, mine[1].ID, mine[0].ID}))
	for _, c := range []struct {
		user, id, except string
		ended            []string
	}{
		{u, other.ID, "", nil}, // not this user's
		{u, "none", "", nil},
		{u, mine[1].ID, "", []string{mine[1].ID}},
		{u, mine[1].ID, "", nil}, // no second time
		{u, "", mine[2].ID, []string{mine[3].ID, mine[0].ID}},
		{u, "", "", []string{mine[2].ID}},
	} {
		before := s.version(u)
		ended, err := s.Revoke(s.ctx, c.user, c.id, c.except)
		s.no(err)
		ids := []string{}
		for _, ses := range ended {
			ids = append(ids, ses.ID)
			same(s, "user", ses.UserID, u)
		}
		slices.Sort(ids)
		slices.Sort(c.ended)
		same(s, "ended", fmt.Sprint(ids), fmt.Sprint(c.ended))
		same(s, "rooms version raised", s.version(u) != before, len(ids) > 0)
	}
	same(s, "sessions", len(list()), 0)
	_, err := s.Session(s.ctx, other.ID)
	s.no(err)
}

func tradedAtOnce(s *stage) {
	_, t0 := s.session(s.user())
	errs := make(chan error, 8)
	for range cap(errs) {
		go func() {
			_, err := s.Rotate(s.ctx, t0, chat.NewID(), s.at, grace)
			errs <- err
		}()
	}
	for range cap(errs) {
		s.no(<-errs)
	}
}

var upkeepCases = []storeCase{
	{"a store that can be written to answers a ping", func(s *stage) { s.no(s.Ping(s.ctx)); s.no(s.Ping(s.ctx)) }},
	{"guests who have not been seen for long are named", idleGuests},
	{"what has ended is pruned, what has not stays", pruned},
	{"a closed store says that it is unavailable", closed},
}

func idleGuests(s *stage) {
	s.user()
	old := s.person(chat.User{Guest: true, CreatedAt: s.at.Add(-40 * 24 * time.Hour)})
	seen := s.person(chat.User{Guest: true, CreatedAt: s.at.Add(-40 * 24 * time.Hour)})
	s.session(seen)
	s.guest()
	since := s.at.Add(-chat.GuestLifetime)
	ids, err := s.IdleGuests(s.ctx, since, 10)
	s.no(err)
	same(s, "idle guests", fmt.Sprint(ids), fmt.Sprint([]string{old}))
	_, err = s.DeleteUser(s.ctx, old)
	s.no(err)
	ids, err = s.IdleGuests(s.ctx, since, 10)
	s.no(err)
	same(s, "idle guests", len(ids), 0)
	ids, err = s.IdleGuests(s.ctx, s.at.Add(time.Hour), 1)
	s.no(err)
	same(s, "at most", len(ids), 1)
}

func pruned(s *stage) {
	u := s.user()
	room := s.room(chat.Private, u)
	ses, token := s.session(u)
	gone, goneToken := s.session(u)
	expiring, lasting := s.invite(chat.Invite{RoomID: room, ExpiresAt: s.at.Add(time.Minute)}), s.invite(chat.Invite{RoomID: room})
	_, err := s.Revoke(s.ctx, u, gone.ID, "")
	s.no(err)
	successor := chat.NewID()
	_, err = s.Rotate(s.ctx, token, successor, s.at, grace)
	s.no(err)
	s.no(s.Prune(s.ctx, s.at.Add(time.Hour)))
	_, err = s.Session(s.ctx, ses.ID)
	s.no(err)
	_, err = s.SessionByToken(s.ctx, goneToken)
	s.wants(chat.ErrRevoked, err)
	_, err = s.Preview(s.ctx, lasting, s.at)
	s.no(err)
	_, err = s.Preview(s.ctx, expiring, s.at)
	s.wants(chat.ErrInviteInvalid, err)
	_, err = s.Rotate(s.ctx, successor, chat.NewID(), s.at, grace)
	s.no(err)
}

func closed(s *stage) {
	u := s.user()
	room := s.room(chat.Public, u)
	s.no(s.Close())
	s.wants(chat.ErrUnavailable, s.Ping(s.ctx))
	_, err := s.Append(s.ctx, s.texts(room, u, 1), nil)
	s.wants(chat.ErrUnavailable, err)
	_, err = s.Load(s.ctx, room, 1)
	s.wants(chat.ErrUnavailable, err)
	s.no(s.Close()) // once more does no harm
}
