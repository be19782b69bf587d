package sqlite

import (
	"strings"

	"github.com/gochat-dev/gochat/internal/chat"
)

// invite is what a join needs to know of the invite that it names.
type invite struct {
	code   string
	by     string // user id of who made it
	usable bool
}

func (b *batch) invite(code string, room, now int64) (invite, error) {
	inv := invite{code: code}
	var err error
	inv.usable, err = b.row(`SELECT u.id FROM invites i JOIN users u ON u.num = i.created_by
		WHERE i.code = ? AND i.room = ? AND `+usableInvite, []any{code, room, now}, &inv.by)
	return inv, err
}

// create makes the room of a draft.
func (b *batch) create(d *chat.Draft, r *room) error {
	at := draftTime(d)
	_, err := b.row(`INSERT INTO rooms (id, visibility, name, folded_name, topic, active_at, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING num`,
		[]any{d.RoomID, string(d.Create.Visibility), d.Create.Name, fold(d.Create.Name), d.Create.Topic, at, at}, &r.num)
	r.exists, r.visibility = true, d.Create.Visibility
	return err
}

// apply makes true what an entry says besides its being there.
func (b *batch) apply(d *chat.Draft, r *room, sender *member, e chat.Entry, inv invite) error {
	switch {
	case d.Create != nil:
		return b.enter(r, sender, chat.RoleOwner, e)
	case d.Join != nil:
		if err := b.enter(r, sender, chat.RoleMember, e); err != nil || inv.code == "" {
			return err
		}
		_, err := b.exec(`UPDATE invites SET uses = uses + 1,
			ended_at = CASE WHEN max_uses > 0 AND uses + 1 >= max_uses THEN ? END WHERE code = ?`,
			e.At.UnixMilli(), inv.code)
		return err
	case d.Leave != nil:
		return b.leave(r, r.members[d.Leave.UserID])
	case d.Role != nil:
		target := r.members[d.Role.UserID]
		target.role = d.Role.Role
		if _, err := b.exec(`UPDATE members SET role = ? WHERE room = ? AND user = ?`,
			string(target.role), r.num, target.num); err != nil {
			return err
		}
		return b.raiseVersion(target.num)
	default:
		return b.change(d.Change, r)
	}
}

// enter makes somebody a member, who has read what came before.
func (b *batch) enter(r *room, m *member, role chat.Role, e chat.Entry) error {
	m.role = role
	if _, err := b.exec(`INSERT INTO members (room, user, role, joined_at, last_read_seq) VALUES (?, ?, ?, ?, ?)`,
		r.num, m.num, string(role), e.At.UnixMilli(), e.Seq); err != nil {
		return err
	}
	if _, err := b.exec(`UPDATE rooms SET member_count = member_count + 1 WHERE num = ?`, r.num); err != nil {
		return err
	}
	_, err := b.exec(`UPDATE users SET rooms_version = rooms_version + 1, took_part = 1 WHERE num = ?`, m.num)
	return err
}

func (b *batch) leave(r *room, m *member) error {
	m.role = ""
	if _, err := b.exec(`DELETE FROM members WHERE room = ? AND user = ?`, r.num, m.num); err != nil {
		return err
	}
	if _, err := b.exec(`UPDATE rooms SET member_count = member_count - 1 WHERE num = ?`, r.num); err != nil {
		return err
	}
	return b.raiseVersion(m.num)
}

func (b *batch) change(c *chat.RoomChanged, r *room) error {
	if c.Name != nil {
		if _, err := b.exec(`UPDATE rooms SET name = ?, folded_name = ? WHERE num = ?`,
			*c.Name, fold(*c.Name), r.num); err != nil {
			return err
		}
	}
	if c.Topic != nil {
		if _, err := b.exec(`UPDATE rooms SET topic = ? WHERE num = ?`, *c.Topic, r.num); err != nil {
			return err
		}
	}
	if c.Visibility != nil {
		r.visibility = *c.Visibility
		if _, err := b.exec(`UPDATE rooms SET visibility = ? WHERE num = ?`, string(r.visibility), r.num); err != nil {
			return err
		}
	}
	return nil
}

// raiseVersion tells every node, at its next comparison, that a user's rooms have changed (HUB5).
func (c *conn) raiseVersion(user int64) error {
	_, err := c.exec(`UPDATE users SET rooms_version = rooms_version + 1 WHERE num = ?`, user)
	return err
}

// fold makes a name comparable in any case.
func fold(name string) string { return strings.ToLower(name) }
