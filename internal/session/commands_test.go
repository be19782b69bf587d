package session_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

type fields = map[string]any

func TestWelcome(t *testing.T) {
	prove(t, []rule{
		{"the first object says who one is and which rooms one has, the last active first", func(s *stage) {
			n := s.node()
			ann, bob := s.user(), s.user()
			old, quiet := s.room(ann, bob), s.room(bob, ann)
			s.pass(time.Second)
			s.texts(old, bob, 3)
			w := s.connect(n, ann.hello()).welcome
			epoch, err := s.db.Epoch(s.ctx)
			s.no(err)
			if w.Connection == "" || w.Epoch != epoch || w.User.ID != ann.id || w.PingInterval != 25_000 || w.Next != "" {
				s.Errorf("welcome %+v", w)
			}
			if at, err := time.Parse("2006-01-02T15:04:05.000Z", w.ServerTime); err != nil || time.Since(at) > time.Second {
				s.Errorf("server_time %s (%v)", w.ServerTime, err)
			}
			if len(w.Rooms) != 2 || w.Rooms[0].ID != old || w.Rooms[1].ID != quiet {
				s.Fatalf("rooms %+v", w.Rooms)
			}
			r := w.Rooms[0]
			if r.HeadSeq != 5 || r.Role != chat.RoleOwner || r.MemberCount != 2 || r.UnreadCount != 3 || r.LastEntry == nil || r.LastEntry.Seq != 5 {
				s.Errorf("room %+v", r)
			}
		}},
		{"[RES1] head_seq is the cut: the next entry that is pushed is its successor", func(s *stage) {
			n := s.node()
			ann := s.user()
			room := s.room(ann)
			s.texts(room, ann, 3)
			c := s.connect(n, ann.hello())
			s.do(n, text(room, ann, "next"))
			got := c.take()
			if len(got) != 1 || got[0].Seq != c.welcome.Rooms[0].HeadSeq+1 || got[0].PrevSeq != nil {
				s.Errorf("after %d came %+v", c.welcome.Rooms[0].HeadSeq, got)
			}
		}},
		{"[RES1] what is committed between the welcome and going live is not lost", func(s *stage) {
			n := s.node()
			ann := s.user()
			room := s.room(ann)
			s.connect(n, ann.hello()) // the room is live
			p, err := n.Open(s.ctx, ann.hello())
			s.no(err)
			s.do(n, text(room, ann, "in between"))
			p.Abort()
			c := s.connect(n, ann.hello())
			if c.welcome.Rooms[0].HeadSeq != 2 {
				s.Errorf("head_seq is %d", c.welcome.Rooms[0].HeadSeq)
			}
			s.texts(room, ann, 1) // 3, committed elsewhere: no bell
			late := s.connect(n, ann.hello())
			s.do(n, text(room, ann, "four"))
			late.gets("4")
			c.gets("3", "4")
		}},
	})
}

