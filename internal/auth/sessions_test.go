package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// inBubble runs a test of an office whose clock is under control.
func inBubble(t *testing.T, change func(*Config), f func(t *testing.T, o *office)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newOffice(t, change)) })
}

func TestRefreshRotates(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, o *office) {
		first := o.register("alice")
		time.Sleep(10 * time.Minute)
		second, err := o.Refresh(t.Context(), first.RefreshToken)
		if err != nil {
			t.Fatal(err)
		}
		if second.RefreshToken == first.RefreshToken || second.SessionID != first.SessionID || second.User.ID != first.User.ID {
			t.Errorf("first %+v, second %+v", first, second)
		}
		if !second.AccessExpires.After(first.AccessExpires) || !o.alive(second) {
			t.Errorf("the new access token: %+v", second)
		}
		if _, err := o.Refresh(t.Context(), second.RefreshToken); err != nil {
			t.Errorf("the successor: %v", err)
		}
	})
}

func TestThePredecessorStaysGoodFor30Seconds(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, o *office) {
		first := o.register("alice")
		if _, err := o.Refresh(t.Context(), first.RefreshToken); err != nil {
			t.Fatal(err)
		}
		time.Sleep(29 * time.Second)
		second, err := o.Refresh(t.Context(), first.RefreshToken) // another tab, or a lost answer
		if err != nil {
			t.Fatalf("after 29 s: %v", err)
		}
		if _, err := o.Refresh(t.Context(), second.RefreshToken); err != nil {
			t.Errorf("what the second tab got: %v", err)
		}
		if got := o.relay.revoked(); len(got) != 0 {
			t.Errorf("revoked %q", got)
		}
	})
}

func TestReuseRevokesTheFamily(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, o *office) {
		first := o.register("alice")
		other := o.login("alice", goodPassword)
		second, err := o.Refresh(t.Context(), first.RefreshToken)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(31 * time.Second)
		if _, err := o.Refresh(t.Context(), first.RefreshToken); code(err) != chat.CodeSessionRevoked {
			t.Errorf("reuse after 31 s: %v", err)
		}
		if got := o.relay.revoked(); !slices.Equal(got, []string{first.SessionID}) {
			t.Errorf("told to close %q, want %q", got, first.SessionID)
		}
		if _, err := o.Refresh(t.Context(), second.RefreshToken); code(err) != chat.CodeSessionRevoked {
			t.Errorf("the successor still works: %v", err)
		}
		if o.alive(second) || o.alive(first) {
			t.Error("an access token of the family still works")
		}
		if !o.alive(other) {
			t.Error("the other log-in has ended too")
		}
		if want := []string{"token_reused", "session_revoked"}; !slices.Equal(o.seen.failed[:2], want) {
			t.Errorf("counted %q", o.seen.failed)
		}
	})
}

