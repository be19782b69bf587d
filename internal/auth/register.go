package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// Limits of accounts (docs/protocol.md), in code points.
const (
	MinPassword = 10
	MaxPassword = 1000
	MaxUsername = 32
)

// UsernamePattern is what a user name looks like.
const UsernamePattern = `^[a-z0-9_.-]{3,32}$`

var usernames = regexp.MustCompile(UsernamePattern)

// SignUp is what somebody registers with.
type SignUp struct {
	Username    string
	Password    string
	DisplayName string // empty: the user name
	InviteCode  string // needed where registration is by invite; joins its room at once
}

func (r *SignUp) check() error {
	if !usernames.MatchString(r.Username) {
		return chat.Refuse(chat.CodeBadRequest, "username must be 3 to 32 of a-z, 0-9, _ . -")
	}
	if err := checkPassword(r.Password); err != nil {
		return err
	}
	if r.DisplayName == "" {
		r.DisplayName = r.Username
	}
	return chat.CheckText("display_name", r.DisplayName, 1, chat.MaxName)
}

func checkPassword(password string) error {
	err := chat.CheckText("password", password, MinPassword, MaxPassword)
	if errors.Is(err, chat.Refuse(chat.CodeEmpty, "")) && password != "" {
		return chat.Refuse(chat.CodeBadRequest, "password must have at least 10 characters")
	}
	return err
}

// Register makes an account, joins the room of the invite, and logs in. Refusals: username_taken,
// registration_closed, invite_invalid, rate_limited, and those of what was typed.
func (s *Service) Register(ctx context.Context, v Visitor, r SignUp) (Grant, error) {
	if s.cfg.Registration == Closed {
		return Grant{}, chat.Refuse(chat.CodeRegistrationClosed, "registration is closed here: ask for an account")
	}
	if s.cfg.Registration == Invite && r.InviteCode == "" {
		return Grant{}, chat.Refuse(chat.CodeRegistrationClosed, "registration is by invite here: open an invite link first")
	}
	if err := r.check(); err != nil {
		return Grant{}, err
	}
	if err := s.signUps.take(v.Addr); err != nil {
		return Grant{}, err
	}
	roomID, err := s.invitedTo(ctx, r.InviteCode)
	if err != nil {
		return Grant{}, err
	}
	hash, err := s.hasher.hash(ctx, r.Password)
	if err != nil {
		return Grant{}, err
	}
	user, err := s.store.CreateUser(ctx, chat.User{
		ID: chat.NewID(), Username: r.Username, DisplayName: r.DisplayName, CreatedAt: time.Now(),
	}, hash)
	if err != nil {
		return Grant{}, err
	}
	return s.welcome(ctx, v, user, roomID, r.InviteCode)
}

// Guest lets somebody in without an account. Refusals: guests_disabled, invite_invalid, rate_limited, and those of the name.
func (s *Service) Guest(ctx context.Context, v Visitor, displayName, inviteCode string) (Grant, error) {
	if !s.cfg.Guests {
		return Grant{}, chat.Refuse(chat.CodeGuestsDisabled, "guests are not let in here: register or log in")
	}
	if err := chat.CheckText("display_name", displayName, 1, chat.MaxName); err != nil {
		return Grant{}, err
	}
	if err := s.signUps.take(v.Addr); err != nil {
		return Grant{}, err
	}
	roomID, err := s.invitedTo(ctx, inviteCode)
	if err != nil {
		return Grant{}, err
	}
	user, err := s.store.CreateUser(ctx, chat.User{
		ID: chat.NewID(), Username: "guest-" + strings.ToLower(rand.Text()[:12]), DisplayName: displayName,
		Guest: true, CreatedAt: time.Now(),
	}, "")
	if err != nil {
		return Grant{}, err
	}
	return s.welcome(ctx, v, user, roomID, inviteCode)
}

// invitedTo is the room that an invite leads to, before an account is made for it. No code leads nowhere.
func (s *Service) invitedTo(ctx context.Context, code string) (string, error) {
	if code == "" {
		return "", nil
	}
	preview, err := s.store.Preview(ctx, code, time.Now())
	return preview.Room.ID, err
}

// welcome takes a new user into the room they were invited to and logs them in. Where the invite was used up
// meanwhile, nothing of the account is left.
func (s *Service) welcome(ctx context.Context, v Visitor, user chat.User, roomID, code string) (Grant, error) {
	if roomID != "" {
		_, err := s.cfg.Relay.Do(ctx, chat.Draft{
			RoomID: roomID, SenderID: user.ID, Kind: chat.KindMemberJoined, At: time.Now(), Join: &chat.Joining{Code: code},
		})
		if err != nil && !errors.Is(err, chat.ErrAlreadyDone) {
			if s.forget(ctx, user) {
				return Grant{}, err
			}
		}
	}
	return s.grant(ctx, v, user)
}

// forget removes an account that could not join. It reports false where the account has joined after all: the
// answer was lost, not the entry.
func (s *Service) forget(ctx context.Context, user chat.User) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, err := s.store.DeleteUser(ctx, user.ID)
	if errors.Is(err, chat.ErrForbidden) {
		return false
	}
	if err != nil {
		s.log.Error("an account that could not join its room was left behind", "user", user.ID, "err", err)
	}
	return true
}
