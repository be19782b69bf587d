package chat

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Limits of the contract (docs/protocol.md). Text lengths count Unicode code points.
const (
	MaxBody       = 8000
	MaxRoomName   = 80
	MaxTopic      = 500
	MaxName       = 80  // a display name
	MaxUnread     = 100 // unread texts are counted up to this (SIG3)
	MaxReplay     = 500 // more missed entries than this are not replayed (RES3)
	MaxPage       = 200
	MaxRooms      = 1000 // rooms in a welcome
	PresenceTTL   = 30 * time.Second
	PresenceBeat  = 10 * time.Second
	CrowdedRoom   = 200 // more people online than this: counts only (PRS5)
	GuestLifetime = 30 * 24 * time.Hour
)

// CheckText validates a text that a person wrote: min to max code points, valid UTF-8, no U+0000.
func CheckText(what, s string, minimum, maximum int) error {
	if !storable(s) {
		return Refuse(CodeBadRequest, what+" must be valid UTF-8 without U+0000")
	}
	n := utf8.RuneCountInString(s)
	if n < minimum || (minimum > 0 && strings.TrimSpace(s) == "") {
		return Refuse(CodeEmpty, what+" must not be empty")
	}
	if n > maximum {
		return Refuse(CodeTooLong, what+" is too long")
	}
	return nil
}

// CheckText refuses a text draft that can be refused without looking at the store (SEQ7), and gives a
// draft without a client id one of its own (SEQ2).
func (d *Draft) CheckText() error {
	if err := CheckText("body", d.Body, 1, MaxBody); err != nil {
		return err
	}
	return d.CheckClientID()
}

// CheckClientID fills in a missing client id and refuses one that is not a UUID. The stored form is the canonical one.
func (d *Draft) CheckClientID() error {
	if d.ClientID == "" {
		d.ClientID = NewID()
		return nil
	}
	id, err := uuid.Parse(d.ClientID)
	if err != nil || len(d.ClientID) != 36 {
		return Refuse(CodeBadRequest, "client_id must be a UUID")
	}
	d.ClientID = id.String()
	return nil
}

// CheckShape refuses alone (SEQ7) what would otherwise spoil the whole batch of a store.
func (d *Draft) CheckShape() error {
	ok := d.RoomID != "" && d.SenderID != "" && d.ClientID != "" && d.Kind != ""
	for _, s := range []string{d.RoomID, d.SenderID, d.ClientID, string(d.Kind), d.Body} {
		ok = ok && storable(s)
	}
	switch d.Kind {
	case KindMemberJoined:
		ok = ok && (d.Create != nil) != (d.Join != nil)
	case KindMemberLeft:
		ok = ok && d.Leave != nil
	case KindRoleChanged:
		ok = ok && d.Role != nil && d.Role.Role.Valid()
	case KindRoomChanged:
		ok = ok && d.Change != nil
	}
	if n := d.Create; n != nil {
		ok = ok && n.Visibility.Valid() && storable(n.Name) && storable(n.Topic)
	}
	if c := d.Change; c != nil {
		ok = ok && (c.Visibility == nil || c.Visibility.Valid()) &&
			(c.Name == nil || storable(*c.Name)) && (c.Topic == nil || storable(*c.Topic))
	}
	if !ok || !storable(d.Target()) || (d.Join != nil && !storable(d.Join.Code)) {
		return Refuse(CodeBadRequest, "this can't be stored: a part of it is missing or malformed")
	}
	return nil
}

// storable reports whether every store can keep a text: Postgres takes neither U+0000 nor broken UTF-8.
func storable(s string) bool { return strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) }

// Situation is what a store reads, under the room's lock, to judge a draft (SEQ8).
type Situation struct {
	Exists     bool // false also for a deleted room
	Visibility Visibility
	Actor      Role // of the sender; "" where they are not a member
	ActorGuest bool
	Target     Role // of the user that the draft is about; "" where they are not a member
	Guest      bool // the target is a guest
	Owners     int  // how many owners the room has
	InviteOK   bool // the draft names an invite of this room that can be used now
}

