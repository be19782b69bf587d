package relay_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/relay"
)

func TestRate(t *testing.T) {
	prove(t, []rule{
		{"a user's texts are limited, whichever way they come", func(s *stage) {
			a := s.node(func(cfg *relay.Config) { cfg.SendRate, cfg.SendBurst = 10, 5 })
			ann, bob := s.user(), s.user()
			room := s.room(ann, bob)
			for range 5 {
				s.do(a, text(room, ann, "fast"))
			}
			_, err := a.Do(s.ctx, text(room, ann, "too fast"))
			refused, ok := err.(*chat.Error)
			if !ok || refused.Code != chat.CodeRateLimited || refused.RetryAfter <= 0 || refused.RetryAfter > 100*time.Millisecond {
				s.Fatalf("error is %v", err)
			}
			s.no(a.Allow(bob))
			s.pass(refused.RetryAfter)
			s.no(a.Allow(ann))
			if a.said.limited != 1 {
				s.Errorf("%d refusals counted", a.said.limited)
			}
		}},
		{"texts that can't be stored are refused before anything is numbered", func(s *stage) {
			a := s.node()
			ann := s.user()
			room := s.room(ann)
			for body, want := range map[string]chat.Code{
				"": chat.CodeEmpty, "\n": chat.CodeEmpty, "a\x00b": chat.CodeBadRequest, "\xff": chat.CodeBadRequest,
				strings.Repeat("é", chat.MaxBody+1): chat.CodeTooLong,
			} {
				_, err := a.Do(s.ctx, text(room, ann, body))
				if refused, ok := err.(*chat.Error); !ok || refused.Code != want {
					s.Errorf("%.20q: error is %v, want %s", body, err, want)
				}
			}
			s.do(a, text(room, ann, strings.Repeat("é", chat.MaxBody)))
			if e := s.do(a, text(room, ann, "next")); e.Seq != 3 {
				s.Errorf("numbered %d, want 3", e.Seq)
			}
		}},
	})
}
