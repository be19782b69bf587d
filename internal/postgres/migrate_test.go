package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/gochat-dev/gochat/internal/chat"
)

// empty is a database without a schema.
func empty(t *testing.T, name string) string {
	t.Helper()
	s := databases.Server(t)
	url, err := s.Create(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Exec(context.Background(), "postgres", "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return url
}

func TestMigrateAtOnce(t *testing.T) {
	url := empty(t, "migrated_at_once")
	ctx := context.Background()
	status, err := MigrationStatus(ctx, url)
	if err != nil || len(status) < 2 || !status[0].AppliedAt.IsZero() || status[0].Name != "0001_initial.sql" {
		t.Fatalf("before, the status is %+v (%v)", status, err)
	}
	var wg sync.WaitGroup
	var steps [4]int
	for i := range steps {
		wg.Go(func() {
			done, err := Migrate(ctx, url)
			if err != nil {
				t.Error(err)
			}
			steps[i] = len(done)
		})
	}
	wg.Wait()
	if sum := steps[0] + steps[1] + steps[2] + steps[3]; sum != len(status) {
		t.Fatalf("steps taken: %v", steps)
	}
	if status, err = MigrationStatus(ctx, url); err != nil {
		t.Fatal(err)
	}
	for _, m := range status {
		if m.AppliedAt.IsZero() {
			t.Errorf("not applied: %+v", m)
		}
	}
	s := openAt(t, url)
	epoch, err := s.Epoch(ctx)
	if err != nil || epoch == "" {
		t.Fatalf("epoch %q (%v)", epoch, err)
	}
	if _, err := Migrate(ctx, url); err != nil {
		t.Fatal(err)
	}
	if again, err := s.Epoch(ctx); err != nil || again != epoch {
		t.Fatalf("migrating again changed the epoch from %q to %q (%v)", epoch, again, err)
	}
}

func TestSchemaThatIsRefused(t *testing.T) {
	steps, err := known()
	if err != nil {
		t.Fatal(err)
	}
	knows := steps[len(steps)-1].Version
	numbered := func(text string) string {
		return strings.NewReplacer("BEFORE", fmt.Sprint(knows-1), "THIS", fmt.Sprint(knows), "NEXT", fmt.Sprint(knows+1)).Replace(text)
	}
	for _, c := range []struct {
		name, sql, want string
		later           bool // trying again later may help
	}{
		{"an older one", `DELETE FROM goose_db_version WHERE version_id = THIS`, "schema is version BEFORE, this program needs version THIS: run `server migrate`", true},
		{"none", `DROP TABLE goose_db_version`, "schema is version 0", true},
		{"a newer one", `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`, "schema is version 9999, this program knows only version THIS", false},
		{"a newer one that has taken something away", `INSERT INTO goose_db_version (version_id, is_applied) VALUES (NEXT, true);
			INSERT INTO schema_serves VALUES (NEXT, NEXT)`, "schema is version NEXT", false},
		{"a newer one that only adds", `INSERT INTO goose_db_version (version_id, is_applied) VALUES (NEXT, true);
			INSERT INTO schema_serves VALUES (NEXT, THIS)`, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := databases.New(t)
			world{url: url}.sql(t, numbered(c.sql))
			s, err := Open(context.Background(), Config{URL: url})
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if has := s.SchemaVersion(); has != knows+1 {
					t.Errorf("its schema is said to be version %d, not %d", has, knows+1)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), numbered(c.want)) || errors.Is(err, chat.ErrUnavailable) != c.later {
				t.Fatalf("opening it gives %v", err)
			}
		})
	}
}

