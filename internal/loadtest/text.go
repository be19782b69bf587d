//go:build linux

package loadtest

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// WriteText prints the report as a table, one column per phase.
func (r *Report) WriteText(w io.Writer) error {
	fmt.Fprintf(w, "%d connections in rooms of %d, %.4g messages/s of %d bytes, %v after %v of warm-up; %d CPUs",
		r.Workload.Connections, r.Workload.RoomSize, r.Workload.Rate, r.Workload.Body, r.Workload.Duration, r.Workload.Warmup, r.CPUs)
	if r.Workload.OneCPU {
		fmt.Fprint(w, ", the server held to one of them and 1 GB")
	}
	if r.SetUp.Accounts > 0 {
		fmt.Fprintf(w, "\nset-up: %d accounts, %d rooms in %.1f s", r.SetUp.Accounts, r.SetUp.Rooms, r.SetUp.Seconds)
	}
	fmt.Fprint(w, "\n\n")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range r.rows() {
		fmt.Fprintln(table, strings.Join(row, "\t")+"\t")
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, p := range r.Phases {
		if s := p.Storm; s != nil {
			fmt.Fprintf(w, "\n%s: storm: %d clients with %d entries missed each were back after %.2f s (p50), %.2f s (p99), %.2f s (last), %.1f s of CPU; %v\n",
				p.Name, s.CaughtUp, s.MissedEach, s.Seconds.P50, s.Seconds.P99, s.Seconds.Max, s.CPUSeconds, p.Retries)
		}
	}
	for _, ratio := range r.Ratios {
		if ratio.CPUOfOneNode > 0 {
			fmt.Fprintf(w, "\n%s: CPU of all together × %.2f of that of one\n", ratio.Name, ratio.CPUOfOneNode)
		}
	}
	verdict := "\nnothing lost, doubled, out of order, refused or cut off"
	if len(r.Faults) > 0 {
		verdict = "\nFAULTS:\n  " + strings.Join(r.Faults, "\n  ")
	}
	_, err := fmt.Fprintln(w, verdict)
	return err
}

// rows is the table: figures of each phase, then the ratio of each server phase to the floor.
func (r *Report) rows() [][]string {
	type line struct {
		label string
		cell  func(*Phase) string
		ratio func(Ratio) float64
	}
	number := func(figure func(*Phase) float64, format string) func(*Phase) string {
		return func(p *Phase) string { return fmt.Sprintf(format, figure(p)) }
	}
	whole := func(figure func(*Phase) int64) func(*Phase) string {
		return func(p *Phase) string { return fmt.Sprint(figure(p)) }
	}
	lines := []line{
		{"", func(p *Phase) string { return p.Name }, nil},
		{"connections", whole(func(p *Phase) int64 { return int64(p.Connections) }), nil},
		{"connected in, s", number(func(p *Phase) float64 { return p.ConnectSeconds }, "%.1f"), nil},
		{"messages committed /s", number(func(p *Phase) float64 { return float64(p.Sends.Committed) / p.WindowSeconds }, "%.1f"), nil},
		{"deliveries /s", number(func(p *Phase) float64 { return float64(p.Deliveries.Received) / p.WindowSeconds }, "%.0f"), nil},
		{"deliveries expected, in all", whole(func(p *Phase) int64 { return p.Deliveries.ExpectedInAll }), nil},
		{"received, in all", whole(func(p *Phase) int64 { return p.Deliveries.ReceivedInAll }), nil},
		{"duplicated", whole(func(p *Phase) int64 { return p.Deliveries.Doubled }), nil},
		{"out of order", whole(func(p *Phase) int64 { return p.Deliveries.OutOfOrder }), nil},
		{"latency p50, ms", number(func(p *Phase) float64 { return p.Latency.P50 }, "%.2f"), func(r Ratio) float64 { return r.P50 }},
		{"p99, ms", number(func(p *Phase) float64 { return p.Latency.P99 }, "%.2f"), func(r Ratio) float64 { return r.P99 }},
		{"p99.9, ms", number(func(p *Phase) float64 { return p.Latency.P999 }, "%.2f"), func(r Ratio) float64 { return r.P999 }},
		{"max, ms", number(func(p *Phase) float64 { return p.Latency.Max }, "%.2f"), func(r Ratio) float64 { return r.Max }},
		{"CPU, s", number(func(p *Phase) float64 { return p.CPU.Seconds }, "%.2f"), nil},
		{"CPU, % of a core", number(func(p *Phase) float64 { return p.CPU.PercentOfCore }, "%.1f"), nil},
		{"CPU per delivery, µs", number(func(p *Phase) float64 { return p.CPU.MicrosPerDeliver }, "%.1f"), func(r Ratio) float64 { return r.CPUPerDelivery }},
		{"RSS, MB", number(func(p *Phase) float64 { return float64(p.RSS.End) / 1e6 }, "%.1f"), nil},
		{"RSS peak, MB", number(func(p *Phase) float64 { return float64(p.RSS.Peak) / 1e6 }, "%.1f"), nil},
		{"RSS per connection, KB", number(func(p *Phase) float64 { return float64(p.RSS.PerConnection) / 1024 }, "%.1f"), func(r Ratio) float64 { return r.RSSPerConnection }},
		{"allocations per delivery", number(func(p *Phase) float64 { return p.Allocations.PerDeliver }, "%.2f"), func(r Ratio) float64 { return r.Allocations }},
		{"allocated, MB/s", number(func(p *Phase) float64 { return p.Allocations.Bytes / 1e6 / p.WindowSeconds }, "%.2f"), nil},
		{"bytes received, MB", number(func(p *Phase) float64 { return float64(p.Bytes) / 1e6 }, "%.1f"), nil},
		{"frames received", whole(func(p *Phase) int64 { return p.Frames }), nil},
		{"generator's CPU, s", number(func(p *Phase) float64 { return p.CPU.GeneratorSeconds }, "%.2f"), nil},
	}
	for _, name := range r.apartNames() {
		lines = append(lines, line{"CPU of " + name + " per delivery, µs", number(func(p *Phase) float64 { return p.apart(name) }, "%.1f"), nil})
	}
	if slices.ContainsFunc(r.Phases, func(p *Phase) bool { return p.Across != nil }) {
		across := func(figure func(*Latency) float64) func(*Phase) string {
			return func(p *Phase) string {
				if p.Across == nil {
					return ""
				}
				return fmt.Sprintf("%.2f", figure(p.Across))
			}
		}
		lines = append(lines,
			line{"latency across nodes p50, ms", across(func(l *Latency) float64 { return l.P50 }), nil},
			line{"p99, ms", across(func(l *Latency) float64 { return l.P99 }), nil},
			line{"max, ms", across(func(l *Latency) float64 { return l.Max }), nil})
	}
	var rows [][]string
	for _, l := range lines {
		row := []string{l.label}
		for _, p := range r.Phases {
			row = append(row, l.cell(p))
		}
		for _, ratio := range r.Ratios {
			switch {
			case l.label == "":
				row = append(row, ratio.Name+" / floor")
			case l.ratio == nil || l.ratio(ratio) == 0:
				row = append(row, "")
			default:
				row = append(row, fmt.Sprintf("× %.2f", l.ratio(ratio)))
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// apartNames are those of the processes beside, each once.
func (r *Report) apartNames() (names []string) {
	for _, p := range r.Phases {
		for _, a := range p.Apart {
			if !slices.Contains(names, a.Name) {
				names = append(names, a.Name)
			}
		}
	}
	return names
}

// apart is what a process beside cost per delivery, in µs.
func (p *Phase) apart(name string) float64 {
	for _, a := range p.Apart {
		if a.Name == name {
			return a.MicrosPerDeliver
		}
	}
	return 0
}