func TestCommands(t *testing.T) {
	prove(t, []rule{
		{"[SEQ3] send is answered with the number, and its own push confirms it", func(s *stage) {
			n := s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			c, other := s.connect(n, ann.hello()), s.connect(n, bob.hello())
			id := chat.NewID()
			reply := c.done("send", fields{"room_id": room, "client_id": id, "body": "hello"})
			if reply.RoomID != room || reply.Seq != 3 || reply.Message == "" {
				s.Errorf("reply %+v", reply)
			}
			for _, c := range []*client{c, other} {
				got := c.take()
				push := got[len(got)-1]
				if push.Seq != 3 || push.Client != id || push.Body != "hello" || push.Message != reply.Message {
					s.Errorf("push %+v", push)
				}
			}
		}},
		{"[SEQ2] sent again it has the number it had, on any connection", func(s *stage) {
			a, b := s.node(), s.node()
			ann := s.user()
			room := s.room(ann)
			send := fields{"room_id": room, "client_id": chat.NewID(), "body": "once"}
			first := s.connect(a, ann.hello()).done("send", send)
			c := s.connect(b, ann.hello())
			if again := c.done("send", send); again.Seq != first.Seq || again.Message != first.Message {
				s.Errorf("first %d %s, then %d %s", first.Seq, first.Message, again.Seq, again.Message)
			}
			c.gets()
		}},
		{"a send that can't be taken says why", func(s *stage) {
			n := s.node()
			ann, bob := s.user(), s.user()
			room, other := s.room(ann), s.room(bob)
			c := s.connect(n, ann.hello())
			for _, bad := range []struct {
				code chat.Code
				send fields
			}{
				{chat.CodeEmpty, fields{"room_id": room}},
				{chat.CodeEmpty, fields{"room_id": room, "body": "\n "}},
				{chat.CodeTooLong, fields{"room_id": room, "body": strings.Repeat("é", 8001)}},
				{chat.CodeBadRequest, fields{"room_id": room, "body": "a\x00"}},
				{chat.CodeBadRequest, fields{"room_id": room, "body": "a", "client_id": "7"}},
				{chat.CodeBadRequest, fields{"room_id": room, "body": 7}},
				{chat.CodeBadRequest, fields{"body": "a"}},
				{chat.CodeNotAMember, fields{"room_id": other, "body": "a"}},
				{chat.CodeNotAMember, fields{"room_id": "nowhere", "body": "a"}},
			} {
				c.refused(bad.code, "send", bad.send)
			}
			c.done("send", fields{"room_id": room, "body": strings.Repeat("é", 8000)})
		}},
		{"[RES1] join answers with the last 50 entries, the head and who is here", func(s *stage) {
			n := s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob) // 1, 2
			s.texts(room, bob, 60)   // to 62
			s.connect(n, bob.hello()).done("typing", fields{"room_id": room, "on": true})
			c := s.connect(n, ann.hello())
			s.pass(time.Second)
			c.take()
			o := c.done("join", fields{"room_id": room})
			if len(o.Entries) != 50 || o.Entries[0].Seq != 13 || o.Entries[49].Seq != 62 || !o.HasMore || o.Recovered != nil {
				s.Errorf("%d entries, has_more %v, recovered %v", len(o.Entries), o.HasMore, o.Recovered)
			}
			if o.Room.HeadSeq != 62 || o.Room.Role != chat.RoleOwner || o.Room.UnreadCount != 60 {
				s.Errorf("room %+v", o.Room)
			}
			var states map[string]chat.State
			if err := json.Unmarshal(o.Presence, &states); err != nil || len(states) != 2 || states[bob.id] != chat.Online {
				s.Errorf("presence %s", o.Presence)
			}
			if fmt.Sprint(o.Typing) != fmt.Sprint([]string{bob.id}) || !strings.Contains(string(o.Users), bob.name) || len(o.Reads) == 0 {
				s.Errorf("typing %v, users %s, reads %v", o.Typing, o.Users, o.Reads)
			}
			if few := c.done("join", fields{"room_id": s.smallRoom(n, ann)}); len(few.Entries) != 1 || few.HasMore {
				s.Errorf("of a new room came %d entries, has_more %v", len(few.Entries), few.HasMore)
			}
			s.do(n, text(room, ann, "live all the same"))
			if got := c.take(); got[len(got)-1].Seq != 63 {
				s.Errorf("joining changed what is live: %v", got)
			}
		}},
		{"[RES3] join after a position is answered with all that follows, or afresh", func(s *stage) {
			n := s.node()
			ann := s.user()
			room := s.room(ann)
			log := s.texts(room, ann, 520) // 2 to 521
			c := s.connect(n, ann.hello())
			for _, j := range []struct {
				seq       int64
				id        string
				recovered bool
				entries   int
			}{
				{521, log[519].MessageID, true, 0},
				{520, "", true, 1},
				{21, log[19].MessageID, true, 500},
				{20, log[18].MessageID, false, 50}, // more than 500 missed
				{521, log[0].MessageID, false, 50}, // another id
				{900, "", false, 50},               // a number that is not reached
			} {
				ask := fields{"room_id": room, "last_received_seq": j.seq}
				if j.id != "" {
					ask["last_received_id"] = j.id
				}
				o := c.done("join", ask)
				if o.Recovered == nil || *o.Recovered != j.recovered || len(o.Entries) != j.entries {
					s.Errorf("after %d: %d entries, recovered %v", j.seq, len(o.Entries), o.Recovered)
				}
			}
		}},
		{"join, history and read are for members", func(s *stage) {
			n := s.node()
			ann, bob := s.user(), s.user()
			room := s.room(bob)
			c := s.connect(n, ann.hello())
			for _, room := range []string{room, "nowhere"} { // whether there is one is not told
				c.refused(chat.CodeNotAMember, "join", fields{"room_id": room})
				c.refused(chat.CodeNotAMember, "join", fields{"room_id": room, "last_received_seq": 1})
				c.refused(chat.CodeNotAMember, "history", fields{"room_id": room, "before_seq": 5})
				c.refused(chat.CodeNotAMember, "read", fields{"room_id": room, "seq": 1})
				c.refused(chat.CodeNotAMember, "typing", fields{"room_id": room, "on": true})
			}
		}},
		{"history pages both ways", func(s *stage) {
			n := s.node()
			ann := s.user()
			room := s.room(ann)
			s.texts(room, ann, 99) // to 100
			c := s.connect(n, ann.hello())
			for _, page := range []struct {
				ask         fields
				first, last int64
				more        bool
			}{
				{fields{"before_seq": 60}, 10, 59, true},
				{fields{"before_seq": 11, "limit": 10}, 1, 10, false},
				{fields{"after_seq": 0, "limit": 3}, 1, 3, true},
				{fields{"after_seq": 95, "limit": 200}, 96, 100, false},
			} {
				page.ask["room_id"] = room
				o := c.done("history", page.ask)
				if n := len(o.Entries); n == 0 || o.Entries[0].Seq != page.first || o.Entries[n-1].Seq != page.last || o.HasMore != page.more {
					s.Errorf("%v: %d entries, has_more %v", page.ask, n, o.HasMore)
				}
			}
			c.refused(chat.CodeBadRequest, "history", fields{"room_id": room, "limit": 201})
			c.refused(chat.CodeBadRequest, "history", fields{"room_id": room, "before_seq": 5, "after_seq": 5})
		}},
		{"[SIG1] typing reaches the others of the room", func(s *stage) {
			a, b := s.node(), s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			c, near, far := s.connect(a, ann.hello()), s.connect(a, bob.hello()), s.connect(b, bob.hello())
			c.done("typing", fields{"room_id": room, "on": true})
			c.gets()
			near.gets("typing true")
			far.gets("typing true")
		}},
		{"[SIG2] read is answered with where one stands, and told to all, one's own other tab too", func(s *stage) {
			n := s.node()
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			s.texts(room, bob, 4) // 3 to 6
			c, tab, other := s.connect(n, ann.hello()), s.connect(n, ann.hello()), s.connect(n, bob.hello())
			if o := c.done("read", fields{"room_id": room, "seq": 5}); o.LastRead != 5 || o.Unread != 1 {
				s.Errorf("at %d with %d unread", o.LastRead, o.Unread)
			}
			s.pass(300 * time.Millisecond)
			for _, c := range []*client{c, tab, other} {
				c.gets("read 5")
			}
			// Another tab and a reload know it before it is saved.
			if room := s.connect(n, ann.hello()).welcome.Rooms[0]; room.LastReadSeq != 5 || room.UnreadCount != 1 {
				s.Errorf("welcomed at %d with %d unread", room.LastReadSeq, room.UnreadCount)
			}
			c.hang()
			if m, err := s.db.Member(s.ctx, room, ann.id); err != nil || m.LastReadSeq != 5 {
				s.Errorf("saved at the disconnect is %d (%v)", m.LastReadSeq, err)
			}
		}},
		{"[PRS3] presence reaches who shares a room within a second", func(s *stage) {
			a, b := s.node(), s.node()
			ann, bob := s.user(), s.user()
			s.room(ann, bob)
			c := s.connect(b, bob.hello())
			s.pass(time.Second)
			c.take()
			other := s.connect(a, ann.hello())
			s.pass(time.Second)
			other.done("presence", fields{"state": "away"})
			s.pass(time.Second)
			var states []chat.PresenceChange
			for _, o := range c.take() {
				states = append(states, o.Changes...)
			}
			if fmt.Sprint(states) != fmt.Sprintf("[{%s online} {%s away}]", ann.id, ann.id) {
				s.Errorf("changes %v", states)
			}
			other.refused(chat.CodeBadRequest, "presence", fields{"state": "offline"})
		}},
		{"ping is answered, pong is not", func(s *stage) {
			n := s.node()
			c := s.connect(n, s.user().hello())
			c.done("ping", nil)
			c.say(`{"type":"pong"}`)
			c.gets()
		}},
		{"what can't be understood is answered, with the id where there is one", func(s *stage) {
			n := s.node()
			c := s.connect(n, s.user().hello())
			c.refused(chat.CodeUnknownType, "dance", nil)
			c.say(`{"type":"ping"}`)
			c.say(`{"type":"ping","id":"seven"}`)
			c.gets("error 0 bad_request", "error 0 bad_request")
		}},
		{"a frame holds several commands, and answers are joined in one frame", func(s *stage) {
			n := s.node()
			ann := s.user()
			room := s.room(ann)
			c := s.connect(n, ann.hello())
			c.freeze()
			s.do(n, text(room, ann, "the writer is at this one"))
			before := c.writes
			c.say("{\"type\":\"ping\",\"id\":1}\n\n{\"type\":\"dance\",\"id\":2}\r\n{\"type\":\"ping\",\"id\":3}")
			c.unfreeze()
			c.gets("2", "reply 1", "error 2 unknown_type", "reply 3")
			if n := c.writes - before; n != 2 {
				s.Errorf("written in %d frames, want 2", n)
			}
		}},
		{"users push their new names", func(s *stage) {
			n := s.node()
			ann, bob := s.user(), s.user()
			s.room(ann, bob)
			c := s.connect(n, ann.hello())
			n.relay.Notify(s.ctx, chat.UserNotice{UserID: bob.id, Kind: chat.ProfileChanged, Profile: &chat.User{ID: bob.id, DisplayName: "Bobby"}})
			got := c.take()
			if len(got) != 1 || got[0].Type != "user_updated" || got[0].User != (wire.User{ID: bob.id, DisplayName: "Bobby"}) {
				s.Errorf("got %+v", got)
			}
		}},
	})
}

// smallRoom makes a room through a node, so that it becomes live by itself.
func (s *stage) smallRoom(n *node, u user) string {
	s.Helper()
	room := chat.NewID()
	s.do(n, chat.Draft{
		RoomID: room, SenderID: u.id, Kind: chat.KindMemberJoined, Create: &chat.NewRoom{Name: "Small", Visibility: chat.Private},
	})
	return room
}
