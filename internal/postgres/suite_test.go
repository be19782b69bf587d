package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/chattest"
	"github.com/gochat-dev/gochat/internal/pgtest"
)

// databases are of one server for all tests but those that break theirs.
var databases = &pgtest.Databases{Prepare: prepare}

func prepare(ctx context.Context, url string) error {
	if _, err := Migrate(ctx, url); err != nil {
		return err
	}
	return makeRoles(ctx, url)
}

func TestMain(m *testing.M) {
	if runAppender() { // this process is one of those that a test has started
		return
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := errors.Join(databases.Stop(), earnest.Stop()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
		os.Exit(code)
	}))
}

// The suite runs as a role that owns nothing: what docs/operations/backup-and-restore.md gives it is enough.
func TestStore(t *testing.T) {
	chattest.TestStore(t, func(t *testing.T) chat.Store { return openAt(t, as("gochat_server", databases.New(t))) })
}

func TestStoreClock(t *testing.T) {
	databases.Server(t) // outside of the bubble
	chattest.TestStoreClock(t, func(t *testing.T) chat.Store { return openAt(t, databases.New(t)) })
}

// openAt opens a database that is closed when the test ends, if the test does not close it before.
func openAt(tb testing.TB, url string) *Store {
	tb.Helper()
	s, err := Open(context.Background(), Config{URL: url})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}
