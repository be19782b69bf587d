package checker

import (
	"context"
	"sync"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/chattest"
)

// memDB is a Database in memory: a backup is a clone.
type memDB struct {
	mu           sync.Mutex
	store, saved *chattest.MemStore // guarded by mu
}

// OpenMemory makes a Database in memory.
func OpenMemory() Database { return &memDB{store: chattest.NewMemStore()} }

// Store implements Database.
func (d *memDB) Store() chat.Store {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.store
}

// Backup implements Database.
func (d *memDB) Backup(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.saved = d.store.Clone()
	return nil
}

// Restore implements Database.
func (d *memDB) Restore(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.store = d.saved.Clone()
	return nil
}

// Close implements Database.
func (d *memDB) Close() error { return d.Store().Close() }
