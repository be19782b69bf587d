package session_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gochat-dev/gochat/internal/session"
)

func TestDrain(t *testing.T) {
	prove(t, []rule{
		{"[DRN1] everybody is asked to reconnect, who stays is closed with 1001, commits under way are answered", func(s *stage) {
			n := s.node()
			ann := s.user()
			room := s.room(ann)
			var clients []*client
			for range 250 {
				clients = append(clients, s.connect(n, ann.hello()))
			}
			began := time.Now()
			drained := make(chan struct{})
			go func() {
				defer close(drained)
				n.Drain(context.Background(), 20*time.Second)
			}()
			synctest.Wait()
			if _, err := n.Open(s.ctx, ann.hello()); !errors.Is(err, session.ErrDraining) {
				s.Errorf("a new connection: %v", err)
			}
			if !slices.Equal(n.see.turnedAway, []string{"leaving"}) {
				s.Errorf("turned away: %v", n.see.turnedAway)
			}
			for _, c := range clients {
				c.gets("reconnect 10000")
			}
			clients[0].done("send", fields{"room_id": room, "body": "still served"})
			for i, c := range clients[:100] { // they do as they are asked
				s.pass(50 * time.Millisecond)
				c.hang()
				if i == 50 {
					clients[200].open()
				}
			}
			s.pass(time.Until(began.Add(10*time.Second + time.Millisecond)))
			<-drained
			if took := time.Since(began); took > 20*time.Second {
				s.Errorf("it took %v", took)
			}
			for _, c := range clients[100:] {
				c.closed(1001)
			}
		}},
		{"[DRN1] who was admitted before and becomes live only then is asked too, once", func(s *stage) {
			n := s.node()
			ann := s.user()
			pending, err := n.Open(s.ctx, ann.hello())
			s.no(err)
			drained := make(chan struct{})
			go func() {
				defer close(drained)
				n.Drain(context.Background(), 20*time.Second)
			}()
			synctest.Wait()
			c := s.client()
			pending.Start(c)
			s.pass(time.Second)
			var told []string
			for _, o := range c.take() {
				told = append(told, o.Type)
			}
			if !slices.Equal(told, []string{"welcome", "reconnect"}) {
				s.Errorf("told %v", told)
			}
			c.hang()
			<-drained
		}},
		{"[DRN1] nobody there: it is over at once", func(s *stage) {
			n := s.node()
			began := time.Now()
			n.Drain(context.Background(), 20*time.Second)
			if time.Since(began) > 0 {
				s.Errorf("it took %v", time.Since(began))
			}
		}},
		{"[DRN1] all who leave by themselves: it is over when the last one has", func(s *stage) {
			n := s.node()
			ann := s.user()
			c := s.connect(n, ann.hello())
			drained := make(chan struct{})
			go func() {
				defer close(drained)
				n.Drain(context.Background(), 20*time.Second)
			}()
			s.pass(3 * time.Second)
			c.hang()
			<-drained
			if code := n.see.codes; !slices.Equal(code, []int{0}) {
				s.Errorf("closed with %v", code)
			}
		}},
		{"[DRN1] presence is handed over without a flicker", func(s *stage) {
			a, b := s.node(), s.node()
			ann, bob := s.user(), s.user()
			s.room(ann, bob)
			c, other := s.connect(a, ann.hello()), s.connect(b, bob.hello())
			s.pass(time.Second)
			other.take()
			go a.Drain(context.Background(), 20*time.Second)
			s.pass(2 * time.Second)
			moved := s.connect(b, ann.hello())
			c.hang()
			a.stop()
			for range 40 {
				s.pass(time.Second)
				moved.say(`{"type":"pong"}`)
				other.say(`{"type":"pong"}`)
			}
			for _, o := range other.take() {
				if o.Type == "presence" {
					s.Errorf("it flickered: %+v", o.Changes)
				}
			}
		}},
		{"closing the server ends every connection", func(s *stage) {
			n := s.node()
			ann := s.user()
			c := s.connect(n, ann.hello())
			p, err := n.Open(s.ctx, ann.hello())
			s.no(err)
			n.Server.Close()
			late := s.client()
			p.Start(late)
			synctest.Wait()
			for _, c := range []*client{c, late} {
				select {
				case <-c.ended:
				default:
					s.Error("a connection is open")
				}
			}
		}},
	})
}
