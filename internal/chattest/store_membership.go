package chattest

import (
	"fmt"

	"github.com/gochat-dev/gochat/internal/chat"
)

var membershipCases = []storeCase{
	{"[SEQ8] who may do what is judged in the transaction", judged},
	{"[SEQ8] later drafts of a removed person are refused in the same batch", removedInBatch},
	{"[SEQ8] a person who joins may speak in the same batch", joinedInBatch},
	{"[SEQ8] roles given and taken count from the next draft on", rolesInBatch},
	{"[SEQ8] the last owner stays, also within a batch", lastOwnerInBatch},
	{"[SEQ8] an entry makes true what it says", effects},
	{"[HUB5] every change of a membership raises that user's rooms version, nothing else does", versions},
}

// cast is a room with everyone in it, and somebody outside.
type cast struct {
	*stage
	room                                                      string
	owner, owner2, admin, admin2, member, member2, guest, out string
	code, elsewhere                                           string // an invite of this room, and one of another
}

func judged(s *stage) {
	const nobody = "nobody"
	rows := []struct {
		name  string
		draft func(c cast) chat.Draft
		want  error
	}{
		{"a member writes", func(c cast) chat.Draft { return c.text(c.room, c.member, "x") }, nil},
		{"a guest writes", func(c cast) chat.Draft { return c.text(c.room, c.guest, "x") }, nil},
		{"an outsider writes", func(c cast) chat.Draft { return c.text(c.room, c.out, "x") }, chat.ErrNotAMember},
		{"somebody writes where there is no room", func(c cast) chat.Draft { return c.text(nobody, c.owner, "x") }, chat.ErrNotAMember},
		{"a member writes something newer", func(c cast) chat.Draft { return c.draft(c.room, c.member, "poll") }, nil},
		{"a user makes a room", func(c cast) chat.Draft { return c.create(c.out, chat.NewRoom{Name: "R", Visibility: chat.Private}) }, nil},
		{"a guest makes a room", func(c cast) chat.Draft { return c.create(c.guest, chat.NewRoom{Name: "R", Visibility: chat.Public}) }, chat.ErrForbidden},

		{"a member joins again", func(c cast) chat.Draft { return c.joining(c.room, c.member, "") }, chat.ErrAlreadyDone},
		{"a member joins again by invite", func(c cast) chat.Draft { return c.joining(c.room, c.member, c.code) }, chat.ErrAlreadyDone},
		{"an outsider joins a private room", func(c cast) chat.Draft { return c.joining(c.room, c.out, "") }, chat.ErrInviteNeeded},
		{"an outsider joins by invite", func(c cast) chat.Draft { return c.joining(c.room, c.out, c.code) }, nil},
		{"an outsider joins by another room's invite", func(c cast) chat.Draft { return c.joining(c.room, c.out, c.elsewhere) }, chat.ErrInviteInvalid},
		{"an outsider joins by a made-up invite", func(c cast) chat.Draft { return c.joining(c.room, c.out, nobody) }, chat.ErrInviteInvalid},
		{"somebody joins what is not there", func(c cast) chat.Draft { return c.joining(nobody, c.out, "") }, chat.ErrInviteNeeded},
		{"somebody who is not there joins", func(c cast) chat.Draft { return c.joining(c.room, nobody, c.code) }, chat.ErrForbidden},

		{"a member leaves", func(c cast) chat.Draft { return c.leaving(c.room, c.member) }, nil},
		{"one of two owners leaves", func(c cast) chat.Draft { return c.leaving(c.room, c.owner2) }, nil},
		{"an outsider leaves", func(c cast) chat.Draft { return c.leaving(c.room, c.out) }, chat.ErrNotAMember},
		{"an owner removes an admin", func(c cast) chat.Draft { return c.removing(c.room, c.owner, c.admin) }, nil},
		{"an admin removes a member", func(c cast) chat.Draft { return c.removing(c.room, c.admin, c.member) }, nil},
		{"an owner removes an owner", func(c cast) chat.Draft { return c.removing(c.room, c.owner, c.owner2) }, chat.ErrForbidden},
		{"an admin removes an admin", func(c cast) chat.Draft { return c.removing(c.room, c.admin, c.admin2) }, chat.ErrForbidden},
		{"an admin removes an owner", func(c cast) chat.Draft { return c.removing(c.room, c.admin, c.owner) }, chat.ErrForbidden},
		{"a member removes a member", func(c cast) chat.Draft { return c.removing(c.room, c.member, c.member2) }, chat.ErrForbidden},
		{"an owner removes an outsider", func(c cast) chat.Draft { return c.removing(c.room, c.owner, c.out) }, chat.ErrNotFound},
		{"an outsider removes a member", func(c cast) chat.Draft { return c.removing(c.room, c.out, c.member) }, chat.ErrNotAMember},

		{"an owner makes an admin", func(c cast) chat.Draft { return c.setting(c.room, c.owner, c.member, chat.RoleAdmin) }, nil},
		{"an owner makes an owner", func(c cast) chat.Draft { return c.setting(c.room, c.owner, c.member, chat.RoleOwner) }, nil},
		{"an owner unmakes an owner", func(c cast) chat.Draft { return c.setting(c.room, c.owner, c.owner2, chat.RoleMember) }, nil},
		{"an owner steps down beside another", func(c cast) chat.Draft { return c.setting(c.room, c.owner, c.owner, chat.RoleMember) }, nil},
		{"a role that one has", func(c cast) chat.Draft { return c.setting(c.room, c.owner, c.admin, chat.RoleAdmin) }, chat.ErrAlreadyDone},
		{"an admin makes an admin", func(c cast) chat.Draft { return c.setting(c.room, c.admin, c.member, chat.RoleAdmin) }, chat.ErrForbidden},
		{"a member makes an admin", func(c cast) chat.Draft { return c.setting(c.room, c.member, c.member2, chat.RoleAdmin) }, chat.ErrForbidden},
		{"an outsider makes an admin", func(c cast) chat.Draft { return c.setting(c.room, c.out, c.member, chat.RoleAdmin) }, chat.ErrNotAMember},
		{"an owner makes an outsider admin", func(c cast) chat.Draft { return c.setting(c.room, c.owner, c.out, chat.RoleAdmin) }, chat.ErrNotFound},
		{"an owner makes a guest admin", func(c cast) chat.Draft { return c.setting(c.room, c.owner, c.guest, chat.RoleAdmin) }, chat.ErrForbidden},

		{"an admin renames", func(c cast) chat.Draft { return c.renaming(c.room, c.admin, "x") }, nil},
		{"a member renames", func(c cast) chat.Draft { return c.renaming(c.room, c.member, "x") }, chat.ErrForbidden},
		{"an outsider renames", func(c cast) chat.Draft { return c.renaming(c.room, c.out, "x") }, chat.ErrNotAMember},
	}
	for _, row := range rows {
		c := newCast(s)
		before := len(s.log(c.room))
		d := row.draft(c)
		o := s.append(d)[0]
		if row.want != nil {
			s.wants(row.want, o.Err)
			same(s, row.name+": number", o.Entry.Seq, 0)
			same(s, row.name+": entries", len(s.log(c.room)), before)
			continue
		}
		if o.Err != nil || o.Duplicate || o.Entry.Kind != d.Kind {
			s.Errorf("%s: %+v", row.name, o)
		}
		if log := s.log(d.RoomID); log[len(log)-1].MessageID != o.Entry.MessageID {
			s.Errorf("%s: not at the end of the log", row.name)
		}
	}
}

