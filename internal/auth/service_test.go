package auth

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// office is a Service over SQLite. Its relay commits at once and notes what it is told.
type office struct {
	*Service
	t     *testing.T
	store chat.Store
	relay *directRelay
	seen  *observed
}

// directRelay commits drafts one by one.
type directRelay struct {
	store  chat.Store
	before func(chat.Draft) error // what happens just before a commit; an error is its outcome

	mu      sync.Mutex
	notices []chat.UserNotice
}

func (r *directRelay) Do(ctx context.Context, d chat.Draft) (chat.Entry, error) {
	if r.before != nil {
		if err := r.before(d); err != nil {
			return chat.Entry{}, err
		}
	}
	if err := d.CheckClientID(); err != nil {
		return chat.Entry{}, err
	}
	out, err := r.store.Append(ctx, []chat.Draft{d}, nil)
	if err != nil {
		return chat.Entry{}, err
	}
	return out[0].Entry, out[0].Err
}

func (r *directRelay) Notify(_ context.Context, n chat.UserNotice) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notices = append(r.notices, n)
}

// revoked are the sessions that every node was told to close, since the last time it was asked.
func (r *directRelay) revoked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []string
	for _, n := range r.notices {
		if n.Kind == chat.SessionRevoked {
			ids = append(ids, n.Session)
		}
	}
	r.notices = nil
	return ids
}

type observed struct {
	mu     sync.Mutex
	failed []string
}

func (o *observed) AuthFailed(why string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failed = append(o.failed, why)
}
func (o *observed) RateLimited(what string) { o.AuthFailed("limited " + what) }

func newOffice(t *testing.T, change func(*Config)) *office {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "chat.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	o := &office{t: t, store: store, relay: &directRelay{store: store}, seen: &observed{}}
	cfg := Config{
		Store: store, Relay: o.relay, Tokens: NewTokens(Keys{{"a", secretA}}, 15*time.Minute), Hash: cheap, Observe: o.seen,
	}
	if change != nil {
		change(&cfg)
	}
	o.Service = New(cfg)
	return o
}

const goodPassword = "correct horse battery"

var home = Visitor{Addr: addr("192.0.2.1"), UserAgent: "test\x00\n agent"}

func (o *office) register(name string) Grant {
	o.t.Helper()
	g, err := o.Register(o.t.Context(), home, SignUp{Username: name, Password: goodPassword})
	if err != nil {
		o.t.Fatal(err)
	}
	return g
}

func (o *office) login(name, password string) Grant {
	o.t.Helper()
	g, err := o.Login(o.t.Context(), home, name, password)
	if err != nil {
		o.t.Fatal(err)
	}
	return g
}

// room makes a room of a user's and an invite into it.
func (o *office) room(owner string, uses int) (roomID, code string) {
	o.t.Helper()
	roomID = chat.NewID()
	if _, err := o.relay.Do(o.t.Context(), chat.Draft{
		RoomID: roomID, SenderID: owner, Kind: chat.KindMemberJoined, At: time.Now(),
		Create: &chat.NewRoom{Name: "Room", Visibility: chat.Private},
	}); err != nil {
		o.t.Fatal(err)
	}
	code = "code-" + roomID
	if err := o.store.CreateInvite(o.t.Context(), chat.Invite{
		Code: code, RoomID: roomID, CreatedBy: owner, CreatedAt: time.Now(), MaxUses: uses,
	}); err != nil {
		o.t.Fatal(err)
	}
	return roomID, code
}

func code(err error) chat.Code {
	if refusal, ok := errors.AsType[*chat.Error](err); ok {
		return refusal.Code
	}
	return ""
}

func (o *office) alive(g Grant) bool {
	o.t.Helper()
	_, err := o.Authenticate(o.t.Context(), g.AccessToken)
	if err != nil && code(err) != chat.CodeSessionRevoked {
		o.t.Fatal(err)
	}
	return err == nil
}

