package faults

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// drain is the window that a node is given to leave in.
const drain = 8 * time.Second

// TestRollingRestart replaces every node, one after the other, under load and behind a real proxy.
func TestRollingRestart(t *testing.T) {
	t.Run("[DRN1][DRN2] every node is replaced under load: nothing lost or doubled, nobody away for more than 5 s, no flicker, exit 0 within the window", func(t *testing.T) {
		t.Parallel()
		s := newSet(t, plan{
			people: 30, stays: 5, pace: 20 * time.Millisecond, still: true, front: haproxy, env: []string{"GOCHAT_DRAIN=" + drain.String()},
		})
		s.talk()
		s.says(0, "before")
		s.seen("before", soon)
		asking := s.ask()
		began := time.Now()
		for _, n := range s.nodes {
			s.note("FAULT SIGTERM of %s", n.name)
			asked := time.Now()
			s.must(n.leave())
			took := time.Since(asked)
			t.Logf("%s left within %v", n.name, took)
			if took > drain {
				t.Errorf("%s took %v to leave, more than its window of %v", n.name, took, drain)
			}
			s.must(n.start())
			s.says(0, n.name)
			s.seen(n.name, soon)
		}
		ended := time.Now()
		answers := asking()
		t.Logf("GET /rooms was answered %v", answers)
		if len(answers) > 1 || answers["OK"] == 0 {
			t.Errorf("GET /rooms was answered %v, want OK alone", answers)
		}
		gaps := s.crowd.Gaps()
		if len(gaps) < len(s.people) {
			t.Errorf("%d connections were replaced, fewer than there are people", len(gaps))
		}
		t.Logf("%d connections replaced; without one for: median %v, 90 %% %v, 99 %% %v, most %v",
			len(gaps), part(gaps, 50), part(gaps, 90), part(gaps, 99), part(gaps, 100))
		if most := part(gaps, 100); most > 5*time.Second {
			t.Errorf("somebody was without a connection for %v", most)
		}
		waits, said := s.crowd.Slowest(began, ended)
		delivered := s.crowd.Delivered(began, ended)
		slices.Sort(delivered)
		t.Logf("%d messages said, the slowest acknowledged after %v; %d deliveries: median %v, 99 %% %v, most %v",
			said, waits, len(delivered), part(delivered, 50), part(delivered, 99), part(delivered, 100))
		for _, flicker := range s.crowd.Offline() {
			t.Error(flicker)
		}
		s.finish()
	})
}

// ask has somebody ask for their rooms again and again, until what it returns is called: how often there was which answer.
func (s *set) ask() (stop func() map[string]int) {
	ctx, cancel := context.WithCancel(context.Background())
	answers := make(map[string]int)
	var wg sync.WaitGroup
	wg.Go(func() {
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		for ctx.Err() == nil {
			status, err := s.front.call(s.people[0].token, http.MethodGet, "/rooms", nil, nil)
			if err != nil {
				s.note("GET /rooms: %v", err)
			}
			answers[http.StatusText(status)]++
			<-ticker.C
		}
	})
	return func() map[string]int { cancel(); wg.Wait(); return answers }
}

// part is the value that so many percent of sorted values do not exceed.
func part(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, (len(sorted)*percent+99)/100-1)].Round(time.Microsecond)
}
