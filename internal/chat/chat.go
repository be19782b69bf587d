// Package chat defines the nouns and rules of the product, and the contracts (Store, Backplane) that carry them.
//
// A room has a log: a sequence of entries with growing numbers, each of which points back at the one
// before it. Everything durable that happens in a room is an entry; SPEC.md states the rules.
package chat

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Kind says what an entry records. Unknown kinds are legal: a newer node may have written them.
type Kind string

// The kinds of entry that this version writes.
const (
	KindText         Kind = "text"
	KindMemberJoined Kind = "member_joined"
	KindMemberLeft   Kind = "member_left"
	KindRoleChanged  Kind = "role_changed"
	KindRoomChanged  Kind = "room_changed"
)

// Role is what a member may do in a room.
type Role string

// The roles, each of which may do all that the next one may.
const (
	RoleOwner  Role = "owner"
	RoleAdmin  Role = "admin"
	RoleMember Role = "member"
)

// Above reports whether r stands strictly higher than other.
func (r Role) Above(other Role) bool { return r.rank() > other.rank() }

// Valid reports whether r is one of the three roles.
func (r Role) Valid() bool { return r.rank() > 0 }

func (r Role) rank() int {
	switch r {
	case RoleOwner:
		return 3
	case RoleAdmin:
		return 2
	case RoleMember:
		return 1
	default:
		return 0
	}
}

// Visibility says who may find and join a room.
type Visibility string

// The two visibilities: anyone may join a public room, a private one takes an invite.
const (
	Public  Visibility = "public"
	Private Visibility = "private"
)

// Valid reports whether v is one of the two visibilities.
func (v Visibility) Valid() bool { return v == Public || v == Private }

// Via says how a member came into a room.
type Via string

// The ways into a room.
const (
	ViaCreate Via = "create"
	ViaJoin   Via = "join"
	ViaInvite Via = "invite"
)

// Position is a place in a room's log: the number and the message id of the entry that stands there.
// The zero Position is the start of the log. An empty ID with a number means that the id is not known,
// and then only the number is compared.
type Position struct {
	Seq int64  `json:"seq"`
	ID  string `json:"id"`
}

// Matches reports whether p is the place other, where an unknown id on either side matches any.
func (p Position) Matches(other Position) bool {
	return p.Seq == other.Seq && (p.ID == other.ID || p.ID == "" || other.ID == "")
}

// Entry is one numbered thing that happened in a room. It never changes once it is stored (SEQ1).
type Entry struct {
	RoomID    string          `json:"room_id"`
	Seq       int64           `json:"seq"`
	PrevSeq   int64           `json:"prev_seq"` // 0 at the start of the log
	PrevID    string          `json:"prev_id"`  // "" at the start of the log
	MessageID string          `json:"message_id"`
	ClientID  string          `json:"client_id"`
	SenderID  string          `json:"sender_id"`
	Kind      Kind            `json:"kind"`
	Body      string          `json:"body,omitempty"`
	Data      json.RawMessage `json:"data,omitempty"` // by kind: MemberJoined, MemberLeft, RoleChanged, RoomChanged
	At        time.Time       `json:"at"`
}

// Position is where e stands.
func (e *Entry) Position() Position { return Position{Seq: e.Seq, ID: e.MessageID} }

// Prev is where the entry before e stands.
func (e *Entry) Prev() Position { return Position{Seq: e.PrevSeq, ID: e.PrevID} }

// MemberJoined is the data of a member_joined entry. By is who invited, where somebody did.
type MemberJoined struct {
	UserID string `json:"user_id"`
	By     string `json:"by,omitempty"`
	Via    Via    `json:"via"`
}

// MemberLeft is the data of a member_left entry. By is who removed them; empty where they left.
type MemberLeft struct {
	UserID string `json:"user_id"`
	By     string `json:"by,omitempty"`
}

// RoleChanged is the data of a role_changed entry.
type RoleChanged struct {
	UserID string `json:"user_id"`
	Role   Role   `json:"role"`
	By     string `json:"by"`
}

// RoomChanged is the data of a room_changed entry: what changed, nil where it did not.
type RoomChanged struct {
	Name       *string     `json:"name,omitempty"`
	Topic      *string     `json:"topic,omitempty"`
	Visibility *Visibility `json:"visibility,omitempty"`
}

