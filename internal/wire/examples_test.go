package wire_test

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

// The ids of the examples.
const (
	roomID    = "0198f6a2-7c11-7a3e-9d52-0f6c1b2a3d4e"
	lobbyID   = "0198f6a2-7c11-7b77-8a01-5e4d3c2b1a00"
	aliceID   = "0198f6a0-0001-7000-8000-00000000a11c"
	bobID     = "0198f6a0-0002-7000-8000-000000000b0b"
	carolID   = "0198f6a0-0003-7000-8000-0000000ca201"
	messageID = "0198f6b3-1d2e-7f3a-8b4c-5d6e7f8a9b0c"
	clientID  = "5f0c1c86-6f0e-4f5d-9a55-2f7d9c1e8b3a"
	epochID   = "0198f5ff-0000-7000-8000-00000000e90c"
)

var (
	at       = time.Date(2026, 3, 14, 9, 26, 53, 589_793_238, time.UTC)
	earlier  = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	id       = json.RawMessage("7")
	alice    = chat.User{ID: aliceID, Username: "alice", DisplayName: "Alice", Admin: true}
	bob      = chat.User{ID: bobID, Username: "bob", DisplayName: "Bob", AvatarURL: "https://chat.example/avatars/bob.png"}
	carol    = chat.User{ID: carolID, Username: "guest-ca201", DisplayName: "Carol", Guest: true}
	everyone = []chat.User{alice, bob, carol}
)

// incoming is every command, as Decode is to understand the example of that name.
func incoming() map[string]wire.Command {
	after := int64(118)
	return map[string]wire.Command{
		"send":                   {Type: "send", ID: id, Send: &wire.Send{RoomID: roomID, ClientID: clientID, Body: "Shall we meet at noon?"}},
		"send_without_client_id": {Type: "send", ID: id, Send: &wire.Send{RoomID: roomID, Body: "Shall we meet at noon?"}},
		"join":                   {Type: "join", ID: id, Join: &wire.Join{RoomID: roomID}},
		"join_after_number":      {Type: "join", ID: id, Join: &wire.Join{RoomID: roomID, LastReceivedSeq: &after}},
		"join_after_position": {Type: "join", ID: id, Join: &wire.Join{
			RoomID: roomID, LastReceivedSeq: &after, LastReceivedID: messageID,
		}},
		"history_latest":  {Type: "history", ID: id, Page: &wire.History{RoomID: roomID, Limit: 50}},
		"history_before":  {Type: "history", ID: id, Page: &wire.History{RoomID: roomID, BeforeSeq: 71, Limit: 50}},
		"history_after":   {Type: "history", ID: id, Page: &wire.History{RoomID: roomID, AfterSeq: &after, Limit: 50}},
		"typing_on":       {Type: "typing", ID: id, Typing: &wire.SetTyping{RoomID: roomID, On: true}},
		"typing_off":      {Type: "typing", ID: id, Typing: &wire.SetTyping{RoomID: roomID}},
		"read":            {Type: "read", ID: id, Read: &wire.MarkRead{RoomID: roomID, Seq: 120}},
		"presence_online": {Type: "presence", ID: id, State: chat.Online},
		"presence_away":   {Type: "presence", ID: id, State: chat.Away},
		"auth":            {Type: "auth", ID: id, Token: "header.claims.signature"},
		"ping":            {Type: "ping", ID: id},
		"pong":            {Type: "pong"},
	}
}

// outgoing is everything that the server sends, by the name of its example.
func outgoing() map[string]*wire.Frame {
	all := map[string]*wire.Frame{}
	for _, some := range []map[string]*wire.Frame{starts(), entries(), pushes(), replies(), failures()} {
		maps.Copy(all, some)
	}
	return all
}

func text(seq, prev int64, body string) *chat.Entry {
	return &chat.Entry{
		RoomID: roomID, Seq: seq, PrevSeq: prev, MessageID: messageID, ClientID: clientID,
		SenderID: bobID, Kind: chat.KindText, Body: body, At: at,
	}
}

func event(seq int64, kind chat.Kind, data string) *chat.Entry {
	return &chat.Entry{
		RoomID: roomID, Seq: seq, PrevSeq: seq - 1, MessageID: messageID, ClientID: clientID,
		SenderID: aliceID, Kind: kind, Data: json.RawMessage(data), At: at,
	}
}

