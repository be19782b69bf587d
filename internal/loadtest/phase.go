//go:build linux

package loadtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	connectTimeout = 3 * time.Minute
	drainPatience  = 3 * time.Second
	stormTimeout   = 2 * time.Minute
	// connectAtOnce bounds the dials under way while the crowd arrives, which is no storm yet.
	connectAtOnce = 256
	// stormSpread is the full jitter of a client's first try (protocol.md, close codes).
	stormSpread = 500 * time.Millisecond
)

// subject is what is under test, and what it leans on: processes by name whose CPU is told apart.
type subject struct {
	name    string
	servers []served // what they use is added up
	apart   map[string]int
	target  target
	beside  func(context.Context) error // runs beside the measured window; may be nil
}

// measurement is one phase under way.
type measurement struct {
	subject subject
	load    Workload
	fleet   *fleet
	phase   *Phase
}

// measure connects the crowd to the subject, runs the workload and checks what everybody received.
func measure(ctx context.Context, s subject, w Workload, p *population, slowPercent float64) (*measurement, error) {
	clients, rooms := w.crowd(p, slowPercent)
	m := &measurement{subject: s, load: w, phase: &Phase{Name: s.name, Nodes: len(s.target.nodes), Connections: len(clients)}}
	var err error
	if m.phase.RSS.Idle, err = m.memory(residentSet); err != nil {
		return nil, err
	}
	if m.fleet, err = newFleet(s.target, clients, rooms, w); err != nil {
		return nil, err
	}
	if err := m.connect(ctx); err != nil {
		return m, fmt.Errorf("%s: %w", s.name, err)
	}
	if err := m.window(ctx); err != nil {
		return m, fmt.Errorf("%s: %w", s.name, err)
	}
	return m, nil
}

func (m *measurement) connect(ctx context.Context) error {
	f := m.fleet
	ctx, cancel := context.WithTimeoutCause(ctx, connectTimeout, fmt.Errorf("not everybody is connected after %v", connectTimeout))
	defer cancel()
	start := time.Now()
	if err := f.dialAll(0, connectAtOnce); err != nil {
		return err
	}
	err := f.until(ctx, func() bool { return f.tally.Live == len(f.clients) })
	m.phase.ConnectSeconds = time.Since(start).Seconds()
	if err != nil {
		return fmt.Errorf("connect: %w (%s)", err, m.troubles())
	}
	return nil
}

// window warms up, measures, and lets what is under way arrive.
func (m *measurement) window(ctx context.Context) error {
	f := m.fleet
	if err := f.do(m.startSending); err != nil {
		return err
	}
	if err := pause(ctx, m.load.Warmup); err != nil {
		return err
	}
	first, err := m.now(ctx, true)
	if err != nil {
		return err
	}
	if err := f.do(func() { f.windowStart = f.now() }); err != nil {
		return err
	}
	beside, besideCtx := errgroup.WithContext(ctx)
	if m.subject.beside != nil {
		beside.Go(func() error { return m.subject.beside(besideCtx) })
	}
	beside.Go(func() error { return m.sampleSeries(besideCtx) })
	if err := beside.Wait(); err != nil {
		return err
	}
	if err := f.do(func() { f.windowEnd = f.now() }); err != nil {
		return err
	}
	last, err := m.now(ctx, false)
	if err != nil {
		return err
	}
	if m.phase.RSS.End, err = m.memory(residentSet); err != nil {
		return err
	}
	if m.phase.RSS.Peak, err = m.memory(peakResidentSet); err != nil {
		return err
	}
	m.phase.between(first, last)
	if err := f.do(func() { f.rate, f.closedLoop = 0, false }); err != nil {
		return err
	}
	return m.drain(ctx)
}

func (m *measurement) startSending() {
	f := m.fleet
	f.rate, f.closedLoop, f.nextSend = m.load.Rate, m.load.ClosedLoop, f.now()
	if f.closedLoop {
		for _, c := range f.shuffledSenders() {
			f.send(c)
		}
	}
}

// drain waits until everything is answered and received; what has not come when nothing has moved for a
// while is reported as lost.
func (m *measurement) drain(ctx context.Context) error {
	f := m.fleet
	settled := func() bool { return f.tally.Unanswered == 0 && f.tally.Received >= f.tally.Expected }
	var before, now tally
	if err := f.do(func() { before = f.tally }); err != nil {
		return err
	}
	for {
		patience, cancel := context.WithTimeout(ctx, drainPatience)
		err := f.until(patience, settled)
		cancel()
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		if err := f.do(func() { now = f.tally }); err != nil {
			return err
		}
		if now.Received == before.Received && now.Unanswered == before.Unanswered {
			return nil
		}
		before = now
	}
}

