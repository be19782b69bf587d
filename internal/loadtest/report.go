//go:build linux

package loadtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Report is the outcome of one call: phases that ran one after the other on the same machine.
type Report struct {
	Started  time.Time `json:"started"`
	CPUs     int       `json:"cpus"`
	Go       string    `json:"go"`
	Workload Workload  `json:"workload"`
	SetUp    SetUp     `json:"set_up"`
	Phases   []*Phase  `json:"phases"`
	// Ratios compares each server phase with the mean of the floors before and after it.
	Ratios []Ratio `json:"ratios,omitempty"`
	// Faults is empty when nothing was lost, doubled, out of order, refused or cut off.
	Faults []string `json:"faults"`
}

// SetUp is what it took to make the accounts and rooms; it is part of no other figure.
type SetUp struct {
	Accounts int     `json:"accounts"`
	Rooms    int     `json:"rooms"`
	Seconds  float64 `json:"seconds"`
}

// Phase is one subject under the workload. Figures per delivery are of the measured window.
type Phase struct {
	Name           string         `json:"name"`
	Nodes          int            `json:"nodes"` // CPU, memory and allocations are those of all together
	Connections    int            `json:"connections"`
	ConnectSeconds float64        `json:"connect_seconds"`
	WindowSeconds  float64        `json:"window_seconds"`
	Sends          Sends          `json:"sends"`
	Deliveries     Deliveries     `json:"deliveries"`
	Latency        Latency        `json:"latency"`
	Across         *Latency       `json:"latency_across_nodes,omitempty"` // of what was sent on one node and received on another
	CPU            CPU            `json:"cpu"`
	Apart          []Apart        `json:"apart,omitempty"`
	RSS            RSS            `json:"rss"`
	Allocations    Allocations    `json:"allocations"`
	Bytes          int64          `json:"bytes_received"`
	Frames         int64          `json:"frames_received"`
	Signals        int64          `json:"signals_received"`
	Storm          *Storm         `json:"storm,omitempty"`
	Disconnects    map[string]int `json:"disconnects,omitempty"`
	Retries        map[string]int `json:"retries,omitempty"`
	Refusals       map[string]int `json:"refusals,omitempty"`
	Percentiles    []Percentile   `json:"percentiles"`
	Series         []Sample       `json:"series"`
}

// Sends counts messages written; the first two in the window.
type Sends struct {
	Sent       int64   `json:"sent"`
	Committed  int64   `json:"committed"`
	Refused    int64   `json:"refused"`
	Unanswered int64   `json:"unanswered"`
	Stray      int64   `json:"stray_answers"`
	MaxLagMs   float64 `json:"max_schedule_lag_ms"`
}

// Deliveries counts entries received by clients: in the window, and over the whole phase with its warm-up and storm.
type Deliveries struct {
	Received      int64 `json:"received"`
	ExpectedInAll int64 `json:"expected_in_all"`
	ReceivedInAll int64 `json:"received_in_all"`
	Lost          int64 `json:"lost"`
	Doubled       int64 `json:"duplicated"`
	OutOfOrder    int64 `json:"out_of_order"`
	Gaps          int64 `json:"gaps"`
	OpenGaps      int64 `json:"gaps_never_filled"`
	Foreign       int64 `json:"of_foreign_rooms"`
	Resets        int64 `json:"resets"`
}

// CPU is what the subject, and the generator, used in the window.
type CPU struct {
	Seconds          float64 `json:"seconds"`
	MicrosPerDeliver float64 `json:"micros_per_delivery"`
	PercentOfCore    float64 `json:"percent_of_core"`
	GeneratorSeconds float64 `json:"generator_seconds"`
}

// Apart is what a process beside the subject, a database, used in the window.
type Apart struct {
	Name             string  `json:"name"`
	Seconds          float64 `json:"seconds"`
	MicrosPerDeliver float64 `json:"micros_per_delivery"`
}

// RSS is the subject's resident memory in bytes: before the first connection, and in the window.
type RSS struct {
	Idle          int64 `json:"idle"`
	End           int64 `json:"end"`
	Peak          int64 `json:"peak"`
	PerConnection int64 `json:"per_connection"` // (end − idle) / connections
}

// Allocations are heap allocations of the subject in the window.
type Allocations struct {
	Count      float64 `json:"count"`
	Bytes      float64 `json:"bytes"`
	PerDeliver float64 `json:"per_delivery"`
}

// Storm is the mass reconnect; its seconds run from the first dial to each client's end of replay.
type Storm struct {
	MissedEach int     `json:"missed_each"`
	CaughtUp   int     `json:"caught_up"`
	Seconds    Seconds `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds"`
}

// Seconds is a distribution in seconds.
type Seconds struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func (l Latency) seconds() Seconds { return Seconds{l.P50 / 1000, l.P99 / 1000, l.Max / 1000} }

// Percentile is a point of the distribution: 2 nines stand for p99.
type Percentile struct {
	Nines float64 `json:"nines"`
	Ms    float64 `json:"ms"`
}

// Sample is one second of a window.
type Sample struct {
	Seconds    float64 `json:"seconds"`
	CPUPercent float64 `json:"cpu_percent"`
	RSS        int64   `json:"rss"`
}

