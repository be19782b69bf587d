package chattest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

var readCases = []storeCase{
	{"[RES3] a run is only given from a position that the log has", runs},
	{"[RES3] the epoch stays until a new one is written, and comes with every snapshot", epochs},
	{"[HUB1] a room is loaded with its head, its last entries and its members", load},
	{"[SEQ2] entries are found by their keys", find},
	{"[RES1] opening a room gives the last entries, or those after a position", opened},
	{"[RES1] opening a crowded room leaves out how far everybody has read", crowded},
	{"[RES1] everyone named in the entries comes with them", named},
	{"pages of history lie before, after and around a number", history},
	{"history is for members", historyForMembers},
}

var positionCases = []storeCase{
	{"[HUB5] the comparison has heads and rooms versions of what is there, and leaves out the rest", compared},
	{"[HUB6] a silent node is seen by every node", silent},
	{"[SIG2] read positions only move forward, and not beyond the head", readsForward},
	{"[SIG2] read positions of others than members are passed over", readsOfMembers},
	{"[SIG3] unread are the texts of others after the read position, up to 100", unread},
}

func runs(s *stage) {
	u := s.user()
	room := s.room(chat.Public, u)
	s.numbered(map[string]int64{room: 10}, s.texts(room, u, 5)...)
	log := s.log(room) // 1, 10, 11, 12, 13, 14
	for _, c := range []struct {
		name  string
		from  chat.Position
		known bool
		want  []chat.Entry
	}{
		{"the start", chat.Position{}, true, log[:3]},
		{"the first", log[0].Position(), true, log[1:4]},
		{"in the middle, its id not known", chat.Position{Seq: 12}, true, log[4:]},
		{"the head", log[5].Position(), true, nil},
		{"a number with another id", chat.Position{Seq: 12, ID: chat.NewID()}, false, nil},
		{"the head with another id", chat.Position{Seq: 14, ID: log[0].MessageID}, false, nil},
		{"a number never used", chat.Position{Seq: 5}, false, nil},
		{"beyond the head", chat.Position{Seq: 15}, false, nil},
		{"before the start", chat.Position{Seq: -1}, false, nil},
	} {
		run, err := s.After(s.ctx, room, c.from, 3)
		s.no(err)
		same(s, c.name+": known", run.Known, c.known)
		same(s, c.name+": head", run.Head, log[5].Position())
		same(s, c.name, positions(run.Entries), positions(c.want))
	}
	_, err := s.After(s.ctx, chat.NewID(), chat.Position{}, 3)
	s.wants(chat.ErrNoRoom, err)
}

func positions(entries []chat.Entry) string {
	var text strings.Builder
	for i := range entries {
		fmt.Fprint(&text, entries[i].Position(), " ")
	}
	return text.String()
}

func epochs(s *stage) {
	u := s.user()
	room := s.room(chat.Public, u)
	ses, _ := s.session(u)
	read := func() [5]string {
		direct, err := s.Epoch(s.ctx)
		s.no(err)
		live, err := s.Load(s.ctx, room, 1)
		s.no(err)
		run, err := s.After(s.ctx, room, chat.Position{}, 1)
		s.no(err)
		cmp, err := s.Compare(s.ctx, chat.CompareQuery{})
		s.no(err)
		snap, err := s.Snapshot(s.ctx, u, ses.ID)
		s.no(err)
		return [5]string{direct, live.Epoch, run.Epoch, cmp.Epoch, snap.Epoch}
	}
	first := read()
	s.post(s.text(room, u, "x"))
	same(s, "epochs", read(), first)
	second, err := s.NewEpoch(s.ctx)
	s.no(err)
	if second == "" || second == first[0] {
		s.Fatalf("a new epoch is %q after %q", second, first[0])
	}
	same(s, "epochs", read(), [5]string{second, second, second, second, second})
}

func load(s *stage) {
	owner, u, gone := s.user(), s.user(), s.user()
	room := s.room(chat.Private, owner, u, gone)
	s.post(s.leaving(room, gone), s.text(room, u, "a"), s.text(room, owner, "b"))
	log := s.log(room)
	for _, n := range []int{0, 1, 3, len(log), 100} {
		live, err := s.Load(s.ctx, room, n)
		s.no(err)
		same(s, "head", live.Head, log[len(log)-1].Position())
		same(s, "last entries", positions(live.Entries), positions(log[max(0, len(log)-n):]))
		slices.Sort(live.Members)
		want := []string{owner, u}
		slices.Sort(want)
		same(s, "members", fmt.Sprint(live.Members), fmt.Sprint(want))
	}
	_, err := s.Load(s.ctx, chat.NewID(), 1)
	s.wants(chat.ErrNoRoom, err)
	_, err = s.DeleteRoom(s.ctx, room, owner)
	s.no(err)
	_, err = s.Load(s.ctx, room, 1)
	s.wants(chat.ErrNoRoom, err)
}

