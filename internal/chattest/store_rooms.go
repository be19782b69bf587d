package chattest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

var roomCases = []storeCase{
	{"[HUB5] a snapshot is what a connection starts from, the last active rooms first", snapshot},
	{"a snapshot needs a session of that user that is good", snapshotSession},
	{"rooms are seen by members, public ones by everybody", visibleRooms},
	{"public rooms are found by their name in any case", publicRooms},
	{"a deleted room is gone for everybody", deletedRoom},
	{"members are listed by role, then name, for members", listedMembers},
}

func snapshot(s *stage) {
	u, v := s.user(), s.user()
	first, second, third := s.room(chat.Public, u, v), s.room(chat.Private, u), s.room(chat.Public, v)
	d := s.text(first, v, "later")
	d.At = s.at.Add(time.Second)
	last := s.post(d)[0]
	ses, _ := s.session(u)
	snap, err := s.Snapshot(s.ctx, u, ses.ID)
	s.no(err)
	same(s, "user", snap.User.ID, u)
	same(s, "version", snap.Version, s.version(u))
	same(s, "more", snap.More, "")
	same(s, "rooms", len(snap.Rooms), 2)
	a, b := snap.Rooms[0], snap.Rooms[1]
	if a.ID != first || a.Role != chat.RoleOwner || a.UnreadCount != 1 || a.MemberCount != 2 || a.Head != last.Position() ||
		a.LastEntry == nil || a.LastEntry.Body != "later" || a.LastEntry.SenderID != v || a.LastEntry.RoomID != first || a.LastReadSeq != 1 {
		s.Fatalf("the first room is %+v", a)
	}
	if b.ID != second || b.Visibility != chat.Private || b.UnreadCount != 0 || b.LastEntry.Kind != chat.KindMemberJoined {
		s.Fatalf("the second room is %+v", b)
	}
	s.post(s.joining(third, u, ""))
	snap, err = s.Snapshot(s.ctx, u, ses.ID)
	s.no(err)
	same(s, "rooms", len(snap.Rooms), 3)
}

func snapshotSession(s *stage) {
	u, v := s.user(), s.user()
	ses, _ := s.session(u)
	other, _ := s.session(v)
	for _, c := range []struct{ user, session string }{{u, other.ID}, {u, "none"}, {"nobody", ses.ID}, {u, ""}} {
		_, err := s.Snapshot(s.ctx, c.user, c.session)
		s.wants(chat.ErrRevoked, err)
	}
	_, err := s.Revoke(s.ctx, u, ses.ID, "")
	s.no(err)
	_, err = s.Snapshot(s.ctx, u, ses.ID)
	s.wants(chat.ErrRevoked, err)
}

func visibleRooms(s *stage) {
	owner, out := s.user(), s.user()
	public, private := s.room(chat.Public, owner), s.room(chat.Private, owner)
	for _, c := range []struct {
		room, user string
		role       chat.Role
		want       error
	}{
		{public, owner, chat.RoleOwner, nil},
		{private, owner, chat.RoleOwner, nil},
		{public, out, "", nil},
		{public, "nobody", "", nil},
		{private, out, "", chat.ErrNoRoom},
		{"nowhere", owner, "", chat.ErrNoRoom},
	} {
		view, err := s.Room(s.ctx, c.room, c.user)
		s.wants(c.want, err)
		same(s, "role", view.Role, c.role)
		if err == nil && c.role == "" && (view.UnreadCount != 0 || view.LastReadSeq != 0 || view.Head.Seq == 0) {
			s.Fatalf("an outsider sees %+v", view)
		}
	}
}

func publicRooms(s *stage) {
	u := s.user()
	for _, name := range []string{"Zürich", "Ärger", "100% fun", "a_b"} {
		s.post(s.create(u, chat.NewRoom{Name: name, Visibility: chat.Public}))
	}
	s.post(s.create(u, chat.NewRoom{Name: "Secret", Visibility: chat.Private}))
	for query, want := range map[string]string{
		"ZÜR": "[Zürich]", "är": "[Ärger]", "%": "[100% fun]", "_": "[a_b]", "secret": "[]", "": "[100% fun Zürich a_b Ärger]",
		"'; --": "[]",
	} {
		rooms, _, err := s.PublicRooms(s.ctx, s.user(), query, chat.Paging{Limit: 10})
		s.no(err)
		same(s, fmt.Sprintf("rooms for %q", query), fmt.Sprint(names(rooms)), want)
	}
	rooms, _, err := s.PublicRooms(s.ctx, u, "zürich", chat.Paging{Limit: 10})
	s.no(err)
	same(s, "role of a member", rooms[0].Role, chat.RoleOwner)
}

