package auth

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/gochat-dev/gochat/internal/chat"
)

var cheap = HashParams{MemoryKiB: 64, Passes: 1, Lanes: 1}

func TestHashIsVerifiedByItsOwnParameters(t *testing.T) {
	old, now := newHasher(cheap), newHasher(HashParams{MemoryKiB: 128, Passes: 2, Lanes: 1})
	hash, err := old.hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Errorf("not a PHC string of argon2id: %s", hash)
	}
	for password, want := range map[string]bool{"correct horse": true, "correct horses": false, "": false} {
		if got, err := now.verify(t.Context(), hash, password); err != nil || got != want {
			t.Errorf("%q: %v %v, want %v", password, got, err, want)
		}
	}
	if again, err := old.hash(t.Context(), "correct horse"); err != nil || again == hash {
		t.Errorf("two hashes of one password are the same: the salt is not random (%v)", err)
	}
}

func TestHashCostsAreThoseOfOWASP(t *testing.T) {
	if got := newHasher(HashParams{}).params; got != (HashParams{MemoryKiB: 19 * 1024, Passes: 2, Lanes: 1}) {
		t.Errorf("%+v", got)
	}
}

func TestHashThatCannotBeReadIsAnError(t *testing.T) {
	h := newHasher(cheap)
	good, err := h.hash(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		"plain", "$2a$10$abc", strings.Replace(good, "argon2id", "argon2i", 1), strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "t=1", "t=0", 1), strings.Replace(good, "p=1", "p=x", 1), good + "AAAA", good[:len(good)-2] + "!!",
	} {
		if ok, err := h.verify(t.Context(), bad, "x"); ok || !errors.Is(err, errHash) {
			t.Errorf("%q: %v %v", bad, ok, err)
		}
	}
}

// counted makes a hasher count and describe the derivations that it does.
func counted(h *hasher) *[]HashParams {
	var mu sync.Mutex
	var done []HashParams
	derive := h.derive
	h.derive = func(password, salt []byte, passes, memory uint32, lanes uint8, keyLen uint32) []byte {
		mu.Lock()
		defer mu.Unlock()
		done = append(done, HashParams{MemoryKiB: memory, Passes: passes, Lanes: lanes})
		return derive(password, salt, passes, memory, lanes, keyLen)
	}
	return &done
}

func TestHashesAtOnceAreBounded(t *testing.T) {
	h := newHasher(cheap)
	h.slots = make(chan struct{}, 2)
	var under, total atomic.Int32
	derive := h.derive
	h.derive = func(password, salt []byte, passes, memory uint32, lanes uint8, keyLen uint32) []byte {
		total.Add(1)
		if n := under.Add(1); n > 2 {
			t.Errorf("%d hashes at once", n)
		}
		defer under.Add(-1)
		return derive(password, salt, passes, memory, lanes, keyLen)
	}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := h.hash(t.Context(), "x"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if total.Load() != 50 {
		t.Errorf("%d of 50 were hashed", total.Load())
	}
}

func TestNobodyWaitsForALogInForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(cheap)
		h.slots = make(chan struct{}, 1)
		h.slots <- struct{}{} // busy, for ever
		_, err := h.hash(t.Context(), "x")
		var refusal *chat.Error
		if !errors.As(err, &refusal) || refusal.Code != chat.CodeUnavailable || refusal.RetryAfter == 0 {
			t.Errorf("got %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := h.hash(ctx, "x"); !errors.Is(err, context.Canceled) {
			t.Errorf("of a client that has gone: %v", err)
		}
	})
}
