package session_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/session"
)

// patience is how long a test over real sockets waits for what must come; it ends a test that would never end.
const patience = 20 * time.Second

// gate is the HTTP side of a node, as far as these tests need it: it upgrades whoever comes as one user.
type gate struct {
	*stage
	node *node
	url  string
	net  net.Listener
	http *http.Server
	wg   sync.WaitGroup
}

// serve starts a node behind a listener on loopback. sendBuffer is the size in bytes of the sockets' send buffers; 0: the system's.
func serve(t *testing.T, as func(s *stage) session.Hello, sendBuffer int, change ...func(*setup)) *gate {
	t.Helper()
	s := newStage(t, onSQLite(t))
	g := &gate{stage: s, node: s.node(change...)}
	hello := as(s)
	up := websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024}
	g.http = &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := g.node.Open(r.Context(), hello)
		if err != nil {
			t.Error(err)
			return
		}
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			p.Abort()
			t.Error(err)
			return
		}
		if tcp, ok := conn.NetConn().(*net.TCPConn); ok && sendBuffer > 0 {
			if err := tcp.SetWriteBuffer(sendBuffer); err != nil {
				t.Error(err)
			}
		}
		p.Start(session.NewWebSocket(conn.NetConn()))
	})}
	var err error
	g.net, err = net.Listen("tcp", "127.0.0.1:0")
	s.no(err)
	g.url = "ws://" + g.net.Addr().String()
	g.wg.Go(func() { _ = g.http.Serve(g.net) }) // it always ends with an error
	t.Cleanup(func() {
		s.no(g.http.Close())
		s.close()
		g.wg.Wait()
	})
	return g
}

// someone connects as a user in a room of their own.
func someone(s *stage) session.Hello {
	u := s.user()
	s.room(u)
	return u.hello()
}

func (g *gate) dial() *websocket.Conn {
	g.Helper()
	c, resp, err := websocket.DefaultDialer.Dial(g.url, nil)
	g.no(err)
	g.no(resp.Body.Close())
	g.no(c.SetReadDeadline(time.Now().Add(patience)))
	g.Cleanup(func() { _ = c.Close() }) // most tests have closed it
	if o := g.read(c)[0]; o.Type != "welcome" {
		g.Fatalf("the first object is %s", o.Type)
	}
	return c
}

// read reads one frame, of one or more objects.
func (g *gate) read(c *websocket.Conn) []object {
	g.Helper()
	kind, message, err := c.ReadMessage()
	g.no(err)
	if kind != websocket.TextMessage {
		g.Fatalf("a frame of kind %d", kind)
	}
	return g.objects(message)
}

func (g *gate) objects(message []byte) []object {
	g.Helper()
	var all []object
	for line := range bytes.SplitSeq(message, []byte("\n")) {
		var o object
		if err := json.Unmarshal(line, &o); err != nil {
			g.Fatalf("%v: %.200q", err, line)
		}
		all = append(all, o)
	}
	return all
}

func (g *gate) write(c *websocket.Conn, message string) {
	g.Helper()
	g.no(c.WriteMessage(websocket.TextMessage, []byte(message)))
}

// closed reads until the close frame and wants its code.
func (g *gate) closed(c *websocket.Conn, code int) {
	g.Helper()
	for {
		_, _, err := c.ReadMessage()
		if err == nil {
			continue
		}
		var end *websocket.CloseError
		if !errors.As(err, &end) || end.Code != code {
			g.Fatalf("ended with %v, want %d", err, code)
		}
		return
	}
}

