//go:build linux

package loadtest

import (
	"bytes"
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/template"
)

//go:embed chart.svg.tmpl
var chartSource string

var chartTemplate = template.Must(template.New("chart").Parse(chartSource))

// chart is the geometry that the template draws, in pixels.
type chart struct {
	Height                   int
	Title, Subtitle, Verdict string
	Bad                      bool
	Bars                     []barPanel
	Plots                    []plot
	Legend                   []mark
}

type barPanel struct {
	X, Y  int
	Title string
	Bars  []bar
}

type bar struct {
	Y            int
	Width, TextX float64
	Label, Value string
	Class        string
}

type plot struct {
	X, Y, Width, Height int
	Title               string
	XTicks, YTicks      []tick
	Curves              []curve
}

type tick struct {
	At    float64
	Label string
}

type curve struct{ Class, Label, Points string }

type mark struct {
	X, Y         int
	Class, Label string
}

// point is a pair in the units of the data.
type point struct{ x, y float64 }

// Chart draws the report as one SVG file that follows the reader's light or dark scheme.
func (r *Report) Chart() ([]byte, error) {
	barsHeight := 24*len(r.Phases) + 50
	top := 104 + barsHeight
	more := r.moreBars(top)
	if len(more) > 0 {
		top += barsHeight
	}
	c := chart{
		Height: top + 300,
		Title:  fmt.Sprintf("%d connections in rooms of %d, %.4g messages/s", r.Workload.Connections, r.Workload.RoomSize, r.Workload.Rate),
		Subtitle: fmt.Sprintf("measured for %v on %d CPUs%s; the floor makes one write call per delivery and nothing else",
			r.Workload.Duration, r.CPUs, map[bool]string{true: ", the server held to one CPU and 1 GB"}[r.Workload.OneCPU]),
		Verdict: "nothing lost, duplicated, out of order, refused or cut off",
		Bad:     len(r.Faults) > 0,
	}
	if c.Bad {
		c.Verdict = strings.Join(r.Faults, "; ")
	}
	c.Bars = []barPanel{
		r.bars(24, 104, "CPU per delivery, µs", func(p *Phase) float64 { return p.CPU.MicrosPerDeliver }),
		r.bars(336, 104, "Latency p99, ms", func(p *Phase) float64 { return p.Latency.P99 }),
		r.bars(648, 104, "RSS per connection, KB", func(p *Phase) float64 { return float64(p.RSS.PerConnection) / 1024 }),
	}
	c.Bars = append(c.Bars, more...)
	c.Plots = []plot{
		r.latencyPlot(70, top+20, 390, 190),
		r.seriesPlot(540, top+20, 390, 70, "CPU, % of a core", func(s Sample) float64 { return s.CPUPercent }),
		r.seriesPlot(540, top+140, 390, 70, "RSS, MB", func(s Sample) float64 { return float64(s.RSS) / 1e6 }),
	}
	for i, p := range r.Phases {
		c.Legend = append(c.Legend, mark{X: 24 + i*min(230, 912/len(r.Phases)), Y: top + 280, Class: r.class(i), Label: p.Name})
	}
	var b bytes.Buffer
	if err := chartTemplate.Execute(&b, c); err != nil {
		return nil, fmt.Errorf("chart: %w", err)
	}
	return b.Bytes(), nil
}

// class is how a phase is drawn.
func (r *Report) class(i int) string {
	p := r.Phases[i]
	switch {
	case isFloor(p) && i > 0:
		return "floor second"
	case isFloor(p):
		return "floor"
	case strings.HasSuffix(p.Name, "frozen"):
		return "frozen"
	}
	return map[bool]string{false: "server", true: fmt.Sprintf("server n%d", min(p.Nodes, 3))}[p.Nodes > 1]
}

// moreBars is a second row of panels, of what only a run of several nodes has.
func (r *Report) moreBars(y int) (panels []barPanel) {
	if slices.ContainsFunc(r.Phases, func(p *Phase) bool { return p.Across != nil }) {
		panels = append(panels, r.bars(24, y, "Latency p99 across nodes, ms", func(p *Phase) float64 {
			if p.Across == nil {
				return 0
			}
			return p.Across.P99
		}))
	}
	for _, name := range r.apartNames() {
		if len(panels) < 3 {
			x := 24 + 312*len(panels)
			panels = append(panels, r.bars(x, y, "CPU of "+name+" per delivery, µs", func(p *Phase) float64 { return p.apart(name) }))
		}
	}
	for _, panel := range panels {
		for i := range panel.Bars {
			if panel.Bars[i].Width == 0 {
				panel.Bars[i].Value = "–" // the floor has no database, one node no other
			}
		}
	}
	return panels
}

