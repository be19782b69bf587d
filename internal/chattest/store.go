// Package chattest holds the suites that every Store and every Backplane must pass.
package chattest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// TestStore is what makes an implementation a chat.Store. open returns an empty store, which it closes when
// the test ends. Nothing here sleeps; what depends on the store's own clock is in TestStoreClock.
func TestStore(t *testing.T, open func(t *testing.T) chat.Store) {
	t.Helper()
	for _, group := range []struct {
		name  string
		cases []storeCase
	}{
		{"Append", appendCases},
		{"Membership", membershipCases},
		{"Read", readCases},
		{"Positions", positionCases},
		{"Rooms", roomCases},
		{"Invites", inviteCases},
		{"Accounts", accountCases},
		{"Sessions", sessionCases},
		{"Paging", pagingCases},
		{"Upkeep", upkeepCases},
		{"Together", togetherCases},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, c := range group.cases {
				t.Run(c.name, func(t *testing.T) { c.run(newStage(t, open(t))) })
			}
		})
	}
}

// storeCase is one thing that a store must do, with the rule that says so.
type storeCase struct {
	name string
	run  func(s *stage)
}

// stage is a store under test, and the words in which the cases are written. What should never fail ends the test.
type stage struct {
	testing.TB
	chat.Store
	ctx context.Context
	at  time.Time // when everything happens, unless a case says otherwise
	n   int       // people so far
}

func newStage(t testing.TB, s chat.Store) *stage {
	return &stage{TB: t, Store: s, ctx: context.Background(), at: time.Now().UTC().Truncate(time.Millisecond)}
}

func (s *stage) no(err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("unexpected: %v", err)
	}
}

func (s *stage) wants(want, got error) {
	s.Helper()
	if !errors.Is(got, want) {
		s.Fatalf("error is %v, want %v", got, want)
	}
}

func same[T comparable](s *stage, what string, got, want T) {
	s.Helper()
	if got != want {
		s.Fatalf("%s is %v, want %v", what, got, want)
	}
}

// user makes an account and returns its id.
func (s *stage) user() string { return s.person(chat.User{}) }

func (s *stage) guest() string { return s.person(chat.User{Guest: true}) }

func (s *stage) person(u chat.User) string {
	s.Helper()
	s.n++
	u.ID = chat.NewID()
	if u.Username == "" && !u.Guest {
		u.Username = fmt.Sprintf("user-%d", s.n)
	}
	if u.DisplayName == "" {
		u.DisplayName = fmt.Sprintf("Person %d", s.n)
	}
	if u.CreatedAt.IsZero() {
		u.CreatedAt = s.at
	}
	made, err := s.CreateUser(s.ctx, u, "hash of "+u.Username)
	s.no(err)
	return made.ID
}

// room makes a room with an owner and members.
func (s *stage) room(v chat.Visibility, owner string, members ...string) string {
	s.Helper()
	d := s.create(owner, chat.NewRoom{Name: "Room", Topic: "Topic", Visibility: v})
	s.post(d)
	s.join(d.RoomID, members...)
	return d.RoomID
}

// join makes people members, whatever the room's visibility.
func (s *stage) join(room string, users ...string) {
	s.Helper()
	for _, u := range users {
		s.post(s.joining(room, u, s.invite(chat.Invite{RoomID: room})))
	}
}

// invite stores an invite by the room's first owner, and returns its code.
func (s *stage) invite(inv chat.Invite) string {
	s.Helper()
	live, err := s.Load(s.ctx, inv.RoomID, 0)
	s.no(err)
	for _, id := range live.Members {
		m, err := s.Member(s.ctx, inv.RoomID, id)
		s.no(err)
		if m.Role == chat.RoleOwner {
			inv.CreatedBy = id
		}
	}
	inv.Code, inv.CreatedAt = chat.NewID(), s.at
	s.no(s.CreateInvite(s.ctx, inv))
	return inv.Code
}

// The drafts of each kind.

func (s *stage) draft(room, sender string, kind chat.Kind) chat.Draft {
	return chat.Draft{RoomID: room, SenderID: sender, ClientID: chat.NewID(), Kind: kind, At: s.at}
}

func (s *stage) create(owner string, r chat.NewRoom) chat.Draft {
	d := s.draft(chat.NewID(), owner, chat.KindMemberJoined)
	d.Create = &r
	return d
}

func (s *stage) text(room, sender, body string) chat.Draft {
	d := s.draft(room, sender, chat.KindText)
	d.Body = body
	return d
}

