package faults

import (
	"net/http"
	"syscall"
	"testing"
	"time"
)

// soon is how long it may take until everybody has an entry whose bell was lost, and quick how long until the database has
// taken from a frozen node what it held. Both are 5 s (HUB5, and the time-outs), which the tests of relay and postgres
// hold exactly; here processes are on a machine that may be busy with others, and without the protection it would be never.
const (
	soon  = 12 * time.Second
	quick = 9 * time.Second
)

var instanceRows = []row{
	{name: "instance_killed_between_number_and_commit_[SEQ6][HUB5]", do: killedBeforeCommit},
	{name: "instance_killed_between_commit_and_publish_[SEQ3][HUB5]", do: killedAfterCommit},
	{name: "instance_killed_while_it_publishes_[SEQ3][HUB5]", do: killedAtPublish},
	{name: "instance_killed_again_and_again_under_load_[SEQ3][RES2]", do: killedUnderLoad},
	{name: "instance_frozen_and_back_[SEQ3][SEQ7]", do: frozen},
	{name: "instance_frozen_while_it_holds_a_room_s_lock_[SEQ3][SEQ7]", do: frozenWithLock},
	{name: "answer_of_a_commit_lost_[SEQ2][SEQ3]", do: lostAnswer},
	{name: "answer_of_a_change_s_commit_lost_[SEQ2][SEQ3]", do: lostAnswerOfChange},
}

// struck waits for a trap.
func (s *set) struck(t *trap) {
	s.t.Helper()
	select {
	case <-t.sprung:
	case <-time.After(10 * time.Second):
		s.t.Fatal("the moment did not come")
	}
}

func killedBeforeCommit(t *testing.T) {
	s := newSet(t, plan{})
	s.talk()
	s.says(1, s.mark())
	first := s.mark()
	s.says(1, first)
	s.seen(first, soon)
	head, number := s.head(s.quietRoom()), s.counter(s.quietRoom())

	lost := s.mark()
	s.note("FAULT SIGKILL of n0 when it asks for the commit of %q", lost)
	trap := s.nodes[0].postgres.set(trap{mark: lost, spring: s.nodes[0].kill})
	s.shout(s.nodes[0], lost)
	s.struck(trap)
	if n := s.counter(s.quietRoom()); n != number+1 {
		t.Errorf("the counter went from %d to %d: no number was generated before the commit", number, n)
	}
	if _, times := s.stored(lost); times != 0 {
		t.Errorf("it was stored %d times", times)
	}
	next := s.mark()
	s.says(1, next)
	s.seen(next, soon)
	e, _ := s.stored(next)
	if e.Seq <= number+1 || e.PrevSeq != head {
		t.Errorf("the next entry is %d after %d, want one above %d after %d", e.Seq, e.PrevSeq, number+1, head)
	}
	s.startAll()
	s.finish()
}

func killedAfterCommit(t *testing.T) {
	s := newSet(t, plan{homes: true, still: true})
	s.talk()
	lost := s.mark()
	s.note("FAULT SIGKILL of n0 when %q is committed", lost)
	trap := s.nodes[0].postgres.set(trap{mark: lost, until: idle, spring: s.nodes[0].kill})
	s.shout(s.nodes[0], lost)
	s.struck(trap)
	if _, times := s.stored(lost); times != 1 {
		t.Fatalf("it was stored %d times", times)
	}
	t.Logf("everybody on the other nodes saw it after %v", s.seenElsewhere(lost, soon))
	s.startAll()
	s.finish()
}

func killedAtPublish(t *testing.T) {
	s := newSet(t, plan{homes: true, still: true})
	s.talk()
	lost := s.mark()
	s.note("FAULT SIGKILL of n0 when it publishes %q", lost)
	trap := s.nodes[0].redis.set(trap{mark: lost, spring: s.nodes[0].kill})
	s.shout(s.nodes[0], lost)
	s.struck(trap)
	t.Logf("everybody on the other nodes saw it after %v", s.seenElsewhere(lost, soon))
	s.startAll()
	s.finish()
}

func killedUnderLoad(t *testing.T) {
	s := newSet(t, plan{})
	s.talk()
	for i := range int(lasting(9, 3)) {
		n := s.nodes[i%len(s.nodes)]
		enough := s.crowd.Acknowledged() + 100
		s.until("something is said", 20*time.Second, func() bool { return s.crowd.Acknowledged() >= enough })
		s.note("FAULT SIGKILL of %s", n.name)
		n.kill()
		s.must(n.start())
	}
	s.finish()
}

