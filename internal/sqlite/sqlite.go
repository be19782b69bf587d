// Package sqlite is the Store of a node that runs alone: one file, no service beside it.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"modernc.org/sqlite"

	"github.com/gochat-dev/gochat/internal/chat"
)

// Config says where the database is. Every field but Path may be left zero.
type Config struct {
	Path        string        // of the file; it and its directory are made where they are missing
	Readers     int           // connections that read; default 4
	CacheKiB    int           // memory for pages, of all connections together; default 6 MiB
	BusyTimeout time.Duration // how long to wait for another process that is writing; default 5 s
}

func (c Config) withDefaults() Config {
	if c.Readers <= 0 {
		c.Readers = 4
	}
	if c.CacheKiB <= 0 {
		c.CacheKiB = 6 << 10
	}
	if c.BusyTimeout <= 0 {
		c.BusyTimeout = 5 * time.Second
	}
	return c
}

// Store is a chat.Store in an SQLite file. One connection writes, a few others read, each from a snapshot of
// its own (WAL). A commit is on the disk when it is acknowledged (synchronous=FULL).
type Store struct {
	writer, readers *pool
	dbs             []*sql.DB

	schema  int64 // the version of its schema
	closing sync.Once
	closed  chan struct{}

	pinged pinged
}

var _ chat.Store = (*Store)(nil)

// Open opens the database, makes it where there is none, and brings its schema up to date. It refuses a file
// that a newer version has written. ctx bounds the opening only.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	path, err := prepareFile(cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	// The size of the file is all the metadata that a commit needs; where the system has no fdatasync, fsync stays.
	if _, err := sqlite.Fdatasync(true); err != nil && !errors.Is(err, sqlite.ErrFdatasyncUnavailable) {
		return nil, fmt.Errorf("open database: %w", err)
	}
	writeDB, err := sql.Open("sqlite", source(path, cfg, cfg.CacheKiB/3, false))
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	schema, err := migrate(ctx, writeDB)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), writeDB.Close())
	}
	readDB, err := sql.Open("sqlite", source(path, cfg, cfg.CacheKiB*2/3/cfg.Readers, true))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), writeDB.Close())
	}
	s := &Store{schema: schema, dbs: []*sql.DB{readDB, writeDB}, closed: make(chan struct{})}
	s.writer = newPool(writeDB, 1, s.closed)
	s.readers = newPool(readDB, cfg.Readers, s.closed)
	return s, nil
}

// SchemaVersion is the version of the schema.
func (s *Store) SchemaVersion() int64 { return s.schema }

// prepareFile makes the file and its directory, for the owner's eyes only: password and token hashes are in it.
func prepareFile(path string) (string, error) {
	if path == "" {
		return "", errors.New("no path given")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	return path, f.Close()
}

func source(path string, cfg Config, cacheKiB int, readOnly bool) string {
	q := url.Values{
		"_busy_timeout": {fmt.Sprint(cfg.BusyTimeout.Milliseconds())},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_foreign_keys": {"on"},
		"_txlock":       {"immediate"}, // for migrations; the store begins its transactions itself
		"_dqs":          {"0"},
		"_pragma": {
			fmt.Sprintf("cache_size(%d)", -max(cacheKiB, 64)),
			"temp_store(memory)",
			"wal_autocheckpoint(4000)",     // pages: a hot page goes into the file once for many commits
			"journal_size_limit(67108864)", // a log grown in a storm shrinks again
		},
	}
	if readOnly {
		q.Set("_query_only", "on")
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String()
}

// Close waits for what is under way, moves everything into the one file and closes it: a plain copy of
// the file is then the whole database. Calls after it fail with chat.ErrUnavailable.
func (s *Store) Close() error {
	var err error
	s.closing.Do(func() {
		close(s.closed)
		err = errors.Join(s.readers.close(), s.writer.close())
		for _, db := range s.dbs { // the writer's last: the last connection that closes empties the log
			err = errors.Join(err, db.Close())
		}
	})
	return err
}