func TestMigrateRefusesANewerSchema(t *testing.T) {
	url := databases.New(t)
	world{url: url}.sql(t, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true), (9997, true), (9998, true)`)
	if _, err := Migrate(context.Background(), url); err == nil || !strings.Contains(err.Error(), "9999") {
		t.Fatalf("migrating it gives %v", err)
	}
	status, err := MigrationStatus(context.Background(), url)
	inOrder := func(a, b Migration) int { return cmp.Compare(a.Version, b.Version) }
	if err != nil || status[len(status)-1].Version != 9999 || !slices.IsSortedFunc(status, inOrder) {
		t.Fatalf("the status is %+v (%v)", status, err)
	}
}

func TestOpenRefusesWhatIsNoDatabaseOfOurs(t *testing.T) {
	s := databases.Server(t)
	ctx := context.Background()
	if err := s.Exec(ctx, "postgres", `CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0 OWNER gochat`); err != nil {
		t.Fatal(err)
	}
	defer func() { // the server is everybody's, and of the next run too
		if err := s.Exec(ctx, "postgres", `DROP DATABASE latin WITH (FORCE)`); err != nil {
			t.Error(err)
		}
	}()
	for url, want := range map[string]string{
		s.URL("latin"): "encoding is LATIN1", s.URL("nowhere"): `database "nowhere" does not exist`,
		"postgres://gochat:secret@127.0.0.1:1/x": "127.0.0.1", "postgres://[": "open database", "": "open database",
	} {
		for what, open := range map[string]func() error{
			"open": func() error {
				s, err := Open(ctx, Config{URL: url})
				if err == nil {
					err = s.Close()
				}
				return err
			},
			"migrate": func() error { _, err := Migrate(ctx, url); return err },
		} {
			err := open()
			if err == nil || (what == "open" && !strings.Contains(err.Error(), want)) || strings.Contains(fmt.Sprint(err), "secret") {
				t.Errorf("%s %q: %v", what, url, err)
			}
		}
	}
}

func TestSchemaHoldsTheRules(t *testing.T) {
	w := build(t, 2, 1)
	w.append(t, w.text(0, 0)) // entries 1, 2, 3
	insert := func(seq, prev int64, client string) (err error) {
		w.on(t, func(c *pgx.Conn) {
			_, err = c.Exec(context.Background(), `INSERT INTO entries (room, seq, kind, sender, prev_seq, prev_id, message_id, client_id, at, body)
				SELECT room, $1, kind, sender, $2, prev_id, message_id, CASE $3 WHEN '' THEN client_id ELSE $3 END, at, body
				FROM entries WHERE seq = 3`, seq, prev, client)
		})
		return err
	}
	for _, c := range []struct {
		name      string
		seq, prev int64
		client    string
		ok        bool
	}{
		{"[SEQ1] a number is given once", 3, 5, "a", false},
		{"[SEQ1] one entry follows another", 4, 2, "a", false},
		{"[SEQ1] an entry points back", 4, 4, "a", false},
		{"[SEQ2] a client id counts once", 4, 3, "", false},
		{"the next entry", 4, 3, "a", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := insert(c.seq, c.prev, c.client); (err == nil) != c.ok {
				t.Fatal(err)
			}
		})
	}
}

func TestKeysAreGeneratedOnce(t *testing.T) {
	url := databases.New(t)
	ctx := context.Background()
	var wg sync.WaitGroup
	var sets [8]string
	for i := range sets {
		s := openAt(t, url)
		wg.Go(func() {
			set, err := s.JWTKeys(ctx, func() ([]byte, error) { return fmt.Appendf(nil, `{"keys":[%d]}`, i), nil })
			if err != nil {
				t.Error(err)
			}
			sets[i] = string(set)
		})
	}
	wg.Wait()
	for _, set := range sets {
		if set == "" || set != sets[0] {
			t.Fatalf("nodes have different keys: %q", sets)
		}
	}
	boom := errors.New("boom")
	fail := func() ([]byte, error) { return nil, boom }
	if set, err := openAt(t, url).JWTKeys(ctx, fail); err != nil || string(set) != sets[0] {
		t.Fatalf("later, the keys are %q (%v)", set, err)
	}
	if _, err := openAt(t, databases.New(t)).JWTKeys(ctx, fail); !errors.Is(err, boom) {
		t.Fatalf("a generator that fails gives %v", err)
	}
}