func (r *Report) bars(x, y int, title string, figure func(*Phase) float64) barPanel {
	const widest = 130
	panel := barPanel{X: x, Y: y, Title: title}
	most := 0.0
	for _, p := range r.Phases {
		most = max(most, figure(p))
	}
	for i, p := range r.Phases {
		width := 0.0
		if most > 0 {
			width = max(0, widest*figure(p)/most)
		}
		panel.Bars = append(panel.Bars, bar{
			Y: 12 + 24*i, Width: width, TextX: 110 + width + 6,
			Label: p.Name, Value: fmt.Sprintf("%.1f", figure(p)), Class: r.class(i),
		})
	}
	return panel
}

// latencyPlot draws each phase's distribution: to the right the rarer, upwards the slower (logarithmic).
func (r *Report) latencyPlot(x, y, width, height int) plot {
	p := plot{X: x, Y: y, Width: width, Height: height, Title: "Latency by percentile, ms"}
	low, high, nines := math.Inf(1), 0.0, 1.0
	for _, phase := range r.Phases {
		for _, q := range phase.Percentiles {
			low, high, nines = min(low, max(q.Ms, 0.01)), max(high, q.Ms), max(nines, q.Nines)
		}
	}
	if high == 0 {
		return p
	}
	bottom, top := math.Floor(math.Log10(low)), math.Ceil(math.Log10(high*1.01))
	atX := func(n float64) float64 { return n / nines * float64(width) }
	atY := func(ms float64) float64 {
		return float64(height) * (1 - (math.Log10(max(ms, 0.01))-bottom)/(top-bottom))
	}
	for e := bottom; e <= top; e++ {
		p.YTicks = append(p.YTicks, tick{atY(math.Pow(10, e)), fmt.Sprintf("%g", math.Pow(10, e))})
	}
	for i, label := range []string{"min", "p90", "p99", "p99.9", "p99.99"} {
		if float64(i) <= nines {
			p.XTicks = append(p.XTicks, tick{atX(float64(i)), label})
		}
	}
	for i, phase := range r.Phases {
		var points []point
		for _, q := range phase.Percentiles {
			points = append(points, point{atX(q.Nines), atY(q.Ms)})
		}
		p.Curves = append(p.Curves, curve{r.class(i), phase.Name, polyline(points)})
	}
	return p
}

// seriesPlot draws a figure over the measured window, from zero.
func (r *Report) seriesPlot(x, y, width, height int, title string, figure func(Sample) float64) plot {
	p := plot{X: x, Y: y, Width: width, Height: height, Title: title}
	most, end := 0.0, r.Workload.Duration.Seconds()
	for _, phase := range r.Phases {
		for _, s := range phase.Series {
			most, end = max(most, figure(s)), max(end, s.Seconds)
		}
	}
	if most == 0 {
		return p
	}
	most = roundUp(most)
	atX := func(s float64) float64 { return s / end * float64(width) }
	atY := func(v float64) float64 { return float64(height) * (1 - v/most) }
	for _, v := range []float64{0, most / 2, most} {
		p.YTicks = append(p.YTicks, tick{atY(v), fmt.Sprintf("%g", v)})
	}
	p.XTicks = []tick{{0, "0 s"}, {atX(end), fmt.Sprintf("%.0f s", end)}}
	for i, phase := range r.Phases {
		var points []point
		for _, s := range phase.Series {
			points = append(points, point{atX(s.Seconds), atY(figure(s))})
		}
		p.Curves = append(p.Curves, curve{r.class(i), phase.Name, polyline(points)})
	}
	return p
}

func polyline(points []point) string {
	var b strings.Builder
	for i, p := range points {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%.1f,%.1f", p.x, p.y)
	}
	return b.String()
}

// roundUp returns the next of 1, 2, 4, 6, 8 times a power of ten, so that the half of it is a round number too.
func roundUp(v float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, factor := range []float64{1, 2, 4, 6, 8} {
		if v <= factor*unit {
			return factor * unit
		}
	}
	return 10 * unit
}
