package chattest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

var appendCases = []storeCase{
	{"[SEQ1] what is stored is what was sent, numbered once and chained", storedAsSent},
	{"[SEQ1] the order is that of the numbers, also when the clock steps back", clockSteppedBack},
	{"[SEQ1] message ids are made anew at each attempt and never repeat", freshIDs},
	{"[SEQ2] a resend returns the first number and adds nothing", resend},
	{"[SEQ2] a duplicate within one batch is taken out", duplicateInBatch},
	{"[SEQ2] another sender or another room may use the same client id", sameClientID},
	{"[SEQ2] a resend after the sender's removal still returns the first number", resendAfterRemoval},
	{"[SEQ2] a resent membership change changes nothing twice", resendMembership},
	{"[SEQ2] concurrent senders of the same draft get one number", concurrentResend},
	{"[SEQ3] a whole batch can be tried again after a lost answer", retriedBatch},
	{"[SEQ3] a call that ended early has stored nothing, or everything", impatient},
	{"[SEQ4] the first number is above both witnesses", firstNumber},
	{"[SEQ4] a batch over several rooms numbers each without gaps, in the order given", severalRooms},
	{"[SEQ6] a number that was not used stays unused", skippedNumbers},
	{"[SEQ7] a bad draft fails alone", badDraft},
}

func storedAsSent(s *stage) {
	u := s.user()
	room := s.room(chat.Public, u)
	d := s.text(room, u, "Grüße, 世界 👋 \u200b<b>")
	e := s.post(d)[0]
	if e.ClientID != d.ClientID || e.SenderID != u || e.Kind != chat.KindText || e.Body != d.Body || !e.At.Equal(d.At) {
		s.Fatalf("%+v became %+v", d, e)
	}
	log := s.log(room)
	same(s, "entries", len(log), 2)
	if got := log[1]; got.Seq != e.Seq || got.MessageID != e.MessageID || got.Body != d.Body || got.ClientID != d.ClientID ||
		got.SenderID != u || !got.At.Equal(d.At) || got.At.Location() != time.UTC {
		s.Fatalf("stored as %+v, answered as %+v", got, e)
	}
	sameJSON(s, "data of the first entry", log[0].Data, fmt.Sprintf(`{"user_id":%q,"via":"create"}`, u))
}

func clockSteppedBack(s *stage) {
	u := s.user()
	room := s.room(chat.Public, u)
	before, after := s.text(room, u, "before"), s.text(room, u, "after")
	after.At = before.At.Add(-time.Hour)
	s.post(before)
	last := s.post(after)[0]
	same(s, "head", s.head(room), last.Position())
	opened, err := s.Open(s.ctx, room, u, nil, 50)
	s.no(err)
	page, err := s.Page(s.ctx, room, u, chat.PageQuery{Limit: 50})
	s.no(err)
	for what, entries := range map[string][]chat.Entry{"the log": s.log(room), "opened": opened.Entries, "a page": page.Entries} {
		if n := len(entries); n != 3 || entries[n-2].Body != "before" || entries[n-1].Position() != last.Position() {
			s.Errorf("%s: %+v", what, entries)
		}
	}
}

func freshIDs(s *stage) {
	u := s.user()
	room := s.room(chat.Public, u)
	drafts := s.texts(room, u, 20)
	elsewhere := drafts[0] // nothing of the draft goes into the id
	elsewhere.RoomID = s.room(chat.Public, u)
	drafts = append(drafts, elsewhere)
	seen := make(map[string]bool)
	for _, e := range s.post(drafts...) {
		if seen[e.MessageID] || e.MessageID == "" || e.MessageID == e.ClientID {
			s.Fatalf("message id %q again", e.MessageID)
		}
		seen[e.MessageID] = true
	}
}

func resend(s *stage) {
	u := s.user()
	room := s.room(chat.Public, u)
	d := s.text(room, u, "once")
	first := s.post(d)[0]
	s.post(s.text(room, u, "something else"))
	head := s.head(room)
	d.Body, d.At = "changed meanwhile", s.at.Add(time.Hour)
	o := s.numbered(map[string]int64{room: 100}, d)[0]
	if !o.Duplicate || o.Err != nil || o.Entry.Position() != first.Position() || o.Entry.Body != "once" || o.Entry.Prev() != first.Prev() {
		s.Fatalf("a resend became %+v", o)
	}
	same(s, "head", s.head(room), head)
	same(s, "number after it", s.post(s.text(room, u, "next"))[0].Seq, head.Seq+1)
}

func duplicateInBatch(s *stage) {
	u := s.user()
	room := s.room(chat.Public, u)
	a, b := s.text(room, u, "a"), s.text(room, u, "b")
	out := s.append(a, b, a, b, a)
	for i, duplicate := range []bool{false, false, true, true, true} {
		same(s, fmt.Sprint("duplicate ", i), out[i].Duplicate, duplicate)
		same(s, "position", out[i].Entry.Position(), out[i%2].Entry.Position())
	}
	same(s, "log", bodies(s.log(room)), " a b")
}

