package scripts_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/gochat-dev/gochat/internal/pgtest"
	"github.com/gochat-dev/gochat/internal/postgres"
)

// restoring is the environment of a restore.
func restoring(url, dir, from string) []string {
	return []string{"GOCHAT_POSTGRES_URL=" + url, "RESTORE_DIR=" + dir, "RESTORE_FROM=" + from}
}

// backedUp makes a chat and one dump of it, and returns its contents and where the dump is.
func (s *stage) backedUp(entries int) (contents, dir, name string) {
	s.Helper()
	url := s.chat(entries)
	dir = s.TempDir()
	s.succeeds("dumps kept: 1", "backup.sh", "GOCHAT_POSTGRES_URL="+url, "BACKUP_DIR="+dir, "KEEP=1")
	return s.contents(url), dir, s.age(dir)
}

func TestRestore(t *testing.T) {
	onShells(t, func(s *stage) {
		older, dir, first := s.backedUp(3)
		second := s.chat(5)
		s.succeeds("dumps kept: 2", "backup.sh", "GOCHAT_POSTGRES_URL="+second, "BACKUP_DIR="+dir, "KEEP=2")
		newer := s.contents(second)

		into := empties.New(s.T)
		s.succeeds("restored gochat-20", "restore.sh", restoring(into, dir, "backups")...)
		if s.contents(into) != newer {
			s.Error("the newest dump was not taken")
		}
		epoch := s.epoch(into)
		if epoch == s.epoch(second) {
			s.Error("[RES3] the epoch is that of the chat before")
		}
		if _, err := postgres.Migrate(s.Context(), into); err != nil {
			s.Errorf("it can't be migrated: %v", err)
		}
		s.exec(into, "DELETE FROM entries WHERE seq = 1")
		now := s.contents(into)
		s.succeeds("backups was restored before", "restore.sh", restoring(into, dir, "backups")...)
		s.fails("not empty", "restore.sh", restoring(into, dir, "backups/"+first)...)
		if s.contents(into) != now || s.epoch(into) != epoch {
			s.Error("a database that was in use was changed")
		}

		named := empties.New(s.T)
		s.succeeds("restored "+first, "restore.sh", restoring(named, dir, "backups/"+first)...)
		if s.contents(named) != older {
			s.Error("the dump that was named was not taken")
		}
		// The mark is no part of the next dump: a restore of that is another one.
		again, third := s.TempDir(), empties.New(s.T)
		s.succeeds("dumps kept: 1", "backup.sh", "GOCHAT_POSTGRES_URL="+named, "BACKUP_DIR="+again, "KEEP=1")
		s.succeeds("restored", "restore.sh", restoring(third, again, "backups/"+s.age(again))...)
	})
}

func TestRestoreThatIsRefused(t *testing.T) {
	onShells(t, func(s *stage) {
		_, dir, good := s.backedUp(50)
		whole, err := os.ReadFile(filepath.Join(dir, good))
		s.no(err)
		pgDump, err := pgtest.Program("pg_dump")
		s.no(err)
		strange := empties.New(s.T)
		s.exec(strange, "CREATE TABLE strangers (name text)")
		s.no(exec.CommandContext(s.Context(), pgDump, "--format=custom", "--file="+filepath.Join(dir, "stranger.dump"), "--dbname="+strange).Run())
		s.no(os.WriteFile(filepath.Join(dir, "text.dump"), []byte("hello\n"), 0o600))
		s.no(os.WriteFile(filepath.Join(dir, "cut.dump"), whole[:len(whole)/2], 0o600))

		into := empties.New(s.T)
		for from, want := range map[string]string{
			"backups/text.dump":     "text.dump is no dump that this pg_restore can read",
			"backups/stranger.dump": "stranger.dump is no dump of a chat",
			"backups/cut.dump":      "cut.dump could not be restored: the database is as empty as it was",
			"backups/none.dump":     "backups holds no none.dump: nothing was restored. Its dumps: " + good,
			"backups/'; DROP":       "give CLAIM or CLAIM/FILE",
		} {
			s.fails(want, "restore.sh", restoring(into, dir, from)...)
		}
		s.fails("empty holds no dump", "restore.sh", restoring(into, s.TempDir(), "empty")...)
		s.fails("not empty", "restore.sh", restoring(strange, dir, "backups")...)
		s.fails("can not be asked", "restore.sh", restoring("postgres://gochat@127.0.0.1:1/gochat", dir, "backups")...)
		s.succeeds("restored "+good, "restore.sh", restoring(into, dir, "backups/"+good)...)
	})
}

// A restore that is killed in the middle leaves an empty database, and is begun again.
func TestRestoreThatIsKilled(t *testing.T) {
	onShells(t, func(s *stage) {
		want, dir, _ := s.backedUp(3)
		into := empties.New(s.T)
		// It has to wait for a table of the same name that somebody has not committed yet.
		tx, err := s.connect(into).Begin(s.Context())
		s.no(err)
		_, err = tx.Exec(s.Context(), "CREATE TABLE meta ()")
		s.no(err)
		cmd := s.command("restore.sh", restoring(into, dir, "backups")...)
		s.no(cmd.Start())
		watch := s.connect(into)
		for waiting := 0; waiting == 0; {
			s.no(watch.QueryRow(s.Context(), `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gochat restore'
				AND datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting))
		}
		s.no(syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL))
		if err := cmd.Wait(); err == nil {
			s.Error("it succeeded")
		}
		s.no(tx.Rollback(context.Background()))

		s.succeeds("restored", "restore.sh", restoring(into, dir, "backups")...)
		if s.contents(into) != want {
			s.Error("what was restored is not what was there")
		}
	})
}

// One that is killed before its epoch has begun begins it when it is run again, once.
func TestRestoreThatIsKilledBeforeItsEpoch(t *testing.T) {
	onShells(t, func(s *stage) {
		_, dir, _ := s.backedUp(3)
		into := empties.New(s.T)
		s.succeeds("restored", "restore.sh", restoring(into, dir, "backups")...)
		s.exec(into, "COMMENT ON SCHEMA gochat_restore IS 'backups'") // as it is until then
		first := s.epoch(into)
		s.succeeds("its epoch has begun", "restore.sh", restoring(into, dir, "backups")...)
		second := s.epoch(into)
		s.succeeds("left as it is", "restore.sh", restoring(into, dir, "backups")...)
		if third := s.epoch(into); first == second || second != third {
			s.Errorf("the epochs were %s, %s, %s", first, second, third)
		}
	})
}

// Without a URL it is libpq's own variables that count.
func TestLibpqVariables(t *testing.T) {
	onShells(t, func(s *stage) {
		url, dir := s.chat(1), s.TempDir()
		cfg := s.connect(url).Config()
		s.succeeds("dumps kept: 1", "backup.sh", "BACKUP_DIR="+dir, "KEEP=1", "PGHOST="+cfg.Host, "PGUSER="+cfg.User, "PGDATABASE="+cfg.Database,
			"PGPORT="+strings.TrimPrefix(databases.Server(s.T).Addr(), cfg.Host+":"), "PGSSLMODE=disable")
	})
}