func TestUnknownUsersGuestsAndWrongPasswordsGetTheSameAnswerForTheSameWork(t *testing.T) {
	o := newOffice(t, func(c *Config) { c.Guests = true; c.Hash = HashParams{MemoryKiB: 96, Passes: 2, Lanes: 1} })
	o.register("alice")
	guest, err := o.Guest(t.Context(), home, "Guest", "")
	if err != nil {
		t.Fatal(err)
	}
	work := counted(o.hasher)
	var answers []string
	for _, name := range []string{"alice", "nobody", guest.User.Username, "no such\nname", ""} {
		*work = nil
		_, err := o.Login(t.Context(), home, name, "wrong horse battery")
		if code(err) != chat.CodeBadCredentials {
			t.Fatalf("%q: %v", name, err)
		}
		answers = append(answers, err.Error())
		if !slices.Equal(*work, []HashParams{o.hasher.params}) {
			t.Errorf("%q: work %+v, want one hash of %+v", name, *work, o.hasher.params)
		}
	}
	if len(slices.Compact(answers)) != 1 {
		t.Errorf("answers differ: %q", answers)
	}
	if _, err := o.Login(t.Context(), home, guest.User.Username, ""); code(err) != chat.CodeBadCredentials {
		t.Errorf("a guest logs in without a password: %v", err)
	}
}

func TestTheFirstAccountIsTheAdmin(t *testing.T) {
	o := newOffice(t, func(c *Config) { c.Guests = true })
	if g, err := o.Guest(t.Context(), home, "Guest", ""); err != nil || g.User.Admin || !g.User.Guest {
		t.Errorf("%+v %v", g.User, err)
	}
	if !o.register("alice").User.Admin || o.register("bob").User.Admin {
		t.Error("alice is the admin, and bob is not")
	}
}

