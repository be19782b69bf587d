package chattest

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// memKey is what a collection is sorted by.
type memKey struct {
	Of   string
	Num  int64
	Name string
	Sub  int64
}

func (k memKey) compare(o memKey) int {
	return cmp.Or(cmp.Compare(k.Num, o.Num), cmp.Compare(k.Name, o.Name), cmp.Compare(k.Sub, o.Sub))
}

type keyed[T any] struct {
	key  memKey
	item T
}

// cutPage sorts a collection and cuts a page out of it.
func cutPage[T any](all []keyed[T], of string, p chat.Paging) ([]T, string, error) {
	var after memKey
	if p.Cursor != "" {
		raw, err := base64.RawURLEncoding.DecodeString(p.Cursor)
		if err != nil || json.Unmarshal(raw, &after) != nil || after.Of != of || after.seal() != p.Cursor {
			return nil, "", chat.Refuse(chat.CodeBadRequest, "this cursor is not one that was given out here")
		}
		all = slices.DeleteFunc(all, func(k keyed[T]) bool { return k.key.compare(after) <= 0 })
	}
	slices.SortFunc(all, func(a, b keyed[T]) int { return a.key.compare(b.key) })
	size, next := min(max(p.Limit, 1), chat.MaxRooms), ""
	if len(all) > size {
		all = all[:size]
		last := all[size-1].key
		last.Of = of
		next = last.seal()
	}
	items := make([]T, 0, len(all))
	for _, k := range all {
		items = append(items, k.item)
	}
	return items, next, nil
}

func (k memKey) seal() string {
	raw, err := json.Marshal(k)
	if err != nil {
		panic(err) // a plain struct of strings and numbers always encodes
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func (d *memData) member(r *memRoom, userID string) chat.Member {
	of := r.members[userID]
	return chat.Member{User: d.users[userID].User, Role: of.role, JoinedAt: of.joined, LastReadSeq: of.read}
}

// Members implements chat.Members.
func (m *MemStore) Members(ctx context.Context, roomID, userID string, p chat.Paging) (members []chat.Member, next string, err error) {
	rank := map[chat.Role]int64{chat.RoleOwner: 1, chat.RoleAdmin: 2, chat.RoleMember: 3}
	err = m.do(ctx, func(d *memData) error {
		r, err := d.roomOf(roomID, userID)
		if err != nil {
			return err
		}
		var all []keyed[chat.Member]
		for id, of := range r.members {
			u := d.users[id]
			all = append(all, keyed[chat.Member]{memKey{Num: rank[of.role], Name: strings.ToLower(u.DisplayName), Sub: u.num}, d.member(r, id)})
		}
		members, next, err = cutPage(all, "members", p)
		return err
	})
	return members, next, err
}

// Member implements chat.Members.
func (m *MemStore) Member(ctx context.Context, roomID, userID string) (member chat.Member, err error) {
	err = m.do(ctx, func(d *memData) error {
		if r, err := d.roomOf(roomID, userID); err == nil {
			member = d.member(r, userID)
		}
		return nil
	})
	return member, err
}

// SaveReads implements chat.Members.
func (m *MemStore) SaveReads(ctx context.Context, reads []chat.Read) error {
	return m.do(ctx, func(d *memData) error {
		for _, read := range reads {
			if r, err := d.roomOf(read.RoomID, read.UserID); err == nil {
				member := r.members[read.UserID]
				member.read = max(member.read, min(read.Seq, r.Head.Seq))
			}
		}
		return nil
	})
}

// Unread implements chat.Members.
func (m *MemStore) Unread(ctx context.Context, roomID, userID string, after, last int64) (n int, err error) {
	err = m.do(ctx, func(d *memData) error {
		if r, err := d.room(roomID); err == nil {
			n = r.unread(userID, after, last)
		}
		return nil
	})
	return n, err
}

type memInvite struct {
	chat.Invite
	ended time.Time
}

func (i *memInvite) usable(now time.Time) bool {
	return i.ended.IsZero() && (i.ExpiresAt.IsZero() || i.ExpiresAt.After(now))
}

// inviteOf is the invite that a draft names, if it can be used.
func (d *memData) inviteOf(draft *chat.Draft) *memInvite {
	if draft.Join == nil || draft.Join.Code == "" {
		return nil
	}
	at := draft.At
	if at.IsZero() {
		at = time.Now()
	}
	if inv := d.invites[draft.Join.Code]; inv != nil && inv.RoomID == draft.RoomID && inv.usable(at) {
		return inv
	}
	return nil
}

// mayInvite: chat.ErrNotAMember, chat.ErrForbidden.
func (d *memData) mayInvite(roomID, userID string) error {
	r, err := d.roomOf(roomID, userID)
	if err == nil && !r.role(userID).Above(chat.RoleMember) {
		return chat.ErrForbidden
	}
	return err
}

// CreateInvite implements chat.Invites.
func (m *MemStore) CreateInvite(ctx context.Context, inv chat.Invite) error {
	return m.do(ctx, func(d *memData) error {
		if err := d.mayInvite(inv.RoomID, inv.CreatedBy); err != nil {
			return err
		}
		d.invites[inv.Code] = &memInvite{Invite: inv}
		return nil
	})
}

// Invites implements chat.Invites.
func (m *MemStore) Invites(ctx context.Context, roomID, userID string, p chat.Paging) (invites []chat.Invite, next string, err error) {
	err = m.do(ctx, func(d *memData) error {
		if err := d.mayInvite(roomID, userID); err != nil {
			return err
		}
		var all []keyed[chat.Invite]
		for code, inv := range d.invites {
			if inv.RoomID == roomID && inv.usable(time.Now()) {
				all = append(all, keyed[chat.Invite]{memKey{Num: -inv.CreatedAt.UnixMilli(), Name: code}, inv.Invite})
			}
		}
		invites, next, err = cutPage(all, "invites", p)
		return err
	})
	return invites, next, err
}

// RevokeInvite implements chat.Invites.
func (m *MemStore) RevokeInvite(ctx context.Context, roomID, userID, code string) error {
	return m.do(ctx, func(d *memData) error {
		if err := d.mayInvite(roomID, userID); err != nil {
			return err
		}
		inv := d.invites[code]
		if inv == nil || inv.RoomID != roomID || !inv.ended.IsZero() {
			return chat.ErrInviteInvalid
		}
		inv.ended = time.Now()
		return nil
	})
}

// Preview implements chat.Invites.
func (m *MemStore) Preview(ctx context.Context, code string, now time.Time) (p chat.InvitePreview, err error) {
	err = m.do(ctx, func(d *memData) error {
		inv := d.invites[code]
		if inv == nil || !inv.usable(now) {
			return chat.ErrInviteInvalid
		}
		p = chat.InvitePreview{Invite: inv.Invite, Room: d.rooms[inv.RoomID].Room, Inviter: d.users[inv.CreatedBy].User}
		return nil
	})
	return p, err
}
