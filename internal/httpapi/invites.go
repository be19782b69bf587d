package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

const (
	defaultInviteLife = 7 * 24 * time.Hour
	maxInviteLife     = 10 * 365 * 24 * time.Hour
)

// InviteBody is how long and how often an invite can be used.
type InviteBody struct {
	ExpiresInS lifetime `json:"expires_in_s,omitzero" doc:"Seconds from now; 7 days if left out, never if null."`
	MaxUses    *int     `json:"max_uses,omitempty" nullable:"true" minimum:"1" maximum:"1000000" doc:"Any number, if left out or null."`
}

// lifetime is a number of seconds, null, or left out.
type lifetime struct {
	seconds int64
	null    bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *lifetime) UnmarshalJSON(b []byte) error {
	l.null = string(b) == "null"
	return json.Unmarshal(b, &l.seconds)
}

// Schema implements huma.SchemaProvider.
func (lifetime) Schema(huma.Registry) *huma.Schema {
	least, most := 1.0, maxInviteLife.Seconds()
	return &huma.Schema{Type: huma.TypeInteger, Format: "int64", Nullable: true, Minimum: &least, Maximum: &most}
}

// expiry is when an invite made now ends; zero: never.
func (l lifetime) expiry(now time.Time) time.Time {
	switch {
	case l.null:
		return time.Time{}
	case l.seconds == 0:
		return now.Add(defaultInviteLife)
	default:
		return now.Add(time.Duration(l.seconds) * time.Second)
	}
}

// Invite is a way into a room.
type Invite struct {
	Code      string    `json:"code"`
	URL       string    `json:"url" doc:"The page that shows the invite."`
	ExpiresAt wire.Time `json:"expires_at" nullable:"true" doc:"Null: never."`
	MaxUses   *int      `json:"max_uses" nullable:"true" doc:"Null: any number."`
	Uses      int       `json:"uses"`
}

// Preview is what somebody sees of a room before accepting.
type Preview struct {
	Room      PreviewRoom `json:"room"`
	InvitedBy PreviewUser `json:"invited_by"`
	ExpiresAt wire.Time   `json:"expires_at" nullable:"true" doc:"Null: never."`
}

// PreviewRoom is a room as somebody sees it who is not in it.
type PreviewRoom struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Topic       string          `json:"topic"`
	Visibility  chat.Visibility `json:"visibility"`
	MemberCount int             `json:"member_count"`
}

// PreviewUser is who invites.
type PreviewUser struct {
	ID          string `json:"id"`
	Username    string `json:"username"`
	DisplayName string `json:"display_name"`
	AvatarURL   string `json:"avatar_url,omitempty"`
}

type (
	newInviteInput struct {
		RoomInput
		Body *InviteBody
	}
	invitesInput struct {
		RoomInput
		PageInput
	}
	roomInviteInput struct {
		RoomInput
		Code string `path:"code"`
	}
	codeInput struct {
		Code string `path:"code"`
	}
	inviteOutput  struct{ Body Invite }
	previewOutput struct{ Body Preview }
)

func (a *API) inviteRoutes() {
	admin := []chat.Code{chat.CodeNotAMember, chat.CodeForbidden}
	register(a, op{
		id: "create-invite", method: "POST", path: "/rooms/{room_id}/invites", tag: "invites", status: 201,
		summary: "Make an invite link (admins and owners)", refusals: admin,
	}, a.createInvite)
	register(a, op{
		id: "list-invites", method: "GET", path: "/rooms/{room_id}/invites", tag: "invites",
		summary: "The room's invites that can be used, newest first (admins and owners)", refusals: admin,
	}, a.listInvites)
	register(a, op{
		id: "revoke-invite", method: "DELETE", path: "/rooms/{room_id}/invites/{code}", tag: "invites",
		summary: "End an invite (admins and owners)", refusals: append(admin, chat.CodeInviteInvalid),
	}, a.revokeInvite)
	register(a, op{
		id: "preview-invite", method: "GET", path: "/invites/{code}", tag: "invites", summary: "Where an invite leads", open: true,
		refusals: []chat.Code{chat.CodeInviteInvalid},
	}, a.previewInvite)
	register(a, op{
		id: "accept-invite", method: "POST", path: "/invites/{code}/accept", tag: "invites", summary: "Become a member of the invite's room",
		refusals: []chat.Code{chat.CodeInviteInvalid},
	}, a.acceptInvite)
}

func (a *API) createInvite(ctx context.Context, in *newInviteInput) (*inviteOutput, error) {
	if in.Body == nil {
		in.Body = &InviteBody{}
	}
	now := time.Now()
	invite := chat.Invite{
		Code: rand.Text(), RoomID: in.RoomID, CreatedBy: caller(ctx).UserID,
		CreatedAt: now, ExpiresAt: in.Body.ExpiresInS.expiry(now),
	}
	if in.Body.MaxUses != nil {
		invite.MaxUses = *in.Body.MaxUses
	}
	if err := a.store.CreateInvite(ctx, invite); err != nil {
		return nil, err
	}
	return &inviteOutput{fromInvite(ctx, invite)}, nil
}

func fromInvite(ctx context.Context, i chat.Invite) Invite {
	out := Invite{
		Code: i.Code, URL: visitOf(ctx).baseURL + "/invite/" + i.Code, ExpiresAt: wire.Time{Time: i.ExpiresAt}, Uses: i.Uses,
	}
	if i.MaxUses > 0 {
		out.MaxUses = &i.MaxUses
	}
	return out
}

func (a *API) listInvites(ctx context.Context, in *invitesInput) (*pageOutput[Invite], error) {
	invites, next, err := a.store.Invites(ctx, in.RoomID, caller(ctx).UserID, in.paging())
	if err != nil {
		return nil, err
	}
	items := make([]Invite, 0, len(invites))
	for _, i := range invites {
		items = append(items, fromInvite(ctx, i))
	}
	return page(items, next), nil
}

func (a *API) revokeInvite(ctx context.Context, in *roomInviteInput) (*nothing, error) {
	return nil, a.store.RevokeInvite(ctx, in.RoomID, caller(ctx).UserID, in.Code)
}

func (a *API) previewInvite(ctx context.Context, in *codeInput) (*previewOutput, error) {
	p, err := a.store.Preview(ctx, in.Code, time.Now())
	if err != nil {
		return nil, err
	}
	return &previewOutput{Preview{
		Room: PreviewRoom{
			ID: p.Room.ID, Name: p.Room.Name, Topic: p.Room.Topic, Visibility: p.Room.Visibility, MemberCount: p.Room.MemberCount,
		},
		InvitedBy: PreviewUser{
			ID: p.Inviter.ID, Username: p.Inviter.Username, DisplayName: p.Inviter.DisplayName, AvatarURL: p.Inviter.AvatarURL,
		},
		ExpiresAt: wire.Time{Time: p.Invite.ExpiresAt},
	}}, nil
}

func (a *API) acceptInvite(ctx context.Context, in *codeInput) (*roomOutput, error) {
	p, err := a.store.Preview(ctx, in.Code, time.Now())
	if err != nil {
		return nil, err
	}
	d := a.draft(ctx, p.Room.ID, chat.KindMemberJoined)
	d.Join = &chat.Joining{Code: in.Code}
	return a.commit(ctx, d)
}
