package httpapi

import (
	"context"

	"github.com/gochat-dev/gochat/internal/auth"
)

// Instance is what somebody may know of the server before logging in: which ways in it has.
type Instance struct {
	Registration auth.Registration `json:"registration" enum:"open,invite,closed" doc:"Who may register: anyone, who has an invite code, nobody."`
	Guests       bool              `json:"guests" doc:"People may come in without an account."`
}

type instanceOutput struct{ Body Instance }

func (a *API) instanceRoutes() {
	register(a, op{
		id: "get-instance", method: "GET", path: "/instance", tag: "instance", summary: "Which ways in the server has", open: true,
	}, a.getInstance)
}

func (a *API) getInstance(context.Context, *nothing) (*instanceOutput, error) {
	return &instanceOutput{Instance{Registration: a.auth.Registration(), Guests: a.auth.Guests()}}, nil
}
