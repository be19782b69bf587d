package scripts_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/gochat-dev/gochat/internal/operator/children/scripts"
	"github.com/gochat-dev/gochat/internal/pgtest"
	"github.com/gochat-dev/gochat/internal/postgres"
)

// databases hold the schema of a chat; those of empties hold nothing.
var databases, empties = &pgtest.Databases{Prepare: prepare}, &pgtest.Databases{}

func prepare(ctx context.Context, url string) error {
	_, err := postgres.Migrate(ctx, url)
	return err
}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := errors.Join(databases.Stop(), empties.Stop()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// stage runs the scripts with one kind of shell, and with no other programs than those that they say they need.
type stage struct {
	*testing.T
	programs, scripts string // folders
}

// shells are those that images have: Debian's, and that of Alpine with its file programs.
var shells = []struct {
	name string
	of   func(t *testing.T, name string) string // the path of a program
}{
	{"dash", lookPath},
	{"busybox", func(t *testing.T, _ string) string { return lookPath(t, "busybox") }},
}

func lookPath(t *testing.T, name string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v: make setup installs it", err)
	}
	return path
}

// onShells runs a test with each kind of shell.
func onShells(t *testing.T, test func(s *stage)) {
	for _, shell := range shells {
		t.Run(shell.name, func(t *testing.T) {
			if shell.name == "busybox" && runtime.GOOS != "linux" {
				t.Skip("BusyBox is for Linux")
			}
			s := &stage{T: t, programs: t.TempDir(), scripts: t.TempDir()}
			for _, name := range []string{"sh", "date", "find", "mv", "rm", "sync", "grep"} {
				s.no(os.Symlink(shell.of(t, name), filepath.Join(s.programs, name)))
			}
			for _, name := range []string{"pg_dump", "pg_restore", "psql"} {
				path, err := pgtest.Program(name)
				s.no(err)
				s.no(os.Symlink(path, filepath.Join(s.programs, name)))
			}
			for name, text := range map[string]string{
				"database.sh": scripts.Database, "backup.sh": scripts.Backup, "restore.sh": scripts.Restore,
			} {
				s.no(os.WriteFile(filepath.Join(s.scripts, name), []byte(text), 0o600))
			}
			test(s)
		})
	}
}

func (s *stage) no(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// command is a script to be run, in a process group of its own.
func (s *stage) command(script string, env ...string) *exec.Cmd {
	cmd := exec.CommandContext(s.Context(), filepath.Join(s.programs, "sh"), filepath.Join(s.scripts, script))
	cmd.Env = append([]string{"PATH=" + s.programs}, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// run runs a script to its end and returns what it said.
func (s *stage) run(script string, env ...string) (said string, err error) {
	out, err := s.command(script, env...).CombinedOutput()
	return string(out), err
}

// succeeds runs a script that says something at its end.
func (s *stage) succeeds(want, script string, env ...string) {
	s.Helper()
	if said, err := s.run(script, env...); err != nil || !strings.Contains(lastLine(said), want) {
		s.Fatalf("%s ended with %v, want %q:\n%s", script, err, want, said)
	}
}

// fails runs a script that says at its end why it failed.
func (s *stage) fails(want, script string, env ...string) (said string) {
	s.Helper()
	said, err := s.run(script, env...)
	if _, exited := errors.AsType[*exec.ExitError](err); !exited || !strings.Contains(lastLine(said), want) {
		s.Fatalf("%s ended with %v, want a failure with %q:\n%s", script, err, want, said)
	}
	return said
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return lines[len(lines)-1]
}

// files are the names in a folder, hidden ones too.
func (s *stage) files(dir string) []string {
	s.Helper()
	entries, err := os.ReadDir(dir)
	s.no(err)
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// dumps are the names of the whole dumps in a folder, the oldest first.
func (s *stage) dumps(dir string) []string {
	s.Helper()
	return slices.DeleteFunc(s.files(dir), func(name string) bool { return !strings.HasPrefix(name, "gochat-") })
}

// connect connects to a database until the test ends.
func (s *stage) connect(url string) *pgx.Conn {
	s.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	s.no(err)
	s.Cleanup(func() { s.no(conn.Close(context.Background())) })
	return conn
}

func (s *stage) exec(url, sql string) {
	s.Helper()
	_, err := s.connect(url).Exec(s.Context(), sql)
	s.no(err)
}

// chat makes the database of a chat with so many entries, each with a body of 6.4 kB that can't be compressed to less than half.
func (s *stage) chat(entries int) (url string) {
	s.Helper()
	url = databases.New(s.T)
	s.exec(url, fmt.Sprintf(`INSERT INTO entries (room, seq, prev_seq, sender, at, kind, prev_id, message_id, client_id, body)
		SELECT 1, n, n - 1, 1, 0, 'text', '', n, n, (SELECT string_agg(md5(random()::text || n || g), '') FROM generate_series(1, 200) g)
		FROM generate_series(1, %d) n`, entries))
	return url
}

// epoch is which history the database holds.
func (s *stage) epoch(url string) (epoch string) {
	s.Helper()
	s.no(s.connect(url).QueryRow(s.Context(), "SELECT value FROM meta WHERE key = 'epoch'").Scan(&epoch))
	return epoch
}

// contents are all rows of a chat but its epoch, and what its schema is made of.
func (s *stage) contents(url string) string {
	s.Helper()
	conn := s.connect(url)
	var text strings.Builder
	for _, sql := range []string{
		`SELECT table_to_xml('entries', false, false, '')::text`, `SELECT query_to_xml('SELECT * FROM meta WHERE key <> ''epoch''', false, false, '')::text`,
		`SELECT table_to_xml('goose_db_version', false, false, '')::text`,
		`SELECT string_agg(format('%s %s', c.relkind, c.relname), ' ' ORDER BY c.relname) FROM pg_class c WHERE relnamespace = 'public'::regnamespace`,
		`SELECT string_agg(p.proname, ' ' ORDER BY p.proname) FROM pg_proc p WHERE pronamespace = 'public'::regnamespace`,
	} {
		var part string
		s.no(conn.QueryRow(s.Context(), sql).Scan(&part))
		text.WriteString(part)
	}
	return text.String()
}