func find(s *stage) {
	u, v := s.user(), s.user()
	room := s.room(chat.Public, u, v)
	a, b := s.text(room, u, "a"), s.text(room, v, "b")
	entries := s.post(a, b)
	never, other := s.text(room, u, "never sent"), a
	other.SenderID = v
	found, err := s.Find(s.ctx, []chat.Key{b.Key(), never.Key(), other.Key(), a.Key()})
	s.no(err)
	same(s, "found", len(found), 2)
	same(s, "a", found[a.Key()].MessageID, entries[0].MessageID)
	same(s, "b", found[b.Key()].MessageID, entries[1].MessageID)
	found, err = s.Find(s.ctx, nil)
	s.no(err)
	same(s, "found", len(found), 0)
}

func opened(s *stage) {
	owner, u, gone := s.user(), s.user(), s.user()
	room := s.room(chat.Private, owner, u, gone)
	s.post(s.text(room, gone, "bye"), s.leaving(room, gone))
	s.post(s.texts(room, owner, 4)...)
	s.no(s.SaveReads(s.ctx, []chat.Read{{RoomID: room, UserID: u, Seq: 6}}))
	log := s.log(room) // create, join, join, bye, leave, 4 texts
	missing := chat.Position{Seq: 5, ID: chat.NewID()}
	start := chat.Position{}
	at := func(i int) *chat.Position { p := log[i].Position(); return &p }
	for _, c := range []struct {
		name      string
		after     *chat.Position
		limit     int
		want      []chat.Entry
		more      bool
		recovered bool
	}{
		{"the latest", nil, 5, log[4:], true, false},
		{"all of it", nil, 9, log, false, false},
		{"after one", at(5), 5, log[6:], false, true},
		{"after the start", &start, 4, log[:4], true, true},
		{"after the head", at(8), 4, nil, false, true},
		{"more than the limit", at(0), 4, log[1:5], true, true},
		{"after what is not there", &missing, 4, nil, false, false},
	} {
		o, err := s.Open(s.ctx, room, u, c.after, c.limit)
		s.no(err)
		same(s, c.name, positions(o.Entries), positions(c.want))
		same(s, c.name+": more", o.More, c.more)
		same(s, c.name+": recovered", o.Recovered, c.recovered)
		same(s, c.name+": head", o.Room.Head, log[8].Position())
		same(s, c.name+": role", o.Room.Role, chat.RoleMember)
		same(s, c.name+": unread", o.Room.UnreadCount, 3)
		reads := map[string]int64{}
		for _, r := range o.Reads {
			reads[r.UserID] = r.Seq
		}
		same(s, c.name+": reads", fmt.Sprint(reads), fmt.Sprint(map[string]int64{owner: 1, u: 6}))
	}
	for _, c := range []struct{ room, user string }{{room, gone}, {chat.NewID(), u}} {
		for _, after := range []*chat.Position{nil, &start} {
			_, err := s.Open(s.ctx, c.room, c.user, after, 5)
			s.wants(chat.ErrNotAMember, err)
		}
	}
}

// named looks at entries one by one: who is named in this one is not the sender of another.
func named(s *stage) {
	owner, u, v := s.user(), s.user(), s.user()
	room := s.room(chat.Private, owner, u, v)
	s.post(s.text(room, u, "x"), s.setting(room, owner, u, chat.RoleAdmin), s.removing(room, u, v))
	log := s.log(room)
	for i, want := range [][]string{{owner}, {owner, u}, {owner, v}, {u}, {owner, u}, {u, v}} {
		o, err := s.Open(s.ctx, room, owner, &chat.Position{Seq: log[i].PrevSeq}, 1)
		s.no(err)
		p, err := s.Page(s.ctx, room, owner, chat.PageQuery{Around: log[i].Seq, Limit: 1})
		s.no(err)
		slices.Sort(want)
		for _, users := range [][]chat.User{o.Users, p.Users} {
			got := ids(users, func(u chat.User) string { return u.ID })
			slices.Sort(got)
			same(s, fmt.Sprint("users named in ", log[i].Kind), fmt.Sprint(got), fmt.Sprint(want))
		}
	}
}

