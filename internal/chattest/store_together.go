package chattest

import (
	"fmt"
	"sync"

	"pgregory.net/rapid"

	"github.com/gochat-dev/gochat/internal/chat"
)

var togetherCases = []storeCase{
	{"[SEQ1][SEQ2][SEQ4][SEQ7] dozens of writers over the same rooms, every draft sent by two of them", manyWriters},
	{"[SEQ8] writers beside removals and returns never speak outside their membership", removalsBesideWriters},
	{"[RES3] readers beside writers see whole, chained logs that only grow", readersBesideWriters},
	{"[SEQ1][SEQ2][SEQ4][SEQ8][RES3] any sequence of batches agrees with a model", agreesWithModel},
}

func manyWriters(s *stage) {
	const writers, batches, size = 24, 6, 5
	var users, rooms []string
	for range writers / 2 {
		users = append(users, s.user())
	}
	for range 4 {
		rooms = append(rooms, s.room(chat.Public, users[0], users[1:]...))
	}
	// Writers w and w + writers/2 send the same drafts, in batches cut at different places.
	sent := make([][]chat.Draft, writers/2)
	for u := range sent {
		for i := range batches * size {
			sent[u] = append(sent[u], s.text(rooms[(u+i)%len(rooms)], users[u], fmt.Sprint(u, " ", i)))
		}
	}
	var mu sync.Mutex
	places := make(map[chat.Key]chat.Position) // guarded by mu
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			drafts := sent[w%len(sent)]
			for step := size + w/len(sent); len(drafts) > 0; drafts = drafts[min(step, len(drafts)):] {
				batch := drafts[:min(step, len(drafts))]
				out, err := s.Append(s.ctx, batch, map[string]int64{rooms[w%len(rooms)]: int64(w)})
				if err != nil {
					s.Errorf("append: %v", err)
					return
				}
				mu.Lock()
				for i, o := range out {
					key := batch[i].Key()
					if first, ok := places[key]; o.Err != nil || (ok && first != o.Entry.Position()) {
						s.Errorf("%v is at %v and at %+v", key, first, o)
					}
					places[key] = o.Entry.Position()
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	texts := 0
	for _, room := range rooms {
		next := make(map[string]int) // SEQ7: each sender's texts of a room in the order sent
		for _, e := range s.log(room) {
			if e.Kind != chat.KindText {
				continue
			}
			texts++
			same(s, "position", places[chat.Key{RoomID: room, SenderID: e.SenderID, ClientID: e.ClientID}], e.Position())
			var u, i int
			_, err := fmt.Sscan(e.Body, &u, &i)
			s.no(err)
			if i < next[e.SenderID] {
				s.Errorf("text %d of %s after %d", i, e.SenderID, next[e.SenderID])
			}
			next[e.SenderID] = i
		}
	}
	same(s, "texts", texts, len(sent)*batches*size)
}

func removalsBesideWriters(s *stage) {
	owner, u := s.user(), s.user()
	room := s.room(chat.Public, owner, u)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 25 {
				if _, err := s.Append(s.ctx, s.texts(room, u, 2), nil); err != nil {
					s.Errorf("append: %v", err)
				}
			}
		})
	}
	for range 10 {
		s.post(s.removing(room, owner, u))
		s.post(s.joining(room, u, ""))
	}
	wg.Wait()
	in := false
	for _, e := range s.log(room) {
		switch {
		case e.Subject() == u:
			in = e.Kind == chat.KindMemberJoined
		case e.SenderID == u && !in:
			s.Fatalf("%+v of somebody outside", e)
		}
	}
}