func newCast(s *stage) cast {
	c := cast{
		stage: s, owner: s.user(), owner2: s.user(), admin: s.user(), admin2: s.user(), member: s.user(), member2: s.user(),
		guest: s.guest(), out: s.user(),
	}
	create := s.create(c.owner, chat.NewRoom{Name: "Cast", Visibility: chat.Private})
	other := s.create(c.owner, chat.NewRoom{Name: "Other", Visibility: chat.Private})
	s.post(create, other)
	c.room = create.RoomID
	c.code, c.elsewhere = s.invite(chat.Invite{RoomID: c.room}), s.invite(chat.Invite{RoomID: other.RoomID})
	var drafts []chat.Draft
	for _, u := range []string{c.owner2, c.admin, c.admin2, c.member, c.member2, c.guest} {
		drafts = append(drafts, s.joining(c.room, u, c.code))
	}
	s.post(append(drafts, s.setting(c.room, c.owner, c.owner2, chat.RoleOwner),
		s.setting(c.room, c.owner, c.admin, chat.RoleAdmin), s.setting(c.room, c.owner, c.admin2, chat.RoleAdmin))...)
	return c
}

func removedInBatch(s *stage) {
	owner, u, v := s.user(), s.user(), s.user()
	room := s.room(chat.Public, owner, u, v)
	out := s.append(s.text(room, u, "before"), s.removing(room, owner, u), s.text(room, u, "after"), s.text(room, v, "other"),
		s.leaving(room, v), s.text(room, v, "gone"))
	s.wants(chat.ErrNotAMember, out[2].Err)
	s.wants(chat.ErrNotAMember, out[5].Err)
	log := s.log(room)
	same(s, "log", bodies(log), "   before  other ")
	for _, e := range log {
		if e.SenderID == u && e.Seq > out[1].Entry.Seq {
			s.Fatalf("%+v after the removal", e)
		}
	}
}

func joinedInBatch(s *stage) {
	owner, u := s.user(), s.user()
	create := s.create(owner, chat.NewRoom{Name: "Room", Visibility: chat.Public})
	room := create.RoomID
	out := s.append(s.text(room, owner, "too early"), create, s.text(room, u, "not yet"), s.joining(room, u, ""), s.text(room, u, "hello"))
	s.wants(chat.ErrNotAMember, out[0].Err)
	s.wants(chat.ErrNotAMember, out[2].Err)
	same(s, "log", bodies(s.log(room)), "  hello")
}

