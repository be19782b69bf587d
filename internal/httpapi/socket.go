package httpapi

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/session"
)

// The names by which a client offers the protocol and, where it can't set a header, its token.
const (
	subprotocol  = "gochat.v1"
	bearerPrefix = "gochat.bearer."
)

const (
	maxResumes   = 50 // rooms in last_received_seq; proxies cut long URLs
	closeWithin  = 2 * time.Second
	handshakeFor = 10 * time.Second
)

// Socket is the WebSocket route: it settles who connects, and whether they may, before the upgrade, and hands the
// upgraded connection to the session server. The handler returns then, so that its goroutine and buffers go.
type Socket struct {
	Sessions *session.Server
	// Verify says whose an access token is, or refuses it with an *chat.Error.
	Verify func(token string) (session.Identity, error)
}

var upgrader = websocket.Upgrader{
	HandshakeTimeout: handshakeFor,
	ReadBufferSize:   1, // the least there is: only the handshake is done here
	WriteBufferSize:  1,
	Subprotocols:     []string{subprotocol},
	CheckOrigin:      func(*http.Request) bool { return true }, // ServeHTTP has looked
}

// ServeHTTP implements http.Handler.
func (s *Socket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !websocket.IsWebSocketUpgrade(r) {
		w.Header().Set("Upgrade", "websocket")
		problem(http.StatusUpgradeRequired, chat.CodeBadRequest, "this is a WebSocket: connect with an Upgrade").write(w)
		return
	}
	visit := visitOf(r.Context())
	if !visit.origin {
		WriteProblem(w, r, chat.Refuse(chat.CodeForbidden, "pages of this origin may not connect"))
		return
	}
	who, err := s.Verify(BearerToken(r))
	if err != nil {
		WriteProblem(w, r, err)
		return
	}
	if other := otherVersion(r); other != "" {
		refuseVersion(w, r, other)
		return
	}
	hello := session.Hello{Identity: who, Epoch: r.URL.Query().Get("epoch"), RequestID: visit.id}
	if hello.Resume, err = parseResumes(r.URL.Query()["last_received_seq"]); err != nil {
		WriteProblem(w, r, err)
		return
	}
	pending, err := s.Sessions.Open(r.Context(), hello)
	if err != nil {
		WriteProblem(w, r, err)
		return
	}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil { // answered already
		pending.Abort()
		return
	}
	pending.Start(session.NewWebSocket(conn.NetConn()))
}

// otherVersion is what a client offers to speak instead of this version of the protocol; empty where it offers this one,
// or none at all.
func otherVersion(r *http.Request) string {
	other := ""
	for _, p := range websocket.Subprotocols(r) {
		if p == subprotocol {
			return ""
		}
		if other == "" && !strings.HasPrefix(p, bearerPrefix) {
			other = p
		}
	}
	return other
}

// refuseVersion upgrades only to close with a code that a browser can see. It has to agree to what the client offers: a
// browser fails a connection that does not, without a word of why.
func refuseVersion(w http.ResponseWriter, r *http.Request, offered string) {
	agree := upgrader
	agree.Subprotocols = []string{offered}
	conn, err := agree.Upgrade(w, r, nil)
	if err != nil { // answered already
		return
	}
	defer func() { _ = conn.Close() }() // the connection is over either way
	reason := websocket.FormatCloseMessage(session.CloseVersion, "this server speaks "+subprotocol)
	if err := conn.WriteControl(websocket.CloseMessage, reason, time.Now().Add(closeWithin)); err != nil {
		visitOf(r.Context()).log.Debug("closing a connection of another version", "err", err)
	}
}

// parseResumes reads room:seq[:message_id] of each room that a client names.
func parseResumes(values []string) ([]session.Resume, error) {
	if len(values) > maxResumes {
		return nil, chat.Refuse(chat.CodeBadRequest, "last_received_seq names more than 50 rooms: resume the rest with join")
	}
	resumes := make([]session.Resume, 0, len(values))
	for _, v := range values {
		room, rest, _ := strings.Cut(v, ":")
		number, id, _ := strings.Cut(rest, ":")
		seq, err := strconv.ParseInt(number, 10, 64)
		if err != nil || seq < 0 || room == "" || len(room) > 64 || len(id) > 64 {
			return nil, chat.Refuse(chat.CodeBadRequest, "last_received_seq must be room_id:seq:message_id")
		}
		resumes = append(resumes, session.Resume{RoomID: room, At: chat.Position{Seq: seq, ID: id}})
	}
	return resumes, nil
}
