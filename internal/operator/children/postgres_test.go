package children

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/gochat-dev/gochat/internal/pgtest"
)

// onPostgres runs a test of the script with each kind of shell.
func onPostgres(t *testing.T, test func(p *pod)) {
	t.Helper()
	for _, shell := range shells {
		t.Run(shell, func(t *testing.T) {
			test(newPod(t, shell, minimal(Postgres).postgresFiles(), "sh", "rm", "id", "initdb", "postgres"))
		})
	}
}

func (p *pod) postgres(password string) *process {
	p.Helper()
	return p.start("postgres.sh", "POSTGRES_PASSWORD="+password, "PGPORT="+strconv.Itoa(p.port))
}

func (p *pod) connect(ctx context.Context, user, password string) (*pgx.Conn, error) {
	return pgx.Connect(ctx, fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/gochat?sslmode=disable", user, password, p.port))
}

// up waits until the server takes connections.
func (p *pod) up(r *process, password string) *pgx.Conn {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), 2*time.Minute)
	defer cancel()
	for {
		conn, err := p.connect(ctx, "gochat", password)
		if err == nil {
			return conn
		}
		select {
		case <-r.done:
			p.Fatalf("it has ended:\n%s", r.log)
		case <-ctx.Done():
			p.Fatalf("%v\n%s", err, r.log)
		case <-time.After(20 * time.Millisecond): // between two looks; nothing depends on how long
		}
	}
}

// probe asks as the probes do: they find the server ready, and leave nothing in its log, every few seconds for years.
func (p *pod) probe(r *process) {
	p.Helper()
	stateful := into[appsv1.StatefulSet](p.T, minimal(Postgres).postgres())
	container, before := stateful.Spec.Template.Spec.Containers[0], r.log.String()
	for name, probe := range map[string]*corev1.Probe{
		"startup": container.StartupProbe, "readiness": container.ReadinessProbe, "liveness": container.LivenessProbe,
	} {
		command := slices.Clone(probe.Exec.Command)
		for i, argument := range command {
			command[i] = strings.Replace(argument, "/tmp", p.data, 1) // where newPod has the socket
		}
		program, err := pgtest.Program(command[0])
		p.no(err)
		asks := exec.CommandContext(p.Context(), program, command[1:]...)
		asks.Env = []string{"PGPORT=" + strconv.Itoa(p.port)}
		asks.SysProcAttr = &syscall.SysProcAttr{Credential: p.owner}
		if said, err := asks.CombinedOutput(); err != nil {
			p.Errorf("the %s probe: %v: %s", name, err, said)
		}
	}
	// Somebody else's refusal, by the network, is in the log after whatever the probes wrote.
	if _, err := p.connect(p.Context(), "nobody", "secret"); err == nil {
		p.Error("nobody comes in")
	}
	var since string
	for deadline := time.Now().Add(time.Minute); !strings.Contains(since, `"nobody"`); <-time.After(20 * time.Millisecond) {
		if since = r.log.String()[len(before):]; time.Now().After(deadline) {
			p.Fatalf("the refusal is not in the log:\n%s", since)
		}
	}
	if strings.Contains(since, "[local]") {
		p.Errorf("the probes fill the log:\n%s", since)
	}
}

func (p *pod) one(conn *pgx.Conn, sql string) (value string) {
	p.Helper()
	p.no(conn.QueryRow(p.Context(), sql).Scan(&value))
	return value
}

