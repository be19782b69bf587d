package sqlite

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/chattest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestStore passes the suite, and then looks at how SQLite goes about every statement that the suite made it prepare.
func TestStore(t *testing.T) {
	statements := make(map[string]bool)
	chattest.TestStore(t, func(t *testing.T) chat.Store {
		s := openAt(t, filepath.Join(t.TempDir(), "gochat.db"))
		t.Cleanup(func() { // before it is closed
			for _, p := range []*pool{s.writer, s.readers} {
				for range cap(p.free) {
					select {
					case c := <-p.free:
						if c != nil {
							maps.Copy(statements, prepared(c))
						}
						p.free <- c
					default: // closed by the test
					}
				}
			}
		})
		return s
	})
	t.Run("every statement uses an index", func(t *testing.T) { checkPlans(t, slices.Sorted(maps.Keys(statements))) })
}

func prepared(c *conn) map[string]bool {
	all := make(map[string]bool)
	for query := range c.stmts {
		all[query] = true
	}
	return all
}

func TestStoreClock(t *testing.T) {
	chattest.TestStoreClock(t, func(t *testing.T) chat.Store { return openAt(t, filepath.Join(t.TempDir(), "gochat.db")) })
}

// openAt opens a database that is closed when the test ends, if the test does not close it before.
func openAt(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(context.Background(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// scanned are the tables that a statement may walk through, and why.
var scanned = map[string]string{
	"DELETE FROM sessions":                      "upkeep: once an hour, and there is no hurry",
	"DELETE FROM refresh_tokens":                "upkeep",
	"DELETE FROM invites WHERE exp":             "upkeep",
	"DELETE FROM silent_nodes":                  "upkeep, and a row per node",
	"SELECT EXISTS (SELECT 1 FROM silent_nodes": "a row per node",
	"SELECT EXISTS (SELECT 1 FROM users":        "it ends at the first account that is not a guest",
}

// checkPlans fails for a statement that walks through a table, or sorts a log (P8: any depth costs the same).
func checkPlans(t *testing.T, statements []string) {
	if len(statements) < 60 {
		t.Fatalf("only %d statements seen", len(statements))
	}
	s := openAt(t, filepath.Join(t.TempDir(), "gochat.db"))
	c, err := s.readers.take(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer s.readers.put(c)
	for _, query := range statements {
		may := false
		for prefix := range scanned {
			may = may || strings.HasPrefix(query, prefix)
		}
		args := make([]any, 0, 16)
		for range 16 {
			args = append(args, nil)
		}
		rows, err := c.sql.QueryContext(context.Background(), "EXPLAIN QUERY PLAN "+query, args[:parameters(query)]...)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		for rows.Next() {
			var id, parent, unused int
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				t.Fatal(err)
			}
			walks := strings.HasPrefix(step, "SCAN ") && !strings.Contains(step, "VIRTUAL TABLE") && !strings.Contains(step, "CONSTANT ROW") &&
				!strings.Contains(step, "USING COVERING INDEX users_by_name") && !strings.Contains(step, "USING INDEX users_by_name") &&
				!strings.Contains(step, "USING INDEX rooms_public") && !subquery(query, step)
			sorts := strings.HasPrefix(step, "USE TEMP B-TREE") && strings.Contains(query, "FROM entries e JOIN")
			if (walks || sorts) && !may {
				t.Errorf("%s\n\t%s", query, step)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// subquery reports whether a step walks through what a subquery has found: its alias stands behind a parenthesis.
func subquery(query, step string) bool {
	name := strings.Fields(step)[1]
	return strings.Contains(query, ") "+name+"\n") || strings.HasPrefix(name, "(subquery")
}

// parameters counts a statement's parameters: the numbered ones by their highest number.
func parameters(query string) int {
	for n := 9; n > 0; n-- {
		if strings.Contains(query, "?"+string(rune('0'+n))) {
			return n
		}
	}
	return strings.Count(query, "?")
}
