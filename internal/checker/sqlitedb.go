package checker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/sqlite"
)

// sqliteDB is a Database in a directory: a backup is a copy of the file.
type sqliteDB struct {
	path  string
	store *sqlite.Store
}

// OpenSQLite makes a Database in an empty directory.
func OpenSQLite(ctx context.Context, dir string) (Database, error) {
	d := &sqliteDB{path: filepath.Join(dir, "chat.db")}
	return d, d.open(ctx)
}

func (d *sqliteDB) open(ctx context.Context) (err error) {
	d.store, err = sqlite.Open(ctx, sqlite.Config{Path: d.path, Readers: 2})
	return err
}

// Store implements Database.
func (d *sqliteDB) Store() chat.Store { return d.store }

// Backup implements Database. Close moves everything into the one file.
func (d *sqliteDB) Backup(ctx context.Context) error { return d.copy(ctx, d.path, d.path+".backup") }

// Restore implements Database.
func (d *sqliteDB) Restore(ctx context.Context) error { return d.copy(ctx, d.path+".backup", d.path) }

func (d *sqliteDB) copy(ctx context.Context, from, to string) error {
	if err := d.store.Close(); err != nil {
		return fmt.Errorf("closing the store: %w", err)
	}
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	return errors.Join(err, d.open(ctx))
}

// Close implements Database.
func (d *sqliteDB) Close() error { return d.store.Close() }
