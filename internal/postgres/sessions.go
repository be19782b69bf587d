package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gochat-dev/gochat/internal/chat"
)

// sessionColumns are what scanSession reads, of sessions s and their users u. Those that are good at a moment, the
// parameter that follows goodSession, are neither revoked nor expired.
const (
	sessionColumns = `s.id, u.id, s.user_agent, s.created_at, s.last_seen_at, s.expires_at`
	goodSession    = `s.revoked_at IS NULL AND s.expires_at > `
)

func scanSession(row pgx.Row) (chat.Session, error) {
	var s chat.Session
	var created, seen, expires int64
	err := row.Scan(&s.ID, &s.UserID, &s.UserAgent, &created, &seen, &expires)
	s.CreatedAt, s.LastSeenAt, s.ExpiresAt = moment(created), moment(seen), moment(expires)
	return s, err
}

// only is the session of a query that finds at most one. chat.ErrRevoked.
func (s *Store) only(ctx context.Context, what, query string, args ...any) (chat.Session, error) {
	batch := &pgx.Batch{}
	var found []chat.Session
	batch.Queue(query, args...).Query(collect(&found, scanSession))
	if err := s.read(ctx, what, batch); err != nil {
		return chat.Session{}, err
	}
	if len(found) == 0 {
		return chat.Session{}, chat.ErrRevoked
	}
	return found[0], nil
}

// CreateSession implements chat.Sessions.
func (s *Store) CreateSession(ctx context.Context, ses chat.Session, tokenHash string) error {
	return s.write(ctx, "create session", func(ctx context.Context, tx pgx.Tx) error {
		var user int64
		if err := tx.QueryRow(ctx, `UPDATE users SET seen_at = greatest(seen_at, $2)
			WHERE id = $1 AND deleted_at IS NULL RETURNING num`, ses.UserID, ses.LastSeenAt.UnixMilli()).Scan(&user); err != nil {
			return orElse(err, chat.ErrNotFound)
		}
		batch := &pgx.Batch{}
		batch.Queue(`INSERT INTO sessions (id, user_num, user_agent, created_at, last_seen_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6)`, ses.ID, user, ses.UserAgent,
			ses.CreatedAt.UnixMilli(), ses.LastSeenAt.UnixMilli(), ses.ExpiresAt.UnixMilli())
		batch.Queue(insertToken, tokenHash, ses.ID)
		return tx.SendBatch(ctx, batch).Close()
	})
}

const insertToken = `INSERT INTO refresh_tokens (hash, session) VALUES ($1, $2)`

// lockToken locks a token and its session: of several who trade it at once, each sees what the one before did.
const lockToken = `SELECT s.user_num, t.traded_at, ` + sessionColumns + ` FROM refresh_tokens t
	JOIN sessions s ON s.id = t.session JOIN users u ON u.num = s.user_num
	WHERE t.hash = $1 AND ` + goodSession + `$2 FOR UPDATE OF s, t`