func TestASessionLastsAsLongAsItIsUsed(t *testing.T) {
	inBubble(t, func(c *Config) { c.RefreshTTL = 24 * time.Hour }, func(t *testing.T, o *office) {
		g := o.register("alice")
		for range 5 {
			time.Sleep(23 * time.Hour)
			var err error
			if g, err = o.Refresh(t.Context(), g.RefreshToken); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(24*time.Hour + time.Second)
		if _, err := o.Refresh(t.Context(), g.RefreshToken); code(err) != chat.CodeSessionRevoked {
			t.Errorf("unused for longer than its life: %v", err)
		}
	})
}

func TestUnknownRefreshTokens(t *testing.T) {
	o := newOffice(t, nil)
	for _, token := range []string{"", "nonsense", hashToken("x")} {
		if _, err := o.Refresh(t.Context(), token); code(err) != chat.CodeSessionRevoked {
			t.Errorf("%q: %v", token, err)
		}
		if err := o.Logout(t.Context(), token); err != nil {
			t.Errorf("logging out with %q: %v", token, err)
		}
	}
}

func TestLogoutEndsTheFamilyEverywhere(t *testing.T) {
	o := newOffice(t, nil)
	g, other := o.register("alice"), o.login("alice", goodPassword)
	next, err := o.Refresh(t.Context(), g.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Logout(t.Context(), g.RefreshToken); err != nil { // with the predecessor: any of the family will do
		t.Fatal(err)
	}
	if got := o.relay.revoked(); !slices.Equal(got, []string{g.SessionID}) {
		t.Errorf("told to close %q", got)
	}
	if o.alive(next) || !o.alive(other) {
		t.Error("the wrong log-in has ended")
	}
	if _, err := o.Refresh(t.Context(), next.RefreshToken); code(err) != chat.CodeSessionRevoked {
		t.Errorf("got %v", err)
	}
}

func TestSessionsAreListedAndRevoked(t *testing.T) {
	o := newOffice(t, nil)
	here, there, bob := o.register("alice"), o.login("alice", goodPassword), o.register("bobby")
	list, err := o.Sessions(t.Context(), here.User.ID)
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v %v", list, err)
	}
	if list[0].UserAgent != "test agent" {
		t.Errorf("the user agent is kept as %q", list[0].UserAgent)
	}
	if err := o.Revoke(t.Context(), here.User.ID, bob.SessionID); !errors.Is(err, chat.ErrNotFound) || !o.alive(bob) {
		t.Errorf("another's session: %v", err)
	}
	if err := o.Revoke(t.Context(), here.User.ID, there.SessionID); err != nil {
		t.Fatal(err)
	}
	if got := o.relay.revoked(); !slices.Equal(got, []string{there.SessionID}) || o.alive(there) || !o.alive(here) {
		t.Errorf("told to close %q", got)
	}
	if err := o.Revoke(t.Context(), here.User.ID, there.SessionID); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("a second time: %v", err)
	}
}

