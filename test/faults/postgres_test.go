package faults

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/checker"
	"github.com/gochat-dev/gochat/internal/pgtest"
)

var postgresRows = []row{
	{name: "postgres_restarted_under_load_[SEQ3]", do: postgresRestarted},
	{name: "postgres_unreachable_[SEQ3]", do: func(t *testing.T) { postgresUnreachable(t, (*proxy).setCut) }},
	{name: "postgres_silent_[SEQ3][SEQ7]", do: func(t *testing.T) { postgresUnreachable(t, (*proxy).setStalled) }},
	{name: "postgres_unreachable_from_one_instance_[SEQ3][RES2]", do: postgresUnreachableFromOne},
	{name: "postgres_disk_full_[SEQ3]", do: diskFull},
}

// ownServer starts a Postgres for a set alone, with a database in it.
func ownServer(t *testing.T, cfg pgtest.Config, place func(s *pgtest.Server) (clause string)) (*pgtest.Server, string) {
	t.Helper()
	s, err := pgtest.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	const name = "gochat_faults"
	ctx := context.Background()
	err = s.Exec(ctx, "postgres", "CREATE DATABASE "+name+" OWNER gochat"+place(s))
	if err == nil {
		err = migrate(ctx, s.URL(name))
	}
	if err != nil {
		t.Fatal(err)
	}
	return s, name
}

// ready are how many nodes say that they are.
func (s *set) ready() int {
	n := 0
	for _, node := range s.nodes {
		if node.ready() {
			n++
		}
	}
	return n
}

// talkGoesOn waits until so many more messages are acknowledged.
func (s *set) talkGoesOn(within time.Duration) {
	s.t.Helper()
	enough := s.crowd.Acknowledged() + 50
	s.t.Logf("the talk goes on after %v", s.until("the talk goes on", within, func() bool { return s.crowd.Acknowledged() >= enough }))
}

func postgresRestarted(t *testing.T) {
	s := newSet(t, plan{still: true, server: func(t *testing.T) (*pgtest.Server, string) {
		return ownServer(t, pgtest.Config{Durable: true}, func(*pgtest.Server) string { return "" })
	}})
	s.talk()
	for range lasting(8, 2) {
		s.talkGoesOn(10 * time.Second)
		s.note("FAULT Postgres is restarted, immediately")
		s.must(s.server.Restart(pgtest.Immediate))
		s.note("Postgres is back")
		s.talkGoesOn(10 * time.Second)
	}
	if n := s.history.Count("failed:") - s.history.Count("failed: unavailable"); n != 0 {
		t.Errorf("%d sends failed otherwise than for a while", n)
	}
	s.finish()
}

func postgresUnreachable(t *testing.T, away func(*proxy, bool)) {
	s := newSet(t, plan{still: true})
	s.talk()
	s.talkGoesOn(10 * time.Second)
	gone := s.history.Count("disconnected")
	s.note("FAULT nobody can reach Postgres")
	began := time.Now()
	for _, n := range s.nodes {
		away(n.postgres, true)
	}
	s.until("no node says that it is ready", 5*time.Second, func() bool { return s.ready() == 0 })
	s.until("a sender is told", 15*time.Second, func() bool { return s.history.Count("failed: unavailable") > 0 })
	s.pass(lasting(30*time.Second, 10*time.Second) - time.Since(began))
	if n := s.history.Count("disconnected") - gone; n != 0 {
		t.Errorf("%d connections were lost meanwhile", n)
	}
	for _, n := range s.nodes {
		away(n.postgres, false)
	}
	s.note("all can reach Postgres")
	s.until("all nodes say that they are ready", 10*time.Second, func() bool { return s.ready() == len(s.nodes) })
	s.talkGoesOn(10 * time.Second)
	all := s.history.Count("failed:")
	if good := s.history.Count("failed: unavailable"); good != all || s.history.Count("again after 0 ms") != 0 {
		t.Errorf("of %d failures %d said when to try again, %d at once", all, good, s.history.Count("again after 0 ms"))
	}
	s.finish()
}

func postgresUnreachableFromOne(t *testing.T) {
	s := newSet(t, plan{})
	s.talk()
	s.talkGoesOn(10 * time.Second)
	s.note("FAULT n0 can't reach Postgres")
	s.nodes[0].postgres.setCut(true)
	s.until("n0 says that it is not ready", 5*time.Second, func() bool { return !s.nodes[0].ready() })
	if n := s.ready(); n != len(s.nodes)-1 {
		t.Errorf("%d nodes say that they are ready, want the others", n)
	}
	s.pass(lasting(30*time.Second, 6*time.Second))
	s.nodes[0].postgres.setCut(false)
	s.note("n0 can reach Postgres")
	s.until("n0 says that it is ready", 10*time.Second, s.nodes[0].ready)
	s.talkGoesOn(10 * time.Second)
	s.finish()
}

func diskFull(t *testing.T) {
	var dir string
	s := newSet(t, plan{still: true, server: func(t *testing.T) (*pgtest.Server, string) {
		return ownServer(t, pgtest.Config{}, func(s *pgtest.Server) string {
			dir = s.SmallDisk(t, "small", "20m")
			return " TABLESPACE small"
		})
	}})
	s.talk()
	s.talkGoesOn(10 * time.Second)
	s.note("FAULT the disk is full")
	filler := filepath.Join(dir, "filler")
	s.must(fill(filler))
	stop := make(chan struct{})
	stuffed := make(chan struct{})
	go func() { // what is left in the pages is used up sooner by long texts
		defer close(stuffed)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				s.crowd.Clients()[i%len(s.people)].Send(s.rooms[0], strings.Repeat("full ", 1500))
			}
		}
	}()
	s.until("a sender is told", 20*time.Second, func() bool { return s.history.Count("failed: unavailable") > 0 })
	s.until("no node says that it is ready", 20*time.Second, func() bool { return s.ready() == 0 })
	close(stop)
	<-stuffed
	s.quiet()
	log, err := checker.Logs(context.Background(), s.store, s.rooms)
	s.must(err)
	s.note("%d entries when it was full", len(log))
	s.must(os.Remove(filler))
	s.note("there is room again")
	s.until("all nodes say that they are ready", 10*time.Second, func() bool { return s.ready() == len(s.nodes) })
	s.finish()
	now, err := checker.Logs(context.Background(), s.store, s.rooms)
	s.must(err)
	there := make(map[string]chat.Position)
	for _, e := range now {
		there[e.MessageID] = e.Position()
	}
	for _, e := range log {
		if there[e.MessageID] != e.Position() {
			t.Errorf("%d of %s is gone", e.Seq, e.RoomID)
		}
	}
}

// fill takes all the room that is left.
func fill(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	block := make([]byte, 4<<10)
	for err == nil {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}
