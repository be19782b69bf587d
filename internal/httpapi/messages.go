package httpapi

import (
	"context"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

// MessageBody is a message to send. A resend with the same client_id returns the first number (SEQ2).
type MessageBody struct {
	ClientID string `json:"client_id,omitempty" doc:"A UUID of the client's choosing; made by the server if left out."`
	Body     string `json:"body" minLength:"1" maxLength:"8000"`
}

// Sent is where a message stands: it is committed (SEQ3).
type Sent struct {
	RoomID    string    `json:"room_id"`
	Seq       int64     `json:"seq"`
	MessageID string    `json:"message_id"`
	At        wire.Time `json:"at"`
}

// History is a page of a room's log, ascending by number.
type History struct {
	Items   []wire.Entry `json:"items"`
	Users   []wire.User  `json:"users" doc:"Everyone named in the entries."`
	HasMore bool         `json:"has_more" doc:"There is more in the direction asked for (around and latest: before)."`
}

// ReadBody is how far somebody has read.
type ReadBody struct {
	Seq int64 `json:"seq" minimum:"0"`
}

type (
	historyInput struct {
		RoomInput
		Before optional[int64] `query:"before_seq" minimum:"1" doc:"Entries before this number."`
		After  optional[int64] `query:"after_seq" minimum:"0" doc:"Entries after this number."`
		Around optional[int64] `query:"around_seq" minimum:"1" doc:"Entries on both sides of this number."`
		Limit  int             `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many entries at most."`
	}
	sendInput struct {
		RoomInput
		Body MessageBody
	}
	readInput struct {
		RoomInput
		Body ReadBody
	}
	historyOutput struct{ Body History }
	sentOutput    struct{ Body Sent }
)

func (a *API) messageRoutes() {
	member := []chat.Code{chat.CodeNotAMember}
	register(a, op{
		id: "list-messages", method: "GET", path: "/rooms/{room_id}/messages", tag: "messages",
		summary: "A page of the room's history: the latest, or before, after or around a number", refusals: member,
	}, a.listMessages)
	register(a, op{
		id: "send-message", method: "POST", path: "/rooms/{room_id}/messages", tag: "messages", summary: "Send a message", status: 201,
		refusals: append(member, chat.CodeTooLong, chat.CodeEmpty, chat.CodeRateLimited),
	}, a.sendMessage)
	register(a, op{
		id: "mark-read", method: "POST", path: "/rooms/{room_id}/read", tag: "messages", summary: "Say how far I have read", refusals: member,
	}, a.markRead)
}

func (a *API) listMessages(ctx context.Context, in *historyInput) (*historyOutput, error) {
	given := 0
	for _, set := range []bool{in.Before.Set, in.After.Set, in.Around.Set} {
		if set {
			given++
		}
	}
	if given > 1 {
		return nil, chat.Refuse(chat.CodeBadRequest, "give one of before_seq, after_seq and around_seq")
	}
	p, err := a.store.Page(ctx, in.RoomID, caller(ctx).UserID, chat.PageQuery{
		Before: in.Before.Value, After: in.After.Value, Around: in.Around.Value, Limit: in.Limit,
		FromStart: in.After.Set && in.After.Value == 0,
	})
	if err != nil {
		return nil, err
	}
	return &historyOutput{History{Items: wire.FromEntries(p.Entries), Users: wire.FromUsers(p.Users), HasMore: p.More}}, nil
}

func (a *API) sendMessage(ctx context.Context, in *sendInput) (*sentOutput, error) {
	d := a.draft(ctx, in.RoomID, chat.KindText)
	d.ClientID, d.Body = in.Body.ClientID, in.Body.Body
	if err := d.CheckText(); err != nil {
		return nil, err
	}
	entry, err := a.relay.Do(ctx, d)
	if err != nil {
		return nil, err
	}
	return &sentOutput{Sent{RoomID: entry.RoomID, Seq: entry.Seq, MessageID: entry.MessageID, At: wire.Time{Time: entry.At}}}, nil
}

func (a *API) markRead(ctx context.Context, in *readInput) (*nothing, error) {
	_, _, err := a.relay.Read(ctx, in.RoomID, caller(ctx).UserID, in.Body.Seq)
	return nil, err
}