func TestWebSocket(t *testing.T) {
	t.Run("commands and pushes go through", func(t *testing.T) {
		g := serve(t, someone, 0)
		c := g.dial()
		g.write(c, `{"type":"ping","id":1}`)
		if o := g.read(c)[0]; o.Type != "reply" || o.ID != 1 {
			t.Errorf("got %+v", o)
		}
		long := strings.Repeat("é", chat.MaxBody)
		g.write(c, fmt.Sprintf(`{"type":"send","id":2,"room_id":%q,"body":%q}`, g.roomOf(), long))
		var kinds []string
		for len(kinds) < 2 {
			for _, o := range g.read(c) {
				kinds = append(kinds, o.Type)
				if o.Type == "entry" && o.Body != long {
					t.Error("the body was changed")
				}
			}
		}
	})
	t.Run("a command in fragments is one command", func(t *testing.T) {
		g := serve(t, someone, 0)
		c := g.dial()
		w, err := c.NextWriter(websocket.TextMessage)
		g.no(err)
		for _, part := range []string{`{"type":`, strings.Repeat(" ", 8000), `"ping","id":1}`} {
			_, err := io.WriteString(w, part)
			g.no(err)
		}
		g.no(w.Close())
		if o := g.read(c)[0]; o.Type != "reply" {
			t.Errorf("got %+v", o)
		}
	})
	t.Run("a control ping is answered with its pong, amid everything else", func(t *testing.T) {
		g := serve(t, someone, 0)
		c := g.dial()
		pongs := make(map[string]bool)
		c.SetPongHandler(func(payload string) error { pongs[payload] = true; return nil })
		for i := range 20 {
			g.no(c.WriteControl(websocket.PingMessage, []byte(fmt.Sprint("ping ", i)), time.Now().Add(patience)))
			g.write(c, fmt.Sprintf(`{"type":"ping","id":%d}`, i))
		}
		for replies := 0; replies < 20; {
			replies += len(g.read(c))
		}
		g.no(c.WriteControl(websocket.PingMessage, []byte("last"), time.Now().Add(patience)))
		for !pongs["last"] { // a pong is read on the way to a message
			g.write(c, `{"type":"ping","id":99}`)
			g.read(c)
		}
	})
	t.Run("what is not of the contract is closed with a code", func(t *testing.T) {
		g := serve(t, someone, 0)
		for _, bad := range []struct {
			kind    int
			message string
			code    int
		}{
			{websocket.TextMessage, strings.Repeat(" ", 64<<10+1), 1009},
			{websocket.TextMessage, strings.Repeat("x", 10<<20), 1009},
			{websocket.BinaryMessage, `{"type":"ping","id":1}`, 4110},
			{websocket.TextMessage, "{\"type\":\"\xff\"}", 4110},
			{websocket.TextMessage, strings.Repeat("[", 60_000), 4110},
			{websocket.TextMessage, "", 4110},
		} {
			c := g.dial()
			_ = c.WriteMessage(bad.kind, []byte(bad.message)) // the server may close before it has read all of it
			g.closed(c, bad.code)
		}
		c := g.dial()
		g.write(c, `{"type":"ping","id":1}`+strings.Repeat(" ", 64<<10-22)) // exactly 64 KiB
		for replied := false; !replied; {                                   // pushes may come before it
			replied = slices.ContainsFunc(g.read(c), func(o object) bool { return o.Type == "reply" })
		}
	})
	t.Run("a close frame is answered, with its code or 1000", func(t *testing.T) {
		g := serve(t, someone, 0)
		for _, code := range []int{websocket.CloseNormalClosure, websocket.CloseGoingAway, 4321} {
			c := g.dial()
			g.no(c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(patience)))
			g.closed(c, code)
		}
		c := g.dial()
		g.no(c.WriteControl(websocket.CloseMessage, nil, time.Now().Add(patience)))
		g.closed(c, websocket.CloseNormalClosure)
	})
	t.Run("what was put before a close comes before it", func(t *testing.T) {
		g := serve(t, someone, 0)
		c := g.dial()
		g.write(c, "{\"type\":\"ping\",\"id\":1}\n{\"type\":\"ping\",\"id\":2}\nnonsense")
		for replies := 0; replies < 2; {
			replies += len(g.read(c))
		}
		g.closed(c, 4110)
	})
	t.Run("[HUB4] two goroutines per connection: the HTTP handler's ends at the upgrade", func(t *testing.T) {
		g := serve(t, someone, 0)
		conns := make([]*websocket.Conn, 20)
		for i := range conns {
			conns[i] = g.dial()
		}
		g.settle(len(conns))
		for _, c := range conns {
			g.no(c.Close())
		}
		g.settle(0)
	})
}

