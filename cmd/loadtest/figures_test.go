//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gochat-dev/gochat/internal/loadtest"
	"github.com/gochat-dev/gochat/internal/pgtest"
	"github.com/gochat-dev/gochat/internal/redistest"
)

// figures are measurements, not tests of what must hold: `make figures` takes them on a machine that does nothing else.
var figures = flag.Bool("figures", false, "take the figures of docs/benchmarks.md (minutes)")

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(m.Run())
}

// programs are the built server and load generator.
func programs(t *testing.T) (server, generator string) {
	t.Helper()
	if !*figures {
		t.Skip("only with -figures: it takes minutes, and the machine to itself")
	}
	dir := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", dir, "../server", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	return filepath.Join(dir, "server"), filepath.Join(dir, "loadtest")
}

// shared is a Postgres as in earnest, with the schema, and a Redis.
type shared struct {
	pg  *pgtest.Server
	url string // of the database
	rd  *redistest.Server
}

// settings are the environment of a node that uses them.
func (s shared) settings() []string {
	return []string{"GOCHAT_POSTGRES_URL=" + s.url, "GOCHAT_REDIS_URL=" + s.rd.URL()}
}

func startShared(t *testing.T, server string) shared {
	t.Helper()
	pg, err := pgtest.Start(pgtest.Config{Durable: true, Params: map[string]string{
		"shared_preload_libraries": "pg_stat_statements", "max_connections": "300", "shared_buffers": "256MB",
	}})
	must(t, err)
	t.Cleanup(func() { must(t, pg.Stop()) })
	rd, err := redistest.Start(redistest.Config{})
	must(t, err)
	t.Cleanup(func() { must(t, rd.Stop()) })
	url, err := pg.Create(t.Context(), "gochat")
	must(t, err)
	must(t, pg.Exec(t.Context(), "gochat", "CREATE EXTENSION pg_stat_statements"))
	s := shared{pg: pg, rd: rd, url: url}
	migrate := exec.CommandContext(t.Context(), server, "migrate")
	migrate.Env = append(os.Environ(), s.settings()...)
	out, err := migrate.CombinedOutput()
	if err != nil {
		t.Fatalf("migrate: %v\n%s", err, out)
	}
	return s
}

// measure runs the load generator against a server of its own with these settings, and returns its report.
func measure(t *testing.T, generator, server string, env []string, args ...string) *loadtest.Report {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	args = append([]string{"run", "--server=" + server, "--json=" + file}, args...)
	for _, setting := range env {
		args = append(args, "--env="+setting)
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), generator, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	content, err := os.ReadFile(file)
	must(t, err)
	report := &loadtest.Report{}
	must(t, json.Unmarshal(content, report))
	return report
}

// phase is the one of the server.
func phase(t *testing.T, r *loadtest.Report) *loadtest.Phase {
	t.Helper()
	for _, p := range r.Phases {
		if p.Name == "server" {
			return p
		}
	}
	t.Fatal("the report has no phase of the server")
	return nil
}

// TestFigureP4 compares messages that 200 senders get acknowledged, each waiting for the answer before the next, with what
// as many clients of pgbench do on the same server: insert a row each into a plain table; and store the same texts by the same
// function, but each by itself.
func TestFigureP4(t *testing.T) {
	server, generator := programs(t)
	s := startShared(t, server)
	loop := []string{"--connections=200", "--closed-loop", "--warmup=3s", "--duration=10s"}
	must(t, s.pg.Exec(t.Context(), "gochat", `CREATE TABLE plain (id bigint GENERATED ALWAYS AS IDENTITY
		PRIMARY KEY, room bigint, sender bigint, at bigint, body text); GRANT ALL ON plain TO gochat`))
	for _, size := range []int{1, 10} {
		size := fmt.Sprintf("--room-size=%d", size)
		on := phase(t, measure(t, generator, server, s.settings(), append(loop, size)...))
		rows := s.pgbench(t, `INSERT INTO plain (room, sender, at, body) VALUES (1, 2, 3, repeat('0123456789', 10));`)
		off := phase(t, measure(t, generator, server, nil, append(loop, size)...))
		t.Logf("P4 %s: Postgres and Redis %.0f/s (p50 %.0f ms, p99 %.0f ms), pgbench %.0f rows/s: ratio %.2f; SQLite %.0f/s (p50 %.0f ms, p99 %.0f ms)",
			size, rate(on), on.Latency.P50, on.Latency.P99, rows, rate(on)/rows, rate(off), off.Latency.P50, off.Latency.P99)
		if rate(off) < 5000 && size == "--room-size=1" {
			t.Errorf("SQLite: %.0f/s, want 5,000", rate(off))
		}
	}
	t.Logf("P4 pgbench, each text a batch of its own: %.0f/s", s.pgbench(t, `\set room random(1, 200)
		SELECT append_texts_2(ARRAY[r.id], ARRAY[0::bigint], ARRAY[u.id], ARRAY[gen_random_uuid()::text], ARRAY[gen_random_uuid()::text],
			ARRAY['text'], ARRAY[repeat('0123456789', 10)], ARRAY[1::bigint])
		FROM rooms r, members m, users u WHERE r.num = :room AND m.room = r.num AND u.num = m.user_num LIMIT 1;`))
}