// Ratio is a server phase divided by the floor; 0 stands for no figure.
type Ratio struct {
	Name             string  `json:"name"`
	CPUPerDelivery   float64 `json:"cpu_per_delivery"`
	CPUOfOneNode     float64 `json:"cpu_per_delivery_of_one_node,omitempty"` // divided by the phase of one node instead
	P50              float64 `json:"p50"`
	P99              float64 `json:"p99"`
	P999             float64 `json:"p999"`
	Max              float64 `json:"max"`
	RSSPerConnection float64 `json:"rss_per_connection"`
	Allocations      float64 `json:"allocations_per_delivery"`
}

// between fills in what two moments tell of the window between them.
func (p *Phase) between(first, last moment) {
	p.WindowSeconds = (last.at - first.at).Seconds()
	p.Sends.Sent = last.tally.Sent - first.tally.Sent
	p.Sends.Committed = last.tally.Committed - first.tally.Committed
	p.Deliveries.Received = last.tally.Received - first.tally.Received
	p.Bytes = last.tally.Bytes - first.tally.Bytes
	p.Frames = last.tally.Frames - first.tally.Frames
	p.Signals = last.tally.Signals - first.tally.Signals
	p.CPU.Seconds = (last.cpu - first.cpu).Seconds()
	p.CPU.GeneratorSeconds = (last.ownCPU - first.ownCPU).Seconds()
	p.CPU.PercentOfCore = 100 * p.CPU.Seconds / p.WindowSeconds
	p.Allocations.Count = last.mallocs - first.mallocs
	p.Allocations.Bytes = last.alloc - first.alloc
	if p.Deliveries.Received > 0 {
		p.CPU.MicrosPerDeliver = 1e6 * p.CPU.Seconds / float64(p.Deliveries.Received)
		p.Allocations.PerDeliver = p.Allocations.Count / float64(p.Deliveries.Received)
	}
	for _, name := range slices.Sorted(maps.Keys(last.apart)) {
		a := Apart{Name: name, Seconds: (last.apart[name] - first.apart[name]).Seconds()}
		a.MicrosPerDeliver = 1e6 * a.Seconds / float64(max(p.Deliveries.Received, 1))
		p.Apart = append(p.Apart, a)
	}
	p.RSS.PerConnection = (p.RSS.End - p.RSS.Idle) / int64(p.Connections)
}

// faults says what must not have happened.
func (p *Phase) faults() []string {
	var list []string
	add := func(n int64, what string) {
		if n != 0 {
			list = append(list, fmt.Sprintf("%s: %d %s", p.Name, n, what))
		}
	}
	d := p.Deliveries
	add(d.Lost, "deliveries lost")
	add(d.Doubled, "deliveries duplicated")
	add(d.OutOfOrder, "deliveries out of order")
	add(d.OpenGaps, "gaps never filled")
	add(d.Foreign, "entries of foreign rooms")
	add(d.Resets, "rooms reset")
	add(p.Sends.Refused, "messages refused")
	add(p.Sends.Unanswered, "messages without an answer")
	add(p.Sends.Stray, "answers to nothing")
	if p.Storm != nil {
		add(int64(p.Connections-p.Storm.CaughtUp), "clients not back after the storm")
	}
	for _, reason := range slices.Sorted(maps.Keys(p.Disconnects)) {
		if !strings.HasPrefix(reason, "frozen client") {
			add(int64(p.Disconnects[reason]), "connections cut: "+reason)
		}
	}
	return list
}

// finish computes ratios and faults from the phases.
func (r *Report) finish() {
	r.Faults = []string{}
	var floors []*Phase
	for _, p := range r.Phases {
		r.Faults = append(r.Faults, p.faults()...)
		if isFloor(p) {
			floors = append(floors, p)
		}
	}
	for _, p := range r.Phases {
		if isFloor(p) || len(floors) == 0 {
			continue
		}
		over := func(figure func(*Phase) float64) float64 {
			sum := 0.0
			for _, f := range floors {
				sum += figure(f)
			}
			if sum == 0 {
				return 0
			}
			return figure(p) * float64(len(floors)) / sum
		}
		r.Ratios = append(r.Ratios, Ratio{
			Name:             p.Name,
			CPUOfOneNode:     r.overOneNode(p),
			CPUPerDelivery:   over(func(p *Phase) float64 { return p.CPU.MicrosPerDeliver }),
			P50:              over(func(p *Phase) float64 { return p.Latency.P50 }),
			P99:              over(func(p *Phase) float64 { return p.Latency.P99 }),
			P999:             over(func(p *Phase) float64 { return p.Latency.P999 }),
			Max:              over(func(p *Phase) float64 { return p.Latency.Max }),
			RSSPerConnection: over(func(p *Phase) float64 { return float64(p.RSS.PerConnection) }),
			Allocations:      over(func(p *Phase) float64 { return p.Allocations.PerDeliver }),
		})
	}
}

func isFloor(p *Phase) bool { return strings.HasPrefix(p.Name, "floor") }

// overOneNode is what a delivery costs with several nodes, divided by what it costs with one in the same run; 0 without
// such a phase.
func (r *Report) overOneNode(p *Phase) float64 {
	for _, one := range r.Phases {
		if p.Nodes > 1 && one.Nodes == 1 && !isFloor(one) && one.CPU.MicrosPerDeliver > 0 {
			return p.CPU.MicrosPerDeliver / one.CPU.MicrosPerDeliver
		}
	}
	return 0
}
