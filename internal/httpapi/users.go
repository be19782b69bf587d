package httpapi

import (
	"context"
	"net/url"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

const maxAvatarURL = 500

// ProfileBody is what somebody changes about themselves. What is left out stays.
type ProfileBody struct {
	DisplayName *string `json:"display_name,omitempty" minLength:"1" maxLength:"80"`
	AvatarURL   *string `json:"avatar_url,omitempty" maxLength:"500" doc:"An https URL of a picture; empty for none."`
}

// PasswordBody is a change of password.
type PasswordBody struct {
	CurrentPassword string `json:"current_password"`
	NewPassword     string `json:"new_password" minLength:"10" maxLength:"1000"`
}

type (
	userOutput    struct{ Body wire.User }
	profileInput  struct{ Body ProfileBody }
	passwordInput struct{ Body PasswordBody }
	usersInput    struct {
		PageInput
		Query string   `query:"query" maxLength:"80" doc:"What the user name or the display name starts with."`
		IDs   []string `query:"ids" maxItems:"200" doc:"These users, in this order. Who does not exist is left out."`
		byID  bool     // ids is there, and may be empty: nobody is asked for then
	}
)

// Resolve implements huma.Resolver: the library takes an empty parameter for none.
func (in *usersInput) Resolve(ctx huma.Context) []error {
	u := ctx.URL()
	in.byID = u.Query().Has("ids")
	return nil
}

func (a *API) userRoutes() {
	register(a, op{id: "get-me", method: "GET", path: "/users/me", tag: "users", summary: "Who I am"}, a.getMe)
	register(a, op{
		id: "update-me", method: "PATCH", path: "/users/me", tag: "users", summary: "Change my name or picture",
		refusals: []chat.Code{chat.CodeTooLong, chat.CodeEmpty},
	}, a.updateMe)
	register(a, op{
		id: "change-password", method: "PUT", path: "/users/me/password", tag: "users",
		summary:  "Change my password; all my other sessions end",
		refusals: []chat.Code{chat.CodeBadCredentials, chat.CodeForbidden, chat.CodeRateLimited, chat.CodeTooLong, chat.CodeEmpty},
	}, a.changePassword)
	register(a, op{id: "list-users", method: "GET", path: "/users", tag: "users", summary: "Find people by name, or by id"}, a.listUsers)
}

func (a *API) me(ctx context.Context) (chat.User, error) {
	users, err := a.store.Users(ctx, []string{caller(ctx).UserID})
	if err != nil {
		return chat.User{}, err
	}
	if len(users) == 0 {
		return chat.User{}, chat.ErrRevoked
	}
	return users[0], nil
}

func (a *API) getMe(ctx context.Context, _ *nothing) (*userOutput, error) {
	user, err := a.me(ctx)
	return &userOutput{wire.FromUser(user)}, err
}

func (a *API) updateMe(ctx context.Context, in *profileInput) (*userOutput, error) {
	user, err := a.me(ctx)
	if err != nil {
		return nil, err
	}
	was := user
	if name := in.Body.DisplayName; name != nil {
		if err := chat.CheckText("display_name", *name, 1, chat.MaxName); err != nil {
			return nil, err
		}
		user.DisplayName = *name
	}
	if avatar := in.Body.AvatarURL; avatar != nil {
		if err := checkAvatar(*avatar); err != nil {
			return nil, err
		}
		user.AvatarURL = *avatar
	}
	if user != was {
		if err := a.store.UpdateUser(ctx, user); err != nil {
			return nil, err
		}
		a.relay.Notify(ctx, chat.UserNotice{UserID: user.ID, Kind: chat.ProfileChanged, Profile: &user})
	}
	return &userOutput{wire.FromUser(user)}, nil
}

func checkAvatar(avatar string) error {
	if err := chat.CheckText("avatar_url", avatar, 0, maxAvatarURL); err != nil || avatar == "" {
		return err
	}
	if u, err := url.Parse(avatar); err != nil || u.Scheme != "https" || u.Host == "" {
		return chat.Refuse(chat.CodeBadRequest, "avatar_url must be an https URL, or empty")
	}
	return nil
}

func (a *API) changePassword(ctx context.Context, in *passwordInput) (*nothing, error) {
	return nil, a.auth.ChangePassword(ctx, visitOf(ctx).visitor(), caller(ctx), in.Body.CurrentPassword, in.Body.NewPassword)
}

func (a *API) listUsers(ctx context.Context, in *usersInput) (*pageOutput[wire.User], error) {
	if in.byID {
		users, err := a.store.Users(ctx, in.IDs)
		if err != nil {
			return nil, err
		}
		return page(wire.FromUsers(inOrder(users, in.IDs)), ""), nil
	}
	users, next, err := a.store.SearchUsers(ctx, in.Query, in.paging())
	if err != nil {
		return nil, err
	}
	return page(wire.FromUsers(users), next), nil
}

// inOrder sorts users as their ids were asked for.
func inOrder(users []chat.User, ids []string) []chat.User {
	place := make(map[string]int, len(ids))
	for i, id := range slices.Backward(ids) { // of one named twice the first counts
		place[id] = i
	}
	slices.SortFunc(users, func(a, b chat.User) int { return place[a.ID] - place[b.ID] })
	return users
}
