package httpapi

import (
	"context"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

// NewRoomBody is what a room is made of.
type NewRoomBody struct {
	Name       string          `json:"name" minLength:"1" maxLength:"80"`
	Topic      string          `json:"topic,omitempty" maxLength:"500"`
	Visibility chat.Visibility `json:"visibility"`
}

// RoomBody is what is changed about a room. What is left out stays.
type RoomBody struct {
	Name       *string          `json:"name,omitempty" minLength:"1" maxLength:"80"`
	Topic      *string          `json:"topic,omitempty" maxLength:"500"`
	Visibility *chat.Visibility `json:"visibility,omitempty"`
}

type (
	newRoomInput struct{ Body NewRoomBody }
	// RoomInput names the room. (Exported, as every struct here that is embedded: huma passes over unexported ones.)
	RoomInput struct {
		RoomID string `path:"room_id"`
	}
	changeRoomInput struct {
		RoomInput
		Body RoomBody
	}
	roomsInput struct {
		PageInput
		Query string `query:"query" maxLength:"80" doc:"What the name contains."`
	}
	roomOutput struct{ Body wire.Room }
)

func (a *API) roomRoutes() {
	text := []chat.Code{chat.CodeTooLong, chat.CodeEmpty}
	member := []chat.Code{chat.CodeNotAMember, chat.CodeForbidden}
	register(a, op{
		id: "create-room", method: "POST", path: "/rooms", tag: "rooms", summary: "Make a room; I am its owner", status: 201,
		refusals: append(text, chat.CodeForbidden),
	}, a.createRoom)
	register(a, op{id: "list-rooms", method: "GET", path: "/rooms", tag: "rooms", summary: "My rooms, the last active first"}, a.listRooms)
	register(a, op{
		id: "list-public-rooms", method: "GET", path: "/rooms/public", tag: "rooms", summary: "Rooms that anyone may join",
	}, a.listPublicRooms)
	register(a, op{
		id: "get-room", method: "GET", path: "/rooms/{room_id}", tag: "rooms", summary: "A room",
		refusals: []chat.Code{chat.CodeNotFound},
	}, a.getRoom)
	register(a, op{
		id: "update-room", method: "PATCH", path: "/rooms/{room_id}", tag: "rooms",
		summary: "Change a room (admins and owners)", refusals: append(text, member...),
	}, a.updateRoom)
	register(a, op{
		id: "delete-room", method: "DELETE", path: "/rooms/{room_id}", tag: "rooms", summary: "End a room (owners)", refusals: member,
	}, a.deleteRoom)
	register(a, op{
		id: "join-room", method: "POST", path: "/rooms/{room_id}/join", tag: "rooms", summary: "Become a member of a public room",
		refusals: []chat.Code{chat.CodeInviteRequired},
	}, a.joinRoom)
	register(a, op{
		id: "leave-room", method: "POST", path: "/rooms/{room_id}/leave", tag: "rooms", summary: "Leave a room",
		refusals: []chat.Code{chat.CodeNotAMember, chat.CodeLastOwner},
	}, a.leaveRoom)
}

func checkRoom(name, topic *string) error {
	if name != nil {
		if err := chat.CheckText("name", *name, 1, chat.MaxRoomName); err != nil {
			return err
		}
	}
	if topic != nil {
		return chat.CheckText("topic", *topic, 0, chat.MaxTopic)
	}
	return nil
}

func (a *API) createRoom(ctx context.Context, in *newRoomInput) (*roomOutput, error) {
	if err := checkRoom(&in.Body.Name, &in.Body.Topic); err != nil {
		return nil, err
	}
	d := a.draft(ctx, chat.NewID(), chat.KindMemberJoined)
	d.Create = &chat.NewRoom{Name: in.Body.Name, Topic: in.Body.Topic, Visibility: in.Body.Visibility}
	return a.commit(ctx, d)
}

// draft begins a draft of the caller's.
func (a *API) draft(ctx context.Context, roomID string, kind chat.Kind) chat.Draft {
	return chat.Draft{RoomID: roomID, SenderID: caller(ctx).UserID, Kind: kind, At: time.Now()}
}

// commit has a draft committed, and answers with the room as it is then.
func (a *API) commit(ctx context.Context, d chat.Draft) (*roomOutput, error) {
	if _, err := a.relay.Do(ctx, d); done(err) != nil {
		return nil, err
	}
	return a.room(ctx, d.RoomID)
}

func (a *API) room(ctx context.Context, roomID string) (*roomOutput, error) {
	view, err := a.store.Room(ctx, roomID, caller(ctx).UserID)
	if err != nil {
		return nil, err
	}
	return &roomOutput{wire.FromRoom(view)}, nil
}

func (a *API) listRooms(ctx context.Context, in *PageInput) (*pageOutput[wire.Room], error) {
	rooms, next, err := a.store.RoomsOf(ctx, caller(ctx).UserID, in.paging())
	if err != nil {
		return nil, err
	}
	return page(wire.FromRooms(rooms), next), nil
}

func (a *API) listPublicRooms(ctx context.Context, in *roomsInput) (*pageOutput[wire.Room], error) {
	rooms, next, err := a.store.PublicRooms(ctx, caller(ctx).UserID, in.Query, in.paging())
	if err != nil {
		return nil, err
	}
	return page(wire.FromRooms(rooms), next), nil
}

func (a *API) getRoom(ctx context.Context, in *RoomInput) (*roomOutput, error) {
	return a.room(ctx, in.RoomID)
}

// updateRoom commits what is different only, so that nothing is told that did not happen.
func (a *API) updateRoom(ctx context.Context, in *changeRoomInput) (*roomOutput, error) {
	if err := checkRoom(in.Body.Name, in.Body.Topic); err != nil {
		return nil, err
	}
	view, err := a.store.Room(ctx, in.RoomID, caller(ctx).UserID)
	switch {
	case err != nil:
		return nil, chat.MembersOnly(err)
	case view.Role == "":
		return nil, chat.ErrNotAMember
	case !view.Role.Above(chat.RoleMember):
		return nil, chat.ErrForbidden
	}
	d := a.draft(ctx, in.RoomID, chat.KindRoomChanged)
	d.Change = &chat.RoomChanged{
		Name:       differs(in.Body.Name, view.Name),
		Topic:      differs(in.Body.Topic, view.Topic),
		Visibility: differs(in.Body.Visibility, view.Visibility),
	}
	if *d.Change == (chat.RoomChanged{}) {
		return &roomOutput{wire.FromRoom(view)}, nil
	}
	return a.commit(ctx, d)
}

// differs is what is asked for, where that is something else than what is.
func differs[T comparable](asked *T, is T) *T {
	if asked == nil || *asked == is {
		return nil
	}
	return asked
}

func (a *API) deleteRoom(ctx context.Context, in *RoomInput) (*nothing, error) {
	members, err := a.store.DeleteRoom(ctx, in.RoomID, caller(ctx).UserID)
	if err != nil {
		return nil, err
	}
	for _, userID := range members {
		a.relay.Notify(ctx, chat.UserNotice{UserID: userID, Kind: chat.RoomsChanged})
	}
	return nil, nil
}

func (a *API) joinRoom(ctx context.Context, in *RoomInput) (*roomOutput, error) {
	d := a.draft(ctx, in.RoomID, chat.KindMemberJoined)
	d.Join = &chat.Joining{}
	return a.commit(ctx, d)
}

func (a *API) leaveRoom(ctx context.Context, in *RoomInput) (*nothing, error) {
	d := a.draft(ctx, in.RoomID, chat.KindMemberLeft)
	d.Leave = &chat.MemberLeft{UserID: d.SenderID}
	_, err := a.relay.Do(ctx, d)
	return nil, err
}
