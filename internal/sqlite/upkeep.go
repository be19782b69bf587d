package sqlite

import (
	"context"
	"sync"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// pinged remembers the last success of Ping, so that being asked often costs no writes. It is forgotten as soon
// as any write fails.
type pinged struct {
	mu sync.Mutex
	at time.Time // guarded by mu
}

// pingEvery is how long a success of Ping is trusted.
const pingEvery = time.Second

func (p *pinged) fresh() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Since(p.at) < pingEvery
}

func (p *pinged) set(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = at
}

// Ping implements chat.Upkeep. It rewrites one row of 64 KiB: while there is no room for a few
// entries, there is none for that.
func (s *Store) Ping(ctx context.Context) error {
	if !s.pinged.fresh() {
		if err := s.write(ctx, "ping", func(c *conn) error {
			_, err := c.exec(`INSERT INTO pings (id, filling) VALUES (1, randomblob(65536))
				ON CONFLICT (id) DO UPDATE SET filling = excluded.filling`)
			return err
		}); err != nil {
			return err
		}
		s.pinged.set(time.Now())
	}
	_, err := s.Epoch(ctx)
	return err
}

// Epoch implements chat.Upkeep.
func (s *Store) Epoch(ctx context.Context) (epoch string, err error) {
	err = s.read(ctx, "read epoch", func(c *conn) error {
		epoch, err = c.epoch()
		return err
	})
	return epoch, err
}

// NewEpoch implements chat.Upkeep.
func (s *Store) NewEpoch(ctx context.Context) (string, error) {
	epoch := chat.NewID()
	if err := s.change(ctx, "write epoch", `UPDATE meta SET value = ? WHERE key = 'epoch'`, epoch); err != nil {
		return "", err
	}
	return epoch, nil
}

// HasAdmin implements chat.Upkeep.
func (s *Store) HasAdmin(ctx context.Context) (has bool, err error) {
	err = s.read(ctx, "look for an admin", func(c *conn) error {
		_, err := c.row(`SELECT EXISTS (SELECT 1 FROM users WHERE admin = 1 AND deleted_at IS NULL)`, nil, &has)
		return err
	})
	return has, err
}

// IdleGuests implements chat.Upkeep.
func (s *Store) IdleGuests(ctx context.Context, since time.Time, limit int) (ids []string, err error) {
	err = s.read(ctx, "find idle guests", func(c *conn) error {
		ids, err = c.strings(`SELECT id FROM users WHERE guest = 1 AND deleted_at IS NULL AND seen_at < ?
			ORDER BY seen_at LIMIT ?`, since.UnixMilli(), limit)
		return err
	})
	return ids, err
}

// Prune implements chat.Upkeep.
func (s *Store) Prune(ctx context.Context, before time.Time) error {
	return s.write(ctx, "prune", func(c *conn) error {
		for _, statement := range []string{
			`DELETE FROM sessions WHERE expires_at < ?1 OR revoked_at < ?1`,
			`DELETE FROM refresh_tokens WHERE traded_at < ?1`,
			`DELETE FROM invites WHERE expires_at < ?1 OR ended_at < ?1`,
			`DELETE FROM silent_nodes WHERE until < ?1`,
		} {
			if _, err := c.exec(statement, before.UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	})
}
