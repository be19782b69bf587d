package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gochat-dev/gochat/internal/chat"
)

const million = 1_000_000

// fillRoom makes a room's log a million entries long.
func (w world) fillRoom(tb testing.TB) {
	tb.Helper()
	w.sql(tb, `INSERT INTO entries (room, seq, prev_seq, sender, at, kind, prev_id, message_id, client_id, body)
		SELECT r.num, i, i - 1, u.num, i, 'text', lpad((i - 1)::text, 36, '0'), lpad(i::text, 36, '0'), lpad(i::text, 36, '0'), lpad(i::text, 100, '0')
		FROM generate_series($3::bigint, $4::bigint) i, rooms r, users u WHERE r.id = $1 AND u.id = $2`,
		w.rooms[0], w.users[1], int64(len(w.users)+1), int64(million))
	w.sql(tb, `UPDATE rooms SET head_seq = $2, head_id = lpad($2::bigint::text, 36, '0') WHERE id = $1`, w.rooms[0], int64(million))
	w.sql(tb, `VACUUM ANALYZE entries`)
}

// step is a node of a plan, as EXPLAIN (FORMAT JSON) gives it.
type step struct {
	Type     string  `json:"Node Type"`
	Table    string  `json:"Relation Name"`
	Index    string  `json:"Index Name"`
	Rows     float64 `json:"Actual Rows"`
	Loops    float64 `json:"Actual Loops"`
	Filtered float64 `json:"Rows Removed by Filter"`
	Hit      int     `json:"Shared Hit Blocks"`
	Read     int     `json:"Shared Read Blocks"`
	Plans    []step  `json:"Plans"`
}

func (s step) each(f func(step)) {
	f(s)
	for _, p := range s.Plans {
		p.each(f)
	}
}

// show is the plan in words, a line per node.
func (s step) show(indent string) string {
	line := fmt.Sprintf("%s%s %s %s rows %.0f × %.0f, pages %d\n", indent, s.Type, s.Table, s.Index, s.Rows, s.Loops, s.Hit+s.Read)
	for _, p := range s.Plans {
		line += p.show(indent + "  ")
	}
	return line
}

