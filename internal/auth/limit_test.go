package auth

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/gochat-dev/gochat/internal/chat"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func tenPerMinute() *limiter {
	return newLimiter("login", rate.Every(6*time.Second), 10, func(string) {})
}

func limited(t *testing.T, err error) time.Duration {
	t.Helper()
	var refusal *chat.Error
	if !errors.As(err, &refusal) || refusal.Code != chat.CodeRateLimited || refusal.RetryAfter <= 0 {
		t.Fatalf("got %v, want rate_limited with advice", err)
	}
	return refusal.RetryAfter
}

func TestAllowanceIsPerAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var refusals int
		l := newLimiter("login", rate.Every(6*time.Second), 10, func(what string) {
			if what != "login" {
				t.Errorf("counted as %q", what)
			}
			refusals++
		})
		a := addr("192.0.2.1")
		for i := range 10 {
			if err := l.take(a); err != nil {
				t.Fatalf("attempt %d: %v", i+1, err)
			}
		}
		if wait := limited(t, l.take(a)); wait != 6*time.Second {
			t.Errorf("the advice is to wait %v, the next token comes in 6 s", wait)
		}
		if err := l.take(addr("192.0.2.2")); err != nil {
			t.Errorf("another address pays for it: %v", err)
		}
		if err := l.take(addr("::ffff:192.0.2.1")); err == nil {
			t.Error("the same address written as IPv6 has an allowance of its own")
		}
		time.Sleep(6 * time.Second)
		if err := l.take(a); err != nil {
			t.Errorf("after the advice: %v", err)
		}
		limited(t, l.take(a))
		if refusals != 3 {
			t.Errorf("%d refusals counted, 3 made", refusals)
		}
	})
}

func TestANetworkOfIPv6IsOneAddress(t *testing.T) {
	l := tenPerMinute()
	for i := range 10 {
		if err := l.take(addr(fmt.Sprintf("2001:db8::%d", i+1))); err != nil {
			t.Fatal(err)
		}
	}
	limited(t, l.take(addr("2001:db8::ffff")))
	if err := l.take(addr("2001:db8:0:1::1")); err != nil {
		t.Errorf("the network beside it: %v", err)
	}
}

func TestAttemptsThatSucceedDoNotCount(t *testing.T) {
	l := tenPerMinute()
	for range 100 {
		end, err := l.begin(addr("192.0.2.1"))
		if err != nil {
			t.Fatal(err)
		}
		end(false)
	}
}

func TestAttemptsUnderWayCountUntilTheyEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := tenPerMinute()
		a := addr("192.0.2.1")
		ends := make([]func(bool), 0, 10)
		for range 10 {
			end, err := l.begin(a)
			if err != nil {
				t.Fatal(err)
			}
			ends = append(ends, end)
		}
		_, err := l.begin(a) // 100 guesses at once are 10 guesses
		limited(t, err)
		for i, end := range ends {
			end(i < 4)
		}
		for range 6 {
			if err := l.take(a); err != nil {
				t.Fatalf("of 10, 4 counted: %v", err)
			}
		}
		limited(t, l.take(a))
	})
}

func TestRememberedAddressesAreBounded(t *testing.T) {
	l := tenPerMinute()
	busy := addr("10.0.0.1")
	for range 10 {
		if err := l.take(busy); err != nil {
			t.Fatal(err)
		}
	}
	for i := range maxAddresses - 1 {
		if err := l.take(netip.AddrFrom4([4]byte{172, 16, byte(i >> 8), byte(i)})); err != nil {
			t.Fatal(err)
		}
	}
	limited(t, l.take(busy)) // still known, and used last
	for i := range maxAddresses - 1 {
		if err := l.take(netip.AddrFrom4([4]byte{172, 20, byte(i >> 8), byte(i)})); err != nil {
			t.Fatal(err)
		}
	}
	limited(t, l.take(busy))
	if n := l.byAddr.Len(); n != maxAddresses {
		t.Errorf("%d addresses are remembered, the bound is %d", n, maxAddresses)
	}
}

func TestNoLimit(t *testing.T) {
	l := newLimiter("login", 0, 0, nil)
	for range 1000 {
		if err := l.take(addr("192.0.2.1")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLimitsPerAddress(t *testing.T) {
	o := newOffice(t, func(c *Config) { c.Limit, c.Burst, c.Guests = rate.Every(time.Hour), 3, true })
	for _, name := range []string{"alice", "bobby"} {
		o.register(name)
	}
	if _, err := o.Guest(t.Context(), home, "Guest", ""); err != nil {
		t.Fatal(err)
	}
	_, err := o.Register(t.Context(), home, SignUp{Username: "carol", Password: goodPassword})
	limited(t, err)
	_, err = o.Guest(t.Context(), home, "Guest", "")
	limited(t, err)

	for range 5 { // sign-ups and log-ins that succeed cost no log-ins
		o.login("alice", goodPassword)
	}
	for range 3 {
		if _, err := o.Login(t.Context(), home, "alice", "wrong horse battery"); code(err) != chat.CodeBadCredentials {
			t.Fatal(err)
		}
	}
	work := counted(o.hasher)
	_, err = o.Login(t.Context(), home, "alice", goodPassword)
	limited(t, err)
	err = o.ChangePassword(t.Context(), home, Claims{UserID: userID(t, o, "alice")}, goodPassword, "another long password")
	limited(t, err)
	if len(*work) != 0 {
		t.Errorf("who is limited costs %d hashes", len(*work))
	}
	elsewhere := Visitor{Addr: addr("192.0.2.99")}
	if _, err := o.Login(t.Context(), elsewhere, "alice", goodPassword); err != nil {
		t.Errorf("from another address: %v", err)
	}
	if want := []string{"limited register", "limited register", "bad_credentials", "bad_credentials", "bad_credentials", "limited login", "limited login"}; !slices.Equal(o.seen.failed, want) {
		t.Errorf("counted %q, want %q", o.seen.failed, want)
	}
}