func frozen(t *testing.T) {
	s := newSet(t, plan{homes: true})
	s.talk()
	s.pass(time.Second)
	late := s.mark()
	s.note("FAULT SIGSTOP of n0 when it asks for the commit of %q", late)
	began := time.Now()
	trap := s.nodes[0].postgres.set(trap{mark: late, keep: true, spring: func() { s.nodes[0].signal(syscall.SIGSTOP) }})
	s.says(0, late)
	s.struck(trap)
	other := s.mark()
	s.says(1, other)
	t.Logf("somebody else's message was seen after %v", s.seenElsewhere(other, quick))
	s.pass(lasting(20*time.Second, quick+3*time.Second))
	// Whoever is on another node has to wait at most until the server gives up what the frozen one holds.
	said := 0
	for i, c := range s.crowd.Clients() {
		if s.people[i].home == 0 {
			continue
		}
		slowest, messages := c.Slowest(began, time.Now().Add(-5*time.Second))
		if said += messages; slowest > quick {
			t.Errorf("on the other nodes somebody waited %v for a send", slowest)
		}
	}
	if said == 0 {
		t.Error("nothing was said on the other nodes")
	}
	s.note("SIGCONT of n0")
	s.nodes[0].signal(syscall.SIGCONT)
	s.pass(2 * time.Second)
	s.finish()
}

func frozenWithLock(t *testing.T) {
	s := newSet(t, plan{homes: true})
	s.talk()
	s.pass(time.Second)
	name := s.mark()
	s.note("FAULT SIGSTOP of n0 while it renames the quiet room to %q", name)
	trap := s.nodes[0].postgres.set(trap{mark: name, until: inside, keep: true, spring: func() { s.nodes[0].signal(syscall.SIGSTOP) }})
	renamed := make(chan error, 1)
	go func() {
		_, err := s.nodes[0].call(s.people[0].token, http.MethodPatch, "/rooms/"+s.quietRoom(), map[string]string{"name": name}, nil)
		renamed <- err
	}()
	s.struck(trap)
	held := time.Now()
	body := s.mark()
	s.says(1, body) // client 1 is on n1
	s.until("the lock is free", quick, func() bool {
		_, times := s.stored(body)
		return times == 1
	})
	t.Logf("the room was free after %v", time.Since(held))
	s.pass(lasting(20*time.Second, quick+3*time.Second) - time.Since(held))
	s.note("SIGCONT of n0")
	s.nodes[0].signal(syscall.SIGCONT)
	s.note("the renaming: %v", <-renamed)
	s.finish()
}

func lostAnswer(t *testing.T) {
	s := newSet(t, plan{homes: true})
	s.talk()
	for range lasting(20, 4) {
		body := s.mark()
		s.note("FAULT n0 does not hear that %q is committed", body)
		trap := s.nodes[0].postgres.set(trap{mark: body, until: idle, spring: func() {}})
		s.says(0, body)
		s.struck(trap)
		s.seen(body, soon)
		if _, times := s.stored(body); times != 1 {
			t.Errorf("%q was stored %d times", body, times)
		}
	}
	s.finish()
}

// lostAnswerOfChange loses the answer of an explicit transaction: its COMMIT is a trip of its own.
func lostAnswerOfChange(t *testing.T) {
	s := newSet(t, plan{})
	s.talk()
	name := s.mark()
	n := s.nodes[0]
	s.note("FAULT n0 does not hear that the quiet room is named %q", name)
	trapped := make(chan *trap, 1)
	first := n.postgres.set(trap{mark: name, until: inside, keep: true, spring: func() {
		trapped <- n.postgres.set(trap{mark: "commit\x00", until: idle, spring: func() {}})
	}})
	status, err := n.call(s.people[0].token, http.MethodPatch, "/rooms/"+s.quietRoom(), map[string]string{"name": name}, nil)
	if err != nil {
		t.Errorf("the renaming was answered %d %v", status, err)
	}
	s.struck(first)
	s.struck(<-trapped)
	var room struct{ Name string }
	s.until("the room has its name", soon, func() bool {
		_, err := s.nodes[1].call(s.people[0].token, http.MethodGet, "/rooms/"+s.quietRoom(), nil, &room)
		return err == nil && room.Name == name
	})
	s.finish()
	renamings := 0
	for _, e := range s.log() {
		if e.Kind == "room_changed" {
			renamings++
		}
	}
	if renamings != 1 {
		t.Errorf("the room was renamed %d times", renamings)
	}
}
