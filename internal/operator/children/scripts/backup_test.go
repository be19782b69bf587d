package scripts_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/pgtest"
)

func TestBackup(t *testing.T) {
	onShells(t, func(s *stage) {
		url, dir := s.chat(10), s.TempDir()
		// What only the server's driver knows stands in its URL too.
		env := []string{"GOCHAT_POSTGRES_URL=" + url + "&pool_max_conns=5&lock_timeout=4s", "BACKUP_DIR=" + dir, "KEEP=3"}

		old := []string{"gochat-20250101T000000Z-schema1.dump", "gochat-20250102T000000Z-schema1.dump", "gochat-20250103T000000Z-schema2.dump"}
		for _, name := range append(old, "notes.txt", "gochat-notes.txt") {
			s.no(os.WriteFile(filepath.Join(dir, name), nil, 0o600))
		}
		s.no(os.Mkdir(filepath.Join(dir, "lost+found"), 0))
		s.succeeds("dumps kept: 3", "backup.sh", env...)

		files := s.files(dir)
		for _, kept := range []string{"notes.txt", "gochat-notes.txt", "lost+found", old[1], old[2]} {
			if !slices.Contains(files, kept) {
				s.Errorf("%s is gone", kept)
			}
		}
		made := slices.DeleteFunc(s.dumps(dir), func(name string) bool { return name < "gochat-2026" || !strings.HasSuffix(name, ".dump") })
		if len(made) != 1 || !regexp.MustCompile(`^gochat-\d{8}T\d{6}Z-schema[1-9]\d*\.dump$`).MatchString(made[0]) || len(files) != 6 {
			s.Fatalf("the folder holds %q", files)
		}
		if info, err := os.Stat(filepath.Join(dir, made[0])); err != nil || info.Mode().Perm() != 0o600 {
			s.Errorf("others can read the keys in it: %v (%v)", info.Mode(), err)
		}

		into := empties.New(s.T)
		s.succeeds("restored "+made[0], "restore.sh", "GOCHAT_POSTGRES_URL="+into, "RESTORE_DIR="+dir, "RESTORE_FROM=claim")
		if s.contents(into) != s.contents(url) {
			s.Error("what was restored is not what was there")
		}
	})
}

func TestBackupThatFails(t *testing.T) {
	onShells(t, func(s *stage) {
		dir := s.TempDir()
		env := func(url string) []string {
			return []string{"GOCHAT_POSTGRES_URL=" + url, "BACKUP_DIR=" + dir, "KEEP=1"}
		}
		s.fails("can not be asked", "backup.sh", env("postgres://gochat@127.0.0.1:1/gochat")...)
		s.fails("holds no chat yet", "backup.sh", env(empties.New(s.T))...)
		s.fails("keep at least one", "backup.sh", "GOCHAT_POSTGRES_URL=", "BACKUP_DIR="+dir, "KEEP=0")
		s.fails("can't be entered", "backup.sh", "GOCHAT_POSTGRES_URL=", "BACKUP_DIR="+dir+"/none", "KEEP=1")
		if files := s.files(dir); len(files) != 0 {
			s.Errorf("the folder holds %q", files)
		}
	})
}

func TestBackupOnAFullDisk(t *testing.T) {
	onShells(t, func(s *stage) {
		dir := s.TempDir()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=200k"); err != nil {
			s.Skipf("no tmpfs can be mounted here (%v): run as root", err)
		}
		s.Cleanup(func() { s.no(syscall.Unmount(dir, 0)) })
		env := func(url string) []string {
			return []string{"GOCHAT_POSTGRES_URL=" + url, "BACKUP_DIR=" + dir, "KEEP=1"}
		}
		s.succeeds("dumps kept: 1", "backup.sh", env(s.chat(2))...)
		s.age(dir)
		before := s.files(dir)
		said := s.fails("enlarge the volume, or keep fewer than 1): no backup was made, the 1 older ones are as they were", "backup.sh", env(s.chat(200))...)
		if !strings.Contains(said, "No space left on device") {
			s.Errorf("it does not say why:\n%s", said)
		}
		if after := s.files(dir); !slices.Equal(after, before) {
			s.Errorf("the folder holds %q, and held %q", after, before)
		}
		s.succeeds("restored", "restore.sh", "GOCHAT_POSTGRES_URL="+empties.New(s.T), "RESTORE_DIR="+dir, "RESTORE_FROM=claim")
	})
}

