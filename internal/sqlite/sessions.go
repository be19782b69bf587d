package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// sessionColumns are what scanSession reads, of sessions s and their users u. Those that are good at the
// moment of a parameter are neither revoked nor expired.
const (
	sessionColumns = `s.id, u.id, s.user_agent, s.created_at, s.last_seen_at, s.expires_at`
	goodSession    = `s.revoked_at IS NULL AND s.expires_at > ?`
)

func scanSession(scan func(...any) error) (chat.Session, error) {
	var s chat.Session
	var created, seen, expires int64
	err := scan(&s.ID, &s.UserID, &s.UserAgent, &created, &seen, &expires)
	s.CreatedAt, s.LastSeenAt, s.ExpiresAt = moment(created), moment(seen), moment(expires)
	return s, err
}

func (c *conn) sessions(query string, args ...any) (all []chat.Session, err error) {
	err = c.each(query, args, func(rows *sql.Rows) error {
		s, err := scanSession(rows.Scan)
		all = append(all, s)
		return err
	})
	return all, err
}

// only is the session of a query that finds at most one. chat.ErrRevoked.
func only(all []chat.Session, err error) (chat.Session, error) {
	if err != nil {
		return chat.Session{}, err
	}
	if len(all) == 0 {
		return chat.Session{}, chat.ErrRevoked
	}
	return all[0], nil
}

func (c *conn) session(id string, now time.Time) (chat.Session, error) {
	return only(c.sessions(`SELECT `+sessionColumns+` FROM sessions s JOIN users u ON u.num = s.user
		WHERE s.id = ? AND `+goodSession, id, now.UnixMilli()))
}

// CreateSession implements chat.Sessions.
func (s *Store) CreateSession(ctx context.Context, ses chat.Session, tokenHash string) error {
	return s.write(ctx, "create session", func(c *conn) error {
		u, err := c.user(ses.UserID)
		if err != nil {
			return err
		}
		if u.num == 0 {
			return chat.ErrNotFound
		}
		if _, err := c.exec(`INSERT INTO sessions (id, user, user_agent, created_at, last_seen_at, expires_at)
			VALUES (?, ?, ?, ?, ?, ?)`, ses.ID, u.num, ses.UserAgent,
			ses.CreatedAt.UnixMilli(), ses.LastSeenAt.UnixMilli(), ses.ExpiresAt.UnixMilli()); err != nil {
			return err
		}
		if err := c.addToken(tokenHash, ses.ID); err != nil {
			return err
		}
		return c.see(u.num, ses.LastSeenAt)
	})
}

func (c *conn) addToken(hash, session string) error {
	_, err := c.exec(`INSERT INTO refresh_tokens (hash, session) VALUES (?, ?)`, hash, session)
	return err
}

// see notes a visit of a user.
func (c *conn) see(user int64, at time.Time) error {
	_, err := c.exec(`UPDATE users SET seen_at = max(seen_at, ?) WHERE num = ?`, at.UnixMilli(), user)
	return err
}