// Rotate implements chat.Sessions. What it revokes is committed although it fails.
func (s *Store) Rotate(ctx context.Context, tokenHash, successorHash string, now time.Time, grace time.Duration) (chat.Session, error) {
	var ses chat.Session
	var reused bool
	err := s.write(ctx, "rotate token", func(ctx context.Context, tx pgx.Tx) error {
		var user int64
		var traded *int64
		var err error
		ses, err = scanSession(before{tx.QueryRow(ctx, lockToken, tokenHash, now.UnixMilli()), []any{&user, &traded}})
		if err != nil {
			return orElse(err, chat.ErrRevoked)
		}
		batch := &pgx.Batch{}
		if reused = traded != nil && now.Sub(moment(*traded)) > grace; reused {
			revoke(batch, user, []string{ses.ID}, now)
			return tx.SendBatch(ctx, batch).Close()
		}
		ses.ExpiresAt = moment(now.Add(ses.ExpiresAt.Sub(ses.LastSeenAt)).UnixMilli())
		ses.LastSeenAt = moment(now.UnixMilli())
		batch.Queue(`UPDATE refresh_tokens SET traded_at = $2 WHERE hash = $1 AND traded_at IS NULL`, tokenHash, now.UnixMilli())
		batch.Queue(insertToken, successorHash, ses.ID)
		batch.Queue(`UPDATE sessions SET last_seen_at = $2, expires_at = $3 WHERE id = $1`,
			ses.ID, ses.LastSeenAt.UnixMilli(), ses.ExpiresAt.UnixMilli())
		batch.Queue(`UPDATE users SET seen_at = greatest(seen_at, $2) WHERE num = $1`, user, now.UnixMilli())
		return tx.SendBatch(ctx, batch).Close()
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
func (s *Store) Session(ctx context.Context, id string) (chat.Session, error) {
	return s.only(ctx, "read session", `SELECT `+sessionColumns+` FROM sessions s JOIN users u ON u.num = s.user_num
		WHERE s.id = $1 AND `+goodSession+`$2`, id, time.Now().UnixMilli())
}

// SessionByToken implements chat.Sessions.
func (s *Store) SessionByToken(ctx context.Context, tokenHash string) (chat.Session, error) {
	return s.only(ctx, "find session", `SELECT `+sessionColumns+` FROM refresh_tokens t
		JOIN sessions s ON s.id = t.session JOIN users u ON u.num = s.user_num
		WHERE t.hash = $1 AND `+goodSession+`$2`, tokenHash, time.Now().UnixMilli())
}

// sessionsOfUser are those that are good, the last seen first.
const sessionsOfUser = `SELECT ` + sessionColumns + ` FROM users u JOIN sessions s ON s.user_num = u.num
	WHERE u.id = $1 AND ` + goodSession + `$2 ORDER BY s.last_seen_at DESC, s.id DESC`

// ListSessions implements chat.Sessions.
func (s *Store) ListSessions(ctx context.Context, userID string) (all []chat.Session, err error) {
	batch := &pgx.Batch{}
	batch.Queue(sessionsOfUser, userID, time.Now().UnixMilli()).Query(collect(&all, scanSession))
	err = s.read(ctx, "list sessions", batch)
	return all, err
}

// Revoke implements chat.Sessions.
func (s *Store) Revoke(ctx context.Context, userID, id, except string) (ended []chat.Session, err error) {
	err = s.write(ctx, "revoke sessions", func(ctx context.Context, tx pgx.Tx) error {
		now := time.Now()
		rows, err := tx.Query(ctx, sessionsOfUser+` FOR UPDATE OF s`, userID, now.UnixMilli())
		if err != nil {
			return err
		}
		var good []chat.Session
		if err := collect(&good, scanSession)(rows); err != nil {
			return err
		}
		ended = nil
		var ids []string
		for _, ses := range good {
			if (id != "" && ses.ID == id) || (id == "" && ses.ID != except) {
				ended, ids = append(ended, ses), append(ids, ses.ID)
			}
		}
		if len(ids) == 0 {
			return nil
		}
		var user int64
		if err := tx.QueryRow(ctx, `SELECT num FROM users WHERE id = $1`, userID).Scan(&user); err != nil {
			return err
		}
		batch := &pgx.Batch{}
		revoke(batch, user, ids, now)
		return tx.SendBatch(ctx, batch).Close()
	})
	if err != nil {
		return nil, err
	}
	return ended, nil
}

// revoke ends sessions of a user. Raising the rooms version lets a node notice that missed the notice (HUB5).
func revoke(batch *pgx.Batch, user int64, ids []string, now time.Time) {
	batch.Queue(`UPDATE sessions SET revoked_at = $2 WHERE id = ANY ($1::text[])`, ids, now.UnixMilli())
	raiseVersion(batch, user)
}
