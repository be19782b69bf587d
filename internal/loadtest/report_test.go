//go:build linux

package loadtest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// sampleReport has round figures that can be checked by hand.
func sampleReport() *Report {
	phase := func(name string, cpu time.Duration, p99 float64) *Phase {
		p := &Phase{Name: name, Connections: 100, RSS: RSS{Idle: 10 << 20, End: 10<<20 + 100*8<<10}}
		p.between(
			moment{at: time.Second, cpu: time.Second, tally: tally{Received: 1000, Sent: 20, Committed: 20, Bytes: 5}},
			moment{at: 11 * time.Second, cpu: time.Second + cpu, mallocs: 2000, alloc: 4e6, tally: tally{Received: 2000, Sent: 40, Committed: 39, Bytes: 25}},
		)
		p.Latency.P99 = p99
		p.Percentiles = []Percentile{{0, 0.5}, {1, 1}, {2, p99}}
		p.Series = []Sample{{1, 10, 1e6}, {2, 30, 2e6}}
		return p
	}
	w := Workload{Connections: 100, RoomSize: 50, Rate: 2, Body: 100, Duration: 10 * time.Second, OneCPU: true}
	return &Report{CPUs: 2, Workload: w, Phases: []*Phase{
		phase("floor before", 10*time.Millisecond, 2), phase("server", 30*time.Millisecond, 12), phase("floor after", 20*time.Millisecond, 4),
	}}
}

func TestReportFigures(t *testing.T) {
	r := sampleReport()
	r.finish()
	p := r.Phases[1]
	if p.WindowSeconds != 10 || p.Deliveries.Received != 1000 || p.Sends.Sent != 20 || p.Sends.Committed != 19 || p.Bytes != 20 {
		t.Errorf("window: %+v", p)
	}
	if p.CPU.MicrosPerDeliver < 29.9 || p.CPU.MicrosPerDeliver > 30.1 || p.RSS.PerConnection != 8<<10 || p.Allocations.PerDeliver != 2 {
		t.Errorf("per delivery: %+v %+v %+v", p.CPU, p.RSS, p.Allocations)
	}
	if len(r.Ratios) != 1 || r.Ratios[0].CPUPerDelivery < 1.99 || r.Ratios[0].CPUPerDelivery > 2.01 || r.Ratios[0].P99 != 4 {
		t.Errorf("ratios to the mean of the floors: %+v", r.Ratios)
	}
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"floor before", "server / floor", "× 2.00", "× 4.00", "nothing lost"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text has no %q:\n%s", want, &text)
		}
	}
}

func TestReportFaults(t *testing.T) {
	r := sampleReport()
	p := r.Phases[1]
	p.Deliveries.Lost, p.Deliveries.Resets, p.Sends.Unanswered = 3, 1, 2
	p.Storm = &Storm{CaughtUp: 90}
	p.Disconnects = map[string]int{"4008": 2, "frozen client: 4009": 5}
	r.finish()
	want := "server: 3 deliveries lost; server: 1 rooms reset; server: 2 messages without an answer; " +
		"server: 10 clients not back after the storm; server: 2 connections cut: 4008"
	if got := strings.Join(r.Faults, "; "); got != want {
		t.Errorf("faults %q\nwant   %q", got, want)
	}
	chart, err := r.Chart()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(chart, []byte("3 deliveries lost")) || !bytes.Contains(chart, []byte(`class="bad"`)) {
		t.Error("the chart hides the faults")
	}
}

func TestChartIsWellFormed(t *testing.T) {
	empty := &Report{Phases: []*Phase{{Name: "floor <&>"}}}
	for name, r := range map[string]*Report{"figures": sampleReport(), "no figures": empty} {
		chart, err := r.Chart()
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(chart, []byte("NaN")) || bytes.Contains(chart, []byte("Inf")) {
			t.Errorf("%s: a coordinate is no number", name)
		}
		decoder := xml.NewDecoder(bytes.NewReader(chart))
		elements := map[string]int{}
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if start, ok := token.(xml.StartElement); ok {
				elements[start.Name.Local]++
			}
		}
		if name == "figures" && (elements["polyline"] != 9 || elements["rect"] != 10) {
			t.Errorf("three phases in three plots and three bar panels: %v", elements)
		}
	}
}

func TestRoundUp(t *testing.T) {
	for v, want := range map[float64]float64{0.03: 0.04, 1: 1, 7: 8, 8.5: 10, 41: 60} {
		if got := roundUp(v); got < want*0.999 || got > want*1.001 {
			t.Errorf("roundUp(%g) = %g, want %g", v, got, want)
		}
	}
}

func TestMetric(t *testing.T) {
	page := []byte("# HELP go_memstats_mallocs_total x\n# TYPE go_memstats_mallocs_total counter\ngo_memstats_mallocs_total 1.5e+06\nother 2\n")
	if got := metric(page, "go_memstats_mallocs_total"); got != 1.5e6 {
		t.Errorf("got %g", got)
	}
	if got := metric(page, "go_memstats"); got != 0 {
		t.Errorf("a prefix is not the name: got %g", got)
	}
}

func TestProcFiguresOfOurselves(t *testing.T) {
	before, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for after := before; after < before+5*clockTick; {
		if after, err = cpuTime(os.Getpid()); err != nil {
			t.Fatal(err)
		}
	}
	rss, err := residentSet(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	peak, err := peakResidentSet(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if rss < 1<<20 || rss > 4<<30 || peak < 1<<20 {
		t.Errorf("resident %d, peak %d bytes", rss, peak)
	}
}
