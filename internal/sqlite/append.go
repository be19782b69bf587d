package sqlite

import (
	"context"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// Append implements chat.Entries. The one writing connection is the lock of all rooms.
func (s *Store) Append(ctx context.Context, drafts []chat.Draft, firsts map[string]int64) ([]chat.Outcome, error) {
	outcomes := make([]chat.Outcome, len(drafts))
	err := s.write(ctx, "append", func(c *conn) error {
		b := batch{conn: c, firsts: firsts, rooms: make(map[string]*room)}
		for i := range drafts {
			var err error
			if outcomes[i], err = b.add(&drafts[i]); err != nil {
				return err
			}
		}
		return b.finish()
	})
	if err != nil {
		return nil, err
	}
	return outcomes, nil
}

// batch is one Append under way: the rooms and members as its drafts have left them so far.
type batch struct {
	*conn
	firsts map[string]int64
	rooms  map[string]*room
}

// room is the row of a room. Its head is written back when the batch is finished, the rest at once.
type room struct {
	num        int64 // 0: there is none of this id
	exists     bool  // and is not deleted
	visibility chat.Visibility
	head       chat.Position
	active     int64
	moved      bool // the head did
	members    map[string]*member
}

// member is somebody in or outside a room.
type member struct {
	num   int64 // of the user; 0: there is none of this id
	guest bool
	role  chat.Role // "": not a member
}

// add judges, numbers and stores one draft.
func (b *batch) add(d *chat.Draft) (chat.Outcome, error) {
	if refusal := d.CheckShape(); refusal != nil {
		return chat.Outcome{Err: refusal}, nil //nolint:nilerr // the draft is refused alone, the batch goes on (SEQ7)
	}
	r, sender, err := b.place(d.RoomID, d.SenderID)
	if err != nil {
		return chat.Outcome{}, err
	}
	changes := d.Target() != "" || d.Change != nil
	if changes || sender.role == "" {
		// A duplicate is one whatever has become of its sender since (SEQ2). What changes nothing and comes
		// from a member needs no look: the insert tells.
		if o, found, err := b.duplicate(r, sender, d); found || err != nil {
			return o, err
		}
	}
	inv, refusal, err := b.judge(d, r, sender)
	if err != nil || refusal != nil {
		return chat.Outcome{Err: refusal}, err
	}
	if d.Create != nil {
		if err := b.create(d, r); err != nil {
			return chat.Outcome{}, err
		}
	}
	e, stored, err := b.insert(d, r, sender, inv.by)
	if err != nil {
		return chat.Outcome{}, err
	}
	if !stored {
		o, _, err := b.duplicate(r, sender, d)
		return o, err
	}
	r.head, r.active, r.moved = e.Position(), e.At.UnixMilli(), true
	if changes {
		if err := b.apply(d, r, sender, e, inv); err != nil {
			return chat.Outcome{}, err
		}
	}
	return chat.Outcome{Entry: e}, nil
}

// place finds a room and what a user is in it, as the batch has left them so far.
func (b *batch) place(roomID, userID string) (*room, *member, error) {
	r, ok := b.rooms[roomID]
	if ok {
		m, err := b.member(r, userID)
		return r, m, err
	}
	r, m := &room{}, &member{}
	_, err := b.row(`SELECT coalesce(r.num, 0), r.num IS NOT NULL AND r.deleted_at IS NULL, coalesce(r.visibility, ''),
		coalesce(r.head_seq, 0), coalesce(r.head_id, ''), coalesce(u.num, 0), coalesce(u.guest, 0), coalesce(m.role, '')
		FROM (SELECT 1) LEFT JOIN rooms r ON r.id = ? LEFT JOIN users u INDEXED BY users_looked_at ON u.id = ? AND u.deleted_at IS NULL
		LEFT JOIN members m ON m.room = r.num AND m.user = u.num`, []any{roomID, userID},
		&r.num, &r.exists, &r.visibility, &r.head.Seq, &r.head.ID, &m.num, &m.guest, &m.role)
	if err != nil {
		return nil, nil, err
	}
	r.members = map[string]*member{userID: m}
	b.rooms[roomID] = r
	return r, m, nil
}

func (b *batch) member(r *room, userID string) (*member, error) {
	if m, ok := r.members[userID]; ok {
		return m, nil
	}
	m := &member{}
	_, err := b.row(`SELECT u.num, u.guest, coalesce(m.role, '')
		FROM users u INDEXED BY users_looked_at LEFT JOIN members m ON m.room = ? AND m.user = u.num
		WHERE u.id = ? AND u.deleted_at IS NULL`, []any{r.num, userID}, &m.num, &m.guest, &m.role)
	if err != nil {
		return nil, err
	}
	r.members[userID] = m
	return m, nil
}

const findEntry = `SELECT ` + entryColumns + ` FROM entries e JOIN users u ON u.num = e.sender
	WHERE e.room = ? AND e.sender = ? AND e.client_id = ?`

func (b *batch) duplicate(r *room, sender *member, d *chat.Draft) (o chat.Outcome, found bool, err error) {
	if r.num == 0 {
		return o, false, nil
	}
	s := entryScan{roomID: d.RoomID}
	if found, err = b.row(findEntry, []any{r.num, sender.num, d.ClientID}, s.dest()...); err != nil || !found {
		return o, false, err
	}
	return chat.Outcome{Entry: s.entry(), Duplicate: true}, true, nil
}

// judge gathers what the draft is judged by, and judges: refusal is the draft's fault, err the store's.
func (b *batch) judge(d *chat.Draft, r *room, sender *member) (inv invite, refusal, err error) {
	if sender.num == 0 {
		return inv, chat.ErrForbidden, nil
	}
	if d.Create != nil && r.num != 0 {
		return inv, chat.Refuse(chat.CodeBadRequest, "there is a room of this id already"), nil
	}
	sit := chat.Situation{Exists: r.exists, Visibility: r.visibility, Actor: sender.role, ActorGuest: sender.guest}
	if id := d.Target(); id != "" {
		target, err := b.member(r, id)
		if err != nil {
			return inv, nil, err
		}
		sit.Target, sit.Guest = target.role, target.guest
	}
	if d.Leave != nil || d.Role != nil {
		if _, err := b.row(`SELECT count(*) FROM members WHERE room = ? AND role = 'owner'`,
			[]any{r.num}, &sit.Owners); err != nil {
			return inv, nil, err
		}
	}
	if d.Join != nil && d.Join.Code != "" {
		if inv, err = b.invite(d.Join.Code, r.num, draftTime(d)); err != nil {
			return inv, nil, err
		}
		sit.InviteOK = inv.usable
	}
	return inv, d.Judge(sit), nil
}

const insertEntry = `INSERT INTO entries
	(room, seq, kind, sender, prev_seq, prev_id, message_id, client_id, at, data, body)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (room, sender, client_id) DO NOTHING`

// insert stores the entry of a draft as the room's next. It reports false where the draft is a duplicate.
func (b *batch) insert(d *chat.Draft, r *room, sender *member, inviter string) (chat.Entry, bool, error) {
	e := chat.Entry{
		RoomID: d.RoomID, Seq: max(b.firsts[d.RoomID], r.head.Seq+1), PrevSeq: r.head.Seq, PrevID: r.head.ID,
		MessageID: chat.NewID(), ClientID: d.ClientID, SenderID: d.SenderID, Kind: d.Kind,
		Body: d.Body, Data: d.Data(inviter), At: time.UnixMilli(draftTime(d)).UTC(),
	}
	var data any
	if e.Data != nil {
		data = string(e.Data)
	}
	n, err := b.exec(insertEntry, r.num, e.Seq, string(e.Kind), sender.num, e.PrevSeq, e.PrevID,
		e.MessageID, e.ClientID, e.At.UnixMilli(), data, e.Body)
	return e, n == 1, err
}

// draftTime is when a draft was made, in milliseconds since 1970.
func draftTime(d *chat.Draft) int64 {
	if d.At.IsZero() {
		return time.Now().UnixMilli()
	}
	return d.At.UnixMilli()
}

// finish writes the new heads.
func (b *batch) finish() error {
	for _, r := range b.rooms {
		if !r.moved {
			continue
		}
		if _, err := b.exec(`UPDATE rooms SET head_seq = ?, head_id = ?, active_at = ? WHERE num = ?`,
			r.head.Seq, r.head.ID, r.active, r.num); err != nil {
			return err
		}
	}
	return nil
}
