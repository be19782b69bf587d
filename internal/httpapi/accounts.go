package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gochat-dev/gochat/internal/auth"
	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

// The names of the cookie with the refresh token. That of pages of another origin is another cookie: with other rules for
// the browser, so that both might be there at once, and one of them stale.
const (
	refreshCookie = "gochat_refresh"
	foreignCookie = "gochat_refresh_foreign"
)

// RegisterBody is what somebody registers with.
type RegisterBody struct {
	Username    string `json:"username" minLength:"3" maxLength:"32" pattern:"^[a-z0-9_.-]+$" patternDescription:"of a-z, 0-9, _ . -"`
	Password    string `json:"password" minLength:"10" maxLength:"1000"`
	DisplayName string `json:"display_name,omitempty" maxLength:"80" doc:"The user name, if left out."`
	InviteCode  string `json:"invite_code,omitempty" maxLength:"100" doc:"Joins the invite's room at once. Needed where registration is by invite."`
}

// LoginBody is what somebody logs in with.
type LoginBody struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// GuestBody is how a guest comes in.
type GuestBody struct {
	DisplayName string `json:"display_name" minLength:"1" maxLength:"80"`
	InviteCode  string `json:"invite_code,omitempty" maxLength:"100" doc:"Joins the invite's room at once."`
}

// Granted is what somebody gets who has logged in, beside the refresh cookie.
type Granted struct {
	User        wire.User `json:"user"`
	AccessToken string    `json:"access_token" doc:"A JWT, for Authorization: Bearer and the WebSocket."`
	TokenType   string    `json:"token_type" enum:"Bearer"`
	ExpiresIn   int64     `json:"expires_in" doc:"Seconds until the access token ends."`
}

type (
	registerInput struct{ Body RegisterBody }
	loginInput    struct{ Body LoginBody }
	guestInput    struct{ Body GuestBody }
	cookieInput   struct {
		Own     string `cookie:"gochat_refresh" doc:"The refresh token."`
		Foreign string `cookie:"gochat_refresh_foreign" doc:"The refresh token, to a page of another origin."`
	}
	grantOutput struct {
		SetCookie http.Cookie `header:"Set-Cookie"`
		Body      Granted
	}
	clearOutput struct {
		SetCookie http.Cookie `header:"Set-Cookie"`
	}
)

func (a *API) accountRoutes() {
	register(a, op{
		id: "register", method: "POST", path: "/auth/register", tag: "auth", summary: "Make an account and log in", status: 201, open: true,
		refusals: []chat.Code{
			chat.CodeUsernameTaken, chat.CodeRegistrationClosed, chat.CodeInviteInvalid, chat.CodeRateLimited, chat.CodeTooLong, chat.CodeEmpty,
		},
	}, a.register)
	register(a, op{
		id: "login", method: "POST", path: "/auth/login", tag: "auth", summary: "Log in", open: true,
		refusals: []chat.Code{chat.CodeBadCredentials, chat.CodeRateLimited},
	}, a.login)
	register(a, op{
		id: "guest", method: "POST", path: "/auth/guest", tag: "auth", summary: "Come in without an account", status: 201, open: true,
		refusals: []chat.Code{chat.CodeGuestsDisabled, chat.CodeInviteInvalid, chat.CodeRateLimited, chat.CodeTooLong, chat.CodeEmpty},
	}, a.guest)
	register(a, op{
		id: "refresh", method: "POST", path: "/auth/refresh", tag: "auth", summary: "Trade the refresh cookie for a new access token", open: true,
		refusals: []chat.Code{chat.CodeUnauthorized, chat.CodeSessionRevoked, chat.CodeForbidden},
	}, a.refresh)
	register(a, op{
		id: "logout", method: "POST", path: "/auth/logout", tag: "auth", summary: "End the session of the refresh cookie", open: true,
		refusals: []chat.Code{chat.CodeForbidden},
	}, a.logout)
}

func (a *API) register(ctx context.Context, in *registerInput) (*grantOutput, error) {
	grant, err := a.auth.Register(ctx, visitOf(ctx).visitor(), auth.SignUp{
		Username: in.Body.Username, Password: in.Body.Password, DisplayName: in.Body.DisplayName, InviteCode: in.Body.InviteCode,
	})
	return a.granted(ctx, grant, err)
}

func (a *API) login(ctx context.Context, in *loginInput) (*grantOutput, error) {
	grant, err := a.auth.Login(ctx, visitOf(ctx).visitor(), in.Body.Username, in.Body.Password)
	return a.granted(ctx, grant, err)
}

func (a *API) guest(ctx context.Context, in *guestInput) (*grantOutput, error) {
	grant, err := a.auth.Guest(ctx, visitOf(ctx).visitor(), in.Body.DisplayName, in.Body.InviteCode)
	return a.granted(ctx, grant, err)
}

var (
	errOrigin   = chat.Refuse(chat.CodeForbidden, "pages of this origin may not use this server")
	errNoCookie = chat.Refuse(chat.CodeUnauthorized, "there is no refresh cookie: log in")
)

// token is the refresh token that the page may use.
func (in *cookieInput) token(ctx context.Context) string {
	if visitOf(ctx).foreign {
		return in.Foreign
	}
	return in.Own
}

func (a *API) refresh(ctx context.Context, in *cookieInput) (*grantOutput, error) {
	if !visitOf(ctx).origin {
		return nil, errOrigin
	}
	token := in.token(ctx)
	if token == "" {
		return nil, errNoCookie
	}
	grant, err := a.auth.Refresh(ctx, token)
	if problemOf(err).Status == http.StatusUnauthorized {
		forget := a.cookie(ctx, "", -1)
		err = huma.ErrorWithHeaders(err, http.Header{"Set-Cookie": {forget.String()}})
	}
	return a.granted(ctx, grant, err)
}

func (a *API) logout(ctx context.Context, in *cookieInput) (*clearOutput, error) {
	if !visitOf(ctx).origin {
		return nil, errOrigin
	}
	if token := in.token(ctx); token != "" {
		if err := a.auth.Logout(ctx, token); err != nil {
			return nil, err
		}
	}
	return &clearOutput{SetCookie: a.cookie(ctx, "", -1)}, nil
}

func (a *API) granted(ctx context.Context, g auth.Grant, err error) (*grantOutput, error) {
	if err != nil {
		return nil, err
	}
	left := time.Until(g.AccessExpires).Round(time.Second)
	return &grantOutput{
		SetCookie: a.cookie(ctx, g.RefreshToken, int(a.auth.RefreshTTL().Seconds())),
		Body: Granted{
			User: wire.FromUser(g.User), AccessToken: g.AccessToken, TokenType: "Bearer", ExpiresIn: int64(left.Seconds()),
		},
	}, nil
}

// cookie makes the refresh cookie; maxAge is in seconds, and negative to have it forgotten. To a page of another site the
// browser brings it along only if it says SameSite=None, which needs https, and, where cookies of third parties are
// blocked, only if it is kept for that page alone. Whose page may use it is told by its Origin.
func (a *API) cookie(ctx context.Context, token string, maxAge int) http.Cookie {
	v := visitOf(ctx)
	//nolint:gosec // Secure is set wherever the client speaks https
	c := http.Cookie{
		Name: refreshCookie, Value: token, Path: Base + "/auth", MaxAge: maxAge,
		HttpOnly: true, Secure: v.https, SameSite: http.SameSiteLaxMode,
	}
	if v.foreign {
		c.Name = foreignCookie
		if v.https {
			c.SameSite, c.Partitioned = http.SameSiteNoneMode, true
		}
	}
	return c
}