func sameClientID(s *stage) {
	u, v := s.user(), s.user()
	room, other := s.room(chat.Public, u, v), s.room(chat.Public, u, v)
	d := s.text(room, u, "mine")
	byOther, elsewhere := d, d
	byOther.SenderID, elsewhere.RoomID = v, other
	for i, o := range s.append(d, byOther, elsewhere) {
		if o.Duplicate || o.Err != nil {
			s.Fatalf("draft %d became %+v", i, o)
		}
	}
}

func resendAfterRemoval(s *stage) {
	owner, u := s.user(), s.user()
	room := s.room(chat.Public, owner, u)
	d := s.text(room, u, "before")
	first := s.post(d)[0]
	s.post(s.removing(room, owner, u))
	out := s.append(d, s.text(room, u, "after"))
	if !out[0].Duplicate || out[0].Err != nil || out[0].Entry.Position() != first.Position() {
		s.Fatalf("the resend became %+v", out[0])
	}
	s.wants(chat.ErrNotAMember, out[1].Err)
	_, err := s.DeleteRoom(s.ctx, room, owner)
	s.no(err)
	if o := s.append(d)[0]; !o.Duplicate || o.Entry.Position() != first.Position() {
		s.Fatalf("after the room's end the resend became %+v", o)
	}
}

func resendMembership(s *stage) {
	owner, u := s.user(), s.user()
	create := s.create(owner, chat.NewRoom{Name: "Room", Visibility: chat.Public})
	room := create.RoomID
	s.post(create)
	join, leave := s.joining(room, u, ""), s.leaving(room, u)
	s.post(join)
	s.post(leave)
	before := s.version(u)
	for _, o := range s.append(create, join, leave) {
		if !o.Duplicate || o.Err != nil {
			s.Fatalf("a resend became %+v", o)
		}
	}
	m, err := s.Member(s.ctx, room, u)
	s.no(err)
	same(s, "role", m.Role, "")
	same(s, "rooms version", s.version(u), before)
	same(s, "entries", len(s.log(room)), 3)
}

func concurrentResend(s *stage) {
	u := s.user()
	room := s.room(chat.Public, u)
	drafts := s.texts(room, u, 5)
	outs := make([][]chat.Outcome, 12)
	var wg sync.WaitGroup
	for i := range outs {
		wg.Go(func() {
			out, err := s.Append(s.ctx, drafts, nil)
			if err != nil {
				s.Error(err)
			}
			outs[i] = out
		})
	}
	wg.Wait()
	stored := 0
	for _, out := range outs {
		for j, o := range out {
			if !o.Duplicate {
				stored++
			}
			same(s, "position", o.Entry.Position(), outs[0][j].Entry.Position())
		}
	}
	same(s, "stored", stored, len(drafts))
	same(s, "entries", len(s.log(room)), 1+len(drafts))
}

func retriedBatch(s *stage) {
	u, v := s.user(), s.user()
	room, other := s.room(chat.Public, u), s.room(chat.Public, u, v)
	batch := []chat.Draft{
		s.text(room, u, "a"), s.joining(room, v, ""), s.text(room, v, "b"), s.text(other, u, "c"),
		s.setting(other, u, v, chat.RoleAdmin), s.renaming(other, v, "New name"), s.leaving(room, v),
	}
	first := s.post(batch...)
	logs := [][]chat.Entry{s.log(room), s.log(other)}
	for i, o := range s.numbered(map[string]int64{room: 50, other: 50}, batch...) {
		if !o.Duplicate || o.Err != nil || o.Entry.Position() != first[i].Position() {
			s.Fatalf("draft %d became %+v, first %+v", i, o, first[i])
		}
		if first[i].Data != nil {
			sameJSON(s, "data", o.Entry.Data, string(first[i].Data))
		}
	}
	same(s, "entries", len(s.log(room)), len(logs[0]))
	same(s, "entries", len(s.log(other)), len(logs[1]))
}

func impatient(s *stage) {
	u := s.user()
	room := s.room(chat.Public, u)
	ended, cancel := context.WithCancel(s.ctx)
	cancel()
	_, err := s.Append(ended, s.texts(room, u, 1), nil)
	s.wants(chat.ErrUnavailable, err)
	same(s, "entries", len(s.log(room)), 1)
	for i := range 150 {
		ctx, cancel := context.WithTimeout(s.ctx, time.Duration(i*10)*time.Microsecond)
		drafts := s.texts(room, u, 3)
		_, err := s.Append(ctx, drafts, nil)
		cancel()
		var keys []chat.Key
		for j := range drafts {
			keys = append(keys, drafts[j].Key())
		}
		found, ferr := s.Find(s.ctx, keys)
		s.no(ferr)
		switch {
		case err == nil:
			same(s, "stored by a success", len(found), 3)
		case errors.Is(err, chat.ErrUnknownOutcome):
			if len(found) != 0 && len(found) != 3 {
				s.Fatalf("half a batch: %d", len(found))
			}
		default:
			s.wants(chat.ErrUnavailable, err)
			same(s, "stored by a failure", len(found), 0)
		}
	}
	s.log(room)
	s.post(s.text(room, u, "and on"))
}

