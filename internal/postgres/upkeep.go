package postgres

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gochat-dev/gochat/internal/chat"
)

// pinged remembers the last success of Ping, so that being asked often costs no writes. It is forgotten as soon
// as any write fails.
type pinged struct {
	mu   sync.Mutex
	at   time.Time // guarded by mu
	full bool      // the server was out of room, and no ping has found it again; guarded by mu
}

// pingEvery is how long a success of Ping is trusted.
const pingEvery = time.Second

func (p *pinged) state() (fresh, full bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Since(p.at) < pingEvery, p.full
}

func (p *pinged) succeeded() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at, p.full = time.Now(), false
}

// noteFailure lets the next Ping look for itself, and more closely where the server was out of room.
func (s *Store) noteFailure(err error) {
	s.pinged.mu.Lock()
	defer s.pinged.mu.Unlock()
	s.pinged.at = time.Time{}
	s.pinged.full = s.pinged.full || strings.HasPrefix(code(err), classResources)
}

const (
	pingRow = `INSERT INTO pings (id, filling) VALUES (0, '') ON CONFLICT (id) DO UPDATE SET filling = ''`
	// pingRoom fills a new file, so that it needs room on the disk: a row may well find a place in an old one.
	pingRoom = `INSERT INTO pings (id, filling) SELECT i, repeat('x', 1500) FROM generate_series(1, 64) i`
)

// Ping implements chat.Upkeep.
func (s *Store) Ping(ctx context.Context) error {
	fresh, full := s.pinged.state()
	if !fresh {
		if err := s.tryWriting(ctx, full); err != nil {
			return err
		}
		s.pinged.succeeded()
	}
	_, err := s.Epoch(ctx)
	return err
}

func (s *Store) tryWriting(ctx context.Context, full bool) error {
	if !full {
		_, err := s.exec(ctx, "ping", pingRow)
		return err
	}
	return s.write(ctx, "ping", func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `TRUNCATE pings`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, pingRoom)
		return err
	})
}

// Epoch implements chat.Upkeep.
func (s *Store) Epoch(ctx context.Context) (id string, err error) {
	batch := &pgx.Batch{}
	batch.Queue(`SELECT ` + epoch).QueryRow(func(row pgx.Row) error { return row.Scan(&id) })
	err = s.read(ctx, "read epoch", batch)
	return id, err
}

// NewEpoch implements chat.Upkeep.
func (s *Store) NewEpoch(ctx context.Context) (string, error) {
	epoch := chat.NewID()
	if err := s.change(ctx, "write epoch", `UPDATE meta SET value = $1 WHERE key = 'epoch'`, epoch); err != nil {
		return "", err
	}
	return epoch, nil
}

// HasAdmin implements chat.Upkeep.
func (s *Store) HasAdmin(ctx context.Context) (has bool, err error) {
	batch := &pgx.Batch{}
	batch.Queue(`SELECT EXISTS (SELECT 1 FROM users WHERE admin AND deleted_at IS NULL)`).
		QueryRow(func(row pgx.Row) error { return row.Scan(&has) })
	err = s.read(ctx, "look for an admin", batch)
	return has, err
}

// JWTKeys returns the JWK Set of the keys of access tokens, which all nodes share. The first who asks generates it.
func (s *Store) JWTKeys(ctx context.Context, generate func() ([]byte, error)) (set []byte, err error) {
	err = s.write(ctx, "read keys", func(ctx context.Context, tx pgx.Tx) error {
		const stored = `SELECT value FROM meta WHERE key = 'jwt_keys'`
		if err := tx.QueryRow(ctx, stored).Scan(&set); !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		fresh, err := generate()
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO meta (key, value) VALUES ('jwt_keys', $1) ON CONFLICT (key) DO NOTHING`,
			string(fresh)); err != nil {
			return err
		}
		return tx.QueryRow(ctx, stored).Scan(&set)
	})
	return set, err
}

// IdleGuests implements chat.Upkeep.
func (s *Store) IdleGuests(ctx context.Context, since time.Time, limit int) (ids []string, err error) {
	batch := &pgx.Batch{}
	batch.Queue(`SELECT id FROM users WHERE guest AND deleted_at IS NULL AND seen_at < $1
		ORDER BY seen_at LIMIT $2`, since.UnixMilli(), limit).Query(collect(&ids, scanString))
	err = s.read(ctx, "find idle guests", batch)
	return ids, err
}

// Prune implements chat.Upkeep.
func (s *Store) Prune(ctx context.Context, before time.Time) error {
	return s.write(ctx, "prune", func(ctx context.Context, tx pgx.Tx) error {
		batch := &pgx.Batch{}
		for _, statement := range []string{
			`DELETE FROM sessions WHERE expires_at < $1 OR revoked_at < $1`,
			`DELETE FROM refresh_tokens WHERE traded_at < $1`,
			`DELETE FROM invites WHERE expires_at < $1 OR ended_at < $1`,
			`DELETE FROM silent_nodes WHERE until < $1`,
		} {
			batch.Queue(statement, before.UnixMilli())
		}
		return tx.SendBatch(ctx, batch).Close()
	})
}