// names are the rooms' names, sorted by their bytes: how names of other scripts are sorted is the store's affair.
func names(rooms []chat.RoomView) []string {
	var all []string
	for _, r := range rooms {
		all = append(all, r.Name)
	}
	slices.Sort(all)
	return all
}

func deletedRoom(s *stage) {
	owner, admin, u := s.user(), s.user(), s.user()
	room := s.room(chat.Public, owner, admin, u)
	code := s.invite(chat.Invite{RoomID: room})
	d := s.setting(room, owner, admin, chat.RoleAdmin)
	s.post(d)
	for user, want := range map[string]error{admin: chat.ErrForbidden, u: chat.ErrForbidden, s.user(): chat.ErrNotAMember} {
		_, err := s.DeleteRoom(s.ctx, room, user)
		s.wants(want, err)
	}
	members, err := s.DeleteRoom(s.ctx, room, owner)
	s.no(err)
	slices.Sort(members)
	want := []string{owner, admin, u}
	slices.Sort(want)
	same(s, "members", fmt.Sprint(members), fmt.Sprint(want))

	for _, room := range []string{room, "nowhere"} {
		_, err = s.DeleteRoom(s.ctx, room, owner)
		s.wants(chat.ErrNotAMember, err)
	}
	_, err = s.Room(s.ctx, room, owner)
	s.wants(chat.ErrNoRoom, err)
	_, err = s.Page(s.ctx, room, owner, chat.PageQuery{Limit: 5})
	s.wants(chat.ErrNotAMember, err)
	_, err = s.Preview(s.ctx, code, s.at)
	s.wants(chat.ErrInviteInvalid, err)
	refused := s.append(s.text(room, owner, "x"), s.leaving(room, u), s.joining(room, u, ""), s.joining(room, u, code))
	for i, want := range []error{chat.ErrNotAMember, chat.ErrNotAMember, chat.ErrInviteNeeded, chat.ErrInviteInvalid} {
		s.wants(want, refused[i].Err)
	}
	for _, user := range want {
		rooms, _, err := s.RoomsOf(s.ctx, user, chat.Paging{Limit: 5})
		s.no(err)
		same(s, "rooms", len(rooms), 0)
	}
	rooms, _, err := s.PublicRooms(s.ctx, owner, "", chat.Paging{Limit: 5})
	s.no(err)
	same(s, "public rooms", len(rooms), 0)
	again := s.create(owner, chat.NewRoom{Name: "Again", Visibility: chat.Public})
	again.RoomID = room
	if o := s.append(again)[0]; o.Err == nil {
		s.Fatalf("a room of a used id became %+v", o)
	}
}

func listedMembers(s *stage) {
	owner, admin := s.person(chat.User{DisplayName: "zoe"}), s.person(chat.User{DisplayName: "Yan"})
	a, b := s.person(chat.User{DisplayName: "anna"}), s.person(chat.User{DisplayName: "Bert"})
	room := s.room(chat.Public, owner, b, admin, a)
	s.post(s.setting(room, owner, admin, chat.RoleAdmin))
	members, _, err := s.Members(s.ctx, room, a, chat.Paging{Limit: 10})
	s.no(err)
	var got []string
	for _, m := range members {
		got = append(got, m.User.DisplayName+" "+string(m.Role))
	}
	same(s, "members", fmt.Sprint(got), "[zoe owner Yan admin anna member Bert member]")
	_, _, err = s.Members(s.ctx, room, s.user(), chat.Paging{Limit: 10})
	s.wants(chat.ErrNotAMember, err)
	m, err := s.Member(s.ctx, room, s.user())
	s.no(err)
	same(s, "role of an outsider", m.Role, "")
}

var inviteCases = []storeCase{
	{"an invite is made, listed and revoked by admins and owners", inviteRights},
	{"an invite ends when it expires, is used up or revoked, and nobody is told which", inviteEnds},
	{"the last use of an invite is given to one of many who want it", inviteRace},
	{"an invite works for as often as it says, also within a batch", inviteBatch},
}