func TestBackupThatIsEnded(t *testing.T) {
	onShells(t, func(s *stage) {
		url, dir := s.chat(2), s.TempDir()
		env := []string{"GOCHAT_POSTGRES_URL=" + url, "BACKUP_DIR=" + dir, "KEEP=1"}
		s.succeeds("dumps kept: 1", "backup.sh", env...)
		good := []string{s.age(dir)}

		// endedBy has a backup wait in the middle for a table, and ends it there.
		endedBy := func(end func(pid int) error) {
			conn := s.connect(url)
			tx, err := conn.Begin(s.Context())
			s.no(err)
			_, err = tx.Exec(s.Context(), "LOCK TABLE entries")
			s.no(err)
			cmd := s.command("backup.sh", env...)
			s.no(cmd.Start())
			for waiting := 0; waiting == 0; { // pg_dump, for the table
				s.no(tx.QueryRow(s.Context(), `SELECT count(*) FROM pg_locks WHERE relation = 'entries'::regclass AND NOT granted`).Scan(&waiting))
			}
			s.no(end(cmd.Process.Pid))
			if err := cmd.Wait(); err == nil {
				s.Error("it succeeded")
			}
			s.no(tx.Rollback(context.Background()))
			if now := s.dumps(dir); !slices.Equal(now, good) {
				s.Errorf("there are the dumps %q, and were %q", now, good)
			}
		}
		endedBy(func(pid int) error { return syscall.Kill(pid, syscall.SIGTERM) })
		if files := s.files(dir); len(files) != 1 {
			s.Errorf("something is left by a run that was told to stop: %q", files)
		}
		endedBy(func(pid int) error { return syscall.Kill(-pid, syscall.SIGKILL) })
		files := s.files(dir)
		if len(files) != 2 || !strings.HasPrefix(files[0], ".gochat-") {
			s.Fatalf("the folder holds %q", files)
		}
		left := filepath.Join(dir, files[0])
		s.age(dir)
		s.succeeds("dumps kept: 1", "backup.sh", env...)
		if _, err := os.Stat(left); err != nil {
			s.Errorf("what another run may be writing was taken away: %v", err)
		}
		hourAgo := time.Now().Add(-time.Hour)
		s.no(os.Chtimes(left, hourAgo, hourAgo))
		s.age(dir)
		s.succeeds("dumps kept: 1", "backup.sh", env...)
		if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
			s.Errorf("what a killed run left is still there: %v", err)
		}
	})
}

// A disk that damages what is written to it, or a pg_dump that ends too early without a word.
func TestBackupThatIsDamaged(t *testing.T) {
	onShells(t, func(s *stage) {
		url, dir := s.chat(50), s.TempDir()
		env := []string{"GOCHAT_POSTGRES_URL=" + url, "BACKUP_DIR=" + dir, "KEEP=1"}
		s.succeeds("dumps kept: 1", "backup.sh", env...)
		good := s.age(dir)
		pgDump, err := pgtest.Program("pg_dump")
		s.no(err)
		damaging := filepath.Join(s.programs, "pg_dump")
		s.no(os.Remove(damaging))
		script := "#!" + filepath.Join(s.programs, "sh") + "\n" + pgDump + ` "$@" && for a in "$@"; do case $a in --file=*) f=${a#--file=} ;; esac; done
` + lookPath(s.T, "truncate") + ` --size=20000 "$f"
`
		s.no(os.WriteFile(damaging, []byte(script), 0o700))
		s.fails("can't be read back: no backup was made, the 1 older ones are as they were", "backup.sh", env...)
		if files := s.files(dir); !slices.Equal(files, []string{good}) {
			s.Errorf("the folder holds %q", files)
		}
	})
}

// age gives the only dump in a folder a name of years ago: one made within the same second would have the same.
func (s *stage) age(dir string) (name string) {
	s.Helper()
	dumps := s.dumps(dir)
	if len(dumps) != 1 {
		s.Fatalf("there are the dumps %q", dumps)
	}
	name = strings.Replace(dumps[0], "gochat-20", "gochat-19", 1)
	s.no(os.Rename(filepath.Join(dir, dumps[0]), filepath.Join(dir, name)))
	return name
}