func crowded(s *stage) {
	owner := s.user()
	room := s.room(chat.Public, owner)
	var joins []chat.Draft
	for range chat.CrowdedRoom {
		joins = append(joins, s.joining(room, s.user(), ""))
	}
	s.post(joins[:chat.CrowdedRoom-1]...)
	o, err := s.Open(s.ctx, room, owner, nil, 1)
	s.no(err)
	same(s, "reads", len(o.Reads), chat.CrowdedRoom)
	s.post(joins[chat.CrowdedRoom-1])
	o, err = s.Open(s.ctx, room, owner, nil, 1)
	s.no(err)
	same(s, "reads", len(o.Reads), 0)
}

func history(s *stage) {
	u := s.user()
	room := s.room(chat.Public, u)
	s.numbered(map[string]int64{room: 11}, s.texts(room, u, 19)...)
	log := s.log(room) // 1, 11…29
	for _, c := range []struct {
		name string
		q    chat.PageQuery
		want []chat.Entry
		more bool
	}{
		{"latest", chat.PageQuery{Limit: 5}, log[15:], true},
		{"latest, all", chat.PageQuery{Limit: 20}, log, false},
		{"before", chat.PageQuery{Before: 20, Limit: 4}, log[6:10], true},
		{"before, to the start", chat.PageQuery{Before: 13, Limit: 5}, log[:3], false},
		{"before, exactly to the start", chat.PageQuery{Before: 13, Limit: 3}, log[:3], false},
		{"before the start", chat.PageQuery{Before: 1, Limit: 3}, nil, false},
		{"before what is not there yet", chat.PageQuery{Before: 1000, Limit: 3}, log[17:], true},
		{"after", chat.PageQuery{After: 20, Limit: 4}, log[11:15], true},
		{"after an unused number", chat.PageQuery{After: 5, Limit: 2}, log[1:3], true},
		{"after the start", chat.PageQuery{FromStart: true, Limit: 2}, log[:2], true},
		{"after, to the end", chat.PageQuery{After: 27, Limit: 2}, log[18:], false},
		{"after the end", chat.PageQuery{After: 29, Limit: 2}, nil, false},
		{"around", chat.PageQuery{Around: 20, Limit: 4}, log[8:12], true},
		{"around, odd", chat.PageQuery{Around: 20, Limit: 5}, log[8:13], true},
		{"around the end", chat.PageQuery{Around: 29, Limit: 4}, log[16:], true},
		{"around the start", chat.PageQuery{Around: 1, Limit: 4}, log[:4], false},
		{"around everything", chat.PageQuery{Around: 20, Limit: 100}, log, false},
	} {
		p, err := s.Page(s.ctx, room, u, c.q)
		s.no(err)
		same(s, c.name, positions(p.Entries), positions(c.want))
		same(s, c.name+": more", p.More, c.more)
		same(s, c.name+": users", len(p.Users), min(len(c.want), 1))
	}
}

func historyForMembers(s *stage) {
	owner, gone := s.user(), s.user()
	room := s.room(chat.Public, owner, gone)
	s.post(s.leaving(room, gone))
	for _, user := range []string{gone, s.user(), "nobody"} {
		_, err := s.Page(s.ctx, room, user, chat.PageQuery{Limit: 5})
		s.wants(chat.ErrNotAMember, err)
	}
	_, err := s.Page(s.ctx, "nowhere", owner, chat.PageQuery{Limit: 5})
	s.wants(chat.ErrNotAMember, err)
}

func compared(s *stage) {
	u, v := s.user(), s.user()
	a, b, gone := s.room(chat.Public, u), s.room(chat.Public, u), s.room(chat.Public, u)
	_, err := s.DeleteRoom(s.ctx, gone, u)
	s.no(err)
	e := s.post(s.text(a, u, "x"))[0]
	got, err := s.Compare(s.ctx, chat.CompareQuery{Rooms: []string{a, b, gone, "nowhere"}, Users: []string{u, v, "nobody"}, Node: "n"})
	s.no(err)
	same(s, "heads", len(got.Heads), 2)
	same(s, "head", got.Heads[a], e.Position())
	same(s, "head", got.Heads[b], s.head(b))
	same(s, "versions", len(got.Versions), 2)
	if _, ok := got.Versions[v]; !ok {
		s.Fatal("no version for somebody without rooms")
	}
	same(s, "silent", got.Silent, false)
	got, err = s.Compare(s.ctx, chat.CompareQuery{})
	s.no(err)
	same(s, "heads and versions", len(got.Heads)+len(got.Versions), 0)
}

