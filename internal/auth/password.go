package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/gochat-dev/gochat/internal/chat"
)

// HashParams are the costs of a password hash. The zero value is what OWASP's Password Storage Cheat Sheet
// recommends for argon2id: 19 MiB, 2 passes, 1 lane.
type HashParams struct {
	MemoryKiB uint32
	Passes    uint32
	Lanes     uint8
}

func (p HashParams) withDefaults() HashParams {
	if p.MemoryKiB == 0 {
		p.MemoryKiB = 19 << 10
	}
	if p.Passes == 0 {
		p.Passes = 2
	}
	if p.Lanes == 0 {
		p.Lanes = 1
	}
	return p
}

const (
	saltLen = 16
	hashLen = 32

	maxHashWait   = 10 * time.Second // longer than this nobody waits for a log-in
	hashBusyRetry = 5 * time.Second
)

// hasher makes and checks password hashes, only so many at once: a storm of log-ins waits, and does not take
// all memory.
type hasher struct {
	params HashParams
	slots  chan struct{}
	tight  bool   // the memory is: before each hash the garbage is collected, for the block of the last one is part of it
	decoy  string // a hash that no password has, checked for users that do not exist
	derive func(password, salt []byte, passes, memory uint32, lanes uint8, keyLen uint32) []byte
}

func newHasher(p HashParams) *hasher {
	p = p.withDefaults()
	slots, tight := hashesAtOnce(debug.SetMemoryLimit(-1), runtime.GOMAXPROCS(0), p)
	return &hasher{
		params: p,
		slots:  make(chan struct{}, slots),
		tight:  tight,
		decoy:  p.format(random(saltLen), random(hashLen)),
		derive: argon2.IDKey,
	}
}

// hashesAtOnce is how many hashes are made at a time: one on each CPU, but where memory is limited (GOMEMLIMIT) no more than fit into an
// eighth of it. Where that says less it is tight: a block is allocated at once, so the collector, which goes by how much was allocated
// since it ran, would begin too late, and the limit of the container be passed.
func hashesAtOnce(limit int64, cpus int, p HashParams) (n int, tight bool) {
	fit := limit / 8 / (int64(p.MemoryKiB) << 10)
	if fit >= int64(cpus) {
		return cpus, false
	}
	return int(max(fit, 1)), true
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails (crypto/rand)
	return b
}

// run derives a key when there is a slot for it. It refuses with unavailable when that takes too long.
func (h *hasher) run(ctx context.Context, p HashParams, password string, salt []byte) ([]byte, error) {
	timer := time.NewTimer(maxHashWait)
	defer timer.Stop()
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, &chat.Error{
			Code: chat.CodeUnavailable, Message: "too many people are logging in right now: try again in a moment", RetryAfter: hashBusyRetry,
		}
	}
	defer func() { <-h.slots }()
	if h.tight {
		runtime.GC()
	}
	return h.derive([]byte(password), salt, p.Passes, p.MemoryKiB, p.Lanes, hashLen), nil
}

// hash makes a hash in the PHC string format: $argon2id$v=19$m=…,t=…,p=…$salt$hash.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := random(saltLen)
	key, err := h.run(ctx, h.params, password, salt)
	if err != nil {
		return "", err
	}
	return h.params.format(salt, key), nil
}

// verify checks a password against a hash. An empty hash, of somebody who has no password or does not exist,
// takes exactly as much work and is never right.
func (h *hasher) verify(ctx context.Context, hash, password string) (bool, error) {
	exists := hash != ""
	if !exists {
		hash = h.decoy
	}
	p, salt, want, err := parseHash(hash)
	if err != nil {
		return false, err
	}
	got, err := h.run(ctx, p, password, salt)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && exists, nil
}

var b64 = base64.RawStdEncoding

func (p HashParams) format(salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, p.MemoryKiB, p.Passes, p.Lanes, b64.EncodeToString(salt), b64.EncodeToString(key))
}

var errHash = errors.New("a stored password hash can't be read")

func parseHash(s string) (p HashParams, salt, key []byte, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.MemoryKiB, &p.Passes, &p.Lanes); err != nil {
		return p, nil, nil, errHash
	}
	salt, err1 := b64.DecodeString(parts[4])
	key, err2 := b64.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(key) != hashLen || p.Passes == 0 || p.Lanes == 0 {
		return p, nil, nil, errHash
	}
	return p, salt, key, nil
}
