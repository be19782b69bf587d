//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // the driver
)

// The stored chat of P8: a million entries in 1,000 rooms, half of them in one.
const (
	storedRooms = 1000
	perRoom     = 500
	roomsEach   = 20 // rooms of each member
	inTheFirst  = 1_000_000 - (storedRooms-1)*perRoom
)

// node is a server process.
type node struct {
	t    *testing.T
	cmd  *exec.Cmd
	base string
	took time.Duration // from the start of the process to /readyz
}

func startNode(t *testing.T, server, dir string, env []string) *node {
	t.Helper()
	n := &node{t: t, cmd: exec.CommandContext(t.Context(), server)}
	n.cmd.Env = append(os.Environ(), "GOCHAT_LISTEN=127.0.0.1:0", "GOCHAT_ADMIN_LISTEN=127.0.0.1:0", "GOCHAT_DATA_DIR="+dir,
		"GOCHAT_SEND_RATE=0", "GOCHAT_AUTH_RATE=0", "GOCHAT_LOG_FORMAT=json")
	n.cmd.Env = append(n.cmd.Env, env...)
	log, err := n.cmd.StderrPipe()
	must(t, err)
	began := time.Now()
	must(t, n.cmd.Start())
	lines := bufio.NewScanner(log)
	for n.base == "" && lines.Scan() {
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
			n.base = "http://" + line.Address
		}
	}
	if n.base == "" {
		t.Fatalf("the server did not start: %v", n.cmd.Wait())
	}
	go func() { _, _ = io.Copy(io.Discard, log) }() // ends with the process
	n.get("", "/readyz", nil)
	n.took = time.Since(began)
	return n
}

func (n *node) stop() {
	n.t.Helper()
	must(n.t, n.cmd.Process.Signal(syscall.SIGTERM))
	must(n.t, n.cmd.Wait())
}

func (n *node) get(token, path string, out any) {
	n.t.Helper()
	n.call(token, http.MethodGet, path, nil, out)
}

