package chattest_test

import (
	"testing"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/chattest"
)

func openMem(t *testing.T) chat.Store {
	s := chattest.NewMemStore()
	t.Cleanup(func() { _ = s.Close() }) // it never fails
	return s
}

func TestMemStore(t *testing.T)      { chattest.TestStore(t, openMem) }
func TestMemStoreClock(t *testing.T) { chattest.TestStoreClock(t, openMem) }
