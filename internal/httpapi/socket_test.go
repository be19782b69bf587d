package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/gochat-dev/gochat/internal/httpapi"
	"github.com/gochat-dev/gochat/internal/session"
)

// Browsers and many libraries fail a connection that agrees to none of the subprotocols that they offered, before they
// see how it is closed.
func TestOtherVersionIsAgreedToAndClosed(t *testing.T) {
	s := newServer(t, serverConfig{websocket: &httpapi.Socket{
		Verify: func(string) (session.Identity, error) { return session.Identity{}, nil },
	}})
	server := httptest.NewServer(s.api.Public())
	defer server.Close()
	for offered, agreed := range map[string]string{
		"gochat.v2":                   "gochat.v2",
		"gochat.bearer.abc,gochat.v2": "gochat.v2",
		"chat,gochat.v3":              "chat",
	} {
		dialer := websocket.Dialer{Subprotocols: strings.Split(offered, ",")}
		conn, resp, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http")+"/api/v1/ws", http.Header{})
		if err != nil {
			t.Fatalf("%s: %v", offered, err)
		}
		_ = resp.Body.Close()
		_, _, err = conn.ReadMessage()
		if !websocket.IsCloseError(err, session.CloseVersion) || conn.Subprotocol() != agreed || !slices.Contains(dialer.Subprotocols, agreed) {
			t.Errorf("%s: agreed to %q, closed with %v", offered, conn.Subprotocol(), err)
		}
		_ = conn.Close()
	}
}