func room() chat.RoomView {
	return chat.RoomView{
		Room: chat.Room{
			ID: roomID, Name: "Lunch", Topic: "Where and when", Visibility: chat.Private,
			CreatedAt: earlier, MemberCount: 12, Head: chat.Position{Seq: 120, ID: messageID},
		},
		Role: chat.RoleOwner, LastReadSeq: 118, UnreadCount: 2,
		LastEntry: text(120, 119, "At noon, then."),
	}
}

func lobby() chat.RoomView {
	return chat.RoomView{
		Room: chat.Room{
			ID: lobbyID, Name: "Lobby", Visibility: chat.Public,
			CreatedAt: earlier, MemberCount: 1, Head: chat.Position{Seq: 1, ID: messageID},
		},
		Role: chat.RoleMember, LastReadSeq: 1,
	}
}

func starts() map[string]*wire.Frame {
	welcome := func(rooms []chat.RoomView, next string) *wire.Frame {
		return wire.EncodeWelcome(wire.Welcome{
			ConnectionID: "0198f6b3-0000-7000-8000-00000000c011", Epoch: epochID, User: wire.FromUser(alice),
			ServerTime: wire.Time{Time: at}, PingInterval: 25_000, Rooms: wire.FromRooms(rooms), RoomsNext: next,
		})
	}
	return map[string]*wire.Frame{
		"welcome":               welcome([]chat.RoomView{room(), lobby()}, ""),
		"welcome_no_rooms":      welcome(nil, ""),
		"welcome_more_rooms":    welcome([]chat.RoomView{room()}, "b3BhcXVl"),
		"resumed":               wire.Resumed(roomID, true, 120),
		"resumed_not_recovered": wire.Resumed(roomID, false, 120),
		"push_ping":             wire.Ping(),
		"reconnect":             wire.Reconnect(20 * time.Second),
	}
}

func entries() map[string]*wire.Frame {
	made := event(1, chat.KindMemberJoined, `{"user_id":"`+aliceID+`","via":"create"}`)
	bare := text(122, 121, "Sent by a server that knows no client.")
	bare.ClientID = ""
	out := map[string]*chat.Entry{
		"entry_first":                made,
		"entry_text":                 text(120, 119, "At noon, then."),
		"entry_text_after_a_skip":    text(130, 120, "The numbers between were never used."),
		"entry_text_signs":           text(121, 120, "<b>\"a\" & 'b'</b> \\ \n\ttwo lines\u2028three 👩‍👧 é ű 漢 שלום"),
		"entry_text_no_client_id":    bare,
		"entry_member_joined_join":   event(2, chat.KindMemberJoined, `{"user_id":"`+bobID+`","via":"join"}`),
		"entry_member_joined_invite": event(3, chat.KindMemberJoined, `{"user_id":"`+carolID+`","by":"`+aliceID+`","via":"invite"}`),
		"entry_member_left":          event(4, chat.KindMemberLeft, `{"user_id":"`+aliceID+`"}`),
		"entry_member_removed":       event(5, chat.KindMemberLeft, `{"user_id":"`+bobID+`","by":"`+aliceID+`"}`),
		"entry_role_changed":         event(6, chat.KindRoleChanged, `{"user_id":"`+bobID+`","role":"admin","by":"`+aliceID+`"}`),
		"entry_room_changed":         event(7, chat.KindRoomChanged, `{"name":"Lunch at noon"}`),
		"entry_room_changed_all":     event(8, chat.KindRoomChanged, `{"name":"Lunch","topic":"","visibility":"public"}`),
		"entry_unknown_kind":         event(9, "confetti", `{"colour":"blue"}`),
	}
	frames := map[string]*wire.Frame{}
	for name, e := range out {
		frames[name] = wire.EncodeEntry(e)
	}
	return frames
}

