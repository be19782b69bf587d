// Package wire turns frames into typed commands and events, and back: the JSON of the public contract (docs/protocol.md).
package wire

import (
	"encoding/json"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// Time is written as RFC 3339 in UTC with milliseconds, and null when it is zero.
type Time struct{ time.Time }

const timeLayout = "2006-01-02T15:04:05.000Z"

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	return t.append(make([]byte, 0, len(timeLayout)+2)), nil
}

func (t Time) append(b []byte) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	b = t.UTC().AppendFormat(append(b, '"'), timeLayout)
	return append(b, '"')
}

// UnmarshalJSON implements json.Unmarshaler for any RFC 3339 time, or null.
func (t *Time) UnmarshalJSON(b []byte) error { return t.Time.UnmarshalJSON(b) }

// User is an account as others see it.
type User struct {
	ID          string `json:"id"`
	Username    string `json:"username"`
	DisplayName string `json:"display_name"`
	AvatarURL   string `json:"avatar_url,omitempty"`
	Guest       bool   `json:"guest"`
	Admin       bool   `json:"admin"`
}

// FromUser converts an account.
func FromUser(u chat.User) User {
	return User{u.ID, u.Username, u.DisplayName, u.AvatarURL, u.Guest, u.Admin}
}

// FromUsers converts accounts; never nil, so that JSON shows an empty list.
func FromUsers(users []chat.User) []User {
	out := make([]User, 0, len(users))
	for _, u := range users {
		out = append(out, FromUser(u))
	}
	return out
}

// Room is a room as one user sees it.
type Room struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Topic       string          `json:"topic"`
	Visibility  chat.Visibility `json:"visibility"`
	CreatedAt   Time            `json:"created_at"`
	MemberCount int             `json:"member_count"`
	HeadSeq     int64           `json:"head_seq"`
	Role        chat.Role       `json:"role,omitempty"` // absent for somebody who is not a member
	LastReadSeq int64           `json:"last_read_seq"`
	UnreadCount int             `json:"unread_count"`
	LastEntry   *Entry          `json:"last_entry,omitempty"` // absent for them too: the log is its members'
}

// FromRoom converts a room.
func FromRoom(r chat.RoomView) Room {
	room := Room{
		ID: r.ID, Name: r.Name, Topic: r.Topic, Visibility: r.Visibility, CreatedAt: Time{r.CreatedAt},
		MemberCount: r.MemberCount, HeadSeq: r.Head.Seq, Role: r.Role,
		LastReadSeq: r.LastReadSeq, UnreadCount: r.UnreadCount,
	}
	if r.LastEntry != nil && r.Role != "" {
		last := FromEntry(r.LastEntry)
		room.LastEntry = &last
	}
	return room
}

// FromRooms converts rooms; never nil.
func FromRooms(rooms []chat.RoomView) []Room {
	out := make([]Room, 0, len(rooms))
	for _, r := range rooms {
		out = append(out, FromRoom(r))
	}
	return out
}

// Entry is an entry of a room's log. PrevSeq is left out when it is Seq-1.
type Entry struct {
	RoomID    string          `json:"room_id"`
	Seq       int64           `json:"seq"`
	PrevSeq   *int64          `json:"prev_seq,omitempty"`
	Kind      chat.Kind       `json:"kind"`
	MessageID string          `json:"message_id"`
	ClientID  string          `json:"client_id,omitempty"`
	SenderID  string          `json:"sender_id"`
	At        Time            `json:"at"`
	Body      string          `json:"body,omitempty"`
	Data      json.RawMessage `json:"data,omitempty"`
}

// FromEntry converts an entry.
func FromEntry(e *chat.Entry) Entry {
	out := Entry{
		RoomID: e.RoomID, Seq: e.Seq, Kind: e.Kind, MessageID: e.MessageID, ClientID: e.ClientID,
		SenderID: e.SenderID, At: Time{e.At}, Body: e.Body,
	}
	if len(e.Data) > 0 && json.Valid(e.Data) { // a row damaged by hand must not stop the server
		out.Data = e.Data
	}
	// 0 is sent: the first entry of a log says that there is nothing before it.
	if e.PrevSeq != e.Seq-1 || e.PrevSeq == 0 {
		prev := e.PrevSeq
		out.PrevSeq = &prev
	}
	return out
}

// FromEntries converts entries; never nil.
func FromEntries(entries []chat.Entry) []Entry {
	out := make([]Entry, 0, len(entries))
	for i := range entries {
		out = append(out, FromEntry(&entries[i]))
	}
	return out
}

// Member is one user's place in a room.
type Member struct {
	User     User       `json:"user"`
	Role     chat.Role  `json:"role"`
	JoinedAt Time       `json:"joined_at"`
	Presence chat.State `json:"presence"`
}

// Read is how far a user has read.
type Read struct {
	UserID string `json:"user_id"`
	Seq    int64  `json:"seq"`
}

// FromReads converts read positions; never nil.
func FromReads(reads []chat.Read) []Read {
	out := make([]Read, 0, len(reads))
	for _, r := range reads {
		out = append(out, Read{r.UserID, r.Seq})
	}
	return out
}

// Problem is the error of a command.
type Problem struct {
	Code         chat.Code `json:"code"`
	Message      string    `json:"message"`
	RetryAfterMS int64     `json:"retry_after_ms"`
}

// FromError converts an error that may be shown.
func FromError(err *chat.Error) Problem {
	return Problem{Code: err.Code, Message: err.Message, RetryAfterMS: err.RetryAfterMS()}
}