func TestANewPasswordRevokesAllOtherSessions(t *testing.T) {
	o := newOffice(t, nil)
	here, there := o.register("alice"), o.login("alice", goodPassword)
	who := Claims{UserID: here.User.ID, SessionID: here.SessionID}
	const next = "another long password"
	for name, c := range map[string]struct {
		current, next string
		want          chat.Code
	}{
		"wrong":    {"wrong horse battery", next, chat.CodeBadCredentials},
		"too easy": {goodPassword, "123456789", chat.CodeBadRequest},
		"empty":    {goodPassword, "", chat.CodeEmpty},
	} {
		if err := o.ChangePassword(t.Context(), home, who, c.current, c.next); code(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !o.alive(there) {
		t.Fatal("a refused change has ended a session")
	}
	if err := o.ChangePassword(t.Context(), home, who, goodPassword, next); err != nil {
		t.Fatal(err)
	}
	if got := o.relay.revoked(); !slices.Equal(got, []string{there.SessionID}) || o.alive(there) || !o.alive(here) {
		t.Errorf("told to close %q", got)
	}
	if _, err := o.Login(t.Context(), home, "alice", goodPassword); code(err) != chat.CodeBadCredentials {
		t.Errorf("the old password: %v", err)
	}
	o.login("alice", next)
}

// A log-in with the old password is being checked while the password is changed: its session must not outlive it.
func TestALogInThatOverlapsAPasswordChange(t *testing.T) {
	o := newOffice(t, nil)
	here := o.register("alice")
	who := Claims{UserID: here.User.ID, SessionID: here.SessionID}
	derive, overlapped := o.hasher.derive, false
	o.hasher.slots = make(chan struct{}, 4) // the change happens within the check
	o.hasher.derive = func(password, salt []byte, passes, memory uint32, lanes uint8, keyLen uint32) []byte {
		if !overlapped {
			overlapped = true
			if err := o.ChangePassword(t.Context(), home, who, goodPassword, "another long password"); err != nil {
				t.Error(err)
			}
		}
		return derive(password, salt, passes, memory, lanes, keyLen)
	}
	if _, err := o.Login(t.Context(), home, "alice", goodPassword); code(err) != chat.CodeBadCredentials {
		t.Errorf("got %v", err)
	}
	if list, err := o.Sessions(t.Context(), here.User.ID); err != nil || len(list) != 1 || list[0].ID != here.SessionID {
		t.Errorf("sessions %+v %v", list, err)
	}
}

func TestResetPasswordEndsEverySession(t *testing.T) {
	o := newOffice(t, nil)
	g := o.register("alice")
	command := New(Config{Store: o.store, Hash: cheap}) // as the command line has it: no relay, no tokens
	if err := command.ResetPassword(t.Context(), "alice", "another long password"); err != nil {
		t.Fatal(err)
	}
	if o.alive(g) {
		t.Error("the session lives on")
	}
	o.login("alice", "another long password")
	if err := command.ResetPassword(t.Context(), "nobody", "another long password"); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestAuthenticateLooksAtTheSession(t *testing.T) {
	o := newOffice(t, nil)
	alice, bob := o.register("alice"), o.register("bobby")
	for name, ids := range map[string][2]string{
		"another's session":      {alice.User.ID, bob.SessionID},
		"a session that is none": {alice.User.ID, chat.NewID()},
	} {
		token, _, err := o.cfg.Tokens.Sign(ids[0], ids[1])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Authenticate(t.Context(), token); code(err) != chat.CodeSessionRevoked {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := o.Authenticate(t.Context(), "nonsense"); code(err) != chat.CodeUnauthorized {
		t.Errorf("nonsense: %v", err)
	}
	if c, err := o.Authenticate(t.Context(), alice.AccessToken); err != nil || c.UserID != alice.User.ID || c.SessionID != alice.SessionID {
		t.Errorf("%+v %v", c, err)
	}
}

func TestSweepRemovesGuestsWhoHaveGone(t *testing.T) {
	inBubble(t, func(c *Config) { c.Guests = true }, func(t *testing.T, o *office) {
		owner := o.register("owner").User.ID
		roomID, invite := o.room(owner, 0)
		gone, err := o.Guest(t.Context(), home, "Gone", invite)
		if err != nil {
			t.Fatal(err)
		}
		back, err := o.Guest(t.Context(), home, "Back", invite)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(29 * 24 * time.Hour)
		if _, err := o.Refresh(t.Context(), back.RefreshToken); err != nil {
			t.Fatal(err)
		}
		sweep := func() {
			t.Helper()
			if err := o.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		members := func() []string {
			t.Helper()
			all, _, err := o.store.Members(t.Context(), roomID, owner, chat.Paging{Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			names := make([]string, 0, len(all))
			for _, m := range all {
				names = append(names, m.User.DisplayName)
			}
			slices.Sort(names)
			return names
		}
		sweep()
		if got := members(); !slices.Equal(got, []string{"Back", "Gone", "owner"}) {
			t.Errorf("after 29 days: %q", got)
		}
		time.Sleep(2 * 24 * time.Hour)
		sweep()
		if got := members(); !slices.Equal(got, []string{"Back", "owner"}) {
			t.Errorf("after 31 days: %q", got)
		}
		page, err := o.store.Page(t.Context(), roomID, owner, chat.PageQuery{Limit: 1})
		if err != nil || len(page.Entries) != 1 || page.Entries[0].Kind != chat.KindMemberLeft || page.Entries[0].Subject() != gone.User.ID {
			t.Errorf("the guest's leaving is not the last entry of the room: %+v %v", page.Entries, err)
		}
		sweep() // there is nothing left to do
	})
}

func TestSweepTakesManyGuests(t *testing.T) {
	inBubble(t, func(c *Config) { c.Guests = true }, func(t *testing.T, o *office) {
		for i := range sweepBatch + 5 {
			if _, err := o.Guest(t.Context(), home, fmt.Sprint("Guest ", i), ""); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(31 * 24 * time.Hour)
		if err := o.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		left, _, err := o.store.SearchUsers(t.Context(), "Guest", chat.Paging{Limit: 10})
		if err != nil || len(left) != 0 {
			t.Errorf("left: %+v %v", left, err)
		}
	})
}

func TestSweepStopsWhenTheStoreDoes(t *testing.T) {
	o := newOffice(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := o.Sweep(ctx); err == nil {
		t.Error("a sweep that could do nothing says nothing")
	}
}