// settle waits until there are a reader and a writer for each of so many connections, and no goroutine of an HTTP handler:
// that one ends a moment after the client has its answer.
func (g *gate) settle(connections int) {
	g.Helper()
	want := [3]int{connections, connections, 0}
	deadline := time.Now().Add(patience)
	buf := make([]byte, 1<<20)
	for {
		stacks := string(buf[:runtime.Stack(buf, true)])
		got := [3]int{
			strings.Count(stacks, "session.(*Session).read("), strings.Count(stacks, "session.(*Session).write("),
			strings.Count(stacks, "http.(*conn).serve("),
		}
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			g.Fatalf("readers, writers and HTTP handlers: %v, want %v", got, want)
		}
		runtime.Gosched()
	}
}

func (g *gate) roomOf() string {
	g.Helper()
	rooms, _, err := g.db.PublicRooms(g.ctx, "", "", chat.Paging{Limit: 1})
	g.no(err)
	return rooms[0].ID
}

// TestStream reads what a server writes to a slow client byte by byte, through buffers so small that most frames are
// written in parts by those who put them in and by the writer.
func TestStream(t *testing.T) {
	const entries = 1500
	g := serve(t, someone, 4<<10, func(cfg *setup) { cfg.session.OutboxBytes = 64 << 20 })
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) {
			failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 2<<10)
		})
		return errors.Join(err, failed)
	}}
	conn, err := dialer.DialContext(t.Context(), "tcp", g.net.Addr().String())
	g.no(err)
	defer conn.Close()
	g.no(conn.SetDeadline(time.Now().Add(3 * patience)))
	_, err = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	g.no(err)
	in := bufio.NewReaderSize(conn, 256)
	resp, err := http.ReadResponse(in, nil)
	g.no(err)
	g.no(resp.Body.Close())

	_, welcome := g.frame(in)
	room := g.objects(welcome)[0].Rooms[0].ID
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { // texts of all sizes, as fast as they can be committed
		for i := range entries {
			u := user{id: g.owner(room)}
			if _, err := g.node.relay.Do(g.ctx, text(room, u, body(i))); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Go(func() { // and control pings in between
		for range entries / 10 {
			if _, err := conn.Write([]byte{0x89, 0x84, 0, 0, 0, 0, 'p', 'i', 'n', 'g'}); err != nil {
				t.Error(err)
			}
			runtime.Gosched()
		}
	})
	pongs := 0
	for seq := int64(2); seq < entries+2; {
		op, payload := g.frame(in)
		if op == websocket.PongMessage {
			if pongs++; string(payload) != "ping" {
				t.Fatalf("a pong with %q", payload)
			}
			continue
		}
		for _, o := range g.objects(payload) {
			if o.Type != "entry" {
				continue
			}
			if o.Seq != seq || o.Body != body(int(seq-2)) {
				t.Fatalf("got entry %d of %d bytes, want %d", o.Seq, len(o.Body), seq)
			}
			seq++
		}
	}
	if pongs == 0 {
		t.Error("no ping was answered")
	}
}

// body is a text that tells which one it is, of up to 7,000 characters.
func body(i int) string { return strings.Repeat(fmt.Sprintf("%d.", i), 1+i*i%1400) }

func (g *gate) owner(room string) string {
	live, err := g.db.Load(g.ctx, room, 0)
	if err != nil || len(live.Members) != 1 {
		g.Errorf("members %v, error %v", live.Members, err)
		return ""
	}
	return live.Members[0]
}

// frame reads one unmasked frame as RFC 6455 section 5.2 has it, and fails unless it is a whole one.
func (g *gate) frame(in *bufio.Reader) (op int, payload []byte) {
	g.Helper()
	var head [2]byte
	_, err := io.ReadFull(in, head[:])
	g.no(err)
	if head[0]&0xf0 != 0x80 || head[1]&0x80 != 0 {
		g.Fatalf("a frame begins with %x", head)
	}
	n := uint64(head[1])
	switch n {
	case 126:
		var b [2]byte
		_, err = io.ReadFull(in, b[:])
		n = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		_, err = io.ReadFull(in, b[:])
		n = binary.BigEndian.Uint64(b[:])
	}
	g.no(err)
	if n > 1<<20 {
		g.Fatalf("a frame of %d bytes", n)
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(in, payload)
	g.no(err)
	return int(head[0] & 0x0f), payload
}
