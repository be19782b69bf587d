package chattest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gochat-dev/gochat/internal/chat"
)

// MemStore is a chat.Store in memory, for tests that need thousands of them: the history checker's. It passes
// TestStore. Nothing in it is fast for large amounts.
type MemStore struct {
	mu     sync.Mutex
	closed bool    // guarded by mu
	data   memData // guarded by mu
}

var _ chat.Store = (*MemStore)(nil)

// memData is all that is stored. Ids are compared; num is the order in which things were made.
type memData struct {
	epoch    string
	num      int64
	users    map[string]*memUser
	rooms    map[string]*memRoom
	invites  map[string]*memInvite
	sessions map[string]*memSession
	tokens   map[string]*memToken
	silent   map[string]time.Time // by node: until when
}

type memUser struct {
	chat.User
	num      int64
	password string
	version  int64
	tookPart bool
	deleted  bool
	seen     time.Time
}

type memRoom struct {
	chat.Room
	num     int64
	log     []chat.Entry
	keys    map[chat.Key]int // index in log
	members map[string]*memMember
	active  time.Time
	deleted bool
}

type memMember struct {
	role   chat.Role
	joined time.Time
	read   int64
}

// NewMemStore makes an empty store.
func NewMemStore() *MemStore {
	return &MemStore{data: memData{
		epoch: chat.NewID(), users: make(map[string]*memUser), rooms: make(map[string]*memRoom),
		invites: make(map[string]*memInvite), sessions: make(map[string]*memSession),
		tokens: make(map[string]*memToken), silent: make(map[string]time.Time),
	}}
}

// Clone copies the store as it is: a backup.
func (m *MemStore) Clone() *MemStore {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.data
	d.users, d.invites, d.sessions = cloneAll(d.users), cloneAll(d.invites), cloneAll(d.sessions)
	d.tokens, d.silent, d.rooms = cloneAll(d.tokens), maps.Clone(d.silent), cloneAll(d.rooms)
	for _, r := range d.rooms {
		r.log, r.keys, r.members = slices.Clip(r.log), maps.Clone(r.keys), cloneAll(r.members)
	}
	return &MemStore{data: d}
}

// cloneAll copies a map and what its values point at.
func cloneAll[T any](all map[string]*T) map[string]*T {
	out := make(map[string]*T, len(all))
	for k, v := range all {
		c := *v
		out[k] = &c
	}
	return out
}

// do runs f while nobody else reads or writes.
func (m *MemStore) do(ctx context.Context, f func(d *memData) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return fmt.Errorf("the store is closed: %w", chat.ErrUnavailable)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", chat.ErrUnavailable, err)
	}
	return f(&m.data)
}

// Append implements chat.Entries.
func (m *MemStore) Append(ctx context.Context, drafts []chat.Draft, firsts map[string]int64) ([]chat.Outcome, error) {
	outcomes := make([]chat.Outcome, len(drafts))
	return outcomes, m.do(ctx, func(d *memData) error {
		for i := range drafts {
			outcomes[i] = d.add(&drafts[i], firsts[drafts[i].RoomID])
		}
		return nil
	})
}

// add judges, numbers and stores one draft.
func (d *memData) add(draft *chat.Draft, first int64) chat.Outcome {
	if !wellShaped(draft) {
		return chat.Outcome{Err: chat.Refuse(chat.CodeBadRequest, "a part of this is missing or malformed")}
	}
	r := d.rooms[draft.RoomID]
	if r != nil {
		if i, ok := r.keys[draft.Key()]; ok {
			return chat.Outcome{Entry: r.log[i], Duplicate: true}
		}
	}
	sender := d.user(draft.SenderID)
	if sender == nil {
		return chat.Outcome{Err: chat.ErrForbidden}
	}
	if draft.Create != nil && r != nil {
		return chat.Outcome{Err: chat.Refuse(chat.CodeBadRequest, "there is a room of this id already")}
	}
	inv := d.inviteOf(draft)
	if err := draft.Judge(d.situation(draft, r, sender, inv)); err != nil {
		return chat.Outcome{Err: err}
	}
	at := draft.At
	if at.IsZero() {
		at = time.Now()
	}
	at = at.UTC().Truncate(time.Millisecond)
	if r == nil {
		r = d.create(draft, at)
	}
	by := ""
	if inv != nil {
		by = inv.CreatedBy
	}
	e := chat.Entry{
		RoomID: draft.RoomID, Seq: max(first, r.Head.Seq+1), PrevSeq: r.Head.Seq, PrevID: r.Head.ID,
		MessageID: chat.NewID(), ClientID: draft.ClientID, SenderID: draft.SenderID, Kind: draft.Kind,
		Body: draft.Body, Data: draft.Data(by), At: at,
	}
	r.keys[draft.Key()] = len(r.log)
	r.log = append(r.log, e)
	r.Head, r.active = e.Position(), at
	d.apply(draft, r, e, inv)
	return chat.Outcome{Entry: e}
}

