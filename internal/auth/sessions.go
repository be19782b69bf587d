package auth

import (
	"context"
	"errors"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// refreshGrace is how long the predecessor of a refresh token stays good: two tabs refresh at once, an answer is lost.
const refreshGrace = 30 * time.Second

// Authenticate returns what an access token says if it is good and its session still stands. Refusals:
// unauthorized, session_revoked.
func (s *Service) Authenticate(ctx context.Context, accessToken string) (Claims, error) {
	c, err := s.cfg.Tokens.Verify(accessToken)
	if err != nil {
		return Claims{}, s.failed("bad_token", err)
	}
	session, err := s.store.Session(ctx, c.SessionID)
	if isRevoked(err) || (err == nil && session.UserID != c.UserID) {
		return Claims{}, s.failed("session_revoked", chat.ErrRevoked)
	}
	return c, err
}

// Refresh trades a refresh token for a new access token and its own successor. The predecessor stays good for
// 30 s; later reuse means that somebody else has it, and revokes the whole family. Refusals: session_revoked.
func (s *Service) Refresh(ctx context.Context, refreshToken string) (Grant, error) {
	next, hash := newRefreshToken()
	session, err := s.store.Rotate(ctx, hashToken(refreshToken), hash, time.Now(), refreshGrace)
	if isRevoked(err) {
		if session.ID == "" {
			return Grant{}, s.failed("session_revoked", chat.ErrRevoked)
		}
		s.log.Warn("a refresh token was used again: its session is revoked", "user", session.UserID, "session", session.ID)
		s.notifyRevoked(ctx, []chat.Session{session})
		return Grant{}, s.failed("token_reused", chat.ErrRevoked)
	}
	if err != nil {
		return Grant{}, err
	}
	user, err := s.user(ctx, session.UserID)
	if errors.Is(err, chat.ErrNotFound) {
		return Grant{}, s.failed("session_revoked", chat.ErrRevoked)
	}
	if err != nil {
		return Grant{}, err
	}
	return s.sign(user, session.ID, next)
}

// Logout ends the session of a refresh token, on every node. A token that is not good any more is no error.
func (s *Service) Logout(ctx context.Context, refreshToken string) error {
	session, err := s.store.SessionByToken(ctx, hashToken(refreshToken))
	if isRevoked(err) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = s.revoke(ctx, session.UserID, session.ID)
	return err
}

// Sessions lists where a user is logged in, the last seen first.
func (s *Service) Sessions(ctx context.Context, userID string) ([]chat.Session, error) {
	return s.store.ListSessions(ctx, userID)
}

// Revoke ends one session of a user, on every node. chat.ErrNotFound.
func (s *Service) Revoke(ctx context.Context, userID, sessionID string) error {
	ended, err := s.revoke(ctx, userID, sessionID)
	if err == nil && !ended {
		return chat.ErrNotFound
	}
	return err
}

func (s *Service) revoke(ctx context.Context, userID, sessionID string) (bool, error) {
	ended, err := s.store.Revoke(ctx, userID, sessionID, "")
	if err != nil {
		return false, err
	}
	s.notifyRevoked(ctx, ended)
	return len(ended) > 0, nil
}
