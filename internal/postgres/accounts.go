package postgres

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/cursor"
)

// userColumns are what account.scan reads, of users u.
const userColumns = `u.num, u.id, coalesce(u.username, ''), u.display_name, u.folded_name, u.avatar_url, u.guest, u.admin,
	u.created_at, u.rooms_version`

// account is a user with what this package knows besides.
type account struct {
	chat.User
	num     int64 // 0: there is none
	folded  string
	version int64
}

func (a *account) scan(row pgx.Row, more ...any) error {
	var created int64
	err := row.Scan(append([]any{
		&a.num, &a.ID, &a.Username, &a.DisplayName, &a.folded, &a.AvatarURL, &a.Guest, &a.Admin, &created, &a.version,
	}, more...)...)
	a.CreatedAt = moment(created)
	return err
}

func scanAccount(row pgx.Row) (a account, err error) {
	err = a.scan(row)
	return a, err
}

// fold makes a name comparable in any case.
func fold(name string) string { return strings.ToLower(name) }

// orNull is a text, or null for an empty one.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// adminLock is an advisory lock: it lets only one of several first accounts become the admin.
const adminLock = 0x676f63686174 // "gochat"

const insertUser = `INSERT INTO users (id, username, display_name, folded_name, avatar_url, guest, admin,
	password_hash, created_at, seen_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`

// CreateUser implements chat.Accounts.
func (s *Store) CreateUser(ctx context.Context, u chat.User, passwordHash string) (chat.User, error) {
	if u.CreatedAt.IsZero() {
		u.CreatedAt = time.Now()
	}
	u.CreatedAt = moment(u.CreatedAt.UnixMilli())
	named := u.Admin
	err := s.write(ctx, "create user", func(ctx context.Context, tx pgx.Tx) error {
		first, err := firstUser(ctx, tx, u.Guest || named)
		if err != nil {
			return err
		}
		u.Admin = named || first
		_, err = tx.Exec(ctx, insertUser, u.ID, orNull(u.Username), u.DisplayName, fold(u.DisplayName), u.AvatarURL,
			u.Guest, u.Admin, passwordHash, u.CreatedAt.UnixMilli())
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == uniqueViolation && pg.ConstraintName == "users_by_username" {
			return chat.ErrUsernameTaken
		}
		return err
	})
	if err != nil {
		return chat.User{}, err
	}
	return u, nil
}

// firstUser reports whether there is nobody yet but guests. Who may be the first holds the lock until the commit.
func firstUser(ctx context.Context, tx pgx.Tx, never bool) (bool, error) {
	const nobody = `SELECT NOT EXISTS (SELECT 1 FROM users WHERE NOT guest)`
	first := false
	if never {
		return false, nil
	}
	if err := tx.QueryRow(ctx, nobody).Scan(&first); err != nil || !first {
		return false, err
	}
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(adminLock)); err != nil {
		return false, err
	}
	err := tx.QueryRow(ctx, nobody).Scan(&first)
	return first, err
}

// Credentials implements chat.Accounts. User names are the same in any case.
func (s *Store) Credentials(ctx context.Context, username string) (chat.User, string, error) {
	batch := &pgx.Batch{}
	var a account
	var hash string
	batch.Queue(`SELECT `+userColumns+`, u.password_hash FROM users u WHERE lower(u.username) = lower($1 COLLATE "C")`, username).
		QueryRow(func(row pgx.Row) error { return orElse(a.scan(row, &hash), chat.ErrNotFound) })
	err := s.read(ctx, "find credentials", batch)
	return a.User, hash, err
}

// Users implements chat.Accounts: the deleted ones with them, for old entries name them.
func (s *Store) Users(ctx context.Context, ids []string) ([]chat.User, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	batch := &pgx.Batch{}
	var found []account
	batch.Queue(`SELECT `+userColumns+` FROM users u WHERE u.id = ANY ($1::text[])`, ids).Query(collect(&found, scanAccount))
	err := s.read(ctx, "read users", batch)
	return people(found), err
}

func people(accounts []account) []chat.User {
	users := make([]chat.User, len(accounts))
	for i := range accounts {
		users[i] = accounts[i].User
	}
	return users
}

