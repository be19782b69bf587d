package postgres

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// What the URL sets goes first; what every connection needs to be right does not depend on it.
func TestSettingsInTheURL(t *testing.T) {
	url := databases.New(t)
	show := func(t *testing.T, s *Store, reader bool, name string) (value string) {
		t.Helper()
		ctx := context.Background()
		pool := s.writers
		if reader {
			pool = s.readers
		}
		if err := pool.QueryRow(ctx, "SELECT current_setting($1)", name).Scan(&value); err != nil {
			t.Fatal(err)
		}
		return value
	}
	for _, c := range []struct {
		name, query string
		setting     string
		write, read string
	}{
		{"a statement ends after 5 s", "", "statement_timeout", "5s", "5s"},
		{"or when the URL says", "&statement_timeout=2500", "statement_timeout", "2500ms", "2500ms"},
		{"a lock is waited for for 4 s", "", "lock_timeout", "4s", "4s"},
		{"a node that says nothing in a transaction is cut off after 3 s", "", "idle_in_transaction_session_timeout", "3s", "3s"},
		{"its name", "&application_name=chat-7", "application_name", "chat-7", "chat-7"},
		{"writers read what is committed, readers a snapshot", "&default_transaction_isolation=serializable", "default_transaction_isolation", "read committed", "repeatable read"},
		{"readers only read", "&default_transaction_read_only=off", "default_transaction_read_only", "off", "on"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openAt(t, url+c.query)
			if got := show(t, s, false, c.setting); got != c.write {
				t.Errorf("writers have %s, want %s", got, c.write)
			}
			if got := show(t, s, true, c.setting); got != c.read {
				t.Errorf("readers have %s, want %s", got, c.read)
			}
		})
	}
	t.Run("connections", func(t *testing.T) {
		for query, want := range map[string]int32{"": 8, "&pool_max_conns=3": 3} {
			s := openAt(t, url+query)
			for _, pool := range []int32{s.writers.Config().MaxConns, s.readers.Config().MaxConns} {
				if pool != want {
					t.Errorf("%q: %d connections, want %d", query, pool, want)
				}
			}
		}
	})
}

// The same URL serves the nodes and `server migrate`, which has no pool.
func TestPoolInTheURLOfAMigration(t *testing.T) {
	url := empty(t, "migrated_with_a_pool") + "&pool_max_conns=3"
	ctx := context.Background()
	if _, err := Migrate(ctx, url); err != nil {
		t.Fatal(err)
	}
	status, err := MigrationStatus(ctx, url)
	if err != nil || slices.ContainsFunc(status, func(m Migration) bool { return m.AppliedAt.IsZero() }) {
		t.Fatalf("the status is %+v (%v)", status, err)
	}
	if _, err := Migrate(ctx, strings.Replace(url, "=3", "=some", 1)); err == nil {
		t.Error("a pool of some connections is not refused")
	}
}

// A pool that is used up keeps nobody waiting for ever.
func TestPoolIsUsedUp(t *testing.T) {
	url := databases.New(t)
	w := world{Store: openAt(t, url+"&pool_max_conns=1"), url: url}
	c, err := w.writers.Acquire(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	err = w.write(context.Background(), "test", func(context.Context, pgx.Tx) error { return nil })
	unavailable(t, "a call that gets no connection", err)
	c.Release()
	if err := w.write(context.Background(), "test", func(context.Context, pgx.Tx) error { return nil }); err != nil {
		t.Error(err)
	}
}
