// Package auth knows who somebody is: accounts and their passwords, access tokens, sessions and their refresh tokens.
package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"golang.org/x/time/rate"

	"github.com/gochat-dev/gochat/internal/chat"
)

// Registration says who may make an account.
type Registration string

// The ways of registration.
const (
	Open   Registration = "open"
	Invite Registration = "invite" // with an invite into a room
	Closed Registration = "closed"
)

// Config sets up a Service. Store and Tokens must be set; Relay too, where rooms are joined (a server; not a
// command that makes an account).
type Config struct {
	Store  chat.Store
	Tokens *Tokens
	Relay  Relay

	Registration Registration // open
	Guests       bool
	RefreshTTL   time.Duration // how long a session lasts without a visit: 30 days
	Limit        rate.Limit    // sign-ups, and failed log-ins, per second and address; 0 = no limit
	Burst        int           // how many of each at once
	Hash         HashParams
	Observe      Observer
	Log          *slog.Logger
}

// Relay commits what changes a room, and tells every node what happened to a user.
type Relay interface {
	Do(ctx context.Context, d chat.Draft) (chat.Entry, error)
	Notify(ctx context.Context, n chat.UserNotice)
}

// Observer counts refusals; its methods do not wait.
type Observer interface {
	AuthFailed(why string)   // bad_credentials, bad_token, session_revoked, token_reused
	RateLimited(what string) // login, register
}

// Service keeps accounts and sessions by the policies of its Config.
type Service struct {
	cfg     Config
	store   chat.Store
	log     *slog.Logger
	hasher  *hasher
	signUps *limiter
	logins  *limiter
}

// New makes a Service.
func New(cfg Config) *Service {
	if cfg.Registration == "" {
		cfg.Registration = Open
	}
	if cfg.RefreshTTL == 0 {
		cfg.RefreshTTL = 30 * 24 * time.Hour
	}
	if cfg.Observe == nil {
		cfg.Observe = unobserved{}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{
		cfg: cfg, store: cfg.Store, log: cfg.Log, hasher: newHasher(cfg.Hash),
		signUps: newLimiter("register", cfg.Limit, cfg.Burst, cfg.Observe.RateLimited),
		logins:  newLimiter("login", cfg.Limit, cfg.Burst, cfg.Observe.RateLimited),
	}
}

type unobserved struct{}

func (unobserved) AuthFailed(string)  {}
func (unobserved) RateLimited(string) {}

// RefreshTTL is how long a session lasts without a visit.
func (s *Service) RefreshTTL() time.Duration { return s.cfg.RefreshTTL }

// Registration says who may make an account.
func (s *Service) Registration() Registration { return s.cfg.Registration }

// Guests reports whether people may come in without an account.
func (s *Service) Guests() bool { return s.cfg.Guests }

// Visitor is whoever sends a request: where from, and with which program.
type Visitor struct {
	Addr      netip.Addr
	UserAgent string
}

// Grant is what somebody has who is logged in.
type Grant struct {
	User          chat.User
	SessionID     string
	AccessToken   string
	AccessExpires time.Time
	RefreshToken  string // 256 random bits; only its hash is kept
}

// newRefreshToken makes a refresh token and the hash under which it is kept.
func newRefreshToken() (token, hash string) {
	token = base64.RawURLEncoding.EncodeToString(random(32))
	return token, hashToken(token)
}

// hashToken is a plain hash: a token of 256 random bits can't be guessed from it.
func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// grant opens a session for a user.
func (s *Service) grant(ctx context.Context, v Visitor, user chat.User) (Grant, error) {
	now := time.Now()
	session := chat.Session{
		ID: chat.NewID(), UserID: user.ID, UserAgent: cleanUserAgent(v.UserAgent),
		CreatedAt: now, LastSeenAt: now, ExpiresAt: now.Add(s.cfg.RefreshTTL),
	}
	refresh, hash := newRefreshToken()
	if err := s.store.CreateSession(ctx, session, hash); err != nil {
		return Grant{}, err
	}
	return s.sign(user, session.ID, refresh)
}

func (s *Service) sign(user chat.User, sessionID, refresh string) (Grant, error) {
	access, expires, err := s.cfg.Tokens.Sign(user.ID, sessionID)
	if err != nil {
		return Grant{}, err
	}
	return Grant{User: user, SessionID: sessionID, AccessToken: access, AccessExpires: expires, RefreshToken: refresh}, nil
}

const maxUserAgent = 200

// cleanUserAgent keeps of a User-Agent what can be stored and shown.
func cleanUserAgent(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if runes := []rune(s); len(runes) > maxUserAgent {
		s = string(runes[:maxUserAgent])
	}
	return s
}

// user finds an account by its id. chat.ErrNotFound.
func (s *Service) user(ctx context.Context, id string) (chat.User, error) {
	users, err := s.store.Users(ctx, []string{id})
	if err != nil {
		return chat.User{}, err
	}
	if len(users) == 0 {
		return chat.User{}, chat.ErrNotFound
	}
	return users[0], nil
}

func (s *Service) notify(ctx context.Context, n chat.UserNotice) {
	if s.cfg.Relay != nil {
		s.cfg.Relay.Notify(ctx, n)
	}
}

// notifyRevoked closes what sessions opened, on every node.
func (s *Service) notifyRevoked(ctx context.Context, sessions []chat.Session) {
	for _, session := range sessions {
		s.notify(ctx, chat.UserNotice{UserID: session.UserID, Kind: chat.SessionRevoked, Session: session.ID})
	}
}

// failed counts a refusal and passes it on.
func (s *Service) failed(why string, err error) error {
	s.cfg.Observe.AuthFailed(why)
	return err
}

// isRevoked reports whether err says that a session is over.
func isRevoked(err error) bool { return errors.Is(err, chat.ErrRevoked) }
