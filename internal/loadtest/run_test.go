//go:build linux

package loadtest

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"go.uber.org/goleak"
)

// TestMain lets the test's own program be the floor, as cmd/loadtest is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "floor-server" {
		os.Exit(beFloor(os.Args[2:]))
	}
	goleak.VerifyTestMain(m)
}

func beFloor(args []string) int {
	var cli struct {
		Listen, AdminListen string
		Rooms, Body         int
	}
	parser := kong.Must(&cli)
	_, err := parser.Parse(args)
	parser.FatalIfErrorf(err)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	server := FloorServer{Listen: cli.Listen, AdminListen: cli.AdminListen, Rooms: cli.Rooms, Body: cli.Body}
	if server.Serve(ctx) != nil {
		return 1
	}
	return 0
}

// small is a workload of a second and a half.
func small() Workload {
	return Workload{Connections: 12, RoomSize: 4, Rate: 60, Body: 100, Duration: time.Second, Warmup: 500 * time.Millisecond, Seed: 1}
}

func TestFloorAloneIsComplete(t *testing.T) {
	t.Parallel()
	report, err := Floor(t.Context(), small())
	if err != nil {
		t.Fatal(err)
	}
	p := report.Phases[0]
	if len(report.Faults) > 0 || p.Deliveries.ReceivedInAll == 0 || p.Deliveries.ReceivedInAll != p.Deliveries.ExpectedInAll {
		t.Errorf("faults %v, deliveries %+v", report.Faults, p.Deliveries)
	}
	if p.RSS.Idle == 0 || p.RSS.End < p.RSS.Idle || p.Allocations.Count == 0 || p.Latency.Samples == 0 || p.Latency.Max < p.Latency.P50 {
		t.Errorf("figures: %+v", p)
	}
}

func TestRunAgainstAServer(t *testing.T) {
	t.Parallel()
	chat := newFakeChat(t)
	w := small()
	w.Storm, w.SlowPercent = 5, 25
	report, err := Run(t.Context(), w, Server{URL: chat.URL, PID: os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range report.Phases {
		names = append(names, p.Name)
		if p.Deliveries.ReceivedInAll == 0 || p.Deliveries.ReceivedInAll != p.Deliveries.ExpectedInAll {
			t.Errorf("%s: %+v", p.Name, p.Deliveries)
		}
	}
	if got := strings.Join(names, "; "); got != "floor before; server; server, 25 % frozen; floor after" {
		t.Errorf("phases: %s", got)
	}
	if len(report.Faults) > 0 {
		t.Errorf("faults: %v", report.Faults)
	}
	if s := report.Phases[1].Storm; s == nil || s.CaughtUp != 12 || s.Seconds.Max <= 0 {
		t.Errorf("storm: %+v", s)
	}
	if got := chat.pongs.Load(); got < 24 {
		t.Errorf("%d pongs to 12 connections that were pinged at both of their starts", got)
	}
	if len(report.Ratios) != 2 || report.Ratios[0].P50 <= 0 {
		t.Errorf("ratios: %+v", report.Ratios)
	}
}

// Each fault of a server is found, and nothing else.
func TestRunFindsFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		sabotage func(*fakeChat)
		want     []string
	}{
		{"none", func(*fakeChat) {}, nil},
		{"an entry lost", func(f *fakeChat) {
			f.mangle = func(n int, _ string) []any { return map[bool][]any{true: nothing}[n == 3] }
		}, []string{"server: 1 deliveries lost", "server: 1 gaps never filled"}},
		{"an entry delivered twice", func(f *fakeChat) {
			f.mangle = func(n int, e string) []any { return map[bool][]any{true: {e, e}}[n == 3] }
		}, []string{"server: 1 deliveries duplicated"}},
		{"two entries exchanged", func(f *fakeChat) {
			var held string
			f.mangle = func(n int, e string) []any {
				switch n {
				case 3:
					held = e
					return nothing
				case 4:
					return []any{e, held}
				}
				return nil
			}
		}, []string{"server: 1 deliveries out of order"}},
		{"an entry of another room", func(f *fakeChat) {
			f.mangle = func(n int, e string) []any {
				return map[bool][]any{true: {e, `{"type":"entry","room_id":"x","seq":1}`}}[n == 3]
			}
		}, []string{"server: 1 entries of foreign rooms"}},
		{"an answer nobody asked for", func(f *fakeChat) {
			f.mangle = func(n int, e string) []any {
				return map[bool][]any{true: {e, `{"type":"reply","id":999}`}}[n == 3]
			}
		}, []string{"server: 1 answers to nothing"}},
		{
			"a cut connection resumes, loses nothing, and is told", func(f *fakeChat) { f.dropAfter = 3 },
			[]string{"server: 1 connections cut: 1001"},
		},
		{"upgrades refused for a while are tried again", func(f *fakeChat) { f.refuse.Store(5) }, nil},
		{"no guests: members register", func(f *fakeChat) { f.noGuests = true }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			chat := newFakeChat(t)
			tt.sabotage(chat)
			report, err := newReport(new(small()))
			if err != nil {
				t.Fatal(err)
			}
			if err := report.running(t.Context(), Server{URL: chat.URL, PID: os.Getpid()}); err != nil {
				t.Fatal(err)
			}
			report.finish()
			if strings.Join(report.Faults, "; ") != strings.Join(tt.want, "; ") {
				t.Errorf("faults %q, want %q", report.Faults, tt.want)
			}
		})
	}
}