func pushes() map[string]*wire.Frame {
	changed := room()
	changed.Name, changed.Topic, changed.Role = "Dinner", "", chat.RoleAdmin
	return map[string]*wire.Frame{
		"push_typing_on":  wire.Typing(roomID, bobID, true),
		"push_typing_off": wire.Typing(roomID, bobID, false),
		"push_read":       wire.Reads(roomID, []wire.Read{{UserID: aliceID, Seq: 120}, {UserID: bobID, Seq: 119}}),
		"push_presence_changes": wire.PresenceChanges(roomID, []chat.PresenceChange{
			{UserID: aliceID, State: chat.Online}, {UserID: bobID, State: chat.Away}, {UserID: carolID, State: chat.Offline},
		}),
		"push_presence_count":  wire.PresenceCount(roomID, 231),
		"room_added":           wire.RoomAdded(wire.FromRoom(room())),
		"room_updated":         wire.RoomUpdated(wire.FromRoom(changed)),
		"room_removed_left":    wire.RoomRemoved(roomID, wire.ReasonLeft),
		"room_removed_removed": wire.RoomRemoved(roomID, wire.ReasonRemoved),
		"room_removed_deleted": wire.RoomRemoved(roomID, wire.ReasonDeleted),
		"user_updated":         wire.UserUpdated(wire.FromUser(bob)),
	}
}

func replies() map[string]*wire.Frame {
	yes, no := true, false
	joined := wire.Joined{
		Room:    wire.FromRoom(room()),
		Entries: wire.FromEntries([]chat.Entry{*text(118, 117, "When?"), *text(120, 118, "At noon, then.")}),
		Users:   wire.FromUsers(everyone), HasMore: true,
		Presence: wire.Presence{States: map[string]chat.State{aliceID: chat.Online, bobID: chat.Away}},
		Reads:    []wire.Read{{UserID: aliceID, Seq: 118}, {UserID: bobID, Seq: 120}}, Typing: []string{carolID},
	}
	crowded := joined
	crowded.Room.MemberCount = 640
	crowded.Presence, crowded.Reads, crowded.Typing = wire.Presence{Online: 231}, []wire.Read{}, []string{}
	after := joined
	after.Entries, after.HasMore, after.Recovered = joined.Entries[1:], false, &yes
	lost := joined
	lost.Recovered = &no
	page := chat.Page{
		Entries: []chat.Entry{*event(1, chat.KindMemberJoined, `{"user_id":"`+aliceID+`","via":"create"}`), *text(2, 1, "Hello?")},
		Users:   []chat.User{alice, bob}, More: true,
	}
	return map[string]*wire.Frame{
		"reply_send":               wire.Sent(id, text(120, 119, "At noon, then.")),
		"reply_join":               wire.JoinedReply(id, joined),
		"reply_join_crowded":       wire.JoinedReply(id, crowded),
		"reply_join_after":         wire.JoinedReply(id, after),
		"reply_join_not_recovered": wire.JoinedReply(id, lost),
		"reply_history":            wire.HistoryReply(id, page),
		"reply_history_empty":      wire.HistoryReply(id, chat.Page{}),
		"reply_read":               wire.ReadReply(id, 120, 0),
		"reply_auth":               wire.AuthReply(id, at.Add(15*time.Minute)),
		"reply_empty":              wire.Done(id), // to typing, presence, ping
	}
}

func failures() map[string]*wire.Frame {
	limited := &chat.Error{Code: chat.CodeRateLimited, Message: "too many messages: slow down", RetryAfter: 1500 * time.Millisecond}
	return map[string]*wire.Frame{
		"error_bad_request":  wire.Failed(id, chat.Refuse(chat.CodeBadRequest, "room_id is missing or not an id")),
		"error_unknown_type": wire.Failed(id, chat.Refuse(chat.CodeUnknownType, "this server does not know a command of this type")),
		"error_not_found":    wire.Failed(id, chat.ErrNoRoom),
		"error_not_a_member": wire.Failed(id, chat.ErrNotAMember),
		"error_forbidden":    wire.Failed(id, chat.ErrForbidden),
		"error_too_long":     wire.Failed(id, chat.Refuse(chat.CodeTooLong, "body is too long")),
		"error_empty":        wire.Failed(id, chat.Refuse(chat.CodeEmpty, "body must not be empty")),
		"error_rate_limited": wire.Failed(id, limited),
		"error_unavailable":  wire.Failed(id, chat.Unavailable(2*time.Second)),
		"error_without_id":   wire.Failed(nil, chat.Refuse(chat.CodeBadRequest, "a command needs an id: a number of your choosing")),
	}
}
