package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3/lock"

	"github.com/gochat-dev/gochat/internal/pgtest"
	"github.com/gochat-dev/gochat/internal/postgres"
)

// databases have the schema of this program.
var databases = &pgtest.Databases{Prepare: func(ctx context.Context, url string) error {
	_, err := postgres.Migrate(ctx, url)
	return err
}}

// emptyDatabase has no schema.
func emptyDatabase(t *testing.T, name string) (*pgtest.Server, string) {
	t.Helper()
	s := databases.Server(t)
	url, err := s.Create(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Exec(context.Background(), "postgres", "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return s, url
}

// command is the built server, with arguments and a database.
func command(t *testing.T, url string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = append(os.Environ(), "GOCHAT_POSTGRES_URL="+url, "GOCHAT_DATA_DIR="+t.TempDir(),
		"GOCHAT_LISTEN=127.0.0.1:0", "GOCHAT_ADMIN_LISTEN=127.0.0.1:0")
	said := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = said, said
	return cmd, said
}

// runs runs it and returns what it said.
func runs(t *testing.T, url string, args ...string) (string, error) {
	t.Helper()
	cmd, said := command(t, url, args...)
	err := cmd.Run()
	return said.String(), err
}

func TestMigrate(t *testing.T) {
	server, url := emptyDatabase(t, "to_migrate")
	ctx := t.Context()
	if said, err := runs(t, url); err == nil || !strings.Contains(said, "run `server migrate` first") {
		t.Fatalf("a server on an empty database ends with %v and says %s", err, said)
	}
	if said, err := runs(t, url, "migrate", "status"); err != nil || strings.Count(said, "not applied") < 2 {
		t.Fatalf("status: %v, %s", err, said)
	}

	t.Run("two processes do not migrate at once", func(t *testing.T) {
		conn, err := server.Connect(ctx, "to_migrate")
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := conn.Close(context.Background()); err != nil {
				t.Error(err)
			}
		}()
		// Somebody else is migrating.
		if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", lock.DefaultLockID); err != nil {
			t.Fatal(err)
		}
		var said [2]*bytes.Buffer
		var cmds [2]*exec.Cmd
		for i := range cmds {
			cmds[i], said[i] = command(t, url, "migrate")
			if err := cmds[i].Start(); err != nil {
				t.Fatal(err)
			}
		}
		wait(t, "both to have asked for the lock", func() bool {
			return count(t, conn, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
				AND application_name = 'gochat migrate' AND query LIKE '%pg_try_advisory_lock%'`) == 2
		})
		// The table of applied versions is there: goose makes it before it locks, and again where two make it at once.
		if n := count(t, conn, `SELECT count(*) FROM pg_class WHERE relname = 'schema_serves'`); n != 0 {
			t.Error("somebody did not wait for the lock")
		}
		if _, err := conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", lock.DefaultLockID); err != nil {
			t.Fatal(err)
		}
		for i := range cmds {
			if err := cmds[i].Wait(); err != nil {
				t.Errorf("migrate: %v, %s", err, said[i])
			}
		}
		both := said[0].String() + said[1].String()
		if strings.Count(both, "0001_initial.sql") != 1 || strings.Count(both, "the schema is up to date") != 1 {
			t.Errorf("the two say\n%s\n%s", said[0], said[1])
		}
	})
	if said, err := runs(t, url, "migrate", "status"); err != nil || strings.Contains(said, "not applied") {
		t.Fatalf("status: %v, %s", err, said)
	}

	t.Run("a schema that is too new is refused, by the server and by migrate", func(t *testing.T) {
		if err := server.Exec(ctx, "to_migrate", `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{nil, {"migrate"}} {
			said, err := runs(t, url, args...)
			exit, ended := errors.AsType[*exec.ExitError](err)
			if !ended || exit.ExitCode() != 1 || !strings.Contains(said, "start a newer version of gochat") {
				t.Errorf("server %v ends with %v and says %s", args, err, said)
			}
		}
		if said, err := runs(t, url, "migrate", "status"); err != nil || !strings.Contains(said, "9999") {
			t.Errorf("status: %v, %s", err, said)
		}
	})
}

func TestMigrateReports(t *testing.T) {
	_, url := emptyDatabase(t, "to_report")
	file := filepath.Join(t.TempDir(), "report")
	for range 2 { // there may be nothing to do
		if said, err := runs(t, url, "migrate", "--report="+file); err != nil {
			t.Fatalf("%v, %s", err, said)
		}
		steps, err := postgres.MigrationStatus(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(file)
		if want := fmt.Sprintf("{\"schema\":%d}\n", steps[len(steps)-1].Version); err != nil || string(got) != want {
			t.Errorf("%v: it reports %q, want %q", err, got, want)
		}
	}
}

func TestMigrateNeedsPostgres(t *testing.T) {
	for _, args := range [][]string{{"migrate"}, {"migrate", "status"}} {
		if said, err := runs(t, "", args...); err == nil || !strings.Contains(said, "GOCHAT_POSTGRES_URL is not set") {
			t.Errorf("%v without a database: %v, %s", args, err, said)
		}
	}
}

func count(t *testing.T, conn *pgx.Conn, query string) (n int) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// wait looks again and again until something holds.
func wait(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(5 * time.Millisecond) // between two looks; nothing depends on how long
	}
}
