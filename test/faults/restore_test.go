package faults

import (
	"context"
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/checker"
	"github.com/gochat-dev/gochat/internal/postgres"
)

var restoreRows = []row{
	{name: "postgres_restored_with_redis_alive_[HUB1][RES3]", do: func(t *testing.T) { restored(t, restoring{}) }},
	{name: "postgres_restored_with_redis_empty_[HUB1][RES3]", do: func(t *testing.T) { restored(t, restoring{emptied: true}) }},
	{name: "postgres_restored_with_redis_alive_and_a_new_epoch_[HUB1][RES3]", do: func(t *testing.T) { restored(t, restoring{epoch: true}) }},
	{name: "postgres_restored_with_redis_empty_and_a_new_epoch_[HUB1][RES3]", do: func(t *testing.T) {
		restored(t, restoring{emptied: true, epoch: true})
	}},
}

// restoring says how a database is put back to an earlier moment.
type restoring struct {
	emptied bool // Redis has lost its memory too
	epoch   bool // a new epoch is begun, as the guide says
}

// newEpoch begins one, as people do.
func (s *set) newEpoch() {
	s.t.Helper()
	cmd := exec.Command(binary, "admin", "new-epoch")
	cmd.Env = environment("GOCHAT_POSTGRES_URL=" + s.url)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("new-epoch: %v\n%s", err, out)
	}
}

// restore puts the database back to what was dumped, and notes what that takes away.
func (s *set) restore(file string, how restoring) {
	s.t.Helper()
	ctx := context.Background()
	aside := s.name + "_before"
	if how.emptied {
		s.must(s.redis.Kill())
	}
	s.must(s.server.Restore(ctx, file, s.name, aside))
	if how.epoch {
		s.newEpoch()
	}
	if how.emptied {
		s.must(s.redis.Launch())
	}
	before, err := postgres.Open(ctx, postgres.Config{URL: s.server.URL(aside)})
	s.must(err)
	was, err := checker.Logs(ctx, before, s.rooms)
	s.must(errors.Join(err, before.Close(), s.server.Drop(ctx, aside)))
	is, err := checker.Logs(ctx, s.store, s.rooms)
	s.must(err)
	stands := make(map[string]bool, len(is))
	for i := range is {
		stands[is[i].MessageID] = true
	}
	var lost []chat.Entry
	for i := range was {
		if !stands[was[i].MessageID] {
			lost = append(lost, was[i])
		}
	}
	if len(lost) == 0 {
		s.t.Error("the restore took nothing away")
	}
	s.crowd.Restored(lost)
}

func restored(t *testing.T, how restoring) {
	s := newSet(t, plan{still: true})
	s.talk()
	s.talkGoesOn(10 * time.Second)
	file, err := s.server.Dump(s.name)
	s.must(err)
	s.note("BACKUP")
	if !how.epoch {
		s.says(1, s.mark()) // this is taken away, and nobody speaks there afterwards
	} // else the quiet room does not change at all
	s.pass(lasting(20*time.Second, 3*time.Second))
	reset := s.history.Count("recovered=false")
	s.note("FAULT Postgres is restored to an earlier moment: %+v", how)
	s.restore(file, how)
	within := s.until("every client is told to drop every room", 15*time.Second, func() bool {
		return s.history.Count("recovered=false")-reset >= len(s.people)*len(s.rooms)
	})
	t.Logf("every client was told to drop every room within %v", within)
	s.talkGoesOn(10 * time.Second)
	s.pass(lasting(20*time.Second, 2*time.Second))
	s.finish()
}
