package auth

import (
	"errors"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gochat-dev/gochat/internal/chat"
)

// setUpJWT sets what the library takes from a variable: tokens of short life would lose up to a second of it.
// Nothing but this package uses it.
var setUpJWT = sync.OnceFunc(func() { jwt.TimePrecision = time.Millisecond })

// Claims are what an access token says.
type Claims struct {
	UserID    string
	SessionID string
	ExpiresAt time.Time
}

const issuer = "gochat"

// Tokens signs and verifies access tokens: JWTs (RFC 7519) with HS256 and a key id.
type Tokens struct {
	keys   KeySource
	ttl    time.Duration
	parser *jwt.Parser
}

// claims is the payload of a token.
type claims struct {
	jwt.RegisteredClaims
	SessionID string `json:"sid"`
}

// NewTokens makes a Tokens whose tokens live for ttl.
func NewTokens(keys KeySource, ttl time.Duration) *Tokens {
	setUpJWT()
	return &Tokens{keys: keys, ttl: ttl, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithExpirationRequired(),
		jwt.WithIssuer(issuer),
	)}
}

// Sign makes a token, and says when it ends.
func (t *Tokens) Sign(userID, sessionID string) (token string, expires time.Time, err error) {
	key := t.keys.Keys()[0]
	now := time.Now()
	expires = now.Add(t.ttl).Truncate(time.Millisecond)
	unsigned := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Subject: userID, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires),
		},
		SessionID: sessionID,
	})
	unsigned.Header["kid"] = key.ID
	token, err = unsigned.SignedString(key.Secret)
	return token, expires, err
}

var (
	errToken   = chat.Refuse(chat.CodeUnauthorized, "this needs a valid access token")
	errExpired = chat.Refuse(chat.CodeUnauthorized, "this access token has expired: refresh it")
)

// Verify returns what a token says if one of the keys has signed it and it has not expired. Otherwise the
// error is an *chat.Error with the code unauthorized. Whether the session still stands is not looked at: see
// Service.Authenticate.
func (t *Tokens) Verify(token string) (Claims, error) {
	var c claims
	_, err := t.parser.ParseWithClaims(token, &c, func(parsed *jwt.Token) (any, error) {
		id, _ := parsed.Header["kid"].(string)
		if secret, ok := t.keys.Keys().find(id); ok {
			return secret, nil
		}
		return nil, jwt.ErrTokenUnverifiable
	})
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return Claims{}, errExpired
	case err != nil || c.Subject == "" || c.SessionID == "":
		return Claims{}, errToken
	default:
		return Claims{UserID: c.Subject, SessionID: c.SessionID, ExpiresAt: c.ExpiresAt.Time}, nil
	}
}
