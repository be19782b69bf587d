//go:build linux

package loadtest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// floorFirstSeq is the number of the first entry of each of the floor's rooms: ten digits from the first
// to the last, so that a number is patched into the prepared buffer in place.
const floorFirstSeq = 1_000_000_001

// FloorServer is the yardstick: it accepts WebSocket connections and, per delivery, makes one write system
// call of the same bytes from a prepared buffer. One goroutine per connection; no protocol, no hand-over to
// a writer, no store, no heartbeat.
type FloorServer struct {
	Listen, AdminListen string // addresses
	Rooms, Body         int    // number of rooms; bytes of a body

	rooms []*floorRoom
}

// floorRoom is a prepared frame, and whom to write it to.
type floorRoom struct {
	mu     sync.Mutex
	conns  []net.Conn
	frame  []byte // a whole frame; its number and stamp are patched once per message
	seqAt  int
	sentAt int
	seq    int64
}

func floorRoomID(index int) string { return fmt.Sprintf("00000000-0000-7000-8000-%012d", index) }

// newFloorRoom prepares the bytes of an entry as protocol.md has it.
func newFloorRoom(index, body int) *floorRoom {
	const id = "01990000-0000-7000-8000-000000000000"
	object := fmt.Sprintf(`{"type":"entry","room_id":"%s","seq":%d,"kind":"text","message_id":"%s","client_id":"%s","sender_id":"%s","at":"%s","body":"%s"}`,
		floorRoomID(index), floorFirstSeq, id, id, id, "2026-01-01T00:00:00.000Z", appendBody(nil, stampTimed, stamp{}, body))
	frame := serverFrame(opText, []byte(object))
	return &floorRoom{
		frame:  frame,
		seqAt:  bytes.Index(frame, []byte(`"seq":`)) + len(`"seq":`),
		sentAt: bytes.Index(frame, []byte(`"body":"`)) + len(`"body":"`),
		seq:    floorFirstSeq,
	}
}

// Serve runs until ctx ends.
func (s *FloorServer) Serve(ctx context.Context) error {
	for i := range s.Rooms {
		s.rooms = append(s.rooms, newFloorRoom(i, s.Body))
	}
	listener, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("floor: %w", err)
	}
	admin := &http.Server{Addr: s.AdminListen, Handler: floorAdmin(), ReadHeaderTimeout: 5 * time.Second}
	var serving sync.WaitGroup
	serving.Go(func() { err = admin.ListenAndServe() })
	stop := context.AfterFunc(ctx, func() {
		_ = listener.Close() // ends Accept below; nothing else is lost
		_ = admin.Close()
	})
	defer stop()
	for {
		conn, acceptErr := listener.Accept()
		if acceptErr != nil {
			break
		}
		go s.greet(conn)
	}
	_ = admin.Close()
	serving.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("floor: %w", err)
}

// floorAdmin answers what the generator asks of any server's admin port.
func floorAdmin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Fprintf(w, "go_memstats_mallocs_total %d\ngo_memstats_alloc_bytes_total %d\n", m.Mallocs, m.TotalAlloc)
		fmt.Fprintf(w, "go_goroutines %d\n", runtime.NumGoroutine())
	})
	return mux
}

// greet makes the upgrade in a goroutine of its own, so that the one that stays has a stack of 2 KB.
func (s *FloorServer) greet(conn net.Conn) {
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		_ = conn.Close()
		return
	}
	index, err := strconv.Atoi(strings.TrimPrefix(request.URL.Path, "/floor/"))
	if err != nil || index < 0 || index >= len(s.rooms) || request.Header.Get("Sec-WebSocket-Key") != websocketKey {
		_ = conn.Close()
		return
	}
	room := s.rooms[index]
	room.mu.Lock()
	room.conns = append(room.conns, conn)
	room.mu.Unlock()
	_, err = conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + websocketAccept + "\r\n\r\n"))
	if err != nil {
		_ = conn.Close()
		return
	}
	go room.serve(conn)
}

// serve reads one connection's messages and writes each to everybody in the room.
func (r *floorRoom) serve(conn net.Conn) {
	var err error
	buf, held := make([]byte, 512), 0
	for err == nil {
		var n int
		n, err = conn.Read(buf[held:])
		if held += n; held == len(buf) {
			buf = slices.Concat(buf, make([]byte, len(buf)))
		}
		for err == nil {
			var f frame
			var used int
			if f, used, err = parseClientFrame(buf[:held]); used == 0 {
				break
			}
			err = r.relay(f.payload)
			held = copy(buf, buf[used:held])
		}
	}
	_ = conn.Close() // the client has gone, or speaks nonsense and sees it
}

var errNoStamp = errors.New("floor: a message without a stamp")

// relay patches number and stamp into the prepared frame and writes it once per connection.
func (r *floorRoom) relay(message []byte) error {
	at := bytes.Index(message, []byte(`"body":"`)) + len(`"body":"`)
	if at < len(`"body":"`) || len(message) < at+stampLength {
		return errNoStamp
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	strconv.AppendInt(r.frame[:r.seqAt], r.seq, 10)
	copy(r.frame[r.sentAt:], message[at:at+stampLength])
	r.seq++
	for _, conn := range r.conns {
		// A connection that has gone is noticed by its own reader.
		_, _ = conn.Write(r.frame)
	}
	return nil
}