func readersBesideWriters(s *stage) {
	u, v := s.user(), s.user()
	room := s.room(chat.Public, u, v)
	ses, _ := s.session(v)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			last := chat.Position{}
			for over := false; !over; {
				select {
				case <-done:
					over = true // and once more
				default:
				}
				run, err := s.After(s.ctx, room, last, 7)
				if err != nil || !run.Known {
					s.Errorf("after %v: %v %v", last, run.Known, err)
					return
				}
				for _, e := range run.Entries {
					if e.Prev() != last {
						s.Errorf("after %v comes %v", last, e.Position())
					}
					last = e.Position()
				}
				if len(run.Entries) < 7 && run.Head != last {
					s.Errorf("the run ends at %v, the head is %v", last, run.Head)
				}
				o, err := s.Open(s.ctx, room, v, nil, 3)
				if err != nil || o.Entries[len(o.Entries)-1].Position() != o.Room.Head || o.Room.LastEntry.Position() != o.Room.Head {
					s.Errorf("opened at %v with %v: %v", o.Room.Head, positions(o.Entries), err)
				}
				snap, err := s.Snapshot(s.ctx, v, ses.ID)
				if err != nil || snap.Rooms[0].LastEntry.Position() != snap.Rooms[0].Head {
					s.Errorf("snapshot of %v: %v", snap.Rooms, err)
				}
			}
		})
	}
	for i := range 60 {
		s.post(s.texts(room, u, 1+i%4)...)
	}
	close(done)
	wg.Wait()
}

// roomModel is what a room should be, kept in the simplest way.
type roomModel struct {
	id      string
	log     []chat.Entry
	members map[string]chat.Role
	keys    map[chat.Key]chat.Position
}

func (m *roomModel) head() chat.Position {
	if len(m.log) == 0 {
		return chat.Position{}
	}
	return m.log[len(m.log)-1].Position()
}

// expect says what a draft should become, given the number generated for its room.
func (m *roomModel) expect(d *chat.Draft, first int64) (seq int64, duplicate bool, refusal error) {
	if p, ok := m.keys[d.Key()]; ok {
		return p.Seq, true, nil
	}
	sit := chat.Situation{
		Exists: true, Visibility: chat.Public, Actor: m.members[d.SenderID], Target: m.members[d.Target()],
	}
	for _, role := range m.members {
		if role == chat.RoleOwner {
			sit.Owners++
		}
	}
	if err := d.Judge(sit); err != nil {
		return 0, false, err
	}
	return max(first, m.head().Seq+1), false, nil
}

// apply takes in an entry that the store says it has stored.
func (m *roomModel) apply(d *chat.Draft, e chat.Entry) {
	m.log = append(m.log, e)
	m.keys[d.Key()] = e.Position()
	switch {
	case d.Join != nil:
		m.members[d.SenderID] = chat.RoleMember
	case d.Leave != nil:
		delete(m.members, d.Leave.UserID)
	case d.Role != nil:
		m.members[d.Role.UserID] = d.Role.Role
	}
}

func agreesWithModel(s *stage) {
	users := []string{s.user(), s.user(), s.user(), s.user()}
	rapid.Check(s, func(t *rapid.T) {
		w := &stage{TB: s.TB, Store: s.Store, ctx: s.ctx, at: s.at}
		rooms := make(map[string]*roomModel)
		var order []string
		for range 2 {
			d := w.create(users[0], chat.NewRoom{Name: "Room", Visibility: chat.Public})
			m := &roomModel{id: d.RoomID, members: map[string]chat.Role{users[0]: chat.RoleOwner}, keys: map[chat.Key]chat.Position{}}
			m.apply(&d, w.post(d)[0])
			rooms[d.RoomID] = m
			order = append(order, d.RoomID)
		}
		clientIDs := []string{chat.NewID(), chat.NewID(), chat.NewID(), chat.NewID(), chat.NewID(), chat.NewID()}
		for range rapid.IntRange(1, 6).Draw(t, "batches") {
			modelBatch(t, w, rooms, drawBatch(t, w, order, users, clientIDs))
		}
		for _, m := range rooms {
			modelReads(t, w, m, users)
		}
	})
}

