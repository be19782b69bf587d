package session_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/session"
)

func TestClose(t *testing.T) {
	prove(t, []rule{
		{"4001: the token expired, unless a fresh one came in time", func(s *stage) {
			n := s.node()
			ann := s.user()
			h := ann.hello()
			h.Expires = time.Now().Add(15 * time.Minute)
			late, renewed := s.connect(n, h), s.connect(n, h)
			for range 14 {
				s.pass(time.Minute / 2)
				late.say(`{"type":"pong"}`)
				renewed.say(`{"type":"pong"}`)
			}
			token := fmt.Sprintf("%s/%s/15m", ann.id, ann.session)
			if o := renewed.done("auth", fields{"token": token}); o.Expires == "" {
				s.Errorf("no expires_at")
			}
			for range 17 {
				s.pass(time.Minute / 2)
				if time.Until(h.Expires) > 0 {
					late.say(`{"type":"pong"}`)
				}
				renewed.say(`{"type":"pong"}`)
			}
			late.closed(4001)
			renewed.open()
		}},
		{"auth takes a token of the same user and session only", func(s *stage) {
			n := s.node()
			ann, bob := s.user(), s.user()
			c := s.connect(n, ann.hello())
			for _, token := range []string{
				"nonsense", fmt.Sprintf("%s/%s/15m", bob.id, bob.session), fmt.Sprintf("%s/other/15m", ann.id),
			} {
				c.refused(chat.CodeUnauthorized, "auth", fields{"token": token})
			}
			c.refused(chat.CodeBadRequest, "auth", nil)
			c.open()
		}},
		{"4008: a client that is not heard for two intervals; one that answers pings stays", func(s *stage) {
			n := s.node()
			ann := s.user()
			silent, good := s.connect(n, ann.hello()), s.connect(n, ann.hello())
			pings := 0
			for range 52 {
				s.pass(time.Second)
				for _, o := range good.take() {
					if o.Type == "ping" {
						pings++
						good.say(`{"type":"pong"}`)
					}
				}
			}
			silent.closed(4008)
			good.open()
			if pings != 2 {
				s.Errorf("%d pings in 52 s", pings)
			}
		}},
		{"1009 and 4110: a frame that is too large, binary, not JSON, without a type", func(s *stage) {
			n := s.node()
			ann := s.user()
			for message, code := range map[string]int{
				"too large": 1009, "binary": 4110, "nonsense": 4110, `{"id":1}`: 4110, "[]": 4110, "": 4110, "{\"type\":\"ping\",\"id\":1}\n{": 4110,
				"{\"type\":\"\xff\"}": 4110, strings.Repeat(`{"a":`, 5000): 4110,
			} {
				c := s.connect(n, ann.hello())
				c.say(message)
				c.closed(code)
			}
		}},
		{"what stood before a bad line is answered before the close", func(s *stage) {
			n := s.node()
			c := s.connect(n, s.user().hello())
			c.say("{\"type\":\"ping\",\"id\":1}\n{")
			c.closed(4110)
			c.gets("reply 1")
		}},
		{"4029: still flooding after 100 rate_limited answers", func(s *stage) {
			for what, command := range map[string]string{
				"commands": `{"type":"ping","id":1}`, "nonsense": `{"type":"dance","id":1}`, "sends": `{"type":"send","id":1,"room_id":"r","body":"x"}`,
				"empty sends": `{"type":"send","id":1,"room_id":"r"}`,
			} {
				n := s.node(func(cfg *setup) { cfg.relay.SendRate = rate.Limit(10) })
				c := s.connect(n, s.user().hello())
				for range 500 {
					c.in <- []byte(command)
				}
				c.closed(4029)
				limited := 0
				for _, o := range c.take() {
					if o.Error.Code == chat.CodeRateLimited {
						if limited++; o.Error.RetryAfterMS <= 0 {
							s.Fatalf("%s: no retry_after_ms", what)
						}
					}
				}
				if limited != 101 {
					s.Errorf("%s: %d rate_limited answers", what, limited)
				}
				if what != "sends" && n.see.limited != limited { // those the relay counts
					s.Errorf("%s: %d refusals counted, want %d", what, n.see.limited, limited)
				}
			}
		}},
		{"who slows down is not closed", func(s *stage) {
			n := s.node()
			c := s.connect(n, s.user().hello())
			for range 5 {
				for range 280 {
					c.put("ping", nil)
				}
				for range 4 {
					s.pass(16 * time.Second)
					c.say(`{"type":"pong"}`)
				}
				c.open()
				c.take()
			}
		}},
		{"4100: the session was revoked, on every node, and its user is offline at once", func(s *stage) {
			a, b := s.node(), s.node()
			ann, bob := s.user(), s.user()
			s.room(ann, bob)
			c, other := s.connect(a, ann.hello()), s.connect(b, bob.hello())
			s.pass(time.Second)
			other.take()
			_, err := s.db.Revoke(s.ctx, ann.id, ann.session, "")
			s.no(err)
			b.relay.Notify(s.ctx, chat.UserNotice{UserID: ann.id, Kind: chat.SessionRevoked, Session: ann.session})
			c.closed(4100)
			s.pass(time.Second)
			var states []chat.PresenceChange
			for _, o := range other.take() {
				states = append(states, o.Changes...)
			}
			if fmt.Sprint(states) != fmt.Sprintf("[{%s offline}]", ann.id) {
				s.Errorf("changes %v", states)
			}
		}},
		{"a session revoked between the admission and the socket is closed all the same", func(s *stage) {
			n := s.node()
			ann := s.user()
			p, err := n.Open(s.ctx, ann.hello())
			s.no(err)
			n.Revoked(ann.id, ann.session)
			c := s.client()
			p.Start(c)
			c.closed(4100)
			_, err = s.db.Revoke(s.ctx, ann.id, ann.session, "")
			s.no(err)
			if _, err := n.Open(s.ctx, ann.hello()); !errors.Is(err, chat.ErrRevoked) {
				s.Errorf("error is %v", err)
			}
		}},
		{"[SEQ3] an outcome that stays unknown closes with 1013: reconnect and send again", func(s *stage) {
			n := s.node()
			ann := s.user()
			room := s.room(ann)
			c := s.connect(n, ann.hello())
			n.store.fail(fmt.Errorf("test: %w", chat.ErrUnknownOutcome))
			c.put("send", fields{"room_id": room, "body": "hello"})
			s.pass(15 * time.Second)
			c.closed(1013)
		}},
		{"no more connections than allowed", func(s *stage) {
			var log bytes.Buffer
			n := s.node(func(cfg *setup) {
				cfg.session.MaxConnections = 2
				cfg.session.Log = slog.New(slog.NewTextHandler(&log, nil))
			})
			ann := s.user()
			first := s.connect(n, ann.hello())
			s.connect(n, ann.hello())
			for range 5 {
				if _, err := n.Open(s.ctx, ann.hello()); !errors.Is(err, session.ErrFull) {
					s.Errorf("error is %v", err)
				}
			}
			if lines := strings.Count(log.String(), "the server is full"); lines != 1 {
				s.Errorf("it is logged %d times:\n%s", lines, &log)
			}
			if n.see.connected != 2 || !slices.Equal(n.see.turnedAway, []string{"full", "full", "full", "full", "full"}) {
				s.Errorf("counted: %d connected, turned away: %v", n.see.connected, n.see.turnedAway)
			}
			first.hang()
			s.connect(n, ann.hello())
			if count, _ := n.Count(); count != 2 {
				s.Errorf("%d connections", count)
			}
		}},
		{"[PRS3] a reload flickers nowhere; who does not come back is offline after 5 s", func(s *stage) {
			a, b := s.node(), s.node()
			ann, bob := s.user(), s.user()
			s.room(ann, bob)
			c, other := s.connect(a, ann.hello()), s.connect(b, bob.hello())
			s.pass(time.Second)
			other.take()
			c.hang()
			s.pass(3 * time.Second)
			c = s.connect(b, ann.hello())
			s.pass(4 * time.Second)
			if got := other.take(); len(got) != 0 {
				s.Errorf("a reload was told: %+v", got)
			}
			c.hang()
			s.pass(4900 * time.Millisecond)
			if got := other.take(); len(got) != 0 {
				s.Errorf("told too soon: %+v", got)
			}
			s.pass(time.Second)
			got := other.take()
			if len(got) != 1 || got[0].Changes[0] != (chat.PresenceChange{UserID: ann.id, State: chat.Offline}) {
				s.Errorf("got %+v", got)
			}
		}},
	})
}
