package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gochat-dev/gochat/internal/chat"
)

var (
	secretA = bytes.Repeat([]byte{1}, 32)
	secretB = bytes.Repeat([]byte{2}, 32)
)

func TestTokenSaysWhatWasSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := NewTokens(Keys{{"a", secretA}}, 90*time.Second)
		token, expires, err := tokens.Sign("user", "session")
		if err != nil {
			t.Fatal(err)
		}
		got, err := tokens.Verify(token)
		if err != nil {
			t.Fatal(err)
		}
		if got.UserID != "user" || got.SessionID != "session" || !got.ExpiresAt.Equal(expires) || time.Until(expires) != 90*time.Second {
			t.Errorf("%+v, expires %v", got, expires)
		}
		time.Sleep(90*time.Second - time.Millisecond)
		if _, err := tokens.Verify(token); err != nil {
			t.Errorf("a moment before its end: %v", err)
		}
		time.Sleep(2 * time.Millisecond)
		if _, err := tokens.Verify(token); !errors.Is(err, errExpired) {
			t.Errorf("after its end: %v", err)
		}
	})
}

func TestTheFirstKeySignsAndAllVerify(t *testing.T) {
	before := NewTokens(Keys{{"a", secretA}}, time.Minute)
	during := NewTokens(Keys{{"b", secretB}, {"a", secretA}}, time.Minute)
	after := NewTokens(Keys{{"b", secretB}}, time.Minute)
	old, _, err := before.Sign("user", "session")
	if err != nil {
		t.Fatal(err)
	}
	fresh, _, err := during.Sign("user", "session")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := during.Verify(old); err != nil {
		t.Errorf("a token of the old key while both are in force: %v", err)
	}
	if _, err := after.Verify(fresh); err != nil {
		t.Errorf("the first key did not sign: %v", err)
	}
	if _, err := after.Verify(old); err == nil {
		t.Error("a token of a key that is gone is good")
	}
}

func TestBadTokensAreRefused(t *testing.T) {
	tokens := NewTokens(Keys{{"a", secretA}}, time.Minute)
	now := time.Now()
	good := jwt.MapClaims{"iss": "gochat", "sub": "u", "sid": "s", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
	without := func(name string) jwt.MapClaims {
		c := maps.Clone(good)
		delete(c, name)
		return c
	}
	with := func(name string, value any) jwt.MapClaims {
		c := maps.Clone(good)
		c[name] = value
		return c
	}
	sign := func(method jwt.SigningMethod, key any, kid any, c jwt.MapClaims) string {
		token := jwt.NewWithClaims(method, c)
		if kid != nil {
			token.Header["kid"] = kid
		}
		s, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	whole := sign(jwt.SigningMethodHS256, secretA, "a", good)
	if _, err := tokens.Verify(whole); err != nil {
		t.Fatalf("the good one is refused: %v", err)
	}
	parts := strings.Split(whole, ".")
	for name, token := range map[string]string{
		"none":                "",
		"not a token":         "abc",
		"expired":             sign(jwt.SigningMethodHS256, secretA, "a", with("exp", now.Add(-time.Second).Unix())),
		"wrong key":           sign(jwt.SigningMethodHS256, secretB, "a", good),
		"unknown key id":      sign(jwt.SigningMethodHS256, secretA, "z", good),
		"no key id":           sign(jwt.SigningMethodHS256, secretA, nil, good),
		"a number as key id":  sign(jwt.SigningMethodHS256, secretA, 1, good),
		"alg none":            sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "a", good),
		"alg none, unsigned":  base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"a"}`)) + "." + parts[1] + ".",
		"another alg":         sign(jwt.SigningMethodHS384, secretA, "a", good),
		"no expiry":           sign(jwt.SigningMethodHS256, secretA, "a", without("exp")),
		"no user":             sign(jwt.SigningMethodHS256, secretA, "a", without("sub")),
		"no session":          sign(jwt.SigningMethodHS256, secretA, "a", without("sid")),
		"no issuer":           sign(jwt.SigningMethodHS256, secretA, "a", without("iss")),
		"another issuer":      sign(jwt.SigningMethodHS256, secretA, "a", with("iss", "elsewhere")),
		"session of no text":  sign(jwt.SigningMethodHS256, secretA, "a", with("sid", 7)),
		"signature cut":       whole[:len(whole)-4],
		"no signature":        parts[0] + "." + parts[1] + ".",
		"payload of another":  parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"root","sid":"s","iss":"gochat","exp":99999999999}`)) + "." + parts[2],
		"something behind it": whole + ".x",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tokens.Verify(token)
			var refusal *chat.Error
			if !errors.As(err, &refusal) || refusal.Code != chat.CodeUnauthorized {
				t.Errorf("got %v", err)
			}
		})
	}
}

func FuzzVerify(f *testing.F) {
	tokens := NewTokens(Keys{{"a", secretA}}, time.Hour)
	whole, _, err := tokens.Sign("user", "session")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add("a.b.c")
	f.Add(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + ".e30.")
	f.Fuzz(func(t *testing.T, token string) {
		if c, err := tokens.Verify(token); err == nil && (c.UserID != "user" || c.SessionID != "session") {
			t.Errorf("a forged token is good: %+v", c)
		}
	})
}

func FuzzParseKeys(f *testing.F) {
	set, err := GenerateKeys()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(set)
	f.Add([]byte(`{"keys":[{"kty":"oct","kid":"a","k":"AA"}]}`))
	f.Fuzz(func(t *testing.T, set []byte) {
		keys, err := ParseKeys(set)
		if err != nil {
			return
		}
		if !json.Valid(set) || len(keys) == 0 {
			t.Errorf("%q was read as %d keys", set, len(keys))
		}
		for _, k := range keys {
			if k.ID == "" || len(k.Secret) < minSecret {
				t.Errorf("%q holds the key %+v", set, k)
			}
		}
	})
}
