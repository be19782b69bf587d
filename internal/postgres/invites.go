package postgres

import (
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/cursor"
)

// usableInvite is the condition that an invite i can be used at a moment: the parameter that follows it.
const usableInvite = `i.ended_at IS NULL AND coalesce(i.expires_at, 9223372036854775807) > `

const inviteColumns = `i.code, i.created_at, i.expires_at, i.max_uses, i.uses, u.id`

func scanInvite(row pgx.Row, more ...any) (chat.Invite, error) {
	var inv chat.Invite
	var created int64
	var expires *int64
	err := row.Scan(append([]any{&inv.Code, &created, &expires, &inv.MaxUses, &inv.Uses, &inv.CreatedBy}, more...)...)
	inv.CreatedAt = moment(created)
	if expires != nil {
		inv.ExpiresAt = moment(*expires)
	}
	return inv, err
}

// mayInvite is who may make, see and revoke a room's invites: an admin or more.
func mayInvite(m membership, err error) error {
	if err == nil && !m.role.Above(chat.RoleMember) {
		return chat.ErrForbidden
	}
	return err
}

// inviting locks a room in which a user is an admin or more, so that they still are when it is committed.
// chat.ErrNotAMember, chat.ErrForbidden.
func inviting(ctx context.Context, tx pgx.Tx, roomID, userID string) (membership, error) {
	if _, err := lockRoom(ctx, tx, roomID); err != nil {
		return membership{}, err
	}
	m, err := findMember(ctx, tx, roomID, userID)
	return m, mayInvite(m, err)
}

// CreateInvite implements chat.Invites.
func (s *Store) CreateInvite(ctx context.Context, inv chat.Invite) error {
	var expires any
	if !inv.ExpiresAt.IsZero() {
		expires = inv.ExpiresAt.UnixMilli()
	}
	return s.write(ctx, "create invite", func(ctx context.Context, tx pgx.Tx) error {
		m, err := inviting(ctx, tx, inv.RoomID, inv.CreatedBy)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO invites (code, room, created_by, created_at, expires_at, max_uses, uses)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			inv.Code, m.room, m.user, inv.CreatedAt.UnixMilli(), expires, inv.MaxUses, inv.Uses)
		return err
	})
}

const listInvites = `SELECT ` + inviteColumns + ` FROM invites i JOIN users u ON u.num = i.created_by
	WHERE i.room = ` + roomNum + ` AND ` + usableInvite + `$2 AND (i.created_at, i.code) < ($3, $4)
	ORDER BY i.created_at DESC, i.code DESC LIMIT $5`

// Invites implements chat.Invites.
func (s *Store) Invites(ctx context.Context, roomID, userID string, p chat.Paging) ([]chat.Invite, string, error) {
	after := cursor.Key{Num: math.MaxInt64}
	if err := after.Unseal("invites", p.Cursor); err != nil {
		return nil, "", err
	}
	batch := &pgx.Batch{}
	batch.Queue(findMembership, roomID, userID).QueryRow(func(row pgx.Row) error {
		var m membership
		err := orElse(m.scan(row), chat.ErrNotAMember)
		return mayInvite(m, err)
	})
	var invites []chat.Invite
	batch.Queue(listInvites, roomID, time.Now().UnixMilli(), after.Num, after.Name, cursor.Size(p)+1).Query(
		collect(&invites, func(row pgx.Row) (chat.Invite, error) {
			inv, err := scanInvite(row)
			inv.RoomID = roomID
			return inv, err
		}))
	if err := s.read(ctx, "list invites", batch); err != nil {
		return nil, "", err
	}
	invites, next := cursor.Cut(invites, p, "invites", func(i chat.Invite) cursor.Key {
		return cursor.Key{Num: i.CreatedAt.UnixMilli(), Name: i.Code}
	})
	return invites, next, nil
}

// RevokeInvite implements chat.Invites.
func (s *Store) RevokeInvite(ctx context.Context, roomID, userID, code string) error {
	return s.write(ctx, "revoke invite", func(ctx context.Context, tx pgx.Tx) error {
		m, err := inviting(ctx, tx, roomID, userID)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `UPDATE invites SET ended_at = $3 WHERE code = $1 AND room = $2 AND ended_at IS NULL`,
			code, m.room, time.Now().UnixMilli())
		if err == nil && tag.RowsAffected() == 0 {
			err = chat.ErrInviteInvalid
		}
		return err
	})
}

// previewInvite finds an invite with who made it, and the room.
const previewInvite = `SELECT ` + inviteColumns + `, ` + userColumns + `, r.id, r.name, r.topic, r.visibility, r.created_at,
	r.member_count, r.head_seq, r.head_id
	FROM invites i JOIN users u ON u.num = i.created_by JOIN rooms r ON r.num = i.room
	WHERE i.code = $1 AND ` + usableInvite + `$2 AND r.deleted_at IS NULL`

// Preview implements chat.Invites.
func (s *Store) Preview(ctx context.Context, code string, now time.Time) (p chat.InvitePreview, err error) {
	batch := &pgx.Batch{}
	batch.Queue(previewInvite, code, now.UnixMilli()).QueryRow(func(row pgx.Row) error {
		var inviter account
		var created int64
		r := &p.Room
		err := inviter.scan(inviteFirst{row, &p.Invite}, &r.ID, &r.Name, &r.Topic, &r.Visibility, &created,
			&r.MemberCount, &r.Head.Seq, &r.Head.ID)
		p.Inviter, r.CreatedAt, p.Invite.RoomID = inviter.User, moment(created), r.ID
		return orElse(err, chat.ErrInviteInvalid)
	})
	err = s.read(ctx, "preview invite", batch)
	return p, err
}

// inviteFirst is a row that has an invite before the columns that are asked for.
type inviteFirst struct {
	pgx.Row
	invite *chat.Invite
}

func (r inviteFirst) Scan(dest ...any) (err error) {
	*r.invite, err = scanInvite(r.Row, dest...)
	return err
}
