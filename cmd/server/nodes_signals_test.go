package main

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// state waits for a change of somebody's presence.
func (c *tab) state(of *person, state string) {
	c.Helper()
	c.wants(of.name+" "+state, func(o pushed) bool {
		for _, change := range o.Changes {
			if o.Type == "presence" && change.UserID == of.id {
				if change.State != state {
					c.Errorf("%s is %s, not %s", of.name, change.State, state)
				}
				return true
			}
		}
		return false
	})
}

// finally waits for a change of somebody's presence, whatever others come before it.
func (c *tab) finally(of *person, state string) {
	c.Helper()
	c.wants(of.name+" "+state, func(o pushed) bool {
		return o.Type == "presence" && slices.ContainsFunc(o.Changes, func(change pushedState) bool {
			return change.UserID == of.id && change.State == state
		})
	})
}

// has reports whether an object of a kind has come that was not taken.
func (c *tab) has(kind string) bool {
	return slices.ContainsFunc(c.since(), func(o pushed) bool { return o.Type == kind })
}

// atOnce is less than the 5 s after which one counts as gone. That the 1 s of the rule are kept is proved by internal/presence,
// whose clock no other work holds up.
const atOnce = 4 * time.Second

func TestPresence(t *testing.T) {
	prove(t, "[PRS1][PRS3] somebody on three nodes and in five tabs is one person", func(s *stage) {
		ann, bob := s.register(0), s.register(0)
		room := ann.room(bob)
		watcher := ann.connect(0)
		sessions := []*person{bob, bob.login(1), bob.login(2)}
		var tabs []*tab
		began := time.Now()
		for i := range 5 {
			tabs = append(tabs, sessions[i%3].connect(i))
			if i == 0 {
				watcher.state(bob, "online")
				if took := time.Since(began); took > atOnce {
					s.Errorf("that he is online was told after %v", took)
				}
			}
		}
		for i, c := range tabs[:4] {
			if answer := c.command("presence", map[string]any{"state": "away"}); answer.Type != "reply" {
				s.Fatalf("tab %d: %+v", i, answer)
			}
		}
		// The next change that is told is the one that the last tab makes: none of the four was one.
		tabs[4].command("presence", map[string]any{"state": "away"})
		watcher.state(bob, "away")
		for i := range s.nodes {
			seen := ann.connect(i).command("join", map[string]any{"room_id": room})
			if got := fmt.Sprint(seen.Presence[bob.id]); got != "away" {
				s.Errorf("on node %d he is %s", i, got)
			}
		}
		tabs[1].command("presence", map[string]any{"state": "online"})
		watcher.state(bob, "online")
		for i, p := range sessions { // a logout is a change at once, when it is the last
			p.do(i, "POST", "/auth/logout", struct{}{}, nil)
		}
		began = time.Now()
		for _, c := range tabs {
			c.closed(4100)
		}
		watcher.finally(bob, "offline") // he may be away before, when of his tabs only such are left
		if took := time.Since(began); took > atOnce {
			s.Errorf("that he is offline was told after %v", took)
		}
	})
	prove(t, "[PRS3] a tab that closes and comes back on another node flickers nowhere", func(s *stage) {
		ann, bob := s.register(0), s.register(0)
		ann.room(bob)
		watcher := ann.connect(0)
		first := bob.connect(1)
		watcher.state(bob, "online")
		must(s.T, first.conn.Close())
		second := bob.connect(2)
		second.command("presence", map[string]any{"state": "away"})
		watcher.state(bob, "away") // and nothing else before
		must(s.T, second.conn.Close())
		watcher.state(bob, "offline")
	})
	prove(t, "[PRS5] many changes at once are few frames", func(s *stage) {
		const crowd = 30
		ann := s.register(0)
		var people []*person
		for i := range crowd {
			people = append(people, s.register(i))
		}
		ann.room(people...)
		watcher := ann.connect(0)
		began := time.Now()
		for i, p := range people {
			p.connect(i)
		}
		seen := make(map[string]bool)
		frames := 0
		for len(seen) < crowd {
			o := watcher.wants("presence", func(o pushed) bool { return o.Type == "presence" })
			frames++
			for _, change := range o.Changes {
				if change.UserID != ann.id {
					seen[change.UserID] = true
				}
			}
		}
		most := 2 + int(time.Since(began)/(250*time.Millisecond))
		s.Logf("%d changes in %d frames, at most %d", crowd, frames, most)
		if frames > most {
			s.Errorf("%d frames in %v", frames, time.Since(began))
		}
	})
}

func TestSignals(t *testing.T) {
	prove(t, "[SIG1] who types is seen on the other nodes, once, until they say something", func(s *stage) {
		ann, bob := s.register(0), s.register(0)
		room := ann.room(bob)
		watcher, typist := ann.connect(0), bob.connect(1)
		// It is repeated while it lasts: a signal may be lost, as when a node has only just begun to listen to the room.
		for !watcher.has("typing") {
			typist.command("typing", map[string]any{"room_id": room, "on": true})
			time.Sleep(100 * time.Millisecond) // as people type: this is what is tested, not a wait
		}
		o := watcher.wants("typing", func(o pushed) bool { return o.Type == "typing" })
		if o.UserID != bob.id || !o.On {
			s.Errorf("got %+v", o)
		}
		typist.say(room, "said")
		if o := watcher.wants("the text, and no more typing", func(o pushed) bool {
			return o.Type == "entry" || o.Type == "typing"
		}); o.Body != "said" {
			s.Errorf("got %+v", o)
		}
	})
	prove(t, "[SIG2][SIG3] how far somebody has read is told on the other nodes, kept, and only moves forward", func(s *stage) {
		ann, bob := s.register(0), s.register(0)
		room := ann.room(bob)
		speaker, reader := ann.connect(0), bob.connect(1)
		var last pushed
		for i := range 3 {
			last = speaker.say(room, fmt.Sprint(i))
		}
		reader.wantsText("2")
		if answer := reader.command("read", map[string]any{"room_id": room, "seq": last.Seq - 1}); answer.Unread != 1 || answer.LastRead != last.Seq-1 {
			s.Errorf("got %+v", answer)
		}
		o := speaker.wants("read", func(o pushed) bool { return o.Type == "read" && o.Reads[0].UserID == bob.id })
		if o.Reads[0].Seq != last.Seq-1 {
			s.Errorf("got %+v", o)
		}
		if answer := reader.command("read", map[string]any{"room_id": room, "seq": 1}); answer.LastRead != last.Seq-1 {
			s.Errorf("it went back: %+v", answer)
		}
		wait(s.T, "the position to be stored", func() bool {
			var kept struct {
				LastRead int64 `json:"last_read_seq"`
				Unread   int   `json:"unread_count"`
			}
			bob.do(2, "GET", "/rooms/"+room, nil, &kept)
			return kept.LastRead == last.Seq-1 && kept.Unread == 1
		})
	})
}
