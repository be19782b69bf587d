package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/gochat-dev/gochat/internal/chat"
)

// mixed appends drafts of which some change more than the log, in the order of their places: each change by itself,
// the texts between two changes together.
func (b *batch) mixed(ctx context.Context, tx pgx.Tx, places []int) error {
	locked, err := b.lock(ctx, tx, places)
	if err != nil {
		return err
	}
	for len(places) > 0 {
		n := 0
		for n < len(places) && !isChange(&b.drafts[places[n]]) {
			n++
		}
		if n > 0 {
			if err := b.texts(ctx, tx, places[:n]); err != nil {
				return err
			}
			places = places[n:]
			continue
		}
		at := places[0]
		places = places[1:]
		if b.outcomes[at], err = b.change(ctx, tx, &b.drafts[at], locked); err != nil {
			return err
		}
	}
	return nil
}

// lock locks the rooms of all drafts, in the order of their ids, and returns the ids of those that are there.
func (b *batch) lock(ctx context.Context, tx pgx.Tx, places []int) (map[string]bool, error) {
	ids := make([]string, len(places))
	for i, at := range places {
		ids[i] = b.drafts[at].RoomID
	}
	rows, err := tx.Query(ctx, `SELECT id FROM rooms WHERE id = ANY ($1::text[]) ORDER BY id FOR UPDATE`, ids)
	if err != nil {
		return nil, err
	}
	locked := make(map[string]bool)
	var id string
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error {
		locked[id] = true
		return nil
	})
	return locked, err
}

// room is the row of a room.
type room struct {
	num  int64 // 0: there is none of this id
	head chat.Position
}

// member is somebody in or outside a room.
type member struct {
	num   int64 // of the user; 0: there is none of this id
	guest bool
	role  chat.Role // "": not a member
}

// invite is what a join needs to know of the invite that it names.
type invite struct {
	code   string
	by     string // user id of who made it
	usable bool
}

// scene is what a change is judged by, and made of.
type scene struct {
	room           room
	sender, target member
	invite         invite
	situation      chat.Situation
	duplicate      bool
}

// readScene looks up what belongs to two of the rows by the whole of its key, as findEntries does.
const readScene = `SELECT coalesce(r.num, 0), r.num IS NOT NULL AND r.deleted_at IS NULL, coalesce(r.visibility, ''),
		coalesce(r.head_seq, 0), coalesce(r.head_id, ''),
		coalesce(s.num, 0), coalesce(s.guest, false), coalesce((SELECT role FROM members WHERE room = r.num AND user_num = s.num), ''),
		coalesce(t.num, 0), coalesce(t.guest, false), coalesce((SELECT role FROM members WHERE room = r.num AND user_num = t.num), ''),
		(SELECT count(*) FROM members o WHERE o.room = r.num AND o.role = 'owner'),
		coalesce(iu.id, ''), iu.id IS NOT NULL,
		EXISTS (SELECT 1 FROM entries WHERE room = r.num AND sender = s.num AND client_id = $4)
	FROM (SELECT 1) one
	LEFT JOIN rooms r ON r.id = $1
	LEFT JOIN users s ON s.id = $2 AND s.deleted_at IS NULL
	LEFT JOIN users t ON t.id = $3 AND t.deleted_at IS NULL
	LEFT JOIN invites i ON i.code = $5 AND i.room = r.num AND ` + usableInvite + `$6
	LEFT JOIN users iu ON iu.num = i.created_by`

func (b *batch) scene(ctx context.Context, tx pgx.Tx, d *chat.Draft) (s scene, err error) {
	if d.Join != nil {
		s.invite.code = d.Join.Code
	}
	sit := &s.situation
	err = tx.QueryRow(ctx, readScene, d.RoomID, d.SenderID, d.Target(), d.ClientID, s.invite.code, draftTime(d)).Scan(
		&s.room.num, &sit.Exists, &sit.Visibility, &s.room.head.Seq, &s.room.head.ID,
		&s.sender.num, &s.sender.guest, &s.sender.role, &s.target.num, &s.target.guest, &s.target.role,
		&sit.Owners, &s.invite.by, &s.invite.usable, &s.duplicate)
	sit.Actor, sit.ActorGuest = s.sender.role, s.sender.guest
	sit.Target, sit.Guest = s.target.role, s.target.guest
	sit.InviteOK = s.invite.usable
	return s, err
}