func drawBatch(t *rapid.T, s *stage, rooms, users, clientIDs []string) []chat.Draft {
	user, role := rapid.SampledFrom(users), rapid.SampledFrom([]chat.Role{chat.RoleOwner, chat.RoleAdmin, chat.RoleMember})
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) chat.Draft {
		room, by, about := rapid.SampledFrom(rooms).Draw(t, "room"), user.Draw(t, "by"), user.Draw(t, "about")
		var d chat.Draft
		switch rapid.IntRange(0, 7).Draw(t, "kind") {
		case 0, 1:
			d = s.joining(room, by, "")
		case 2:
			d = s.removing(room, by, about)
		case 3:
			d = s.setting(room, by, about, role.Draw(t, "role"))
		default:
			d = s.text(room, by, rapid.StringN(1, 20, -1).Filter(wellFormed).Draw(t, "body"))
		}
		if rapid.Bool().Draw(t, "client id used before") {
			d.ClientID = rapid.SampledFrom(clientIDs).Draw(t, "client id")
		}
		return d
	}), 0, 8).Draw(t, "batch")
}

func wellFormed(body string) bool { return chat.CheckText("body", body, 0, chat.MaxBody) == nil }

// modelBatch appends a batch and compares what becomes of it with the model.
func modelBatch(t *rapid.T, s *stage, rooms map[string]*roomModel, batch []chat.Draft) {
	firsts := make(map[string]int64)
	for id, m := range rooms {
		if n := rapid.Int64Range(-3, 6).Draw(t, "number beyond the head"); n != 0 {
			firsts[id] = m.head().Seq + n
		}
	}
	out, err := s.Append(s.ctx, batch, firsts)
	if err != nil {
		t.Fatalf("append: %v", err)
	}
	for i, o := range out {
		m, d := rooms[batch[i].RoomID], &batch[i]
		seq, duplicate, err := m.expect(d, firsts[d.RoomID])
		if o.Entry.Seq != seq || o.Duplicate != duplicate || fmt.Sprint(o.Err) != fmt.Sprint(err) {
			t.Fatalf("draft %d %+v became %+v, not %d %v %v", i, *d, o, seq, err, duplicate)
		}
		if err != nil || duplicate {
			continue
		}
		if o.Entry.Prev() != m.head() || o.Entry.Body != d.Body {
			t.Fatalf("entry %+v after %v", o.Entry, m.head())
		}
		m.apply(d, o.Entry)
	}
}

// modelReads compares everything that can be read of a room, from every position, with the model.
func modelReads(t *rapid.T, s *stage, m *roomModel, users []string) {
	limit := rapid.IntRange(1, 5).Draw(t, "limit")
	for seq := int64(0); seq <= m.head().Seq+1; seq++ {
		known, rest := seq == 0, m.log
		for i := range m.log {
			if m.log[i].Seq == seq {
				known = true
			}
			if m.log[i].Seq <= seq {
				rest = m.log[i+1:]
			}
		}
		want := rest[:min(limit, len(rest))]
		run, err := s.After(s.ctx, m.id, chat.Position{Seq: seq}, limit)
		if err != nil || run.Known != known || run.Head != m.head() || (known && positions(run.Entries) != positions(want)) {
			t.Fatalf("after %d: %+v, %v", seq, run, err)
		}
		for _, u := range users {
			if m.members[u] == "" {
				continue
			}
			p, err := s.Page(s.ctx, m.id, u, chat.PageQuery{After: seq, FromStart: seq == 0, Limit: limit})
			if err != nil || positions(p.Entries) != positions(want) || p.More != (len(rest) > limit) {
				t.Fatalf("page after %d: %+v, %v", seq, p, err)
			}
			o, err := s.Open(s.ctx, m.id, u, &chat.Position{Seq: seq}, limit)
			if err != nil || o.Recovered != known || o.Room.Role != m.members[u] || o.Room.MemberCount != len(m.members) ||
				(known && positions(o.Entries) != positions(want)) {
				t.Fatalf("opened after %d: %+v, %v", seq, o, err)
			}
			break // one member reads what all read
		}
	}
	for _, u := range users {
		if got, err := s.Member(s.ctx, m.id, u); err != nil || got.Role != m.members[u] {
			t.Fatalf("%s is %q, not %q (%v)", u, got.Role, m.members[u], err)
		}
	}
}
