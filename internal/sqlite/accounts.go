package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/cursor"
)

// userColumns are what account.scan reads, of users u.
const userColumns = `u.num, u.id, u.username, u.display_name, u.folded_name, u.avatar_url, u.guest, u.admin,
	u.created_at, u.rooms_version`

// account is a user with what this package knows besides.
type account struct {
	chat.User
	num     int64 // 0: there is none
	folded  string
	version int64
}

func (a *account) scan(scan func(...any) error, more ...any) error {
	var username sql.NullString
	var created int64
	err := scan(append([]any{
		&a.num, &a.ID, &username, &a.DisplayName, &a.folded, &a.AvatarURL, &a.Guest, &a.Admin, &created, &a.version,
	}, more...)...)
	a.Username, a.CreatedAt = username.String, moment(created)
	return err
}

// user finds an account that is not deleted; its num is 0 where there is none.
func (c *conn) user(id string) (a account, err error) {
	err = c.each(`SELECT `+userColumns+` FROM users u WHERE u.id = ? AND u.deleted_at IS NULL`, []any{id},
		func(rows *sql.Rows) error { return a.scan(rows.Scan) })
	return a, err
}

// users reads people by their ids, the deleted ones with them.
func (c *conn) users(ids []string) (users []chat.User, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	err = c.each(`SELECT `+userColumns+` FROM users u WHERE u.id IN (SELECT value FROM json_each(?))`,
		[]any{string(list)}, func(rows *sql.Rows) error {
			var a account
			err := a.scan(rows.Scan)
			users = append(users, a.User)
			return err
		})
	return users, err
}

// strings reads a column.
func (c *conn) strings(query string, args ...any) (all []string, err error) {
	err = c.each(query, args, func(rows *sql.Rows) error {
		var s string
		err := rows.Scan(&s)
		all = append(all, s)
		return err
	})
	return all, err
}

