package httpapi

import (
	"context"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

// RoleBody is a member's new role.
type RoleBody struct {
	Role chat.Role `json:"role"`
}

type (
	membersInput struct {
		RoomInput
		PageInput
		Presence string `query:"presence" enum:"online" doc:"Only who is here: online or away."`
	}
	// MemberInput names a member of a room.
	MemberInput struct {
		RoomInput
		UserID string `path:"user_id"`
	}
	roleInput struct {
		MemberInput
		Body RoleBody
	}
	memberOutput struct{ Body wire.Member }
)

func (a *API) memberRoutes() {
	other := []chat.Code{chat.CodeNotAMember, chat.CodeNotFound, chat.CodeForbidden, chat.CodeLastOwner}
	register(a, op{
		id: "list-members", method: "GET", path: "/rooms/{room_id}/members", tag: "members",
		summary: "Who is in a room, by role and name", refusals: []chat.Code{chat.CodeNotAMember},
	}, a.listMembers)
	register(a, op{
		id: "set-role", method: "PATCH", path: "/rooms/{room_id}/members/{user_id}", tag: "members",
		summary: "Change a member's role (owners)", refusals: other,
	}, a.setRole)
	register(a, op{
		id: "remove-member", method: "DELETE", path: "/rooms/{room_id}/members/{user_id}", tag: "members",
		summary: "Remove a member who stands below (admins and owners)", refusals: other,
	}, a.removeMember)
}

// searchPages bounds how much of a big room is looked through for one page of who is here.
const searchPages = 20

func (a *API) listMembers(ctx context.Context, in *membersInput) (*pageOutput[wire.Member], error) {
	items := make([]wire.Member, 0, in.Limit)
	p := in.paging()
	for range searchPages {
		p.Limit = in.Limit - len(items)
		members, next, err := a.store.Members(ctx, in.RoomID, caller(ctx).UserID, p)
		if err != nil {
			return nil, err
		}
		for _, m := range a.withPresence(ctx, members) {
			if in.Presence == "" || m.Presence != chat.Offline {
				items = append(items, m)
			}
		}
		p.Cursor = next
		// Half a page is enough: the last few of it would cost a query each.
		if next == "" || in.Presence == "" || len(items) > in.Limit/2 {
			break
		}
	}
	return page(items, p.Cursor), nil
}

func (a *API) withPresence(ctx context.Context, members []chat.Member) []wire.Member {
	ids := make([]string, 0, len(members))
	for _, m := range members {
		ids = append(ids, m.User.ID)
	}
	states := a.presence.States(ctx, ids)
	out := make([]wire.Member, 0, len(members))
	for _, m := range members {
		state, here := states[m.User.ID]
		if !here {
			state = chat.Offline
		}
		out = append(out, wire.Member{
			User: wire.FromUser(m.User), Role: m.Role, JoinedAt: wire.Time{Time: m.JoinedAt}, Presence: state,
		})
	}
	return out
}

func (a *API) setRole(ctx context.Context, in *roleInput) (*memberOutput, error) {
	d := a.draft(ctx, in.RoomID, chat.KindRoleChanged)
	d.Role = &chat.RoleChanged{UserID: in.UserID, Role: in.Body.Role, By: d.SenderID}
	if _, err := a.relay.Do(ctx, d); done(err) != nil {
		return nil, err
	}
	member, err := a.store.Member(ctx, in.RoomID, in.UserID)
	if err != nil {
		return nil, err
	}
	return &memberOutput{a.withPresence(ctx, []chat.Member{member})[0]}, nil
}

// removeMember removes another; oneself is leaving.
func (a *API) removeMember(ctx context.Context, in *MemberInput) (*nothing, error) {
	d := a.draft(ctx, in.RoomID, chat.KindMemberLeft)
	d.Leave = &chat.MemberLeft{UserID: in.UserID}
	if in.UserID != d.SenderID {
		d.Leave.By = d.SenderID
	}
	_, err := a.relay.Do(ctx, d)
	return nil, err
}
