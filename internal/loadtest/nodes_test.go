//go:build linux

package loadtest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/pgtest"
	"github.com/gochat-dev/gochat/internal/redistest"
)

// One real server, then two, over the same Postgres and Redis: half of what anybody receives comes from the other.
func TestRunStartsNodes(t *testing.T) {
	t.Parallel()
	path := buildServer(t)
	pg, err := pgtest.Start(pgtest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	rd, err := redistest.Start(redistest.Config{})
	if err != nil {
		t.Fatal(errors.Join(err, pg.Stop()))
	}
	t.Cleanup(func() {
		if err := errors.Join(rd.Stop(), pg.Stop()); err != nil {
			t.Error(err)
		}
	})
	url, err := pg.Create(t.Context(), "gochat")
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"GOCHAT_POSTGRES_URL=" + url, "GOCHAT_REDIS_URL=" + rd.URL()}
	migrate := exec.CommandContext(t.Context(), path, "migrate")
	migrate.Env = append(os.Environ(), env...)
	if output, err := migrate.CombinedOutput(); err != nil {
		t.Fatalf("migrate: %v\n%s", err, output)
	}
	w := small()
	report, err := newReport(&w)
	if err != nil {
		t.Fatal(err)
	}
	profile := filepath.Join(t.TempDir(), "cpu.pprof")
	server := Server{Path: path, Nodes: []int{1, 2}, Env: env, Profile: profile, Apart: map[string]int{"postgres": pg.PID(), "redis": rd.PID()}}
	if err := errors.Join(server.complete(), report.started(t.Context(), server)); err != nil {
		t.Fatal(err)
	}
	report.finish()
	one, two := report.Phases[0], report.Phases[1]
	if len(report.Faults) > 0 || one.Name != "1 node" || two.Name != "2 nodes" || one.Nodes != 1 || two.Nodes != 2 {
		t.Errorf("faults %v, phases %+v and %+v", report.Faults, one, two)
	}
	if one.Across != nil || two.Across == nil || two.Across.Samples == 0 || 2*two.Across.Samples != two.Latency.Samples {
		t.Errorf("latencies across nodes: %+v of %+v", two.Across, two.Latency)
	}
	if len(two.Apart) != 2 || two.Apart[0].Name != "postgres" || two.Apart[1].Name != "redis" {
		t.Errorf("apart: %+v", two.Apart)
	}
	for _, file := range []string{profile, profile + ".2"} {
		if written, err := os.Stat(file); err != nil || written.Size() == 0 {
			t.Errorf("profile: %v", err)
		}
	}
}

func TestNodesAreRefused(t *testing.T) {
	t.Parallel()
	shared := []string{"GOCHAT_POSTGRES_URL=postgres://x", "GOCHAT_REDIS_URL=redis://x"}
	tests := []struct {
		name   string
		server Server
		want   string
	}{
		{"none", Server{Nodes: []int{0}, Env: shared}, "nodes: 0, from 1"},
		{"more than a stamp tells apart", Server{Nodes: []int{1, 200}, Env: shared}, "nodes: 200, from 1 to 127"},
		{"servers that run already", Server{Nodes: []int{2}, Env: shared, URL: "http://127.0.0.1:1"}, "no --url"},
		{"nothing in common", Server{Nodes: []int{2}}, "without --env=GOCHAT_POSTGRES_URL=…\nnodes: they have nothing in common without --env=GOCHAT_REDIS_URL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Run(t.Context(), small(), tt.server); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestReportOfNodes(t *testing.T) {
	t.Parallel()
	r := sampleReport()
	one := r.Phases[1]
	two := *one
	one.Name, one.Nodes = "1 node", 1
	two.Name, two.Nodes, two.Across = "2 nodes", 2, &Latency{P50: 3, P99: 7.25, Max: 9}
	two.CPU.MicrosPerDeliver = 1.25 * one.CPU.MicrosPerDeliver
	two.Apart = []Apart{{Name: "postgres", Seconds: 0.0115, MicrosPerDeliver: 11.5}, {Name: "redis", MicrosPerDeliver: 2.5}}
	r.Phases = []*Phase{r.Phases[0], one, &two, r.Phases[2]}
	r.finish()
	if len(r.Ratios) != 2 || r.Ratios[0].CPUOfOneNode != 0 || r.Ratios[1].CPUOfOneNode != 1.25 {
		t.Errorf("ratios to one node: %+v", r.Ratios)
	}
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 nodes: CPU of all together × 1.25", "CPU of postgres per delivery", "11.5", "latency across nodes p50", "7.25"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text has no %q:\n%s", want, &text)
		}
	}
	chart, err := r.Chart()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Latency p99 across nodes", "CPU of redis per delivery", "server n2"} {
		if !bytes.Contains(chart, []byte(want)) {
			t.Errorf("the chart has no %q", want)
		}
	}
}

// A shell that has waited for a child that worked has used that too, and the one that still works counts.
func TestFamilyCPUTime(t *testing.T) {
	t.Parallel()
	work := "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "sh -c '"+work+"'; (while :; do :; done) & echo there; wait")
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // says that it was killed
	})
	if _, err := output.Read(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	first, err := familyCPUTime(cmd.Process.Pid)
	if err != nil || first < 10*time.Millisecond {
		t.Errorf("with a child that has ended: %v, %v", first, err)
	}
	later := first
	for later < first+50*time.Millisecond && err == nil && t.Context().Err() == nil {
		later, err = familyCPUTime(cmd.Process.Pid) // as long as it takes the child to work so much
	}
	own, ownErr := cpuTime(cmd.Process.Pid)
	if err := errors.Join(err, ownErr); err != nil || later-own < 50*time.Millisecond {
		t.Errorf("the family %v, the process itself %v: %v", later, own, err)
	}
}
