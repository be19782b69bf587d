package session_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

func TestOrder(t *testing.T) {
	prove(t, []rule{
		{"[SEQ7] after `unavailable` later sends to the room wait, other rooms go on", func(s *stage) {
			n := s.node()
			ann := s.user()
			room := s.room(ann)
			c := s.connect(n, ann.hello())
			n.store.fail(fmt.Errorf("test: %w", chat.ErrUnavailable))
			first := fields{"room_id": room, "body": "first", "client_id": chat.NewID()}
			o := c.refused(chat.CodeUnavailable, "send", first)
			n.store.heal()
			c.refused(chat.CodeUnavailable, "send", fields{"room_id": room, "body": "must not overtake it"})
			s.pass(time.Duration(o.Error.RetryAfterMS) * time.Millisecond)
			c.done("send", first)
			c.done("send", fields{"room_id": room, "body": "second"})
		}},
		{"[SEQ7] what was sent before `unavailable` was known does not overtake, however late it is read, and whatever was sent twice", func(s *stage) {
			n := s.node()
			ann := s.user()
			room := s.room(ann)
			c := s.connect(n, ann.hello())
			n.store.fail(fmt.Errorf("test: %w", chat.ErrUnavailable))
			n.store.shut("page")
			first := fields{"room_id": room, "body": "first", "client_id": chat.NewID()}
			refused := c.put("send", first)
			c.put("history", fields{"room_id": room})
			late := c.put("send", fields{"room_id": room, "body": "must not overtake it"})
			again := c.put("send", first)
			later := c.put("send", fields{"room_id": room, "body": "must not overtake the one before"})
			s.pass(4 * time.Second) // the reader waits for the store
			n.store.heal()
			s.pass(0)
			var got []string
			for _, o := range c.take() {
				switch {
				case o.Type == "ping":
					got = append(got, o.Type)
					c.say(`{"type":"pong"}`)
				case o.Type == "reply" && o.ID == again, o.Type == "error" && (o.ID == refused || o.ID == late || o.ID == later):
					got = append(got, fmt.Sprint(o.Type, " ", o.ID, " ", o.Error.Code))
				}
			}
			slices.Sort(got[2:]) // those that are refused at once are answered before the one that is stored
			want := []string{
				fmt.Sprint("error ", refused, " unavailable"), "ping",
				fmt.Sprint("error ", late, " unavailable"), fmt.Sprint("error ", later, " unavailable"), fmt.Sprint("reply ", again, " "),
			}
			if !slices.Equal(got, want) {
				s.Errorf("got %q, want %q", got, want)
			}
			s.pass(time.Second) // as told
			c.done("send", fields{"room_id": room, "body": "must not overtake it"})
			c.done("send", fields{"room_id": room, "body": "must not overtake the one before"})
		}},
		{"[SEQ7] who has answered the ping that follows `unavailable`, and waited as it was told, may go on without what was refused", func(s *stage) {
			n := s.node()
			ann := s.user()
			room := s.room(ann)
			quick, dumb := s.connect(n, ann.hello()), s.connect(n, ann.hello())
			n.store.fail(fmt.Errorf("test: %w", chat.ErrUnavailable))
			for _, c := range []*client{quick, dumb} {
				c.refused(chat.CodeUnavailable, "send", fields{"room_id": room, "body": "given up"})
				if got := c.take(); len(got) != 1 || got[0].Type != "ping" {
					s.Errorf("after the refusal came %+v, want a ping", got)
				}
			}
			n.store.heal()
			quick.say(`{"type":"pong"}`)
			s.pass(time.Second)
			quick.done("send", fields{"room_id": room, "body": "goes on"})
			dumb.say(`{"type":"ping","id":1000}`) // is heard, but does not say what it has heard
			dumb.refused(chat.CodeUnavailable, "send", fields{"room_id": room, "body": "may have been sent before it heard"})
			s.pass(4 * time.Second)
			dumb.done("send", fields{"room_id": room, "body": "goes on too"})
		}},
		{"[SEQ7] a pong that nothing was asked for answers no later ping", func(s *stage) {
			n := s.node()
			ann := s.user()
			room := s.room(ann)
			c := s.connect(n, ann.hello())
			for range 5 {
				c.say(`{"type":"pong"}`)
			}
			n.store.fail(fmt.Errorf("test: %w", chat.ErrUnavailable))
			c.refused(chat.CodeUnavailable, "send", fields{"room_id": room, "body": "given up"})
			n.store.heal()
			s.pass(time.Second)
			c.refused(chat.CodeUnavailable, "send", fields{"room_id": room, "body": "may have been sent before it heard"})
		}},
		{"[SEQ7] what one connection sends at once keeps its order", func(s *stage) {
			n := s.node()
			ann := s.user()
			room := s.room(ann)
			c := s.connect(n, ann.hello())
			var want []string
			for i := range 100 {
				c.put("send", fields{"room_id": room, "body": fmt.Sprint(i)})
				want = append(want, fmt.Sprint(i))
			}
			synctest.Wait()
			var got []string
			for _, o := range c.take() {
				if o.Type == "entry" {
					got = append(got, o.Body)
				}
			}
			if strings.Join(got, " ") != strings.Join(want, " ") {
				s.Errorf("pushed in the order %v", got)
			}
		}},
	})
}
