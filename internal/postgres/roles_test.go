package postgres

import (
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/gochat-dev/gochat/internal/pgtest"
)

// as is a database's URL for another role.
func as(role, database string) string {
	u, err := url.Parse(database)
	if err != nil {
		panic(err) // the test made it
	}
	u.User = url.User(role)
	return u.String()
}

// makeRoles runs what the documents have an administrator, and then the owner, run.
func makeRoles(ctx context.Context, owner string) error {
	text, err := os.ReadFile("../../docs/operations/backup-and-restore.md")
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(string(text), "<!-- The tests run this. -->\n```sql\n")
	sql, _, found := strings.Cut(rest, "```")
	if !found {
		return errors.New("the documents do not say which rights the roles need")
	}
	var create, grant strings.Builder
	for line := range strings.Lines(sql) {
		if strings.HasPrefix(line, "CREATE ROLE") {
			create.WriteString(line)
			continue
		}
		grant.WriteString(line)
	}
	return errors.Join(run(ctx, as("postgres", owner), create.String()), run(ctx, owner, grant.String()))
}

func run(ctx context.Context, url, sql string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

func TestRoles(t *testing.T) {
	owner := databases.New(t)
	// What a later migration makes is theirs too.
	if err := run(t.Context(), owner, `CREATE TABLE later (n bigint GENERATED ALWAYS AS IDENTITY, s serial, text text)`); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		role, sql string
		refused   bool
	}{
		{"gochat_server", `INSERT INTO later (text) VALUES ('a')`, false},
		{"gochat_server", `UPDATE goose_db_version SET version_id = 99`, true},
		{"gochat_server", `UPDATE schema_serves SET serves_from = 99`, true},
		{"gochat_server", `DROP TABLE later`, true},
		{"gochat_server", `CREATE TABLE mine ()`, true},
		{"gochat_server", `TRUNCATE pings`, false}, // the way to see that a disk is not full any more
		{"gochat_server", `TRUNCATE entries`, true},
		{"gochat_server", `CREATE ROLE mine`, true},
		{"gochat_backup", `SELECT * FROM later, entries, meta`, false},
		{"gochat_backup", `DELETE FROM entries`, true},
		{"gochat_backup", `SELECT nextval('later_s_seq')`, true},
	} {
		err := run(t.Context(), as(c.role, owner), c.sql)
		refusal, is := errors.AsType[*pgconn.PgError](err)
		if c.refused != (is && refusal.Code == "42501") || !c.refused && err != nil {
			t.Errorf("%s: %s: %v", c.role, c.sql, err)
		}
	}
	// The keys of access tokens are made by whoever comes first.
	s := openAt(t, as("gochat_server", owner))
	if _, err := s.JWTKeys(t.Context(), func() ([]byte, error) { return []byte("keys"), nil }); err != nil {
		t.Error(err)
	}
	pgDump, err := pgtest.Program("pg_dump")
	if err != nil {
		t.Fatal(err)
	}
	dump := exec.CommandContext(t.Context(), pgDump, "--format=custom", "--file="+filepath.Join(t.TempDir(), "dump"), as("gochat_backup", owner))
	if out, err := dump.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := Migrate(t.Context(), as("gochat_server", owner)); err != nil {
		t.Errorf("where nothing is to migrate: %v", err)
	}
}