func TestSignUpIsChecked(t *testing.T) {
	o := newOffice(t, nil)
	o.register("alice")
	for name, c := range map[string]struct {
		SignUp
		want chat.Code
	}{
		"taken":                    {SignUp{Username: "alice"}, chat.CodeUsernameTaken},
		"short name":               {SignUp{Username: "al"}, chat.CodeBadRequest},
		"long name":                {SignUp{Username: strings.Repeat("a", 33)}, chat.CodeBadRequest},
		"capitals":                 {SignUp{Username: "Alice"}, chat.CodeBadRequest},
		"a colon":                  {SignUp{Username: "a:ice"}, chat.CodeBadRequest},
		"a line behind it":         {SignUp{Username: "alice\n"}, chat.CodeBadRequest},
		"short password":           {SignUp{Username: "bob", Password: "123456789"}, chat.CodeBadRequest},
		"no password":              {SignUp{Username: "bob", Password: " "}, chat.CodeBadRequest},
		"endless password":         {SignUp{Username: "bob", Password: strings.Repeat("x", MaxPassword+1)}, chat.CodeTooLong},
		"NUL in the password":      {SignUp{Username: "bob", Password: "correct\x00horse"}, chat.CodeBadRequest},
		"NUL in the name":          {SignUp{Username: "bob", DisplayName: "B\x00b"}, chat.CodeBadRequest},
		"long display name":        {SignUp{Username: "bob", DisplayName: strings.Repeat("ö", 81)}, chat.CodeTooLong},
		"blank display name":       {SignUp{Username: "bob", DisplayName: " \t "}, chat.CodeEmpty},
		"an invite that is no one": {SignUp{Username: "bob", InviteCode: "nonsense"}, chat.CodeInviteInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			if c.Password == "" {
				c.Password = goodPassword
			}
			if _, err := o.Register(t.Context(), home, c.SignUp); code(err) != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	if _, _, err := o.store.Credentials(t.Context(), "bob"); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("one of them left an account: %v", err)
	}
	g, err := o.Register(t.Context(), home, SignUp{Username: "bob", Password: "äöüäöüäöüä", DisplayName: strings.Repeat("ö", 80)})
	if err != nil {
		t.Errorf("lengths are counted in code points: %v", err)
	}
	if g.User.Username != "bob" || g.RefreshToken == "" || !o.alive(g) {
		t.Errorf("%+v", g)
	}
}

func TestRegistrationPolicies(t *testing.T) {
	for _, c := range []struct {
		policy Registration
		code   string // "good" stands for one that is
		want   chat.Code
		joins  bool
	}{
		{Open, "", "", false},
		{Open, "good", "", true},
		{Invite, "", chat.CodeRegistrationClosed, false},
		{Invite, "nonsense", chat.CodeInviteInvalid, false},
		{Invite, "good", "", true},
		{Closed, "good", chat.CodeRegistrationClosed, false},
	} {
		t.Run(string(c.policy)+" with "+c.code, func(t *testing.T) {
			o := newOffice(t, func(cfg *Config) { cfg.Registration = c.policy })
			owner, err := o.CreateAdmin(t.Context(), SignUp{Username: "owner", Password: goodPassword})
			if err != nil || !owner.Admin {
				t.Fatalf("an admin can be made under any policy: %+v %v", owner, err)
			}
			roomID, good := o.room(owner.ID, 0)
			if c.code == "good" {
				c.code = good
			}
			g, err := o.Register(t.Context(), home, SignUp{Username: "alice", Password: goodPassword, InviteCode: c.code})
			if code(err) != c.want {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if err != nil {
				return
			}
			m, err := o.store.Member(t.Context(), roomID, g.User.ID)
			if joined := err == nil && m.Role == chat.RoleMember; joined != c.joins {
				t.Errorf("joined: %v (%v), want %v", joined, err, c.joins)
			}
		})
	}
}

func TestGuestPolicies(t *testing.T) {
	o := newOffice(t, nil)
	if _, err := o.Guest(t.Context(), home, "Guest", ""); code(err) != chat.CodeGuestsDisabled {
		t.Errorf("guests are off: %v", err)
	}
	o = newOffice(t, func(c *Config) { c.Guests, c.Registration = true, Closed })
	owner, err := o.CreateAdmin(t.Context(), SignUp{Username: "owner", Password: goodPassword})
	if err != nil {
		t.Fatal(err)
	}
	roomID, invite := o.room(owner.ID, 0)
	g, err := o.Guest(t.Context(), home, "Guest", invite)
	if err != nil || !g.User.Guest || !o.alive(g) {
		t.Fatalf("%+v %v", g, err)
	}
	if m, err := o.store.Member(t.Context(), roomID, g.User.ID); err != nil || m.Role != chat.RoleMember {
		t.Errorf("the guest is not in the invite's room: %+v %v", m, err)
	}
	for name, want := range map[string]chat.Code{"": chat.CodeEmpty, "\x00": chat.CodeBadRequest, strings.Repeat("x", 81): chat.CodeTooLong} {
		if _, err := o.Guest(t.Context(), home, name, ""); code(err) != want {
			t.Errorf("%q: %v, want %s", name, err, want)
		}
	}
}

// The invite's last use goes to somebody else between the look at it and the joining.
func TestAnInviteUsedUpMeanwhileLeavesNoAccountBehind(t *testing.T) {
	for name, c := range map[string]struct {
		guest bool
		lost  bool // the join is committed, but its answer is lost
	}{"account": {}, "guest": {guest: true}, "account whose join was committed": {lost: true}} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, func(cfg *Config) { cfg.Guests = true })
			owner := o.register("owner").User.ID
			roomID, invite := o.room(owner, 1)
			o.relay.before = func(d chat.Draft) error {
				o.relay.before = nil
				if c.lost {
					if _, err := o.relay.Do(t.Context(), d); err != nil {
						t.Error(err)
					}
					return chat.Unavailable(time.Second)
				}
				o.register("faster")
				faster, _, err := o.store.Credentials(t.Context(), "faster")
				if err != nil {
					t.Error(err)
				}
				d.SenderID = faster.ID
				if _, err := o.relay.Do(t.Context(), d); err != nil {
					t.Error(err)
				}
				return nil
			}
			var g Grant
			var err error
			if c.guest {
				g, err = o.Guest(t.Context(), home, "slower", invite)
			} else {
				g, err = o.Register(t.Context(), home, SignUp{Username: "slower", Password: goodPassword, InviteCode: invite})
			}
			if c.lost {
				if m, memberErr := o.store.Member(t.Context(), roomID, g.User.ID); err != nil || memberErr != nil || m.Role == "" {
					t.Errorf("the join stands, so the account does: %v %v", err, memberErr)
				}
				return
			}
			if code(err) != chat.CodeInviteInvalid {
				t.Errorf("got %v", err)
			}
			left, _, err := o.store.SearchUsers(t.Context(), "slower", chat.Paging{Limit: 10})
			if err != nil || len(left) != 0 {
				t.Errorf("there is an account left: %+v %v", left, err)
			}
		})
	}
}

func userID(t *testing.T, o *office, name string) string {
	t.Helper()
	u, _, err := o.store.Credentials(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return u.ID
}