func wellShaped(d *chat.Draft) bool {
	ok := d.RoomID != "" && d.SenderID != "" && d.ClientID != "" && d.Kind != "" && storableText(d.Body)
	switch d.Kind {
	case chat.KindMemberJoined:
		ok = ok && (d.Create != nil) != (d.Join != nil)
	case chat.KindMemberLeft:
		ok = ok && d.Leave != nil
	case chat.KindRoleChanged:
		ok = ok && d.Role != nil && d.Role.Role.Valid()
	case chat.KindRoomChanged:
		ok = ok && d.Change != nil
	}
	if n := d.Create; n != nil {
		ok = ok && n.Visibility.Valid() && storableText(n.Name) && storableText(n.Topic)
	}
	if c := d.Change; c != nil {
		ok = ok && (c.Visibility == nil || c.Visibility.Valid()) &&
			(c.Name == nil || storableText(*c.Name)) && (c.Topic == nil || storableText(*c.Topic))
	}
	return ok
}

func storableText(s string) bool { return !strings.ContainsRune(s, 0) && utf8.ValidString(s) }

// user is an account that is not deleted, or nil.
func (d *memData) user(id string) *memUser {
	if u := d.users[id]; u != nil && !u.deleted {
		return u
	}
	return nil
}

// situation gathers what a draft is judged by.
func (d *memData) situation(draft *chat.Draft, r *memRoom, sender *memUser, inv *memInvite) chat.Situation {
	sit := chat.Situation{ActorGuest: sender.Guest}
	if r == nil {
		return sit
	}
	sit.Exists, sit.Visibility, sit.Actor = !r.deleted, r.Visibility, r.role(draft.SenderID)
	if id := draft.Target(); id != "" {
		sit.Target = r.role(id)
		if u := d.user(id); u != nil {
			sit.Guest = u.Guest
		}
	}
	for _, member := range r.members {
		if member.role == chat.RoleOwner {
			sit.Owners++
		}
	}
	sit.InviteOK = inv != nil
	return sit
}

func (r *memRoom) role(userID string) chat.Role {
	if member := r.members[userID]; member != nil {
		return member.role
	}
	return ""
}

func (d *memData) create(draft *chat.Draft, at time.Time) *memRoom {
	d.num++
	r := &memRoom{
		Room: chat.Room{
			ID: draft.RoomID, Name: draft.Create.Name, Topic: draft.Create.Topic, Visibility: draft.Create.Visibility, CreatedAt: at,
		},
		num: d.num, keys: make(map[chat.Key]int), members: make(map[string]*memMember),
	}
	d.rooms[r.ID] = r
	return r
}

// apply makes true what an entry says besides its being there.
func (d *memData) apply(draft *chat.Draft, r *memRoom, e chat.Entry, inv *memInvite) {
	switch {
	case draft.Create != nil:
		d.enter(r, draft.SenderID, chat.RoleOwner, e)
	case draft.Join != nil:
		d.enter(r, draft.SenderID, chat.RoleMember, e)
		if inv != nil {
			if inv.Uses++; inv.MaxUses > 0 && inv.Uses >= inv.MaxUses {
				inv.ended = e.At
			}
		}
	case draft.Leave != nil:
		delete(r.members, draft.Leave.UserID)
		r.MemberCount--
		d.users[draft.Leave.UserID].version++
	case draft.Role != nil:
		r.members[draft.Role.UserID].role = draft.Role.Role
		d.users[draft.Role.UserID].version++
	case draft.Change != nil:
		setIf(&r.Name, draft.Change.Name)
		setIf(&r.Topic, draft.Change.Topic)
		setIf(&r.Visibility, draft.Change.Visibility)
	}
}

func setIf[T any](to *T, v *T) {
	if v != nil {
		*to = *v
	}
}

func (d *memData) enter(r *memRoom, userID string, role chat.Role, e chat.Entry) {
	r.members[userID] = &memMember{role: role, joined: e.At, read: e.Seq}
	r.MemberCount++
	u := d.users[userID]
	u.version++
	u.tookPart = true
}