// searchUsers finds a prefix as a range, in either of two indexes: $2 is the query with the highest code point behind it.
const (
	searchUsers = `(` + searchNames + `u.folded_name >= $1 AND u.folded_name < $2` + searchOrder + `)
		UNION (` + searchNames + `lower(u.username) >= $1 AND lower(u.username) < $2` + searchOrder + `)
		ORDER BY folded_name, num LIMIT $5`
	searchNames = `SELECT ` + userColumns + ` FROM users u
		WHERE u.deleted_at IS NULL AND (u.folded_name, u.num) > ($3, $4) AND `
	searchOrder = ` ORDER BY u.folded_name, u.num LIMIT $5`
)

// SearchUsers implements chat.Accounts: by display name.
func (s *Store) SearchUsers(ctx context.Context, query string, p chat.Paging) ([]chat.User, string, error) {
	var after cursor.Key
	if err := after.Unseal("users", p.Cursor); err != nil {
		return nil, "", err
	}
	query = fold(query)
	batch := &pgx.Batch{}
	var found []account
	batch.Queue(searchUsers, query, query+"\U0010FFFF", after.Name, after.Num, cursor.Size(p)+1).Query(collect(&found, scanAccount))
	if err := s.read(ctx, "search users", batch); err != nil {
		return nil, "", err
	}
	found, next := cursor.Cut(found, p, "users", func(a account) cursor.Key { return cursor.Key{Name: a.folded, Num: a.num} })
	return people(found), next, nil
}

// UpdateUser implements chat.Accounts.
func (s *Store) UpdateUser(ctx context.Context, u chat.User) error {
	return s.change(ctx, "update user", `UPDATE users SET display_name = $2, folded_name = $3, avatar_url = $4
		WHERE id = $1 AND deleted_at IS NULL`, u.ID, u.DisplayName, fold(u.DisplayName), u.AvatarURL)
}

// SetPassword implements chat.Accounts.
func (s *Store) SetPassword(ctx context.Context, userID, passwordHash string) error {
	return s.change(ctx, "set password", `UPDATE users SET password_hash = $2 WHERE id = $1 AND deleted_at IS NULL`,
		userID, passwordHash)
}

// change runs one statement that must find something to change. chat.ErrNotFound.
func (s *Store) change(ctx context.Context, what, statement string, args ...any) error {
	n, err := s.exec(ctx, what, statement, args...)
	if err == nil && n == 0 {
		err = chat.ErrNotFound
	}
	return err
}

// exec runs one statement, which is a transaction of its own, and returns how many rows it changed.
func (s *Store) exec(ctx context.Context, what, statement string, args ...any) (n int64, err error) {
	err = s.attempt(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		tag, err := c.Exec(ctx, statement, args...)
		n = tag.RowsAffected()
		return err
	})
	return n, classify(what, err, false)
}

// DeleteUser implements chat.Accounts. Of somebody who took part, the row stays: entries keep their sender's name.
func (s *Store) DeleteUser(ctx context.Context, userID string) (rooms []string, err error) {
	err = s.write(ctx, "delete user", func(ctx context.Context, tx pgx.Tx) error {
		var num int64
		var guest, tookPart bool
		err := tx.QueryRow(ctx, `SELECT num, guest, took_part FROM users WHERE id = $1 AND deleted_at IS NULL FOR UPDATE`,
			userID).Scan(&num, &guest, &tookPart)
		switch {
		case err != nil:
			return orElse(err, chat.ErrNotFound)
		case !tookPart:
			_, err := tx.Exec(ctx, `DELETE FROM users WHERE num = $1`, num)
			return err
		case !guest:
			return chat.Refuse(chat.CodeForbidden, "this account has taken part in rooms and can't be removed")
		}
		batch := &pgx.Batch{}
		batch.Queue(`SELECT id FROM rooms WHERE num IN (SELECT room FROM members WHERE user_num = $1) ORDER BY id FOR UPDATE`,
			num).Query(collect(&rooms, scanString))
		batch.Queue(`WITH gone AS (DELETE FROM members WHERE user_num = $1 RETURNING room)
			UPDATE rooms SET member_count = member_count - 1 WHERE num IN (SELECT room FROM gone)`, num)
		batch.Queue(`DELETE FROM sessions WHERE user_num = $1`, num)
		batch.Queue(`UPDATE users SET username = NULL, password_hash = '', rooms_version = rooms_version + 1, deleted_at = $2
			WHERE num = $1`, num, time.Now().UnixMilli())
		return tx.SendBatch(ctx, batch).Close()
	})
	if err != nil {
		return nil, err
	}
	return rooms, nil
}