func (s *stage) texts(room, sender string, n int) []chat.Draft {
	drafts := make([]chat.Draft, n)
	for i := range drafts {
		drafts[i] = s.text(room, sender, fmt.Sprint("text ", i))
	}
	return drafts
}

func (s *stage) joining(room, user, code string) chat.Draft {
	d := s.draft(room, user, chat.KindMemberJoined)
	d.Join = &chat.Joining{Code: code}
	return d
}

func (s *stage) leaving(room, user string) chat.Draft { return s.removing(room, user, user) }

func (s *stage) removing(room, by, user string) chat.Draft {
	d := s.draft(room, by, chat.KindMemberLeft)
	d.Leave = &chat.MemberLeft{UserID: user}
	if by != user {
		d.Leave.By = by
	}
	return d
}

func (s *stage) setting(room, by, user string, role chat.Role) chat.Draft {
	d := s.draft(room, by, chat.KindRoleChanged)
	d.Role = &chat.RoleChanged{UserID: user, Role: role, By: by}
	return d
}

func (s *stage) renaming(room, by, name string) chat.Draft {
	d := s.draft(room, by, chat.KindRoomChanged)
	d.Change = &chat.RoomChanged{Name: &name}
	return d
}

// append appends a batch without numbers from a backplane.
func (s *stage) append(drafts ...chat.Draft) []chat.Outcome {
	s.Helper()
	return s.numbered(nil, drafts...)
}

func (s *stage) numbered(firsts map[string]int64, drafts ...chat.Draft) []chat.Outcome {
	s.Helper()
	out, err := s.Append(s.ctx, drafts, firsts)
	s.no(err)
	same(s, "number of outcomes", len(out), len(drafts))
	return out
}

// post appends a batch of which everything must be stored, and returns the entries.
func (s *stage) post(drafts ...chat.Draft) []chat.Entry {
	s.Helper()
	var entries []chat.Entry
	for i, o := range s.append(drafts...) {
		if o.Err != nil {
			s.Fatalf("draft %d (%s): %v", i, drafts[i].Kind, o.Err)
		}
		entries = append(entries, o.Entry)
	}
	return entries
}

// log reads a whole room, and fails unless every entry points back at the one before it (SEQ1).
func (s *stage) log(room string) []chat.Entry {
	s.Helper()
	var log []chat.Entry
	last := chat.Position{}
	for {
		run, err := s.After(s.ctx, room, last, 100)
		s.no(err)
		if !run.Known {
			s.Fatalf("the log does not know its own position %v", last)
		}
		for _, e := range run.Entries {
			if e.Prev() != last || e.Seq <= last.Seq || e.RoomID != room || e.MessageID == "" {
				s.Fatalf("after %v comes %+v", last, e)
			}
			last = e.Position()
		}
		log = append(log, run.Entries...)
		if len(run.Entries) == 0 {
			same(s, "head", run.Head, last)
			return log
		}
	}
}

func (s *stage) head(room string) chat.Position {
	s.Helper()
	run, err := s.After(s.ctx, room, chat.Position{}, 0)
	s.no(err)
	return run.Head
}

// version is a user's rooms version.
func (s *stage) version(user string) int64 {
	s.Helper()
	got, err := s.Compare(s.ctx, chat.CompareQuery{Users: []string{user}})
	s.no(err)
	v, ok := got.Versions[user]
	if !ok {
		s.Fatalf("no rooms version of %s", user)
	}
	return v
}

// session logs a user in for a day and returns the session and its first token's hash.
func (s *stage) session(user string) (chat.Session, string) {
	s.Helper()
	ses := chat.Session{
		ID: chat.NewID(), UserID: user, UserAgent: "browser", CreatedAt: s.at, LastSeenAt: s.at, ExpiresAt: s.at.Add(24 * time.Hour),
	}
	token := chat.NewID()
	s.no(s.CreateSession(s.ctx, ses, token))
	return ses, token
}

// sameJSON compares what two documents say: a store may keep them in a form of its own.
func sameJSON(s *stage, what string, got []byte, want string) {
	s.Helper()
	var a, b any
	s.no(json.Unmarshal([]byte(want), &b))
	if json.Unmarshal(got, &a) != nil || !reflect.DeepEqual(a, b) {
		s.Fatalf("%s is %s, want %s", what, got, want)
	}
}

func bodies(entries []chat.Entry) string {
	var all []string
	for _, e := range entries {
		all = append(all, e.Body)
	}
	return strings.Join(all, " ")
}
