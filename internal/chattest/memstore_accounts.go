package chattest

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// CreateUser implements chat.Accounts.
func (m *MemStore) CreateUser(ctx context.Context, u chat.User, passwordHash string) (chat.User, error) {
	if u.CreatedAt.IsZero() {
		u.CreatedAt = time.Now()
	}
	u.CreatedAt = u.CreatedAt.UTC().Truncate(time.Millisecond)
	err := m.do(ctx, func(d *memData) error {
		first := !u.Guest
		for _, other := range d.users {
			if u.Username != "" && strings.EqualFold(other.Username, u.Username) {
				return chat.ErrUsernameTaken
			}
			first = first && other.Guest
		}
		u.Admin = u.Admin || first
		d.num++
		d.users[u.ID] = &memUser{User: u, num: d.num, password: passwordHash, seen: u.CreatedAt}
		return nil
	})
	if err != nil {
		return chat.User{}, err
	}
	return u, nil
}

// Credentials implements chat.Accounts.
func (m *MemStore) Credentials(ctx context.Context, username string) (u chat.User, hash string, err error) {
	err = m.do(ctx, func(d *memData) error {
		for _, other := range d.users {
			if other.Username != "" && strings.EqualFold(other.Username, username) {
				u, hash = other.User, other.password
				return nil
			}
		}
		return chat.ErrNotFound
	})
	return u, hash, err
}

// Users implements chat.Accounts.
func (m *MemStore) Users(ctx context.Context, ids []string) (users []chat.User, err error) {
	err = m.do(ctx, func(d *memData) error {
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			if u := d.users[id]; u != nil {
				users = append(users, u.User)
			}
		}
		return nil
	})
	return users, err
}

// SearchUsers implements chat.Accounts.
func (m *MemStore) SearchUsers(ctx context.Context, query string, p chat.Paging) (users []chat.User, next string, err error) {
	query = strings.ToLower(query)
	err = m.do(ctx, func(d *memData) error {
		var all []keyed[chat.User]
		for _, u := range d.users {
			name := strings.ToLower(u.DisplayName)
			named := strings.HasPrefix(name, query) || u.Username != "" && strings.HasPrefix(strings.ToLower(u.Username), query)
			if named && !u.deleted {
				all = append(all, keyed[chat.User]{memKey{Name: name, Sub: u.num}, u.User})
			}
		}
		users, next, err = cutPage(all, "users", p)
		return err
	})
	return users, next, err
}

// changeUser changes an account that is there. chat.ErrNotFound.
func (m *MemStore) changeUser(ctx context.Context, id string, f func(u *memUser)) error {
	return m.do(ctx, func(d *memData) error {
		u := d.user(id)
		if u == nil {
			return chat.ErrNotFound
		}
		f(u)
		return nil
	})
}

// UpdateUser implements chat.Accounts.
func (m *MemStore) UpdateUser(ctx context.Context, u chat.User) error {
	return m.changeUser(ctx, u.ID, func(old *memUser) { old.DisplayName, old.AvatarURL = u.DisplayName, u.AvatarURL })
}

// SetPassword implements chat.Accounts.
func (m *MemStore) SetPassword(ctx context.Context, userID, passwordHash string) error {
	return m.changeUser(ctx, userID, func(u *memUser) { u.password = passwordHash })
}

// DeleteUser implements chat.Accounts.
func (m *MemStore) DeleteUser(ctx context.Context, userID string) (rooms []string, err error) {
	err = m.do(ctx, func(d *memData) error {
		u := d.user(userID)
		switch {
		case u == nil:
			return chat.ErrNotFound
		case u.tookPart && !u.Guest:
			return chat.Refuse(chat.CodeForbidden, "this account has taken part in rooms and can't be removed")
		}
		for id, ses := range d.sessions {
			if ses.UserID == userID {
				delete(d.sessions, id)
			}
		}
		if !u.tookPart {
			delete(d.users, userID)
			return nil
		}
		for id, r := range d.rooms {
			if r.role(userID) != "" {
				rooms = append(rooms, id)
				delete(r.members, userID)
				r.MemberCount--
			}
		}
		u.Username, u.password, u.deleted = "", "", true
		u.version++
		return nil
	})
	return rooms, err
}

type memSession struct {
	chat.Session
	revoked time.Time
}

type memToken struct {
	session string
	traded  time.Time
}

// goodSession is one that is neither revoked nor expired, or nil.
func (d *memData) goodSession(id string, now time.Time) *memSession {
	if s := d.sessions[id]; s != nil && s.revoked.IsZero() && s.ExpiresAt.After(now) {
		return s
	}
	return nil
}

// CreateSession implements chat.Sessions.
func (m *MemStore) CreateSession(ctx context.Context, s chat.Session, tokenHash string) error {
	return m.do(ctx, func(d *memData) error {
		u := d.user(s.UserID)
		if u == nil {
			return chat.ErrNotFound
		}
		d.sessions[s.ID] = &memSession{Session: s}
		d.tokens[tokenHash] = &memToken{session: s.ID}
		u.see(s.LastSeenAt)
		return nil
	})
}

func (u *memUser) see(at time.Time) {
	if at.After(u.seen) {
		u.seen = at
	}
}

