// Package postgres is the Store that many nodes share: a Postgres database, version 14 or newer.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/gochat-dev/gochat/internal/chat"
)

// Config says where the database is. Every field but URL may be left zero.
type Config struct {
	URL     string // postgres://user:password@host:port/database?…, or libpq's keyword form
	Writers int    // most connections that write; default 8, or pool_max_conns in the URL
	Readers int    // most connections that read; the same
}

func (c Config) withDefaults() Config {
	if c.Writers <= 0 {
		c.Writers = 8
	}
	if c.Readers <= 0 {
		c.Readers = 8
	}
	return c
}

// Store is a chat.Store in a Postgres database. Some connections write, others only read, each from snapshots of
// its own: a storm of reads keeps no commit waiting. A commit is on the disk when it is acknowledged
// (synchronous_commit, as the server has it).
type Store struct {
	writers, readers *pgxpool.Pool

	schema  int64 // the version that its schema had at the opening
	closing sync.Once
	pinged  pinged
}

var _ chat.Store = (*Store)(nil)

// Open connects to the database. It refuses one whose schema this program does not know, or that Migrate has not
// brought up to date. ctx bounds the opening only. An error wraps chat.ErrUnavailable where the database can't
// be reached, or not yet.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	s := &Store{}
	var err error
	if s.writers, err = newPool(cfg.URL, cfg.Writers, writing); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if s.readers, err = newPool(cfg.URL, cfg.Readers, reading); err != nil {
		s.writers.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := s.check(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", s.name(), err), s.Close())
	}
	return s, nil
}

// check refuses a database that this program can't work with.
func (s *Store) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	c, err := s.writers.Acquire(ctx)
	if err != nil {
		return classify("connect", err, false)
	}
	defer c.Release()
	s.schema, err = checkSchema(ctx, c.Conn())
	return err
}

// SchemaVersion is the version that the schema had when the store was opened. It may have grown since.
func (s *Store) SchemaVersion() int64 { return s.schema }

// name is where the database is, without a password.
func (s *Store) name() string {
	c := s.writers.Config().ConnConfig
	return fmt.Sprintf("%s at %s:%d", c.Database, c.Host, c.Port)
}

// Close waits for what is under way and closes the connections. Calls after it fail with chat.ErrUnavailable.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.readers.Close()
		s.writers.Close()
	})
	return nil
}