func TestRunCountsRefusals(t *testing.T) {
	t.Parallel()
	chat := newFakeChat(t)
	chat.denyEvery = 10
	report, err := newReport(new(small()))
	if err != nil {
		t.Fatal(err)
	}
	if err := report.running(t.Context(), Server{URL: chat.URL}); err != nil {
		t.Fatal(err)
	}
	p := report.Phases[0]
	if p.Sends.Refused == 0 || int64(p.Refusals["rate_limited"]) != p.Sends.Refused || p.Deliveries.Lost > 0 {
		t.Errorf("sends %+v, refusals %v, deliveries %+v", p.Sends, p.Refusals, p.Deliveries)
	}
}

func TestClosedLoopSendsWhenAnswered(t *testing.T) {
	t.Parallel()
	chat := newFakeChat(t)
	w := small()
	w.Rate, w.ClosedLoop = 0, true
	report, err := Run(t.Context(), w, Server{URL: chat.URL, PID: os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	if p := report.Phases[0]; len(report.Phases) != 1 || p.Sends.Committed < 100 || len(report.Faults) > 0 {
		t.Errorf("phases %d, sends %+v, faults %v", len(report.Phases), p.Sends, report.Faults)
	}
}

func TestRunTellsWhyItCannot(t *testing.T) {
	t.Parallel()
	chat := newFakeChat(t)
	tests := []struct {
		name   string
		load   func(*Workload)
		server Server
		want   string
	}{
		{"several faults of the workload at once", func(w *Workload) { w.Connections, w.Body = 0, 3 }, Server{}, "connections: 0 is not a crowd\nbody: 3"},
		{"no such server", func(w *Workload) { w.ClosedLoop = true }, Server{Path: "/nonexistent/server"}, "start /nonexistent/server"},
		{"a server that ends at once", func(w *Workload) { w.ClosedLoop = true }, Server{Path: "/bin/false"}, "ended before it was ready: exit status 1"},
		{"not a URL", func(w *Workload) { w.ClosedLoop = true }, Server{URL: "localhost"}, "is not http://"},
		{"nobody listens", func(w *Workload) { w.ClosedLoop = true }, Server{URL: "http://127.0.0.1:1"}, "connection refused"},
		{"no such process", func(w *Workload) { w.ClosedLoop = true }, Server{URL: chat.URL, PID: 1 << 30}, "memory: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := small()
			w.Rate = 0
			tt.load(&w)
			_, err := Run(t.Context(), w, tt.server)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	chat := newFakeChat(t)
	ctx, cancel := context.WithCancel(t.Context())
	chat.mangle = func(n int, _ string) []any {
		if n == 3 {
			cancel()
		}
		return nil
	}
	w := small()
	w.Duration = time.Hour
	report, err := newReport(&w)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.running(ctx, Server{URL: chat.URL}); err == nil || ctx.Err() == nil {
		t.Errorf("ended with %v", err)
	}
}

// The real server, built and started as the command does it: populated, started afresh, loaded, dropped, resumed.
func TestRunStartsTheServer(t *testing.T) {
	t.Parallel()
	path := buildServer(t)
	profile := filepath.Join(t.TempDir(), "cpu.pprof")
	w := small()
	w.Storm = 5
	report, err := newReport(&w)
	if err != nil {
		t.Fatal(err)
	}
	report.Workload.OneCPU = true // only now: the tests beside this one keep both CPUs
	if err := report.started(t.Context(), Server{Path: path, Profile: profile}); err != nil {
		t.Fatal(err)
	}
	report.finish()
	p := report.Phases[0]
	if len(report.Faults) > 0 || p.Deliveries.ReceivedInAll < 12*5 || p.Deliveries.ReceivedInAll != p.Deliveries.ExpectedInAll {
		t.Errorf("faults %v, deliveries %+v", report.Faults, p.Deliveries)
	}
	if p.Storm == nil || p.Storm.CaughtUp != 12 || p.Allocations.Count == 0 || p.RSS.End <= 0 || report.SetUp.Accounts != 13 {
		t.Errorf("figures: %+v, set-up %+v", p, report.SetUp)
	}
	if written, err := os.Stat(profile); err != nil || written.Size() == 0 {
		t.Errorf("profile: %v", err)
	}
}

func buildServer(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "server")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "github.com/gochat-dev/gochat/cmd/server")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	return path
}