func inviteRights(s *stage) {
	owner, admin, u, out := s.user(), s.user(), s.user(), s.user()
	room := s.room(chat.Private, owner, admin, u)
	s.post(s.setting(room, owner, admin, chat.RoleAdmin))
	code := s.invite(chat.Invite{RoomID: room})
	for user, want := range map[string]error{owner: nil, admin: nil, u: chat.ErrForbidden, out: chat.ErrNotAMember} {
		inv := chat.Invite{Code: chat.NewID(), RoomID: room, CreatedBy: user, CreatedAt: s.at}
		s.wants(want, s.CreateInvite(s.ctx, inv))
		_, _, err := s.Invites(s.ctx, room, user, chat.Paging{Limit: 10})
		s.wants(want, err)
		if want != nil {
			s.wants(want, s.RevokeInvite(s.ctx, room, user, code))
		} else {
			s.no(s.RevokeInvite(s.ctx, room, user, inv.Code))
		}
	}
	s.wants(chat.ErrInviteInvalid, s.RevokeInvite(s.ctx, room, owner, "none"))
	elsewhere := s.room(chat.Private, owner)
	s.wants(chat.ErrInviteInvalid, s.RevokeInvite(s.ctx, elsewhere, owner, code))
	s.no(s.RevokeInvite(s.ctx, room, admin, code))
	s.wants(chat.ErrInviteInvalid, s.RevokeInvite(s.ctx, room, owner, code))
}

func inviteEnds(s *stage) {
	owner, u := s.user(), s.user()
	room := s.room(chat.Private, owner)
	hour := s.at.Add(time.Hour)
	expiring := s.invite(chat.Invite{RoomID: room, ExpiresAt: hour})
	revoked, usedUp := s.invite(chat.Invite{RoomID: room}), s.invite(chat.Invite{RoomID: room, MaxUses: 1})
	p, err := s.Preview(s.ctx, expiring, s.at)
	s.no(err)
	if p.Invite.Code != expiring || p.Invite.RoomID != room || p.Invite.CreatedBy != owner || !p.Invite.ExpiresAt.Equal(hour) ||
		!p.Invite.CreatedAt.Equal(s.at) || p.Room.Name != "Room" || p.Room.Topic != "Topic" || p.Room.MemberCount != 1 || p.Inviter.ID != owner {
		s.Fatalf("the preview is %+v", p)
	}
	p, err = s.Preview(s.ctx, revoked, s.at)
	s.no(err)
	same(s, "an invite without an end ends", p.Invite.ExpiresAt.IsZero(), true)

	s.no(s.RevokeInvite(s.ctx, room, owner, revoked))
	s.post(s.joining(room, u, usedUp))
	list, _, err := s.Invites(s.ctx, room, owner, chat.Paging{Limit: 10})
	s.no(err)
	if len(list) != 1 || list[0].Code != expiring || list[0].RoomID != room {
		s.Fatalf("usable invites are %+v", list)
	}
	for code, now := range map[string]time.Time{expiring: hour, revoked: s.at, usedUp: s.at, "none": s.at} {
		_, err := s.Preview(s.ctx, code, now)
		s.wants(chat.ErrInviteInvalid, err)
		d := s.joining(room, s.user(), code)
		d.At = now
		s.wants(chat.ErrInviteInvalid, s.append(d)[0].Err)
	}
	d := s.joining(room, s.user(), expiring)
	d.At = hour.Add(-time.Millisecond)
	s.post(d)
}

func inviteRace(s *stage) {
	owner := s.user()
	room := s.room(chat.Private, owner)
	code := s.invite(chat.Invite{RoomID: room, MaxUses: 3})
	outs := make([]chat.Outcome, 16)
	var wg sync.WaitGroup
	for i := range outs {
		d := s.joining(room, s.user(), code)
		wg.Go(func() {
			out, err := s.Append(s.ctx, []chat.Draft{d}, nil)
			if err != nil {
				s.Error(err)
				return
			}
			outs[i] = out[0]
		})
	}
	wg.Wait()
	in := 0
	for _, o := range outs {
		if o.Err == nil {
			in++
			continue
		}
		s.wants(chat.ErrInviteInvalid, o.Err)
	}
	same(s, "who came in", in, 3)
	live, err := s.Load(s.ctx, room, 0)
	s.no(err)
	same(s, "members", len(live.Members), 4)
}

func inviteBatch(s *stage) {
	owner, u, v := s.user(), s.user(), s.user()
	room := s.room(chat.Private, owner)
	code := s.invite(chat.Invite{RoomID: room, MaxUses: 2})
	join := s.joining(room, u, code)
	out := s.append(join, join, s.joining(room, u, code), s.joining(room, v, code), s.joining(room, s.user(), code))
	same(s, "duplicate", out[1].Duplicate, true)
	for i, want := range []error{nil, nil, chat.ErrAlreadyDone, nil, chat.ErrInviteInvalid} {
		s.wants(want, out[i].Err)
	}
}