// Rotate implements chat.Sessions. What it revokes is committed although it fails.
func (s *Store) Rotate(ctx context.Context, tokenHash, successorHash string, now time.Time, grace time.Duration) (chat.Session, error) {
	var ses chat.Session
	reused := false
	err := s.write(ctx, "rotate token", func(c *conn) (err error) {
		if ses, err = only(c.sessions(`SELECT `+sessionColumns+` FROM refresh_tokens t
			JOIN sessions s ON s.id = t.session JOIN users u ON u.num = s.user
			WHERE t.hash = ? AND `+goodSession, tokenHash, now.UnixMilli())); err != nil {
			return err
		}
		var user int64
		var traded sql.NullInt64
		if _, err := c.row(`SELECT s.user, t.traded_at FROM refresh_tokens t JOIN sessions s ON s.id = t.session
			WHERE t.hash = ?`, []any{tokenHash}, &user, &traded); err != nil {
			return err
		}
		if reused = traded.Valid && now.Sub(moment(traded.Int64)) > grace; reused {
			return c.revoke(user, []chat.Session{ses}, now)
		}
		if _, err := c.exec(`UPDATE refresh_tokens SET traded_at = ? WHERE hash = ? AND traded_at IS NULL`,
			now.UnixMilli(), tokenHash); err != nil {
			return err
		}
		if err := c.addToken(successorHash, ses.ID); err != nil {
			return err
		}
		ses.ExpiresAt = moment(now.Add(ses.ExpiresAt.Sub(ses.LastSeenAt)).UnixMilli())
		ses.LastSeenAt = moment(now.UnixMilli())
		if _, err := c.exec(`UPDATE sessions SET last_seen_at = ?, expires_at = ? WHERE id = ?`,
			ses.LastSeenAt.UnixMilli(), ses.ExpiresAt.UnixMilli(), ses.ID); err != nil {
			return err
		}
		return c.see(user, now)
	})
	switch {
	case err != nil:
		return chat.Session{}, err
	case reused:
		return ses, chat.ErrRevoked
	default:
		return ses, nil
	}
}

// Session implements chat.Sessions.
func (s *Store) Session(ctx context.Context, id string) (ses chat.Session, err error) {
	err = s.read(ctx, "read session", func(c *conn) error {
		ses, err = c.session(id, time.Now())
		return err
	})
	return ses, err
}

// SessionByToken implements chat.Sessions.
func (s *Store) SessionByToken(ctx context.Context, tokenHash string) (ses chat.Session, err error) {
	err = s.read(ctx, "find session", func(c *conn) error {
		ses, err = only(c.sessions(`SELECT `+sessionColumns+` FROM refresh_tokens t
			JOIN sessions s ON s.id = t.session JOIN users u ON u.num = s.user
			WHERE t.hash = ? AND `+goodSession, tokenHash, time.Now().UnixMilli()))
		return err
	})
	return ses, err
}

// sessionsOfUser are those that are good, the last seen first.
const sessionsOfUser = `SELECT ` + sessionColumns + ` FROM users u JOIN sessions s ON s.user = u.num
	WHERE u.id = ? AND ` + goodSession + ` ORDER BY s.last_seen_at DESC, s.id DESC`

// ListSessions implements chat.Sessions.
func (s *Store) ListSessions(ctx context.Context, userID string) (all []chat.Session, err error) {
	err = s.read(ctx, "list sessions", func(c *conn) error {
		all, err = c.sessions(sessionsOfUser, userID, time.Now().UnixMilli())
		return err
	})
	return all, err
}

// Revoke implements chat.Sessions.
func (s *Store) Revoke(ctx context.Context, userID, id, except string) (ended []chat.Session, err error) {
	err = s.write(ctx, "revoke sessions", func(c *conn) error {
		u, err := c.user(userID)
		if err != nil {
			return err
		}
		now := time.Now()
		good, err := c.sessions(sessionsOfUser, userID, now.UnixMilli())
		if err != nil {
			return err
		}
		for _, ses := range good {
			if (id != "" && ses.ID == id) || (id == "" && ses.ID != except) {
				ended = append(ended, ses)
			}
		}
		return c.revoke(u.num, ended, now)
	})
	if err != nil {
		return nil, err
	}
	return ended, nil
}

// revoke ends sessions of a user. Raising the rooms version lets a node notice that missed the notice (HUB5).
func (c *conn) revoke(user int64, sessions []chat.Session, now time.Time) error {
	if len(sessions) == 0 {
		return nil
	}
	for _, ses := range sessions {
		if _, err := c.exec(`UPDATE sessions SET revoked_at = ? WHERE id = ?`, now.UnixMilli(), ses.ID); err != nil {
			return err
		}
	}
	return c.raiseVersion(user)
}