// orNull is a text, or null for an empty one.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// CreateUser implements chat.Accounts.
func (s *Store) CreateUser(ctx context.Context, u chat.User, passwordHash string) (chat.User, error) {
	if u.CreatedAt.IsZero() {
		u.CreatedAt = time.Now()
	}
	u.CreatedAt = moment(u.CreatedAt.UnixMilli())
	err := s.write(ctx, "create user", func(c *conn) error {
		var taken, others bool
		if _, err := c.row(`SELECT EXISTS (SELECT 1 FROM users WHERE username = ?),
			EXISTS (SELECT 1 FROM users WHERE guest = 0)`, []any{orNull(u.Username)}, &taken, &others); err != nil {
			return err
		}
		if taken {
			return chat.ErrUsernameTaken
		}
		u.Admin = u.Admin || (!u.Guest && !others)
		_, err := c.exec(`INSERT INTO users (id, username, display_name, folded_name, avatar_url, guest, admin,
			password_hash, created_at, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			u.ID, orNull(u.Username), u.DisplayName, fold(u.DisplayName), u.AvatarURL, u.Guest, u.Admin,
			passwordHash, u.CreatedAt.UnixMilli(), u.CreatedAt.UnixMilli())
		return err
	})
	if err != nil {
		return chat.User{}, err
	}
	return u, nil
}

// Credentials implements chat.Accounts. User names are the same in any case.
func (s *Store) Credentials(ctx context.Context, username string) (chat.User, string, error) {
	var a account
	var hash string
	err := s.read(ctx, "find credentials", func(c *conn) error {
		err := c.each(`SELECT `+userColumns+`, u.password_hash FROM users u WHERE u.username = ?`, []any{username},
			func(rows *sql.Rows) error { return a.scan(rows.Scan, &hash) })
		if err == nil && a.num == 0 {
			err = chat.ErrNotFound
		}
		return err
	})
	return a.User, hash, err
}

// Users implements chat.Accounts.
func (s *Store) Users(ctx context.Context, ids []string) (users []chat.User, err error) {
	err = s.read(ctx, "read users", func(c *conn) error {
		users, err = c.users(ids)
		return err
	})
	return users, err
}

// searchUsers finds a prefix as a range: ?2 is the query with the highest code point behind it.
const searchUsers = `SELECT ` + userColumns + ` FROM users u WHERE u.deleted_at IS NULL
	AND ((u.folded_name >= ?1 AND u.folded_name < ?2) OR (u.username >= ?1 AND u.username < ?2))
	AND (u.folded_name, u.num) > (?3, ?4)
	ORDER BY u.folded_name, u.num LIMIT ?5`

// SearchUsers implements chat.Accounts: by display name.
func (s *Store) SearchUsers(ctx context.Context, query string, p chat.Paging) (users []chat.User, next string, err error) {
	var after cursor.Key
	if err := after.Unseal("users", p.Cursor); err != nil {
		return nil, "", err
	}
	query = fold(query)
	err = s.read(ctx, "search users", func(c *conn) error {
		var found []account
		err := c.each(searchUsers, []any{query, query + "\U0010FFFF", after.Name, after.Num, cursor.Size(p) + 1},
			func(rows *sql.Rows) error {
				var a account
				err := a.scan(rows.Scan)
				found = append(found, a)
				return err
			})
		found, next = cursor.Cut(found, p, "users", func(a account) cursor.Key { return cursor.Key{Name: a.folded, Num: a.num} })
		for _, a := range found {
			users = append(users, a.User)
		}
		return err
	})
	return users, next, err
}

// UpdateUser implements chat.Accounts.
func (s *Store) UpdateUser(ctx context.Context, u chat.User) error {
	return s.change(ctx, "update user", `UPDATE users SET display_name = ?, folded_name = ?, avatar_url = ?
		WHERE id = ? AND deleted_at IS NULL`, u.DisplayName, fold(u.DisplayName), u.AvatarURL, u.ID)
}

// SetPassword implements chat.Accounts.
func (s *Store) SetPassword(ctx context.Context, userID, passwordHash string) error {
	return s.change(ctx, "set password", `UPDATE users SET password_hash = ? WHERE id = ? AND deleted_at IS NULL`,
		passwordHash, userID)
}

// change runs one statement that must find something to change. chat.ErrNotFound.
func (s *Store) change(ctx context.Context, what, statement string, args ...any) error {
	return s.write(ctx, what, func(c *conn) error {
		n, err := c.exec(statement, args...)
		if err == nil && n == 0 {
			err = chat.ErrNotFound
		}
		return err
	})
}

// DeleteUser implements chat.Accounts. Of somebody who took part, the row stays: entries keep their sender's name.
func (s *Store) DeleteUser(ctx context.Context, userID string) (rooms []string, err error) {
	err = s.write(ctx, "delete user", func(c *conn) error {
		var num int64
		var guest, tookPart bool
		found, err := c.row(`SELECT num, guest, took_part FROM users WHERE id = ? AND deleted_at IS NULL`,
			[]any{userID}, &num, &guest, &tookPart)
		switch {
		case err != nil:
			return err
		case !found:
			return chat.ErrNotFound
		case !tookPart:
			_, err := c.exec(`DELETE FROM users WHERE num = ?`, num)
			return err
		case !guest:
			return chat.Refuse(chat.CodeForbidden, "this account has taken part in rooms and can't be removed")
		}
		rooms, err = c.strings(`SELECT r.id FROM members m JOIN rooms r ON r.num = m.room WHERE m.user = ?`, num)
		if err != nil {
			return err
		}
		for _, statement := range []string{
			`UPDATE rooms SET member_count = member_count - 1 WHERE num IN (SELECT room FROM members WHERE user = ?)`,
			`DELETE FROM members WHERE user = ?`,
			`DELETE FROM sessions WHERE user = ?`,
			`UPDATE users SET username = NULL, password_hash = '', rooms_version = rooms_version + 1 WHERE num = ?`,
		} {
			if _, err := c.exec(statement, num); err != nil {
				return err
			}
		}
		_, err = c.exec(`UPDATE users SET deleted_at = ? WHERE num = ?`, time.Now().UnixMilli(), num)
		return err
	})
	if err != nil {
		return nil, err
	}
	return rooms, nil
}