func silent(s *stage) {
	for _, step := range []struct {
		node         string
		silent, want bool
	}{{"a", false, false}, {"a", true, true}, {"b", false, true}, {"a", false, true}, {"b", true, true}} {
		got, err := s.Compare(s.ctx, chat.CompareQuery{Node: step.node, Silent: step.silent})
		s.no(err)
		same(s, "silent", got.Silent, step.want)
	}
}

func readsForward(s *stage) {
	owner, u := s.user(), s.user()
	room := s.room(chat.Public, owner, u)
	s.numbered(map[string]int64{room: 10}, s.texts(room, owner, 11)...)
	for _, step := range []struct{ save, want int64 }{{12, 12}, {11, 12}, {15, 15}, {0, 15}, {1000, 20}, {5, 20}} {
		s.no(s.SaveReads(s.ctx, []chat.Read{{RoomID: room, UserID: u, Seq: step.save}}))
		m, err := s.Member(s.ctx, room, u)
		s.no(err)
		same(s, fmt.Sprint("read position after ", step.save), m.LastReadSeq, step.want)
	}
	m, err := s.Member(s.ctx, room, owner)
	s.no(err)
	same(s, "somebody else's", m.LastReadSeq, 1)
}

func readsOfMembers(s *stage) {
	owner, u, out := s.user(), s.user(), s.user()
	room := s.room(chat.Public, owner, u)
	s.post(s.texts(room, owner, 3)...)
	s.no(s.SaveReads(s.ctx, []chat.Read{
		{RoomID: room, UserID: out, Seq: 3},
		{RoomID: "nowhere", UserID: u, Seq: 3},
		{RoomID: room, UserID: "nobody", Seq: 3},
		{RoomID: room, UserID: u, Seq: 4},
	}))
	s.no(s.SaveReads(s.ctx, nil))
	for user, want := range map[string]int64{u: 4, out: 0} {
		m, err := s.Member(s.ctx, room, user)
		s.no(err)
		same(s, "read position", m.LastReadSeq, want)
	}
}

func unread(s *stage) {
	owner, u := s.user(), s.user()
	room := s.room(chat.Public, owner, u)
	start := s.head(room).Seq
	s.post(s.text(room, owner, "1"), s.text(room, u, "own"), s.renaming(room, owner, "x"), s.text(room, owner, "2"))
	between := func(user string, after, last int64) int {
		n, err := s.Unread(s.ctx, room, user, after, last)
		s.no(err)
		return n
	}
	count := func(user string, after int64) int { return between(user, after, math.MaxInt64) }
	for after, want := range map[int64]int{0: 2, start: 2, start + 1: 1, start + 3: 1, start + 4: 0, 1000: 0} {
		same(s, fmt.Sprint("unread after ", after), count(u, after), want)
	}
	for last, want := range map[int64]int{start: 0, start + 1: 1, start + 3: 1, start + 4: 2} {
		same(s, fmt.Sprint("unread up to ", last), between(u, start, last), want)
	}
	same(s, "unread of the other", count(owner, 0), 1)
	view, err := s.Room(s.ctx, room, u)
	s.no(err)
	same(s, "unread in the view", view.UnreadCount, 2)
	s.post(s.texts(room, u, 150)...)
	same(s, "unread after many of one's own", count(u, start), 2)
	s.post(s.texts(room, owner, 97)...)
	same(s, "unread below the limit", count(u, start), 99)
	s.post(s.texts(room, owner, 50)...)
	same(s, "unread beyond the limit", count(u, start), chat.MaxUnread)
	s.no(s.SaveReads(s.ctx, []chat.Read{{RoomID: room, UserID: u, Seq: s.head(room).Seq - 10}}))
	rooms, _, err := s.RoomsOf(s.ctx, u, chat.Paging{Limit: 10})
	s.no(err)
	same(s, "unread after reading on", rooms[0].UnreadCount, 10)
	same(s, "last entry", rooms[0].LastEntry.Position(), s.head(room))
	same(s, "time of the last entry", rooms[0].LastEntry.At.Sub(s.at), time.Duration(0))
}
