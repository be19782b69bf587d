package auth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// Key is a secret that signs and verifies access tokens, and the id by which a token names it.
type Key struct {
	ID     string
	Secret []byte
}

// Keys are the keys in force: the first signs, all verify. It is a KeySource that does not change.
type Keys []Key

// Keys implements KeySource.
func (k Keys) Keys() Keys { return k }

// find returns the secret of a key.
func (k Keys) find(id string) ([]byte, bool) {
	for _, key := range k {
		if key.ID == id {
			return key.Secret, true
		}
	}
	return nil, false
}

// KeySource knows the keys in force. Keys does not wait and is called for every token.
type KeySource interface {
	Keys() Keys
}

// minSecret is the shortest secret that HS256 may be used with (RFC 7518, 3.2).
const minSecret = 32

// jwkSet is a JWK Set (RFC 7517, 5) of symmetric keys (RFC 7518, 6.4).
type jwkSet struct {
	Keys []jwk `json:"keys"`
}

type jwk struct {
	Type      string `json:"kty"`
	ID        string `json:"kid"`
	Use       string `json:"use,omitempty"`
	Algorithm string `json:"alg,omitempty"`
	Secret    string `json:"k"`
}

// GenerateKeys makes a JWK Set with one new key.
func GenerateKeys() ([]byte, error) {
	set := jwkSet{Keys: []jwk{{
		Type: "oct", ID: base64.RawURLEncoding.EncodeToString(random(9)), Use: "sig", Algorithm: "HS256",
		Secret: base64.RawURLEncoding.EncodeToString(random(minSecret)),
	}}}
	return json.MarshalIndent(set, "", "  ")
}

// ParseKeys reads a JWK Set. Every key must be symmetric (kty oct), of at least 32 bytes, and have an id of its own.
func ParseKeys(set []byte) (Keys, error) {
	var parsed jwkSet
	if err := json.Unmarshal(set, &parsed); err != nil {
		return nil, fmt.Errorf("this is not a JWK Set: %w", err)
	}
	if len(parsed.Keys) == 0 {
		return nil, errors.New("the JWK Set holds no key")
	}
	keys := make(Keys, 0, len(parsed.Keys))
	for i, k := range parsed.Keys {
		secret, err := base64.RawURLEncoding.DecodeString(k.Secret)
		_, twice := keys.find(k.ID)
		switch {
		case k.Type != "oct" || (k.Algorithm != "" && k.Algorithm != "HS256") || (k.Use != "" && k.Use != "sig"):
			return nil, fmt.Errorf("key %d of the JWK Set is not one for HS256: it needs kty oct", i+1)
		case k.ID == "" || twice:
			return nil, fmt.Errorf("key %d of the JWK Set needs an id (kid) of its own", i+1)
		case err != nil:
			return nil, fmt.Errorf("key %d of the JWK Set: k is not base64url without padding", i+1)
		case len(secret) < minSecret:
			return nil, fmt.Errorf("key %d of the JWK Set is too short: HS256 needs %d bytes", i+1, minSecret)
		}
		keys = append(keys, Key{ID: k.ID, Secret: secret})
	}
	return keys, nil
}

// lookEvery is how often a key file is looked at.
const lookEvery = 2 * time.Second

// KeyFile is a JWK Set in a file, read again when the file changes. A change that can't be read is logged, and
// the keys before it stay in force.
type KeyFile struct {
	path  string
	log   *slog.Logger
	start time.Time
	keys  atomic.Pointer[Keys]

	nextLook atomic.Int64 // nanoseconds after start; who moves it on looks at the file
	seen     atomic.Pointer[fs.FileInfo]
}

// OpenKeyFile reads the key file at path.
func OpenKeyFile(path string, log *slog.Logger) (*KeyFile, error) {
	f := &KeyFile{path: path, log: log, start: time.Now()}
	if err := f.read(); err != nil {
		return nil, fmt.Errorf("keys of access tokens: %w", err)
	}
	f.nextLook.Store(int64(lookEvery))
	return f, nil
}

// PrivateDir makes a directory where there is none, and takes away what others than its owner may do with it.
func PrivateDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return tighten(dir, 0o700)
}

// OpenDataDir opens the key file of a data directory. It makes both where they are missing, and takes away what
// others than the owner may do with them.
func OpenDataDir(dir string, log *slog.Logger) (*KeyFile, error) {
	if err := PrivateDir(dir); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	path := filepath.Join(dir, "jwt-keys.json")
	if err := generateFile(path); err != nil {
		return nil, fmt.Errorf("keys of access tokens: %w", err)
	}
	if err := tighten(path, 0o600); err != nil {
		return nil, fmt.Errorf("keys of access tokens: %w", err)
	}
	return OpenKeyFile(path, log)
}

func tighten(path string, mode fs.FileMode) error {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&^mode == 0 {
		return err
	}
	return os.Chmod(path, mode)
}

// generateFile makes a key file, whole or not at all, where there is none. Of several processes that do so at once, one wins.
func generateFile(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	set, err := GenerateKeys()
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".jwt-keys-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(append(set, '\n'))
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// Keys implements KeySource.
func (f *KeyFile) Keys() Keys {
	now := int64(time.Since(f.start))
	if next := f.nextLook.Load(); now >= next && f.nextLook.CompareAndSwap(next, now+int64(lookEvery)) {
		if err := f.look(); err != nil {
			f.log.Error("the key file can't be read: the keys before it stay in force", "path", f.path, "err", err)
		}
	}
	return *f.keys.Load()
}

// look reads the file again if it is another one than the one seen last.
func (f *KeyFile) look() error {
	info, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	seen := *f.seen.Load()
	if os.SameFile(info, seen) && info.ModTime().Equal(seen.ModTime()) && info.Size() == seen.Size() {
		return nil
	}
	if err := f.read(); err != nil {
		return err
	}
	f.log.Info("the keys of access tokens were read again", "path", f.path, "keys", len(*f.keys.Load()))
	return nil
}

func (f *KeyFile) read() error {
	info, err := os.Stat(f.path) // before reading: what changes meanwhile is noticed at the next look
	if err != nil {
		return err
	}
	set, err := os.ReadFile(f.path)
	if err != nil {
		return err
	}
	f.seen.Store(&info) // also of one that can't be parsed: it is complained of once
	keys, err := ParseKeys(set)
	if err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	f.keys.Store(&keys)
	return nil
}
