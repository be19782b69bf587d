package httpapi

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

// Session is one place where somebody is logged in.
type Session struct {
	ID         string    `json:"id"`
	CreatedAt  wire.Time `json:"created_at"`
	LastSeenAt wire.Time `json:"last_seen_at"`
	UserAgent  string    `json:"user_agent"`
	Current    bool      `json:"current" doc:"The one that asks."`
}

type sessionInput struct {
	ID string `path:"id"`
}

func (a *API) sessionRoutes() {
	register(a, op{
		id: "list-sessions", method: "GET", path: "/auth/sessions", tag: "auth", summary: "Where I am logged in, the last seen first",
	}, a.listSessions)
	register(a, op{
		id: "revoke-session", method: "DELETE", path: "/auth/sessions/{id}", tag: "auth", summary: "Log out there; its sockets are closed",
		refusals: []chat.Code{chat.CodeNotFound},
	}, a.revokeSession)
}

func (a *API) listSessions(ctx context.Context, in *PageInput) (*pageOutput[Session], error) {
	who := caller(ctx)
	all, err := a.auth.Sessions(ctx, who.UserID)
	if err != nil {
		return nil, err
	}
	after, err := parseSessionCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	items, next := make([]Session, 0, in.Limit), ""
	for _, s := range all {
		if compareSessions(s, after) <= 0 && in.Cursor != "" {
			continue
		}
		if len(items) == in.Limit {
			next = sessionCursor(after)
			break
		}
		after = s
		items = append(items, Session{
			ID: s.ID, CreatedAt: wire.Time{Time: s.CreatedAt}, LastSeenAt: wire.Time{Time: s.LastSeenAt},
			UserAgent: s.UserAgent, Current: s.ID == who.SessionID,
		})
	}
	return page(items, next), nil
}

// compareSessions sorts sessions as the store lists them: the last seen first.
func compareSessions(a, b chat.Session) int {
	if c := b.LastSeenAt.Compare(a.LastSeenAt); c != 0 {
		return c
	}
	return strings.Compare(b.ID, a.ID)
}

// sessionCursor is the place after a session in the list. A session seen meanwhile moves to its start, where it
// was listed already.
func sessionCursor(s chat.Session) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d:%s", s.LastSeenAt.UnixMilli(), s.ID))
}

func parseSessionCursor(cursor string) (chat.Session, error) {
	if cursor == "" {
		return chat.Session{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	var at int64
	var s chat.Session
	if err == nil {
		_, err = fmt.Sscanf(string(b), "%d:%s", &at, &s.ID)
	}
	s.LastSeenAt = time.UnixMilli(at)
	if err != nil || sessionCursor(s) != cursor {
		return chat.Session{}, chat.Refuse(chat.CodeBadRequest, "this cursor is not one that was given out here")
	}
	return s, nil
}

func (a *API) revokeSession(ctx context.Context, in *sessionInput) (*nothing, error) {
	return nil, a.auth.Revoke(ctx, caller(ctx).UserID, in.ID)
}
