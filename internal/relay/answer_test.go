package relay_test

import (
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

func TestAnswers(t *testing.T) {
	prove(t, []rule{
		{"every send is counted by how it ended, and waits until then", func(s *stage) {
			n := s.node()
			ann, eve := s.user(), s.user()
			room := s.room(ann)
			ended := func(want map[string]int) {
				s.Helper()
				synctest.Wait()
				n.said.mu.Lock()
				defer n.said.mu.Unlock()
				if !maps.Equal(n.said.ended, want) {
					s.Errorf("the sends ended as %v, want %v", n.said.ended, want)
				}
				n.said.ended = nil
			}
			synctest.Wait()
			n.said.note(func() { n.said.ended = nil }) // of the room's making
			var got answers
			var gone origin
			first := text(room, ann, "first")
			goOn := n.store.shut()
			got.postDraft(n, first, nil)
			synctest.Wait() // it is under way, and the others wait behind it
			got.postDraft(n, first, nil)
			got.post(n, room, eve, "not hers", nil)
			got.post(n, room, ann, "of a connection that is closed", &gone)
			gone.GiveUp()
			if waiting := n.Waiting(); waiting != 4 {
				s.Errorf("%d sends wait, want 4", waiting)
			}
			goOn()
			ended(map[string]int{"committed": 1, "duplicate": 1, "refused": 1, "abandoned": 1})
			n.store.set(func([]chat.Draft) error { return fmt.Errorf("test: %w", chat.ErrUnavailable) }, nil)
			got.post(n, room, ann, "too bad", nil)
			s.pass(time.Second)
			ended(map[string]int{"unavailable": 1})
			if waiting := n.Waiting(); waiting != 0 {
				s.Errorf("%d sends wait, and all are answered", waiting)
			}
		}},
	})
}