// Judge decides whether a draft may be appended. It returns nil, an *Error, or ErrAlreadyDone.
func (d *Draft) Judge(s Situation) error {
	if d.Create != nil {
		if s.ActorGuest {
			return Refuse(CodeForbidden, "guests can't create rooms")
		}
		return nil
	}
	if !s.Exists { // as of a private room: whether there is one is only for its members to know
		s = Situation{Visibility: Private, ActorGuest: s.ActorGuest}
	}
	switch d.Kind {
	case KindMemberJoined:
		return d.judgeJoin(s)
	case KindMemberLeft:
		return d.judgeLeave(s)
	case KindRoleChanged:
		return d.judgeRole(s)
	case KindRoomChanged:
		if s.Actor == "" {
			return ErrNotAMember
		}
		if !s.Actor.Above(RoleMember) {
			return ErrForbidden
		}
		return nil
	default:
		if s.Actor == "" {
			return ErrNotAMember
		}
		return nil
	}
}

func (d *Draft) judgeJoin(s Situation) error {
	switch {
	case s.Actor != "":
		return ErrAlreadyDone
	case d.Join != nil && d.Join.Code != "":
		if !s.InviteOK {
			return ErrInviteInvalid
		}
		return nil
	case s.Visibility != Public:
		return ErrInviteNeeded
	default:
		return nil
	}
}

func (d *Draft) judgeLeave(s Situation) error {
	leaving := d.Leave.UserID == d.SenderID
	switch {
	case s.Actor == "":
		return ErrNotAMember
	case s.Target == "":
		return Refuse(CodeNotFound, "this person is not a member of the room")
	case leaving && s.Actor == RoleOwner && s.Owners <= 1:
		return ErrLastOwner
	case leaving:
		return nil
	case !s.Actor.Above(RoleMember) || !s.Actor.Above(s.Target):
		return ErrForbidden
	default:
		return nil
	}
}

// judgeRole: an owner sets any role, nobody else sets any. The last owner can't step down.
func (d *Draft) judgeRole(s Situation) error {
	switch {
	case s.Actor == "":
		return ErrNotAMember
	case s.Actor != RoleOwner:
		return ErrForbidden
	case s.Target == "":
		return Refuse(CodeNotFound, "this person is not a member of the room")
	case s.Guest && d.Role.Role != RoleMember:
		return Refuse(CodeForbidden, "a guest can't hold a role")
	case s.Target == d.Role.Role:
		return ErrAlreadyDone
	case s.Target == RoleOwner && s.Owners <= 1:
		return ErrLastOwner
	default:
		return nil
	}
}

// Target returns the user that a draft changes the membership of, or "".
func (d *Draft) Target() string {
	switch {
	case d.Leave != nil:
		return d.Leave.UserID
	case d.Role != nil:
		return d.Role.UserID
	case d.Create != nil, d.Join != nil:
		return d.SenderID
	default:
		return ""
	}
}

// Data returns what the entry of a draft carries besides a body. inviter is the creator of the invite used, or "".
func (d *Draft) Data(inviter string) json.RawMessage {
	switch {
	case d.Create != nil:
		return encode(MemberJoined{UserID: d.SenderID, Via: ViaCreate})
	case d.Join != nil && d.Join.Code != "":
		return encode(MemberJoined{UserID: d.SenderID, By: inviter, Via: ViaInvite})
	case d.Join != nil:
		return encode(MemberJoined{UserID: d.SenderID, Via: ViaJoin})
	case d.Leave != nil:
		return encode(d.Leave)
	case d.Role != nil:
		return encode(d.Role)
	case d.Change != nil:
		return encode(d.Change)
	default:
		return nil
	}
}

func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain structs of strings always encode
	}
	return b
}