func firstNumber(s *stage) {
	u := s.user()
	for _, c := range []struct {
		name        string
		first, want int64 // beyond the head; first 0: missing
	}{
		{"missing", 0, 1}, {"the next", 1, 1}, {"ahead", 40, 40}, {"behind", -3, 1}, {"at the head", 0, 1},
	} {
		room := s.room(chat.Public, u)
		s.post(s.texts(room, u, 5)...)
		head := s.head(room)
		firsts := map[string]int64{room: head.Seq + c.first}
		if c.name == "missing" {
			firsts = nil
		}
		out := s.numbered(firsts, s.texts(room, u, 3)...)
		for i, o := range out {
			same(s, c.name, o.Entry.Seq, head.Seq+c.want+int64(i))
		}
		same(s, "first points back at", out[0].Entry.Prev(), head)
		same(s, "head", s.head(room), out[2].Entry.Position())
		s.log(room)
	}
}

func severalRooms(s *stage) {
	u, stranger := s.user(), s.user()
	a, b, c := s.room(chat.Public, u), s.room(chat.Public, u), s.room(chat.Public, u)
	old := s.text(b, u, "old")
	s.post(old)
	heads := map[string]int64{a: s.head(a).Seq, b: s.head(b).Seq}
	out := s.numbered(map[string]int64{a: 11, b: 3, c: 70},
		s.text(b, u, "b1"), s.text(a, u, "a1"), s.text(a, stranger, "refused"), old, s.text(b, u, "b2"), s.text(a, u, "a2"),
		s.text(c, stranger, "refused"))
	for i, want := range []int64{heads[b] + 1, 11, 0, heads[b], heads[b] + 2, 12, 0} {
		same(s, fmt.Sprint("number of draft ", i), out[i].Entry.Seq, want)
	}
	s.wants(chat.ErrNotAMember, out[2].Err)
	same(s, "log", bodies(s.log(a)), " a1 a2")
	same(s, "log", bodies(s.log(b)), " old b1 b2")
	same(s, "log", bodies(s.log(c)), "")
}

func skippedNumbers(s *stage) {
	u := s.user()
	room := s.room(chat.Public, u)
	before := s.head(room)
	e := s.numbered(map[string]int64{room: 1000}, s.text(room, u, "far"))[0].Entry
	same(s, "number", e.Seq, 1000)
	same(s, "prev", e.Prev(), before)
	o := s.numbered(map[string]int64{room: 500}, s.text(room, u, "late"))[0]
	same(s, "number of what comes late", o.Entry.Seq, 1001)
	run, err := s.After(s.ctx, room, chat.Position{Seq: 500}, 10)
	s.no(err)
	same(s, "an unused number is known", run.Known, false)
}

// badDraft takes both ways a store may have: it refuses the draft, or the batch, which is then split as the relay does.
func badDraft(s *stage) {
	u := s.user()
	room := s.room(chat.Public, u)
	for name, bad := range map[string]chat.Draft{
		"U+0000":        s.text(room, u, "a\x00b"),
		"broken UTF-8":  s.text(room, u, "a\xffb"),
		"no such part":  s.draft(room, u, chat.KindMemberLeft),
		"no such role":  s.setting(room, u, u, "king"),
		"unknown actor": s.text(room, chat.NewID(), "who?"),
	} {
		before := s.head(room)
		out := splitting(s, []chat.Draft{s.text(room, u, "x"), bad, s.text(room, u, "y"), s.text(room, u, "z")})
		if out[1].Err == nil {
			s.Errorf("%s: stored as %+v", name, out[1].Entry)
		}
		for i, seq := range []int64{before.Seq + 1, 0, before.Seq + 2, before.Seq + 3} {
			same(s, name, out[i].Entry.Seq, seq)
		}
	}
	if log := bodies(s.log(room)); strings.ContainsAny(log, "ab?") {
		s.Fatalf("log is %q", log)
	}
}

func splitting(s *stage, drafts []chat.Draft) []chat.Outcome {
	out, err := s.Append(s.ctx, drafts, nil)
	switch {
	case !errors.Is(err, chat.ErrBadData):
		s.no(err)
		return out
	case len(drafts) == 1:
		return []chat.Outcome{{Err: err}}
	default:
		half := len(drafts) / 2
		return append(splitting(s, drafts[:half]), splitting(s, drafts[half:])...)
	}
}
