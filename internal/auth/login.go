package auth

import (
	"context"
	"errors"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

var errCredentials = chat.Refuse(chat.CodeBadCredentials, "user name or password is wrong")

// Login opens a session for who knows the password. Unknown users, guests and wrong passwords get the same
// answer after the same work. Refusals: bad_credentials, rate_limited.
func (s *Service) Login(ctx context.Context, v Visitor, username, password string) (Grant, error) {
	end, err := s.logins.begin(v.Addr)
	if err != nil {
		return Grant{}, err
	}
	user, hash, err := s.check(ctx, username, password)
	end(errors.Is(err, errCredentials))
	if err != nil {
		return Grant{}, err
	}
	grant, err := s.grant(ctx, v, user)
	if err != nil {
		return Grant{}, err
	}
	// A password changed while this one was checked has revoked the sessions there were, not this one.
	if _, now, err := s.store.Credentials(ctx, username); err != nil || now != hash {
		if _, err := s.store.Revoke(context.WithoutCancel(ctx), user.ID, grant.SessionID, ""); err != nil {
			s.log.Error("a session opened with an old password could not be revoked", "session", grant.SessionID, "err", err)
		}
		return Grant{}, s.failed("bad_credentials", errCredentials)
	}
	return grant, nil
}

// check finds the account that a user name and password open.
func (s *Service) check(ctx context.Context, username, password string) (chat.User, string, error) {
	if len([]rune(password)) > MaxPassword || len(username) > MaxUsername {
		return chat.User{}, "", s.failed("bad_credentials", errCredentials) // nobody has these: there is nothing to hide
	}
	user, hash, err := s.store.Credentials(ctx, username)
	if err != nil && !errors.Is(err, chat.ErrNotFound) {
		return chat.User{}, "", err
	}
	if err != nil {
		user, hash = chat.User{}, ""
	}
	good, err := s.hasher.verify(ctx, hash, password)
	if err != nil {
		return chat.User{}, "", err
	}
	if !good {
		return chat.User{}, "", s.failed("bad_credentials", errCredentials)
	}
	return user, hash, nil
}

// ChangePassword sets a new password for who knows the old one, and revokes all other sessions. Refusals:
// bad_credentials, forbidden (a guest), rate_limited, and those of the new password.
func (s *Service) ChangePassword(ctx context.Context, v Visitor, who Claims, current, next string) error {
	if err := checkPassword(next); err != nil {
		return err
	}
	user, err := s.user(ctx, who.UserID)
	if err != nil {
		return err
	}
	if user.Guest {
		return chat.Refuse(chat.CodeForbidden, "a guest has no password")
	}
	end, err := s.logins.begin(v.Addr)
	if err != nil {
		return err
	}
	_, _, err = s.check(ctx, user.Username, current)
	end(errors.Is(err, errCredentials))
	if err != nil {
		return err
	}
	return s.setPassword(ctx, user, next, who.SessionID)
}

// setPassword stores a password and revokes all sessions of the user but one.
func (s *Service) setPassword(ctx context.Context, user chat.User, password, except string) error {
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	// From here on both or none, as far as it is up to the caller.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := s.store.SetPassword(ctx, user.ID, hash); err != nil {
		return err
	}
	revoked, err := s.store.Revoke(ctx, user.ID, "", except)
	if err != nil {
		return err
	}
	s.notifyRevoked(ctx, revoked)
	return nil
}

// CreateAdmin makes an account with which the instance is administered, whatever the policy is.
func (s *Service) CreateAdmin(ctx context.Context, r SignUp) (chat.User, error) {
	if err := r.check(); err != nil {
		return chat.User{}, err
	}
	hash, err := s.hasher.hash(ctx, r.Password)
	if err != nil {
		return chat.User{}, err
	}
	return s.store.CreateUser(ctx, chat.User{
		ID: chat.NewID(), Username: r.Username, DisplayName: r.DisplayName, Admin: true, CreatedAt: time.Now(),
	}, hash)
}

// ResetPassword sets the password of an account and revokes all its sessions. chat.ErrNotFound.
func (s *Service) ResetPassword(ctx context.Context, username, password string) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	user, _, err := s.store.Credentials(ctx, username)
	if errors.Is(err, chat.ErrNotFound) {
		return chat.Refuse(chat.CodeNotFound, "there is no account of this name")
	}
	if err != nil {
		return err
	}
	return s.setPassword(ctx, user, password, "")
}