func TestPostgresScript(t *testing.T) {
	onPostgres(t, func(p *pod) {
		first := p.postgres("first-secret")
		conn := p.up(first, "first-secret")
		_, err := conn.Exec(p.Context(), `CREATE TABLE kept (n text); INSERT INTO kept VALUES ('here')`)
		p.no(err)
		for sql, want := range map[string]string{
			`SELECT rolsuper::text FROM pg_roles WHERE rolname = current_user`:               "false",
			`SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'gochat'`: "UTF8",
			`SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = 'gochat'`: "gochat",
			`SHOW data_checksums`: "on",
			`SHOW shared_buffers`: "12MB",
		} {
			if got := p.one(conn, sql); got != want {
				p.Errorf("%s: %s, want %s", sql, got, want)
			}
		}
		if _, err := p.connect(p.Context(), "postgres", "first-secret"); err == nil || !strings.Contains(err.Error(), "pg_hba.conf") {
			p.Error("the administrator comes in from outside:", err)
		}

		p.probe(first)

		// Connections do not hold the end up.
		first.signal(syscall.SIGTERM)
		if status := first.status(); status != 0 || !strings.Contains(first.log.String(), "received fast shutdown request") ||
			!strings.Contains(first.log.String(), "database system is shut down") {
			p.Errorf("after SIGTERM it exits %d:\n%s", status, first.log)
		}
		_ = conn.Close(p.Context()) // it was cut

		second := p.postgres("second-secret")
		conn = p.up(second, "second-secret")
		if got := p.one(conn, `SELECT n FROM kept`); got != "here" {
			p.Error("the data is", got)
		}
		if _, err := p.connect(p.Context(), "gochat", "first-secret"); err == nil || !strings.Contains(err.Error(), "password authentication failed") {
			p.Error("the password before is still good:", err)
		}
		if strings.Contains(first.log.String()+second.log.String(), "-secret") {
			p.Error("a password is in the log")
		}
		p.no(conn.Close(p.Context()))

		// A crash: nothing is written before the end.
		pid, err := os.ReadFile(filepath.Join(p.data, "pgdata", "postmaster.pid"))
		p.no(err)
		number, _, _ := strings.Cut(string(pid), "\n")
		postmaster, err := strconv.Atoi(number)
		p.no(err)
		p.no(syscall.Kill(postmaster, syscall.SIGQUIT))
		second.status()
		third := p.postgres("second-secret")
		conn = p.up(third, "second-secret")
		if got := p.one(conn, `SELECT n FROM kept`); got != "here" || !strings.Contains(third.log.String(), "automatic recovery") {
			p.Errorf("after a crash the data is %q:\n%s", got, third.log)
		}
		p.no(conn.Close(p.Context()))
	})
}

// TestPostgresScriptBegun is about volumes that the script was killed over while it made the database.
func TestPostgresScriptBegun(t *testing.T) {
	onPostgres(t, func(p *pod) {
		data := filepath.Join(p.data, "pgdata")
		making := filepath.Join(p.data, "making-pgdata")
		p.no(os.Mkdir(data, 0o700))
		for _, file := range []string{making, filepath.Join(data, "PG_VERSION")} {
			p.no(os.WriteFile(file, nil, 0o600))
			p.give(file)
		}
		p.give(data)
		again := p.postgres("secret")
		conn := p.up(again, "secret")
		_, err := conn.Exec(p.Context(), `CREATE TABLE kept (n text)`)
		p.no(err)
		p.no(conn.Close(p.Context()))
		if _, err := os.Stat(making); !os.IsNotExist(err) {
			p.Error("it looks as if it was still being made:", err)
		}
		again.signal(syscall.SIGTERM)
		again.status()

		// The last thing may not have reached the disk. Then nothing is made again: somebody may have connected.
		p.no(os.WriteFile(making, nil, 0o600))
		p.give(making)
		conn = p.up(p.postgres("secret"), "secret")
		if got := p.one(conn, `SELECT count(*)::text FROM kept`); got != "0" {
			p.Error("the table is gone")
		}
		p.no(conn.Close(p.Context()))
	})
}

// TestPostgresScriptRefuses: a volume that it can't use is left as it is, and it says what to do.
func TestPostgresScriptRefuses(t *testing.T) {
	onPostgres(t, func(p *pod) {
		p.postgres("it's").fails("POSTGRES_PASSWORD may hold only")

		p.no(os.Chmod(p.data, 0o500))
		p.postgres("secret").fails("can't be written to: it belongs to another user than that of this container")
		p.no(os.Chmod(p.data, 0o700))

		data := filepath.Join(p.data, "pgdata")
		p.no(os.Mkdir(data, 0o700))
		p.give(data)
		p.postgres("secret").fails("holds no database that can be read")

		version := filepath.Join(data, "PG_VERSION")
		p.no(os.WriteFile(version, []byte("9.6\n"), 0o600))
		p.give(version)
		p.postgres("secret").fails("Set database.image to one of Postgres 9.6, make a backup, and restore it")

		if p.owner != nil { // only root can give things away
			p.no(os.Chown(data, 0, 0))
			p.postgres("secret").fails("belongs to another user than that of this container")
		}
		if left, err := os.ReadFile(version); err != nil || string(left) != "9.6\n" {
			p.Error("the volume was touched:", err)
		}
	})
}