func (n *node) call(token, method, path string, in, out any) {
	n.t.Helper()
	body, err := json.Marshal(in)
	must(n.t, err)
	req, err := http.NewRequestWithContext(n.t.Context(), method, n.base+path, bytes.NewReader(body))
	must(n.t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	must(n.t, err)
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	must(n.t, err)
	if res.StatusCode >= 300 {
		n.t.Fatalf("%s %s: %s %s", method, path, res.Status, answer)
	}
	if out != nil {
		must(n.t, json.Unmarshal(answer, out))
	}
}

// TestFigureP8 starts a server on a million entries in 1,000 rooms and asks for what people ask for first.
func TestFigureP8(t *testing.T) {
	server, _ := programs(t)
	t.Run("SQLite", func(t *testing.T) {
		dir := t.TempDir()
		startOnAMillion(t, server, dir, nil, func() {
			db, err := sql.Open("sqlite", filepath.Join(dir, "gochat.db"))
			must(t, err)
			for _, statement := range []string{
				sqliteEntries(inTheFirst, "r.num = 1"), sqliteEntries(perRoom, "r.num > 1"),
				`UPDATE rooms SET head_seq = (SELECT max(seq) FROM entries e WHERE e.room = rooms.num)`,
				`UPDATE rooms SET head_id = printf('%036d', head_seq)`,
			} {
				_, err = db.ExecContext(t.Context(), statement)
				must(t, err)
			}
			must(t, db.Close())
		})
	})
	t.Run("Postgres and Redis", func(t *testing.T) {
		s := startShared(t, server)
		startOnAMillion(t, server, t.TempDir(), s.settings(), func() {
			conn, err := pgx.Connect(t.Context(), s.url)
			must(t, err)
			_, err = conn.Exec(t.Context(), `INSERT INTO entries (room, seq, prev_seq, sender, at, kind, prev_id, message_id, client_id, body)
				SELECT r.num, r.head_seq + i, r.head_seq + i - 1, 1, 1000 * i, 'text',
					CASE i WHEN 1 THEN r.head_id ELSE lpad((r.head_seq + i - 1)::text, 36, '0') END,
					lpad((r.head_seq + i)::text, 36, '0'), lpad(i::text, 36, '0'), lpad(i::text, 100, '0')
				FROM rooms r CROSS JOIN LATERAL generate_series(1::bigint, CASE r.num WHEN 1 THEN $1::bigint ELSE $2::bigint END) i`,
				inTheFirst, perRoom)
			must(t, err)
			_, err = conn.Exec(t.Context(), `UPDATE rooms r SET head_seq = h.seq, head_id = lpad(h.seq::text, 36, '0')
				FROM (SELECT room, max(seq) AS seq FROM entries GROUP BY room) h WHERE h.room = r.num`)
			must(t, err)
			must(t, conn.Close(context.Background()))
		})
	})
}

// sqliteEntries fills rooms with n texts each.
func sqliteEntries(n int, rooms string) string {
	return fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO entries (room, seq, kind, sender, prev_seq, prev_id, message_id, client_id, at, body)
		SELECT r.num, r.head_seq + i, 'text', 1, r.head_seq + i - 1,
			CASE i WHEN 1 THEN r.head_id ELSE printf('%%036d', r.head_seq + i - 1) END, printf('%%036d', r.head_seq + i),
			printf('%%036d', i), 1000 * i, printf('%%0100d', i)
		FROM rooms r CROSS JOIN n WHERE %s`, n, rooms)
}

func startOnAMillion(t *testing.T, server, dir string, env []string, fill func()) {
	t.Helper()
	n := startNode(t, server, dir, env)
	owner := n.register("owner")
	rooms := make([]string, storedRooms)
	for i := range rooms {
		var room struct{ ID string }
		n.call(owner, http.MethodPost, "/api/v1/rooms", map[string]string{"name": fmt.Sprint("Room ", i), "visibility": "public"}, &room)
		rooms[i] = room.ID
	}
	people := make([]string, storedRooms/roomsEach)
	for i := range people {
		people[i] = n.register(fmt.Sprint("member", i))
		for _, room := range rooms[i*roomsEach : (i+1)*roomsEach] {
			n.call(people[i], http.MethodPost, "/api/v1/rooms/"+room+"/join", struct{}{}, nil)
		}
	}
	n.stop()
	fill()

	n = startNode(t, server, dir, env)
	defer n.stop()
	t.Logf("P8 ready after %.0f ms", ms(n.took))
	var welcomes, firsts, joins []time.Duration
	for i, token := range people {
		welcome, all := n.joins(token, rooms[i*roomsEach:(i+1)*roomsEach])
		welcomes, firsts, joins = append(welcomes, welcome), append(firsts, all[0]), append(joins, all[1:]...)
	}
	t.Log("P8 from the dial to welcome, with", roomsEach, "rooms:", spread(welcomes))
	t.Log("P8 the first join right behind welcome, while", roomsEach, "rooms become live:", spread(firsts))
	t.Log("P8 the other joins:", spread(joins))
	var pages []time.Duration
	random := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		seq := 1 + random.IntN(inTheFirst)
		for _, query := range []string{"before_seq", "after_seq", "around_seq"} {
			var page struct{ Items []json.RawMessage }
			began := time.Now()
			n.get(owner, fmt.Sprintf("/api/v1/rooms/%s/messages?%s=%d&limit=50", rooms[0], query, seq), &page)
			pages = append(pages, time.Since(began))
			if len(page.Items) == 0 && seq > 50 && seq < inTheFirst-50 {
				t.Errorf("nothing %s %d", query, seq)
			}
		}
	}
	t.Log("P8 history page at a random depth of", inTheFirst, "entries, over HTTP:", spread(pages))
	welcome, _ := n.joins(owner, nil)
	t.Logf("P8 from the dial to welcome, with %d rooms of which each has unread entries: %.0f ms", storedRooms, ms(welcome))
	for what, took := range map[string]time.Duration{
		"the middle one of the first joins": at(firsts, 0.5), "the 99th of 100 joins": at(joins, 0.99), "the 99th of 100 pages": at(pages, 0.99), "a hundredth of being ready": n.took / 100,
	} {
		if took > 10*time.Millisecond {
			t.Errorf("%s took %v, want 10ms", what, took)
		}
	}
}

// spread sorts what was measured, and says how it lies.
func spread(all []time.Duration) string {
	slices.Sort(all)
	return fmt.Sprintf("p50 %.2f ms, p99 %.2f ms, max %.2f ms (of %d)", ms(at(all, 0.5)), ms(at(all, 0.99)), ms(at(all, 1)), len(all))
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// at is a quantile of what is sorted.
func at(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

func (n *node) register(name string) (token string) {
	n.t.Helper()
	var grant struct {
		Token string `json:"access_token"`
	}
	n.call("", http.MethodPost, "/api/v1/auth/register", map[string]string{"username": name, "password": "a long password"}, &grant)
	return grant.Token
}

// joins connects, and opens rooms. It returns how long it took from the dial to welcome, and how long each room took.
func (n *node) joins(token string, rooms []string) (welcome time.Duration, all []time.Duration) {
	n.t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"gochat.v1", "gochat.bearer." + token}}
	began := time.Now()
	conn, res, err := dialer.DialContext(n.t.Context(), "ws"+n.base[len("http"):]+"/api/v1/ws", nil)
	must(n.t, err)
	must(n.t, res.Body.Close())
	defer func() { _ = conn.Close() }()
	until := func(holds func(kind string, id int) bool) {
		n.t.Helper()
		for {
			_, frame, err := conn.ReadMessage()
			must(n.t, err)
			for line := range bytes.SplitSeq(frame, []byte{'\n'}) {
				var o struct {
					Type string
					ID   int
				}
				must(n.t, json.Unmarshal(line, &o))
				if o.Type == "error" {
					n.t.Fatalf("%s", line)
				}
				if holds(o.Type, o.ID) {
					return
				}
			}
		}
	}
	until(func(kind string, _ int) bool { return kind == "welcome" })
	welcome = time.Since(began)
	for i, room := range rooms {
		began := time.Now()
		must(n.t, conn.WriteJSON(map[string]any{"type": "join", "id": i + 1, "room_id": room}))
		until(func(kind string, id int) bool { return kind == "reply" && id == i+1 })
		all = append(all, time.Since(began))
	}
	return welcome, all
}
