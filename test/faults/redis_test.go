package faults

import (
	"context"
	"net/http"
	"testing"
	"time"
)

const (
	// hurried is how long an entry may take to everybody while bells are known to be lost: the comparison comes every
	// second then (HUB6).
	hurried = 2500 * time.Millisecond
	// noWait is the longest that a send may take while Redis is away.
	noWait = 2 * time.Second
)

var redisRows = []row{
	{name: "redis_killed_and_restarted_empty_[SEQ4][SEQ5][HUB5][HUB6][PRS2]", do: redisKilled, alone: true},
	{name: "redis_FLUSHALL_while_sending_[SEQ4]", do: flushAll},
	{name: "redis_paused_[SEQ5][HUB5]", do: func(t *testing.T) {
		redisPaused(t, func(s *set, d time.Duration) {
			_, err := s.redis.Do(context.Background(), "CLIENT", "PAUSE", d.Milliseconds(), "ALL")
			s.must(err)
			s.pass(d)
		})
	}, alone: true},
	{name: "redis_frozen_[SEQ5][HUB5]", do: func(t *testing.T) {
		redisPaused(t, func(s *set, d time.Duration) {
			s.must(s.redis.Pause())
			s.pass(d)
			s.must(s.redis.Resume())
		})
	}, alone: true},
	{name: "redis_cut_off_from_one_instance_[SEQ5][HUB6]", do: func(t *testing.T) { redisUnreachable(t, (*proxy).setCut) }},
	{name: "redis_silent_to_one_instance_[SEQ5][HUB6]", do: func(t *testing.T) { redisUnreachable(t, (*proxy).setStalled) }},
	{name: "bus_loses_repeats_and_reorders_[HUB1][HUB5]", do: lossyBus},
}

// quick checks that nobody waited for long for a send in a span of time.
func (s *set) quick(from, to time.Time) {
	s.t.Helper()
	switch slowest, messages := s.crowd.Slowest(from, to); {
	case messages == 0:
		s.t.Error("nothing was said meanwhile")
	case slowest > noWait:
		s.t.Errorf("somebody waited %v for a send", slowest)
	default:
		s.t.Logf("%d messages meanwhile, the slowest took %v", messages, slowest)
	}
}

// speak has these clients in turn say something in the quiet room for a while, and everybody must see each within a bound.
func (s *set) speak(d, within time.Duration, clients ...int) {
	s.t.Helper()
	var longest time.Duration
	for i, end := 0, time.Now().Add(d); time.Now().Before(end); i++ {
		body := s.mark()
		s.says(clients[i%len(clients)], body)
		longest = max(longest, s.seen(body, within))
	}
	s.t.Logf("everybody saw everything within %v", longest)
}

// raised waits until Redis' counters are where the rooms' heads are.
func (s *set) raised() {
	s.t.Helper()
	for _, room := range s.rooms {
		s.crowd.Clients()[1].Send(room, s.mark())
		s.until("the counter of a room is raised", 5*time.Second, func() bool { return s.counter(room) >= s.head(room) })
	}
}

// present waits until every node, and Redis, knows that everybody is online.
func (s *set) present(within time.Duration) {
	s.t.Helper()
	const known = `local users = {} local n = 0
		for _, node in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
			for _, user in ipairs(redis.call('HKEYS', KEYS[1] .. ':' .. node)) do
				if not users[user] then users[user] = true n = n + 1 end
			end
		end
		return n`
	s.until("Redis knows who is here", within, func() bool {
		n, err := s.redis.Do(context.Background(), "EVAL", known, 1, "gochat:{presence}:nodes")
		return err == nil && n == int64(len(s.people))
	})
	for _, n := range s.nodes {
		s.until(n.name+" shows everybody online", within, func() bool { return s.online(n) == len(s.people) })
	}
}

// online are those whom a node shows as present in the quiet room.
func (s *set) online(n *node) int {
	var list struct {
		Items []struct{} `json:"items"`
	}
	if _, err := n.call(s.people[0].token, http.MethodGet, "/rooms/"+s.quietRoom()+"/members?presence=online&limit=200", nil, &list); err != nil {
		return -1
	}
	return len(list.Items)
}

func redisKilled(t *testing.T) {
	s := newSet(t, plan{homes: true, still: true})
	s.talk()
	s.pass(time.Second)
	s.note("FAULT SIGKILL of Redis")
	began := time.Now()
	s.must(s.redis.Kill())
	s.speak(lasting(10*time.Second, 5*time.Second), hurried, 0, 1, 2)
	s.quick(began, time.Now())
	s.note("Redis is started again, empty")
	s.must(s.redis.Launch())
	s.present(8 * time.Second)
	s.raised()
	s.finish()
}

func flushAll(t *testing.T) {
	s := newSet(t, plan{})
	s.talk()
	for range lasting(20, 4) {
		s.pass(700 * time.Millisecond)
		s.note("FAULT FLUSHALL")
		_, err := s.redis.Do(context.Background(), "FLUSHALL")
		s.must(err)
		body := s.mark()
		s.says(1, body)
		s.seen(body, soon)
		s.until("the counter is raised", 2*time.Second, func() bool { return s.counter(s.quietRoom()) >= s.head(s.quietRoom()) })
	}
	s.raised()
	s.finish()
}

func redisPaused(t *testing.T, pause func(*set, time.Duration)) {
	s := newSet(t, plan{still: true})
	s.talk()
	s.pass(time.Second)
	s.note("FAULT Redis answers nobody")
	began := time.Now()
	pause(s, lasting(10*time.Second, 5*time.Second))
	s.note("Redis answers again")
	s.quick(began, time.Now())
	body := s.mark()
	s.says(1, body)
	s.seen(body, soon)
	s.finish()
}

func redisUnreachable(t *testing.T, away func(*proxy, bool)) {
	s := newSet(t, plan{homes: true, still: true})
	s.talk()
	s.pass(time.Second)
	s.note("FAULT n0 can't reach Redis")
	began := time.Now()
	away(s.nodes[0].redis, true)
	first := s.mark()
	s.says(0, first)
	t.Logf("the first was seen by everybody after %v", s.seen(first, soon+time.Second))
	s.speak(lasting(20*time.Second, 6*time.Second), hurried, 0, 1, 2) // both sides of the cut
	s.quick(began, time.Now())
	away(s.nodes[0].redis, false)
	s.note("n0 can reach Redis")
	s.present(15 * time.Second)
	s.raised()
	s.finish()
}

func lossyBus(t *testing.T) {
	s := newSet(t, plan{lossy: true})
	s.talk()
	s.speak(lasting(60*time.Second, 10*time.Second), soon, 0, 1, 2, 3)
	s.finish()
}