// change judges, numbers and stores one draft that changes more than the log, and makes true what it says. It takes
// two trips, three where it makes a room.
func (b *batch) change(ctx context.Context, tx pgx.Tx, d *chat.Draft, locked map[string]bool) (chat.Outcome, error) {
	s, err := b.scene(ctx, tx, d)
	switch {
	case err != nil:
		return chat.Outcome{}, err
	case s.room.num != 0 && !locked[d.RoomID]: // it was made after the locks were taken
		return chat.Outcome{}, errAgain
	case s.duplicate:
		return chat.Outcome{Duplicate: true}, nil
	case s.sender.num == 0:
		return chat.Outcome{Err: chat.ErrForbidden}, nil
	case d.Create != nil && s.room.num != 0:
		return chat.Outcome{Err: chat.Refuse(chat.CodeBadRequest, "there is a room of this id already")}, nil
	}
	if refused := d.Judge(s.situation); refused != nil {
		return chat.Outcome{Err: refused}, nil //nolint:nilerr // the draft's fault, not the store's
	}
	if d.Create != nil {
		if s.room.num, err = create(ctx, tx, d); err != nil {
			return chat.Outcome{}, err
		}
		locked[d.RoomID] = true
	}
	seq := max(b.firsts[d.RoomID], s.room.head.Seq+1)
	e := entryOf(d, chat.Position{Seq: seq, ID: chat.NewID()}, s.room.head)
	e.Data = d.Data(s.invite.by)
	if err := apply(ctx, tx, d, &s, &e); err != nil {
		return chat.Outcome{}, err
	}
	return chat.Outcome{Entry: e}, nil
}

// create makes the room of a draft. Where another node has just made it, the transaction begins again.
func create(ctx context.Context, tx pgx.Tx, d *chat.Draft) (num int64, err error) {
	n := d.Create
	err = tx.QueryRow(ctx, `INSERT INTO rooms (id, visibility, name, folded_name, topic, active_at, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (id) DO NOTHING RETURNING num`,
		d.RoomID, n.Visibility, n.Name, fold(n.Name), n.Topic, draftTime(d)).Scan(&num)
	return num, orElse(err, errAgain)
}

// apply stores an entry and makes true what it says, in one trip.
func apply(ctx context.Context, tx pgx.Tx, d *chat.Draft, s *scene, e *chat.Entry) error {
	batch := &pgx.Batch{}
	batch.Queue(`INSERT INTO entries (room, seq, prev_seq, sender, at, kind, prev_id, message_id, client_id, data, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		s.room.num, e.Seq, e.PrevSeq, s.sender.num, e.At.UnixMilli(), e.Kind, e.PrevID, e.MessageID, e.ClientID, e.Data, e.Body)
	batch.Queue(`UPDATE rooms SET head_seq = $2, head_id = $3, active_at = $4 WHERE num = $1`,
		s.room.num, e.Seq, e.MessageID, e.At.UnixMilli())
	switch {
	case d.Create != nil:
		enter(batch, s, chat.RoleOwner, e)
	case d.Join != nil:
		enter(batch, s, chat.RoleMember, e)
		use(batch, s.invite, e)
	case d.Leave != nil:
		leave(batch, s)
	case d.Role != nil:
		batch.Queue(`UPDATE members SET role = $3 WHERE room = $1 AND user_num = $2`, s.room.num, s.target.num, d.Role.Role)
		raiseVersion(batch, s.target.num)
	default:
		c := d.Change
		batch.Queue(`UPDATE rooms SET name = coalesce($2, name), folded_name = coalesce($3, folded_name),
			topic = coalesce($4, topic), visibility = coalesce($5, visibility) WHERE num = $1`,
			s.room.num, c.Name, folded(c.Name), c.Topic, c.Visibility)
	}
	return tx.SendBatch(ctx, batch).Close()
}

func folded(name *string) *string {
	if name == nil {
		return nil
	}
	f := fold(*name)
	return &f
}

// enter makes the sender a member, who has read what came before. Somebody who was deleted meanwhile does not come in.
func enter(batch *pgx.Batch, s *scene, role chat.Role, e *chat.Entry) {
	batch.Queue(`INSERT INTO members (room, user_num, role, joined_at, last_read_seq) VALUES ($1, $2, $3, $4, $5)`,
		s.room.num, s.sender.num, role, e.At.UnixMilli(), e.Seq)
	batch.Queue(`UPDATE rooms SET member_count = member_count + 1 WHERE num = $1`, s.room.num)
	batch.Queue(`UPDATE users SET rooms_version = rooms_version + 1, took_part = true
		WHERE num = $1 AND deleted_at IS NULL RETURNING num`, s.sender.num).QueryRow(func(row pgx.Row) error {
		var num int64
		return orElse(row.Scan(&num), errAgain)
	})
}

// use counts a use of an invite. One that was revoked meanwhile stays so.
func use(batch *pgx.Batch, inv invite, e *chat.Entry) {
	if inv.code == "" {
		return
	}
	batch.Queue(`UPDATE invites SET uses = uses + 1,
		ended_at = CASE WHEN max_uses > 0 AND uses + 1 >= max_uses THEN $2 ELSE ended_at END WHERE code = $1`,
		inv.code, e.At.UnixMilli())
}

func leave(batch *pgx.Batch, s *scene) {
	batch.Queue(`DELETE FROM members WHERE room = $1 AND user_num = $2`, s.room.num, s.target.num)
	batch.Queue(`UPDATE rooms SET member_count = member_count - 1 WHERE num = $1`, s.room.num)
	raiseVersion(batch, s.target.num)
}

// raiseVersion tells every node, at its next comparison, that a user's rooms have changed (HUB5).
func raiseVersion(batch *pgx.Batch, user int64) {
	batch.Queue(`UPDATE users SET rooms_version = rooms_version + 1 WHERE num = $1`, user)
}