func rolesInBatch(s *stage) {
	owner, u, v := s.user(), s.user(), s.user()
	room := s.room(chat.Public, owner, u, v)
	out := s.append(
		s.renaming(room, u, "no"), s.setting(room, owner, u, chat.RoleAdmin), s.renaming(room, u, "yes"),
		s.removing(room, u, v), s.setting(room, owner, u, chat.RoleMember), s.renaming(room, u, "no"))
	for i, want := range []error{chat.ErrForbidden, nil, nil, nil, nil, chat.ErrForbidden} {
		s.wants(want, out[i].Err)
	}
	view, err := s.Room(s.ctx, room, u)
	s.no(err)
	same(s, "name", view.Name, "yes")
	same(s, "members", view.MemberCount, 2)
}

func lastOwnerInBatch(s *stage) {
	a, b := s.user(), s.user()
	room := s.room(chat.Public, a, b)
	out := s.append(s.leaving(room, a), s.setting(room, a, a, chat.RoleAdmin), s.setting(room, a, b, chat.RoleOwner),
		s.leaving(room, a), s.leaving(room, b))
	for i, want := range []error{chat.ErrLastOwner, chat.ErrLastOwner, nil, nil, chat.ErrLastOwner} {
		s.wants(want, out[i].Err)
	}
}

func effects(s *stage) {
	owner, u := s.user(), s.user()
	room := s.room(chat.Private, owner)
	code := s.invite(chat.Invite{RoomID: room, MaxUses: 5})
	topic, visibility := "New topic", chat.Public
	change := s.draft(room, owner, chat.KindRoomChanged)
	change.Change = &chat.RoomChanged{Topic: &topic, Visibility: &visibility}
	log := s.post(s.joining(room, u, code), s.setting(room, owner, u, chat.RoleAdmin), change, s.renaming(room, u, "New name"))
	for i, want := range []string{
		fmt.Sprintf(`{"user_id":%q,"by":%q,"via":"invite"}`, u, owner), fmt.Sprintf(`{"user_id":%q,"role":"admin","by":%q}`, u, owner),
		`{"topic":"New topic","visibility":"public"}`, `{"name":"New name"}`,
	} {
		sameJSON(s, fmt.Sprint("data ", i), log[i].Data, want)
	}
	view, err := s.Room(s.ctx, room, u)
	s.no(err)
	if view.Name != "New name" || view.Topic != topic || view.Visibility != chat.Public || view.MemberCount != 2 ||
		view.Role != chat.RoleAdmin || view.Head != log[3].Position() || !view.CreatedAt.Equal(s.at) {
		s.Fatalf("the room is %+v", view)
	}
	same(s, "read so far by who just joined", view.LastReadSeq, log[0].Seq)
	m, err := s.Member(s.ctx, room, u)
	s.no(err)
	if m.Role != chat.RoleAdmin || !m.JoinedAt.Equal(s.at) || m.User.ID != u {
		s.Fatalf("the member is %+v", m)
	}
	p, err := s.Preview(s.ctx, code, s.at)
	s.no(err)
	same(s, "uses", p.Invite.Uses, 1)
}

func versions(s *stage) {
	owner, u, v := s.user(), s.user(), s.user()
	room := s.room(chat.Public, owner, v)
	ses, _ := s.session(u)
	for _, step := range []struct {
		what   string
		do     func()
		raises bool
	}{
		{"join", func() { s.post(s.joining(room, u, "")) }, true},
		{"text", func() { s.post(s.text(room, u, "x")) }, false},
		{"rename", func() { s.post(s.renaming(room, owner, "x")) }, false},
		{"role", func() { s.post(s.setting(room, owner, u, chat.RoleAdmin)) }, true},
		{"somebody else's leaving", func() { s.post(s.leaving(room, v)) }, false},
		{"read", func() { s.no(s.SaveReads(s.ctx, []chat.Read{{RoomID: room, UserID: u, Seq: 2}})) }, false},
		{"leave", func() { s.post(s.leaving(room, u)) }, true},
		{"join again", func() { s.post(s.joining(room, u, "")) }, true},
		{"removal", func() { s.post(s.removing(room, owner, u)) }, true},
		{"a room of one's own", func() { room = s.room(chat.Private, u) }, true},
		{"its end", func() { _, err := s.DeleteRoom(s.ctx, room, u); s.no(err) }, true},
		{"a revoked session", func() { _, err := s.Revoke(s.ctx, u, ses.ID, ""); s.no(err) }, true},
	} {
		before := s.version(u)
		step.do()
		if after := s.version(u); (after != before) != step.raises {
			s.Errorf("%s: rooms version %d, then %d", step.what, before, after)
		}
	}
}