// Rotate implements chat.Sessions.
func (m *MemStore) Rotate(ctx context.Context, tokenHash, successorHash string, now time.Time, grace time.Duration) (ses chat.Session, err error) {
	err = m.do(ctx, func(d *memData) error {
		token := d.tokens[tokenHash]
		if token == nil {
			return chat.ErrRevoked
		}
		s := d.goodSession(token.session, now)
		if s == nil {
			return chat.ErrRevoked
		}
		if !token.traded.IsZero() && now.Sub(token.traded) > grace {
			s.revoked = now
			d.users[s.UserID].version++
			ses = s.Session
			return chat.ErrRevoked
		}
		if token.traded.IsZero() {
			token.traded = now
		}
		d.tokens[successorHash] = &memToken{session: s.ID}
		s.ExpiresAt, s.LastSeenAt = now.Add(s.ExpiresAt.Sub(s.LastSeenAt)), now
		d.users[s.UserID].see(now)
		ses = s.Session
		return nil
	})
	return ses, err
}

// Session implements chat.Sessions.
func (m *MemStore) Session(ctx context.Context, id string) (ses chat.Session, err error) {
	err = m.do(ctx, func(d *memData) error {
		s := d.goodSession(id, time.Now())
		if s == nil {
			return chat.ErrRevoked
		}
		ses = s.Session
		return nil
	})
	return ses, err
}

// SessionByToken implements chat.Sessions.
func (m *MemStore) SessionByToken(ctx context.Context, tokenHash string) (chat.Session, error) {
	id := ""
	if err := m.do(ctx, func(d *memData) error {
		if t := d.tokens[tokenHash]; t != nil {
			id = t.session
		}
		return nil
	}); err != nil {
		return chat.Session{}, err
	}
	return m.Session(ctx, id)
}

// good lists a user's good sessions, the last seen first.
func (d *memData) good(userID string, now time.Time) []*memSession {
	var all []*memSession
	for id, s := range d.sessions {
		if s.UserID == userID && d.goodSession(id, now) != nil {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b *memSession) int {
		if by := b.LastSeenAt.Compare(a.LastSeenAt); by != 0 {
			return by
		}
		return strings.Compare(b.ID, a.ID)
	})
	return all
}

// ListSessions implements chat.Sessions.
func (m *MemStore) ListSessions(ctx context.Context, userID string) (all []chat.Session, err error) {
	err = m.do(ctx, func(d *memData) error {
		for _, s := range d.good(userID, time.Now()) {
			all = append(all, s.Session)
		}
		return nil
	})
	return all, err
}

// Revoke implements chat.Sessions.
func (m *MemStore) Revoke(ctx context.Context, userID, id, except string) (ended []chat.Session, err error) {
	err = m.do(ctx, func(d *memData) error {
		now := time.Now()
		for _, s := range d.good(userID, now) {
			if (id != "" && s.ID == id) || (id == "" && s.ID != except) {
				s.revoked = now
				ended = append(ended, s.Session)
			}
		}
		if len(ended) > 0 {
			d.users[userID].version++
		}
		return nil
	})
	return ended, err
}

// Ping implements chat.Upkeep.
func (m *MemStore) Ping(ctx context.Context) error {
	return m.do(ctx, func(*memData) error { return nil })
}

// Epoch implements chat.Upkeep.
func (m *MemStore) Epoch(ctx context.Context) (epoch string, err error) {
	err = m.do(ctx, func(d *memData) error {
		epoch = d.epoch
		return nil
	})
	return epoch, err
}

// NewEpoch implements chat.Upkeep.
func (m *MemStore) NewEpoch(ctx context.Context) (string, error) {
	epoch := chat.NewID()
	return epoch, m.do(ctx, func(d *memData) error {
		d.epoch = epoch
		return nil
	})
}

// HasAdmin implements chat.Upkeep.
func (m *MemStore) HasAdmin(ctx context.Context) (has bool, err error) {
	err = m.do(ctx, func(d *memData) error {
		for _, u := range d.users {
			has = has || (u.Admin && !u.deleted)
		}
		return nil
	})
	return has, err
}

// IdleGuests implements chat.Upkeep.
func (m *MemStore) IdleGuests(ctx context.Context, since time.Time, limit int) (ids []string, err error) {
	err = m.do(ctx, func(d *memData) error {
		for id, u := range d.users {
			if u.Guest && !u.deleted && u.seen.Before(since) && len(ids) < limit {
				ids = append(ids, id)
			}
		}
		return nil
	})
	return ids, err
}

// Prune implements chat.Upkeep.
func (m *MemStore) Prune(ctx context.Context, before time.Time) error {
	ended := func(at time.Time) bool { return !at.IsZero() && at.Before(before) }
	return m.do(ctx, func(d *memData) error {
		for id, s := range d.sessions {
			if ended(s.revoked) || ended(s.ExpiresAt) {
				delete(d.sessions, id)
			}
		}
		for hash, t := range d.tokens {
			if ended(t.traded) || d.sessions[t.session] == nil {
				delete(d.tokens, hash)
			}
		}
		for code, inv := range d.invites {
			if ended(inv.ended) || ended(inv.ExpiresAt) {
				delete(d.invites, code)
			}
		}
		return nil
	})
}

// Close implements chat.Upkeep.
func (m *MemStore) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}