// explain runs a query as the store does, and returns how Postgres went about it.
func (w world) explain(t *testing.T, query string, args ...any) step {
	t.Helper()
	var text []byte
	batch := &pgx.Batch{}
	batch.Queue(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) `+query, args...).QueryRow(func(row pgx.Row) error { return row.Scan(&text) })
	if err := w.read(context.Background(), "explain", batch); err != nil {
		t.Fatal(err)
	}
	var plans []struct{ Plan step }
	if err := json.Unmarshal(text, &plans); err != nil {
		t.Fatal(err)
	}
	return plans[0].Plan
}

// Whatever the depth, a page of history, a run and a room are read by index, from about as many pages as there are entries.
func TestPlansOfAMillionEntries(t *testing.T) {
	w := build(t, 3, 1)
	w.fillRoom(t)
	room, user := w.rooms[0], w.users[0]
	now := time.Now().UnixMilli()
	type query struct {
		name string
		sql  string
		args []any
	}
	queries := []query{
		{"open: the view", viewOfRoom, []any{room, user}},
		{"open: read positions", readsOfRoom, []any{room, chat.CrowdedRoom}},
		{"snapshot: the user", readVisitor, []any{user, w.session(t, user), now}},
		{"snapshot: the rooms", viewsOfUser, []any{user, now * 2, now, chat.MaxRooms + 1}},
		{"find", findEntries, []any{[]string{room}, []string{w.users[1]}, []string{fmt.Sprintf("%036d", million/2)}}},
		{"compare", compare, []any{w.rooms, w.users, now}},
		{"people by name", searchUsers, []any{"user 1", "user 1\U0010FFFF", "", 0, 20}},
		{"members", listMembers, []any{room, 0, "", 0, 50}},
		{"unread", countUnread, []any{room, user, million / 2, int64(math.MaxInt64)}},
	}
	for _, depth := range []int{10, million / 3, million / 2, million - 10} {
		queries = append(queries,
			query{fmt.Sprint("before ", depth), entriesBefore, []any{room, depth, 50}},
			query{fmt.Sprint("after ", depth), entriesAfter, []any{room, depth, 50}},
			query{fmt.Sprint("head, and the id at ", depth), readHead, []any{room, depth}})
	}
	for _, q := range queries {
		t.Run(q.name, func(t *testing.T) {
			plan := w.explain(t, q.sql, q.args...)
			t.Logf("\n%s", plan.show(""))
			plan.each(func(s step) {
				switch {
				case s.Type == "Seq Scan" && s.Table != "silent_nodes":
					t.Errorf("it reads all of %s", s.Table)
				case s.Table == "entries" && (s.Rows*s.Loops > 200 || s.Filtered > 200 || strings.HasPrefix(s.Type, "Bitmap")):
					t.Errorf("it reads %.0f entries", s.Rows*s.Loops+s.Filtered)
				}
			})
			if pages := plan.Hit + plan.Read; pages > 500 {
				t.Errorf("it touches %d pages", pages)
			}
		})
	}
}

// TestKeysAreUsedWhole has many people write each in a room of their own, which the server's statistics take for hardly
// anything in many: a message costs what a message costs, however much its sender has said there before.
func TestKeysAreUsedWhole(t *testing.T) {
	const people, each = 500, 400
	w := build(t, people, 1)
	var own []chat.Draft
	for _, user := range w.users[1:] {
		id := chat.NewID()
		w.rooms = append(w.rooms, id)
		own = append(own, chat.Draft{
			RoomID: id, SenderID: user, ClientID: chat.NewID(), Kind: chat.KindMemberJoined, At: time.Now(),
			Create: &chat.NewRoom{Name: "Own", Visibility: chat.Public},
		})
	}
	for some := range slices.Chunk(own, 50) { // a call has 7 s
		w.append(t, some...)
	}
	w.sql(t, `INSERT INTO entries (room, seq, prev_seq, sender, at, kind, prev_id, message_id, client_id, body)
		SELECT r.num, r.head_seq + i, r.head_seq + i - 1, m.user_num, i, 'text',
			CASE i WHEN 1 THEN r.head_id ELSE (i - 1)::text END, i::text, gen_random_uuid()::text, 'text'
		FROM rooms r CROSS JOIN generate_series(1, $1::bigint) i
		CROSS JOIN LATERAL (SELECT user_num FROM members WHERE room = r.num ORDER BY user_num LIMIT 1) m`, int64(each))
	w.sql(t, `UPDATE rooms SET head_seq = head_seq + $1::bigint, head_id = $1::bigint::text`, int64(each))

	w.sql(t, `VACUUM ANALYZE entries`)
	c, err := w.writers.Acquire(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	b := &batch{drafts: make([]chat.Draft, people), outcomes: make([]chat.Outcome, people)}
	places := make([]int, people)
	store := func() {
		t.Helper()
		for i := range people {
			b.drafts[i], places[i] = w.text(i, i), i
		}
		if err := b.texts(context.Background(), c, places); err != nil {
			t.Fatal(err)
		}
	}
	for range 8 { // the server plans anew for some of the first
		store()
	}
	keys := make([][]string, 3)
	for i := range people {
		d := w.text(i, i)
		keys[0], keys[1], keys[2] = append(keys[0], d.RoomID), append(keys[1], d.SenderID), append(keys[2], d.ClientID)
	}
	plan := w.explain(t, findEntries, keys[0], keys[1], keys[2])
	t.Logf("find:\n%s", plan.show(""))
	if pages := (plan.Hit + plan.Read) / people; pages > 15 {
		t.Errorf("to look for an entry touches %d pages", pages)
	}
	read := func() (n int64) { // entries that this connection found by an index
		t.Helper()
		if err := c.QueryRow(context.Background(), `SELECT sum(pg_stat_get_tuples_returned(indexrelid)) FROM pg_index
			WHERE indrelid = 'entries'::regclass`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if _, err := c.Exec(context.Background(), `SELECT pg_stat_force_next_flush()`); err != nil {
		t.Logf("statistics may come late: %v", err) // before Postgres 15
	}
	before := read()
	store()
	if _, err := c.Exec(context.Background(), `SELECT pg_stat_force_next_flush()`); err != nil {
		t.Logf("statistics may come late: %v", err)
	}
	if n := read() - before; n > people {
		t.Errorf("to store %d texts reads %d entries", people, n)
	}
	for _, room := range w.rooms[:3] {
		if n := len(logOf(t, w.Store, room)); n < each {
			t.Errorf("%d entries", n)
		}
	}
}

// TestEveryStatementUsesAnIndex goes through the whole store, and then asks the server which tables it had to read as a whole.
func TestEveryStatementUsesAnIndex(t *testing.T) {
	w := build(t, 5, 3)
	ctx := context.Background()
	w.append(t, w.texts(200)...)
	ses := w.session(t, w.users[1])
	inv := chat.Invite{Code: "code", RoomID: w.rooms[0], CreatedBy: w.users[0], CreatedAt: time.Now()}
	before := w.scans(t)
	failed := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 10 { // the server plans anew for some of the first
		d := w.texts(5)
		w.append(t, d...)
		w.append(t, append(d, w.renaming(0, "name"))...)
		failed(w.CreateInvite(ctx, inv))
		_, _, err := w.Invites(ctx, w.rooms[0], w.users[0], chat.Paging{Limit: 5})
		failed(err)
		_, err = w.Preview(ctx, inv.Code, time.Now())
		failed(err)
		failed(w.RevokeInvite(ctx, w.rooms[0], w.users[0], inv.Code))
		inv.Code += "+"
		_, err = w.Snapshot(ctx, w.users[1], ses)
		failed(err)
		_, err = w.Open(ctx, w.rooms[0], w.users[1], nil, 50)
		failed(err)
		_, err = w.Page(ctx, w.rooms[0], w.users[1], chat.PageQuery{Around: 20, Limit: 50})
		failed(err)
		_, err = w.Load(ctx, w.rooms[0], 50)
		failed(err)
		_, _, err = w.PublicRooms(ctx, w.users[1], "room", chat.Paging{Limit: 5})
		failed(err)
		_, _, err = w.SearchUsers(ctx, "user", chat.Paging{Limit: 5})
		failed(err)
		_, _, err = w.Credentials(ctx, "user1")
		failed(err)
		_, _, err = w.Members(ctx, w.rooms[0], w.users[1], chat.Paging{Limit: 5})
		failed(err)
		failed(w.SaveReads(ctx, []chat.Read{{RoomID: w.rooms[0], UserID: w.users[1], Seq: 20}}))
		_, err = w.ListSessions(ctx, w.users[1])
		failed(err)
		_, err = w.Revoke(ctx, w.users[1], "", ses)
		failed(err)
		_, err = w.IdleGuests(ctx, time.Now(), 5)
		failed(err)
		_, err = w.Compare(ctx, chat.CompareQuery{Rooms: w.rooms, Users: w.users})
		failed(err)
	}
	after := w.scans(t)
	for table, n := range after {
		if n != before[table] && table != "silent_nodes" {
			t.Errorf("%s was read as a whole %d times", table, n-before[table])
		}
	}
}

// scans is how often the server has read each table as a whole. It closes the store's connections: they report
// when they end.
func (w world) scans(t *testing.T) map[string]int64 {
	t.Helper()
	w.readers.Reset()
	w.writers.Reset()
	scans := make(map[string]int64)
	w.on(t, func(c *pgx.Conn) {
		for others := -1; others != 0; { // until they have ended
			if err := c.QueryRow(context.Background(), `SELECT count(*) FROM pg_stat_activity
				WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`).Scan(&others); err != nil {
				t.Fatal(err)
			}
		}
		rows, err := c.Query(context.Background(), `SELECT relname, seq_scan FROM pg_stat_user_tables`)
		if err != nil {
			t.Fatal(err)
		}
		var table string
		var n int64
		if _, err := pgx.ForEachRow(rows, []any{&table, &n}, func() error {
			scans[strings.Clone(table)] = n
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
	return scans
}
