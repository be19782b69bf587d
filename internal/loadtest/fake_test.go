//go:build linux

package loadtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"
)

// fakeChat speaks enough of protocol.md to be loaded, and does wrong what a test asks for.
type fakeChat struct {
	*httptest.Server
	noGuests   bool                        // guests_disabled
	refuse     atomic.Int32                // so many upgrades get 503
	pongs      atomic.Int32                // pongs received
	mangle     func(n int, e string) []any // what one chosen connection gets for its n-th entry; nil: the entry
	dropAfter  int                         // the chosen connection is cut with 1001 after so many entries
	denyEvery  int64                       // every so many sends are answered with an error
	ignoreFrom int64                       // sends from this number on are not answered
	sends      atomic.Int64

	mu      sync.Mutex
	rooms   map[string]*fakeRoom
	members map[string]string // token → room
	chosen  *fakeConn         // the first connection ever
	conns   sync.WaitGroup
}

type fakeRoom struct {
	entries []string
	byID    map[string]int // client_id → seq
	conns   map[*fakeConn]bool
}

type fakeConn struct {
	ws      *websocket.Conn
	entries int
	chosen  bool
}

// nothing is what mangle returns to have nothing sent.
var nothing = []any{}

func newFakeChat(t *testing.T) *fakeChat {
	f := &fakeChat{rooms: map[string]*fakeRoom{}, members: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/auth/register", f.enter)
	mux.HandleFunc("POST /api/v1/auth/guest", func(w http.ResponseWriter, r *http.Request) {
		if f.noGuests {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"code":"guests_disabled","status":403}`)
			return
		}
		f.enter(w, r)
	})
	mux.HandleFunc("POST /api/v1/rooms", f.create)
	mux.HandleFunc("POST /api/v1/rooms/{room}/join", f.join)
	mux.HandleFunc("POST /api/v1/rooms/{room}/messages", f.post)
	mux.HandleFunc("GET /api/v1/ws", f.connect)
	f.Server = httptest.NewServer(mux)
	t.Cleanup(func() { f.Close(); f.conns.Wait() })
	return f
}

func (f *fakeChat) enter(w http.ResponseWriter, _ *http.Request) {
	id := uuid.NewString()
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"user":{"id":"%s"},"access_token":"token-%s"}`, id, id)
}

func (f *fakeChat) create(w http.ResponseWriter, _ *http.Request) {
	id := uuid.NewString()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rooms[id] = &fakeRoom{byID: map[string]int{}, conns: map[*fakeConn]bool{}}
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"id":"%s"}`, id)
}

func (f *fakeChat) join(_ http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.members[r.Header.Get("Authorization")] = r.PathValue("room")
	f.append(r.PathValue("room"), "", "")
}

func (f *fakeChat) post(w http.ResponseWriter, r *http.Request) {
	var in struct {
		ClientID string `json:"client_id"`
		Body     string
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.append(r.PathValue("room"), in.ClientID, in.Body)
	w.WriteHeader(http.StatusCreated)
}

// append commits and delivers one entry. The numbers go up by two, so that every entry names its predecessor.
func (f *fakeChat) append(roomID, clientID, body string) int {
	room := f.rooms[roomID]
	if seq, known := room.byID[clientID]; known && clientID != "" {
		return seq
	}
	seq := 2*len(room.entries) + 2
	kind := "text"
	if body == "" {
		kind = "member_joined"
	}
	entry := fmt.Sprintf(`{"type":"entry","room_id":"%s","seq":%d,"prev_seq":%d,"kind":"%s","message_id":"m%d","body":"%s"}`,
		roomID, seq, seq-2, kind, seq, body)
	room.entries = append(room.entries, entry)
	room.byID[clientID] = seq
	for c := range room.conns {
		f.deliver(c, entry)
	}
	return seq
}

func (f *fakeChat) deliver(c *fakeConn, entry string) {
	c.entries++
	frames := []any{entry}
	if c.chosen && f.mangle != nil {
		if wrong := f.mangle(c.entries, entry); wrong != nil {
			frames = wrong
		}
	}
	for _, frame := range frames {
		c.write(frame.(string))
	}
	if c.chosen && f.dropAfter > 0 && c.entries == f.dropAfter {
		deadline := time.Now().Add(time.Second)
		_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1001, ""), deadline)
		_ = c.ws.Close()
	}
}

func (c *fakeConn) write(text string) {
	// A client that has gone is noticed by the reader.
	_ = c.ws.WriteMessage(websocket.TextMessage, []byte(text))
}

func (f *fakeChat) connect(w http.ResponseWriter, r *http.Request) {
	if f.refuse.Add(-1) >= 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"code":"unavailable","retry_after_ms":10}`)
		return
	}
	f.mu.Lock()
	roomID, known := f.members[r.Header.Get("Authorization")]
	f.mu.Unlock()
	if !known {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	// The small buffer makes gorilla write long messages as fragments.
	upgrader := websocket.Upgrader{Subprotocols: []string{"gochat.v1"}, WriteBufferSize: 300}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	f.conns.Add(1)
	defer f.conns.Done()
	defer ws.Close()
	c := &fakeConn{ws: ws}
	f.welcome(c, roomID, r)
	for {
		_, text, err := ws.ReadMessage()
		if err != nil {
			break
		}
		f.command(c, roomID, text)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.rooms[roomID].conns, c)
}

func (f *fakeChat) welcome(c *fakeConn, roomID string, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	room := f.rooms[roomID]
	if f.chosen == nil {
		f.chosen, c.chosen = c, true
	}
	text := fmt.Sprintf(`{"type":"welcome","epoch":"e 1","rooms":[{"id":"other"},{"id":"%s","head_seq":%d,"last_entry":{"type":"entry","seq":1}}]}`,
		roomID, 2*len(room.entries))
	if position := r.URL.Query().Get("last_received_seq"); position != "" {
		parts := strings.Split(position, ":")
		last, err := strconv.Atoi(parts[1])
		recovered := err == nil && parts[0] == roomID && (len(parts) == 2 || parts[2] == "m"+parts[1]) && r.URL.Query().Get("epoch") == "e 1"
		for _, missed := range room.entries[last/2:] {
			text += "\n" + missed
		}
		text += fmt.Sprintf("\n{\"type\":\"resumed\",\"room_id\":\"%s\",\"recovered\":%v}", roomID, recovered)
	}
	out, err := c.ws.NextWriter(websocket.TextMessage)
	if err != nil {
		return
	}
	_, _ = io.WriteString(out, text+"\n{\"type\":\"ping\"}")
	_ = out.Close()
	_ = c.ws.WriteControl(websocket.PingMessage, []byte("are you there"), time.Now().Add(time.Second))
	room.conns[c] = true
}

func (f *fakeChat) command(c *fakeConn, roomID string, text []byte) {
	var in struct {
		Type     string
		ID       int
		ClientID string `json:"client_id"`
		RoomID   string `json:"room_id"`
		Body     string
	}
	if json.Unmarshal(text, &in) != nil {
		return
	}
	if in.Type == "pong" {
		f.pongs.Add(1)
	}
	if in.Type != "send" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.sends.Add(1)
	if f.denyEvery > 0 && n%f.denyEvery == 0 {
		c.write(fmt.Sprintf(`{"type":"error","id":%d,"error":{"code":"rate_limited"}}`, in.ID))
		return
	}
	seq := f.append(roomID, in.ClientID, in.Body)
	if f.ignoreFrom == 0 || n < f.ignoreFrom {
		c.write(fmt.Sprintf(`{"type":"reply","id":%d,"room_id":"%s","seq":%d}`, in.ID, roomID, seq))
	}
}
