package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/chattest"
	"github.com/gochat-dev/gochat/internal/sqlite"
)

func TestStore(t *testing.T) { chattest.TestStore(t, open) }

func TestStoreClock(t *testing.T) { chattest.TestStoreClock(t, open) }

func open(t *testing.T) chat.Store { return openAt(t, filepath.Join(t.TempDir(), "gochat.db")) }

// openAt opens a database that is closed when the test ends, if the test does not close it before.
func openAt(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(context.Background(), sqlite.Config{Path: path})
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