// sampleSeries watches CPU and memory once a second for the length of the window.
func (m *measurement) sampleSeries(ctx context.Context) error {
	every := time.NewTicker(time.Second)
	defer every.Stop()
	end := time.NewTimer(m.load.Duration)
	defer end.Stop()
	start := time.Now()
	before, err := m.cpu()
	if err != nil {
		return err
	}
	for previous := start; ; {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-end.C:
			return nil
		case now := <-every.C:
			cpu, err := m.cpu()
			if err != nil {
				return err
			}
			rss, err := m.memory(residentSet)
			if err != nil {
				return err
			}
			m.phase.Series = append(m.phase.Series, Sample{
				Seconds:    now.Sub(start).Seconds(),
				CPUPercent: 100 * (cpu - before).Seconds() / now.Sub(previous).Seconds(),
				RSS:        rss,
			})
			before, previous = cpu, now
		}
	}
}

// storm drops everybody at once, has each room grow meanwhile, and lets everybody come back.
func (m *measurement) storm(ctx context.Context, api *rest, p *population) error {
	f, n := m.fleet, m.load.Storm
	if err := f.do(func() {
		for _, c := range f.clients {
			f.hangUp(c)
		}
	}); err != nil {
		return err
	}
	if err := api.post(ctx, p, n, m.load.Body); err != nil {
		return err
	}
	if err := f.do(func() {
		for _, r := range f.rooms {
			f.commit(r, n)
		}
	}); err != nil {
		return err
	}
	before, err := m.cpu()
	if err != nil {
		return err
	}
	start := f.now()
	if err := f.dialAll(stormSpread, 0); err != nil {
		return err
	}
	patience, cancel := context.WithTimeout(ctx, stormTimeout)
	defer cancel()
	everybody := func() bool { return f.tally.Live == len(f.clients) && f.tally.Received >= f.tally.Expected }
	if err := f.until(patience, everybody); err != nil && (patience.Err() == nil || ctx.Err() != nil) {
		return err
	}
	after, err := m.cpu()
	if err != nil {
		return err
	}
	return f.do(func() {
		var back latencies
		for _, c := range f.clients {
			if c.state == live {
				back.record(c.liveAt - start)
			}
		}
		m.phase.Storm = &Storm{
			MissedEach: n, CaughtUp: len(back.micros), Seconds: back.summary().seconds(),
			CPUSeconds: (after - before).Seconds(),
		}
	})
}

// check looks at every client's record and ends the phase.
func (m *measurement) check() error {
	f := m.fleet
	err := f.do(func() {
		d := &m.phase.Deliveries
		for _, c := range f.clients {
			if c.slow {
				continue
			}
			d.Lost += int64(max(0, c.room.committed-c.received))
			d.Doubled += int64(max(0, c.received-c.room.committed))
			d.OpenGaps += int64(len(c.chain.missing))
		}
		t := f.tally
		d.ExpectedInAll, d.ReceivedInAll = t.Expected, t.Received
		d.Doubled += t.Duplicated
		d.OutOfOrder, d.Gaps, d.Foreign, d.Resets = t.OutOfOrder, t.Gaps, t.Foreign, t.Resets
		m.phase.Sends.Refused, m.phase.Sends.Unanswered, m.phase.Sends.Stray = t.Refused, t.Unanswered, t.StrayAnswers
		m.phase.Sends.MaxLagMs = float64(f.sendLag.Microseconds()) / 1000
		m.phase.Disconnects, m.phase.Retries, m.phase.Refusals = maps.Clone(f.disconnects), maps.Clone(f.retries), maps.Clone(f.refusals)
		m.phase.Latency = f.latencies.summary()
		if len(m.subject.target.nodes) > 1 {
			across := f.across.summary()
			m.phase.Across = &across
		}
		m.phase.Percentiles = percentileCurve(&f.latencies)
	})
	return err
}

// percentileCurve is the distribution as (nines, milliseconds): 1 stands for p90, 2 for p99, 3 for p99.9.
func percentileCurve(l *latencies) []Percentile {
	if len(l.micros) == 0 {
		return nil
	}
	var curve []Percentile
	for nines := 0.0; nines <= 4 && math.Pow(10, nines) <= float64(len(l.micros)); nines += 0.125 {
		ms := float64(l.quantile(1-math.Pow(10, -nines)).Microseconds()) / 1000
		curve = append(curve, Percentile{Nines: nines, Ms: ms})
	}
	return curve
}

// troubles tells what went wrong on the way, for an error message.
func (m *measurement) troubles() string {
	var parts []string
	// When the loop has ended, its own error is the one that tells.
	_ = m.fleet.do(func() {
		f := m.fleet
		parts = append(parts, fmt.Sprintf("%d of %d live", f.tally.Live, len(f.clients)))
		for _, counts := range []map[string]int{f.retries, f.disconnects} {
			for _, reason := range slices.Sorted(maps.Keys(counts)) {
				parts = append(parts, fmt.Sprintf("%d × %s", counts[reason], reason))
			}
		}
	})
	return strings.Join(parts, ", ")
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