func rate(p *loadtest.Phase) float64 { return float64(p.Sends.Committed) / p.WindowSeconds }

// pgbench is how often a second 200 clients run a script that each wait for the answer.
func (s shared) pgbench(t *testing.T, script string) float64 {
	t.Helper()
	program, err := pgtest.Program("pgbench")
	must(t, err)
	file := filepath.Join(t.TempDir(), "script.sql")
	must(t, os.WriteFile(file, []byte(script), 0o600))
	out, err := exec.CommandContext(t.Context(), program, "--no-vacuum", "--file", file, "--client", "200", "--jobs", "2",
		"--time", "8", "--protocol", "prepared", s.url).CombinedOutput()
	tps := regexp.MustCompile(`tps = ([0-9.]+)`).FindSubmatch(out)
	if err != nil || tps == nil {
		t.Fatalf("pgbench: %v\n%s", err, out)
	}
	rate, err := strconv.ParseFloat(string(tps[1]), 64)
	must(t, err)
	return rate
}

// TestFigureP5 drops 5,000 connections at once and has each miss 20 entries. With Postgres it counts what the store is
// asked: the first statement of each of the two trips stands for it.
func TestFigureP5(t *testing.T) {
	const connections, rooms, within = 5000, 100, 15.0
	server, generator := programs(t)
	storm := []string{"--connections=5000", "--room-size=50", "--storm=20", "--warmup=3s", "--duration=5s"}
	check := func(what string, p *loadtest.Phase) {
		t.Helper()
		if p.Storm == nil {
			t.Fatal("no storm")
		}
		t.Logf("P5 %s: %d of %d caught up, p50 %.1f s, p99 %.1f s, last after %.1f s; %.1f s of CPU; lost %d, doubled %d",
			what, p.Storm.CaughtUp, connections, p.Storm.Seconds.P50, p.Storm.Seconds.P99, p.Storm.Seconds.Max,
			p.Storm.CPUSeconds, p.Deliveries.Lost, p.Deliveries.Doubled)
		if p.Storm.CaughtUp != connections || p.Storm.Seconds.Max > within || p.Deliveries.Lost+p.Deliveries.Doubled > 0 {
			t.Errorf("%s: not everybody, not in time, or not everything", what)
		}
	}
	check("SQLite", phase(t, measure(t, generator, server, nil, storm...)))

	s := startShared(t, server)
	ctx, stop := context.WithCancel(t.Context())
	counts := make(chan [2]asked, 1)
	go func() { counts <- s.watch(ctx, t, connections) }()
	check("Postgres and Redis", phase(t, measure(t, generator, server, s.settings(), storm...)))
	stop()
	count := <-counts
	clients, perRoom := count[1].clients-count[0].clients, float64(count[1].rooms-count[0].rooms)/rooms
	t.Logf("P5 queries in the storm: %.2f per client, %.2f per room", float64(clients)/connections, perRoom)
	if clients > connections || perRoom > 2 {
		t.Errorf("the store was asked %d times for %d clients, and %.2f times per room", clients, connections, perRoom)
	}
}

// asked is how often the store has been asked who somebody is and which rooms they have, and for the entries of a room.
type asked struct{ clients, rooms int }

// watch notes what had been asked when everybody was connected, before the storm, and in the end.
func (s shared) watch(ctx context.Context, t *testing.T, connections int) (at [2]asked) {
	conn, err := s.pg.Connect(context.WithoutCancel(ctx), "gochat")
	if err != nil {
		t.Error(err)
		return at
	}
	defer func() {
		if err := conn.Close(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	}()
	every := time.NewTicker(50 * time.Millisecond)
	defer every.Stop()
	for {
		var now asked
		err := conn.QueryRow(context.WithoutCancel(ctx), `SELECT
			coalesce(sum(calls) FILTER (WHERE query LIKE '%JOIN sessions s ON s.user_num = u.num%s.revoked_at IS NULL%' AND query LIKE '%FROM meta%'), 0),
			coalesce(sum(calls) FILTER (WHERE query LIKE 'SELECT head_seq, head_id,%'), 0) FROM pg_stat_statements`).
			Scan(&now.clients, &now.rooms)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			t.Error(err)
			return at
		}
		if at[1] = now; now.clients <= connections {
			at[0] = now
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return at
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