// Subject returns the user that a membership entry (joined, left, role changed) is about, or "".
func (e *Entry) Subject() string {
	switch e.Kind {
	case KindMemberJoined, KindMemberLeft, KindRoleChanged:
		var who struct {
			UserID string `json:"user_id"`
		}
		if json.Unmarshal(e.Data, &who) != nil {
			return ""
		}
		return who.UserID
	default:
		return ""
	}
}

// Draft is an entry that somebody wants appended. Exactly one of the optional parts is set for a kind
// other than text. Its sender is who acts.
type Draft struct {
	RoomID   string
	SenderID string
	ClientID string // a UUID of the client's; NewDraft makes one
	Kind     Kind
	Body     string // of a text
	At       time.Time

	Create *NewRoom     // member_joined via create: the room is made in the same transaction
	Join   *Joining     // member_joined via join or invite
	Leave  *MemberLeft  // member_left; UserID == SenderID: leaving, else removing
	Role   *RoleChanged // role_changed
	Change *RoomChanged // room_changed
}

// NewRoom is what a room is made of.
type NewRoom struct {
	Name       string
	Topic      string
	Visibility Visibility
}

// Joining says how the sender of a member_joined draft comes in: Code is the invite's, empty for a public room.
type Joining struct {
	Code string
}

// Key is what makes a draft the same draft (SEQ2).
type Key struct {
	RoomID, SenderID, ClientID string
}

// Key returns the draft's identity.
func (d *Draft) Key() Key { return Key{d.RoomID, d.SenderID, d.ClientID} }

// Outcome is what became of one draft of a batch.
type Outcome struct {
	Entry     Entry // as stored; of a duplicate the first one; zero where Err is set
	Duplicate bool
	Err       error // an *Error: why this draft alone was refused
}

// Room is a room as everybody sees it.
type Room struct {
	ID          string
	Name        string
	Topic       string
	Visibility  Visibility
	CreatedAt   time.Time
	MemberCount int
	Head        Position
}

// RoomView is a room as one user sees it. Role is empty for somebody who is not a member.
type RoomView struct {
	Room
	Role        Role
	LastReadSeq int64
	UnreadCount int // texts of others after LastReadSeq, counted up to MaxUnread (SIG3)
	LastEntry   *Entry
}

// Member is one user's place in a room.
type Member struct {
	User        User
	Role        Role
	JoinedAt    time.Time
	LastReadSeq int64
}

// User is an account. A guest has no password; the instance's admin is the first account.
type User struct {
	ID          string    `json:"id"`
	Username    string    `json:"username"`
	DisplayName string    `json:"display_name"`
	AvatarURL   string    `json:"avatar_url,omitempty"`
	Guest       bool      `json:"guest,omitempty"`
	Admin       bool      `json:"admin,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
}

// Invite is a way into a room for whoever has its code.
type Invite struct {
	Code      string
	RoomID    string
	CreatedBy string
	CreatedAt time.Time
	ExpiresAt time.Time // zero = never
	MaxUses   int       // 0 = any number
	Uses      int
}

// Session is one log-in of a user: a family of refresh tokens.
type Session struct {
	ID         string
	UserID     string
	UserAgent  string
	CreatedAt  time.Time
	LastSeenAt time.Time
	ExpiresAt  time.Time
}

// Read is how far a user has read in a room.
type Read struct {
	RoomID string `json:"room_id,omitempty"`
	UserID string `json:"user_id"`
	Seq    int64  `json:"seq"`
}

// State is whether a user is here (PRS1).
type State string

// The presence states.
const (
	Online  State = "online"
	Away    State = "away"
	Offline State = "offline"
)

// Better returns the state that shows more presence: online, then away, then offline.
func (s State) Better(other State) State {
	if s == Online || other == Online {
		return Online
	}
	if s == Away || other == Away {
		return Away
	}
	return Offline
}

// NewID makes an id: a UUIDv7, so that ids made later sort later.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// Named returns the ids of everyone named in entries, each once: senders, subjects, and who invited or removed them.
func Named(entries []Entry) []string {
	seen := make(map[string]bool)
	var ids []string
	add := func(id string) {
		if id != "" && !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	for i := range entries {
		e := &entries[i]
		add(e.SenderID)
		add(e.Subject())
		if e.Kind == KindMemberJoined {
			var joined MemberJoined
			if json.Unmarshal(e.Data, &joined) == nil {
				add(joined.By)
			}
		}
	}
	return ids
}
