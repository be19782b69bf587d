package wire

import (
	"encoding/json"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// Welcome is the first object that a server sends.
type Welcome struct {
	ConnectionID string `json:"connection_id"`
	Epoch        string `json:"epoch"`
	User         User   `json:"user"`
	ServerTime   Time   `json:"server_time"`
	PingInterval int64  `json:"ping_interval_ms"`
	Rooms        []Room `json:"rooms"`
	RoomsNext    string `json:"rooms_next,omitempty"`
}

// EncodeWelcome makes the welcome.
func EncodeWelcome(w Welcome) *Frame {
	return encode(struct {
		typed
		Welcome
	}{typed{"welcome"}, w})
}

// Resumed ends the replay of a room, or (Recovered false) says that the client's copy is to be dropped.
func Resumed(roomID string, recovered bool, head int64) *Frame {
	return encode(struct {
		typed
		RoomID    string `json:"room_id"`
		Recovered bool   `json:"recovered"`
		HeadSeq   int64  `json:"head_seq"`
	}{typed{"resumed"}, roomID, recovered, head})
}

// RoomAdded says that a room is the user's now.
func RoomAdded(r Room) *Frame { return roomEvent("room_added", r) }

// RoomUpdated says that a room, or the user's role in it, has changed.
func RoomUpdated(r Room) *Frame { return roomEvent("room_updated", r) }

func roomEvent(kind string, r Room) *Frame {
	return encode(struct {
		typed
		Room Room `json:"room"`
	}{typed{kind}, r})
}

// The reasons why a room is not the user's any more.
const (
	ReasonLeft    = "left"
	ReasonRemoved = "removed"
	ReasonDeleted = "deleted"
)

// RoomRemoved says that a room is not the user's any more.
func RoomRemoved(roomID, reason string) *Frame {
	return encode(struct {
		typed
		RoomID string `json:"room_id"`
		Reason string `json:"reason"`
	}{typed{"room_removed"}, roomID, reason})
}

// UserUpdated says that the name or picture of somebody has changed.
func UserUpdated(u User) *Frame {
	return encode(struct {
		typed
		User User `json:"user"`
	}{typed{"user_updated"}, u})
}

// Typing relays that somebody types.
func Typing(roomID, userID string, on bool) *Frame {
	return signal(struct {
		typed
		RoomID string `json:"room_id"`
		UserID string `json:"user_id"`
		On     bool   `json:"on"`
	}{typed{"typing"}, roomID, userID, on})
}

// Reads relays how far people have read.
func Reads(roomID string, reads []Read) *Frame {
	return signal(struct {
		typed
		RoomID string `json:"room_id"`
		Reads  []Read `json:"reads"`
	}{typed{"read"}, roomID, reads})
}

// PresenceChanges relays changes of presence in a room.
func PresenceChanges(roomID string, changes []chat.PresenceChange) *Frame {
	return signal(struct {
		typed
		RoomID  string                `json:"room_id"`
		Changes []chat.PresenceChange `json:"changes"`
	}{typed{"presence"}, roomID, changes})
}

// PresenceCount relays how many are online in a crowded room (PRS5).
func PresenceCount(roomID string, online int) *Frame {
	return signal(struct {
		typed
		RoomID string `json:"room_id"`
		Online int    `json:"online_count"`
	}{typed{"presence"}, roomID, online})
}

// Ping asks whether the client is still there.
func Ping() *Frame { return encode(typed{"ping"}) }

// Reconnect asks the client to move to another node at a random moment within the time given (DRN1).
func Reconnect(within time.Duration) *Frame {
	return encode(struct {
		typed
		WithinMS int64 `json:"within_ms"`
	}{typed{"reconnect"}, within.Milliseconds()})
}

type reply struct {
	typed
	ID json.RawMessage `json:"id"`
}

func replyTo(id json.RawMessage) reply { return reply{typed{"reply"}, id} }

// Failed answers a command with an error. id is null where the command had none.
func Failed(id json.RawMessage, err *chat.Error) *Frame {
	return encode(struct {
		typed
		ID    json.RawMessage `json:"id"`
		Error Problem         `json:"error"`
	}{typed{"error"}, id, FromError(err)})
}

// Done answers a command that has nothing to tell.
func Done(id json.RawMessage) *Frame { return encode(replyTo(id)) }

// Receipt is what a sender gets for a committed message.
type Receipt struct {
	RoomID    string `json:"room_id"`
	Seq       int64  `json:"seq"`
	MessageID string `json:"message_id"`
	At        Time   `json:"at"`
}

// ReceiptOf makes the receipt of an entry.
func ReceiptOf(e *chat.Entry) Receipt { return Receipt{e.RoomID, e.Seq, e.MessageID, Time{e.At}} }

// Sent answers send.
func Sent(id json.RawMessage, e *chat.Entry) *Frame {
	return encode(struct {
		reply
		Receipt
	}{replyTo(id), ReceiptOf(e)})
}

// Joined is the answer to join. Presence is a map of states, or in a crowded room PresenceCount alone.
type Joined struct {
	Room      Room     `json:"room"`
	Entries   []Entry  `json:"entries"`
	Users     []User   `json:"users"`
	HasMore   bool     `json:"has_more"`
	Recovered *bool    `json:"recovered,omitempty"` // only where a position was named
	Presence  Presence `json:"presence"`
	Reads     []Read   `json:"reads"`
	Typing    []string `json:"typing"`
}

// Presence is who is here in a room: the states of those who are not offline, or (States nil) a number.
type Presence struct {
	States map[string]chat.State
	Online int
}

// MarshalJSON implements json.Marshaler.
func (p Presence) MarshalJSON() ([]byte, error) {
	if p.States == nil {
		return json.Marshal(struct {
			Online int `json:"online_count"`
		}{p.Online})
	}
	return json.Marshal(p.States)
}

// JoinedReply answers join.
func JoinedReply(id json.RawMessage, j Joined) *Frame {
	return encode(struct {
		reply
		Joined
	}{replyTo(id), j})
}

// HistoryReply answers history.
func HistoryReply(id json.RawMessage, p chat.Page) *Frame {
	return encode(struct {
		reply
		Entries []Entry `json:"entries"`
		Users   []User  `json:"users"`
		HasMore bool    `json:"has_more"`
	}{replyTo(id), FromEntries(p.Entries), FromUsers(p.Users), p.More})
}

// ReadReply answers read.
func ReadReply(id json.RawMessage, lastRead int64, unread int) *Frame {
	return encode(struct {
		reply
		LastReadSeq int64 `json:"last_read_seq"`
		UnreadCount int   `json:"unread_count"`
	}{replyTo(id), lastRead, unread})
}

// AuthReply answers auth.
func AuthReply(id json.RawMessage, expires time.Time) *Frame {
	return encode(struct {
		reply
		ExpiresAt Time `json:"expires_at"`
	}{replyTo(id), Time{expires}})
}
