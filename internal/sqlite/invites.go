package sqlite

import (
	"context"
	"database/sql"
	"math"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/cursor"
)

// usableInvite is the condition that an invite i can be used at the moment of its one parameter.
const usableInvite = `i.ended_at IS NULL AND coalesce(i.expires_at, 9223372036854775807) > ?`

const inviteColumns = `i.code, i.created_at, i.expires_at, i.max_uses, i.uses, u.id`

func scanInvite(scan func(...any) error, more ...any) (chat.Invite, error) {
	var inv chat.Invite
	var created int64
	var expires sql.NullInt64
	err := scan(append([]any{&inv.Code, &created, &expires, &inv.MaxUses, &inv.Uses, &inv.CreatedBy}, more...)...)
	inv.CreatedAt = moment(created)
	if expires.Valid {
		inv.ExpiresAt = moment(expires.Int64)
	}
	return inv, err
}

// mayInvite finds the room in which a user is an admin or more. chat.ErrNotAMember, chat.ErrForbidden.
func (c *conn) mayInvite(roomID, userID string) (membership, error) {
	m, err := c.membership(roomID, userID)
	if err == nil && !m.role.Above(chat.RoleMember) {
		err = chat.ErrForbidden
	}
	return m, err
}

// CreateInvite implements chat.Invites.
func (s *Store) CreateInvite(ctx context.Context, inv chat.Invite) error {
	var expires any
	if !inv.ExpiresAt.IsZero() {
		expires = inv.ExpiresAt.UnixMilli()
	}
	return s.write(ctx, "create invite", func(c *conn) error {
		m, err := c.mayInvite(inv.RoomID, inv.CreatedBy)
		if err != nil {
			return err
		}
		_, err = c.exec(`INSERT INTO invites (code, room, created_by, created_at, expires_at, max_uses, uses)
			VALUES (?, ?, ?, ?, ?, ?, ?)`,
			inv.Code, m.room, m.user, inv.CreatedAt.UnixMilli(), expires, inv.MaxUses, inv.Uses)
		return err
	})
}

const listInvites = `SELECT ` + inviteColumns + ` FROM invites i JOIN users u ON u.num = i.created_by
	WHERE i.room = ? AND ` + usableInvite + ` AND (i.created_at, i.code) < (?, ?)
	ORDER BY i.created_at DESC, i.code DESC LIMIT ?`

// Invites implements chat.Invites.
func (s *Store) Invites(ctx context.Context, roomID, userID string, p chat.Paging) (invites []chat.Invite, next string, err error) {
	after := cursor.Key{Num: math.MaxInt64}
	if err := after.Unseal("invites", p.Cursor); err != nil {
		return nil, "", err
	}
	err = s.read(ctx, "list invites", func(c *conn) error {
		m, err := c.mayInvite(roomID, userID)
		if err != nil {
			return err
		}
		err = c.each(listInvites, []any{m.room, time.Now().UnixMilli(), after.Num, after.Name, cursor.Size(p) + 1},
			func(rows *sql.Rows) error {
				inv, err := scanInvite(rows.Scan)
				inv.RoomID = roomID
				invites = append(invites, inv)
				return err
			})
		invites, next = cursor.Cut(invites, p, "invites", func(i chat.Invite) cursor.Key {
			return cursor.Key{Num: i.CreatedAt.UnixMilli(), Name: i.Code}
		})
		return err
	})
	return invites, next, err
}

// RevokeInvite implements chat.Invites.
func (s *Store) RevokeInvite(ctx context.Context, roomID, userID, code string) error {
	return s.write(ctx, "revoke invite", func(c *conn) error {
		m, err := c.mayInvite(roomID, userID)
		if err != nil {
			return err
		}
		n, err := c.exec(`UPDATE invites SET ended_at = ? WHERE code = ? AND room = ? AND ended_at IS NULL`,
			time.Now().UnixMilli(), code, m.room)
		if err == nil && n == 0 {
			err = chat.ErrInviteInvalid
		}
		return err
	})
}

// Preview implements chat.Invites.
func (s *Store) Preview(ctx context.Context, code string, now time.Time) (p chat.InvitePreview, err error) {
	err = s.read(ctx, "preview invite", func(c *conn) error {
		found := false
		err := c.each(`SELECT `+inviteColumns+`, r.id FROM invites i
			JOIN users u ON u.num = i.created_by JOIN rooms r ON r.num = i.room
			WHERE i.code = ? AND `+usableInvite, []any{code, now.UnixMilli()}, func(rows *sql.Rows) (err error) {
			var roomID string
			p.Invite, err = scanInvite(rows.Scan, &roomID)
			p.Invite.RoomID, found = roomID, true
			return err
		})
		if err != nil {
			return err
		}
		if !found {
			return chat.ErrInviteInvalid
		}
		inviter, err := c.user(p.Invite.CreatedBy)
		if err != nil {
			return err
		}
		v, err := c.view(p.Invite.RoomID, "")
		p.Inviter, p.Room = inviter.User, v.Room
		return err
	})
	return p, err
}
