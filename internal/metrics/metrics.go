// Package metrics holds every Prometheus series of the server, in one place.
package metrics

import (
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Metrics are the series of one server. It implements the observers of hub, relay, session and auth; their names and
// labels are fixed (docs/operations).
type Metrics struct {
	registry *prometheus.Registry

	roomsLive     prometheus.Gauge
	committed     prometheus.Counter
	sends         *prometheus.CounterVec
	sendSeconds   prometheus.Histogram
	deliveries    prometheus.Counter
	commitSeconds prometheus.Histogram
	delivery      prometheus.Histogram
	busLag        prometheus.Histogram
	connects      prometheus.Counter
	turnedAway    *prometheus.CounterVec
	disconnects   *prometheus.CounterVec
	resumes       *prometheus.CounterVec
	mended        prometheus.Counter
	skipped       prometheus.Counter
	duplicates    prometheus.Counter
	resets        prometheus.Counter
	backplaneUp   prometheus.Gauge
	storeUp       prometheus.Gauge
	rateLimited   *prometheus.CounterVec
	authFailures  *prometheus.CounterVec
}

// latencies are histogram buckets in seconds, from a fast commit to a hopeless one.
var latencies = []float64{.0005, .001, .0025, .005, .01, .02, .05, .1, .25, .5, 1, 2.5, 5, 10}

// New makes the series of a server of a version.
func New(version string) *Metrics {
	r := prometheus.NewRegistry()
	m := &Metrics{
		registry:      r,
		roomsLive:     gauge(r, "gochat_rooms_live", "Rooms that are live on this node."),
		committed:     counter(r, "gochat_entries_committed_total", "Entries that this node committed."),
		sends:         counters(r, "gochat_sends_total", "Messages and changes of rooms that were asked for, by how it ended.", "result"),
		sendSeconds:   histogram(r, "gochat_send_seconds", "Time from taking in what is then committed to its answer."),
		deliveries:    counter(r, "gochat_deliveries_total", "Entries pushed to connections, counted per connection."),
		commitSeconds: histogram(r, "gochat_commit_seconds", "Time from taking a batch to its commit."),
		delivery:      histogram(r, "gochat_delivery_seconds", "Time from the commit of an entry to the write to a socket."),
		busLag:        histogram(r, "gochat_bus_lag_seconds", "Time from the commit on another node to the delivery on this one."),
		connects:      counter(r, "gochat_connects_total", "Connections begun."),
		turnedAway:    counters(r, "gochat_connections_turned_away_total", "Connections not admitted, and told to come back later.", "why"),
		disconnects:   counters(r, "gochat_disconnects_total", "Connections ended, by close code (0: without one).", "code"),
		resumes:       counters(r, "gochat_resumes_total", "Rooms resumed after a reconnect.", "recovered"),
		mended:        counter(r, "gochat_gaps_mended_total", "Reads of the store to fill a gap in a live room."),
		skipped:       counter(r, "gochat_numbers_skipped_total", "Numbers generated and passed over."),
		duplicates:    counter(r, "gochat_duplicates_total", "Sends that stood already, and entries heard of twice."),
		resets:        counter(r, "gochat_rooms_reset_total", "Live rooms read anew because the history changed."),
		backplaneUp:   gauge(r, "gochat_backplane_up", "1 while the backplane can be reached."),
		storeUp:       gauge(r, "gochat_store_up", "1 while the store can be reached."),
		rateLimited:   counters(r, "gochat_rate_limited_total", "Requests refused for their rate.", "what"),
		authFailures:  counters(r, "gochat_auth_failures_total", "Log-ins and tokens refused.", "why"),
	}
	m.begin()
	m.backplaneUp.Set(1)
	m.storeUp.Set(1)
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "gochat_build_info", Help: "1; the labels say what was built.",
	}, []string{"version", "revision", "goversion"})
	info.WithLabelValues(version, revision(), runtime.Version()).Set(1)
	r.MustRegister(info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// begin has the series with labels be there from the start, at 0: what counts their rate then sees the first one too.
func (m *Metrics) begin() {
	for _, code := range []int{0, 1000, 1001, 1006, 1009, 1013, 4001, 4008, 4009, 4029, 4100, 4110} {
		m.disconnects.WithLabelValues(closeCode(code))
	}
	for _, result := range []string{"committed", "duplicate", "refused", "unavailable", "abandoned"} {
		m.sends.WithLabelValues(result)
	}
	for _, why := range []string{"full", "leaving", "busy", "store"} {
		m.turnedAway.WithLabelValues(why)
	}
	for _, recovered := range []bool{true, false} {
		m.resumes.WithLabelValues(strconv.FormatBool(recovered))
	}
	for _, what := range []string{"send", "command", "login", "register"} {
		m.rateLimited.WithLabelValues(what)
	}
	for _, why := range []string{"bad_credentials", "bad_token", "session_revoked", "token_reused"} {
		m.authFailures.WithLabelValues(why)
	}
}

func gauge(r *prometheus.Registry, name, help string) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	r.MustRegister(g)
	return g
}

func counter(r *prometheus.Registry, name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	r.MustRegister(c)
	return c
}

func counters(r *prometheus.Registry, name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	r.MustRegister(c)
	return c
}

func histogram(r *prometheus.Registry, name, help string) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: latencies})
	r.MustRegister(h)
	return h
}

func revision() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return "unknown"
}

// Connections has gochat_connections and gochat_outbox_bytes read from count when they are asked for.
func (m *Metrics) Connections(count func() (connections, outboxBytes int)) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "gochat_connections", Help: "Connections of clients."},
			func() float64 { n, _ := count(); return float64(n) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "gochat_outbox_bytes", Help: "Bytes that wait to be written to clients."},
			func() float64 { _, n := count(); return float64(n) }))
}

// ConnectionsMax notes how many connections there may be; 0: there is no limit.
func (m *Metrics) ConnectionsMax(limit int) {
	gauge(m.registry, "gochat_connections_max", "Most connections of clients that are admitted; 0: no limit.").Set(float64(limit))
}

// SendsWaiting has gochat_sends_waiting read from count when it is asked for.
func (m *Metrics) SendsWaiting(count func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Name: "gochat_sends_waiting", Help: "Messages and changes of rooms that wait to be committed."},
		func() float64 { return float64(count()) }))
}

// SchemaVersion notes the version that the store's schema had when this node started.
func (m *Metrics) SchemaVersion(version int64) {
	gauge(m.registry, "gochat_schema_version", "Version of the store's schema when this node started.").Set(float64(version))
}

// Registry is where the series are gathered from.
func (m *Metrics) Registry() *prometheus.Registry { return m.registry }

// The observer of hub.

// Delivered counts an entry pushed to so many connections.
func (m *Metrics) Delivered(connections int) { m.deliveries.Add(float64(connections)) }

// Duplicate counts an entry heard of twice.
func (m *Metrics) Duplicate() { m.duplicates.Inc() }

// Mended counts a gap.
func (m *Metrics) Mended() { m.mended.Inc() }

// Reset counts a room whose history changed.
func (m *Metrics) Reset() { m.resets.Inc() }

// Rooms counts rooms that became live, or ceased to be.
func (m *Metrics) Rooms(change int) { m.roomsLive.Add(float64(change)) }

// The observer of relay.

// Committed counts a batch.
func (m *Metrics) Committed(entries, duplicates int, took time.Duration) {
	m.committed.Add(float64(entries))
	m.duplicates.Add(float64(duplicates))
	m.commitSeconds.Observe(took.Seconds())
}

// NumbersSkipped counts numbers that were passed over.
func (m *Metrics) NumbersSkipped(n int64) { m.skipped.Add(float64(n)) }

// BusLag observes how long an entry was on the bus. Clocks that disagree may make it negative.
func (m *Metrics) BusLag(d time.Duration) { m.busLag.Observe(max(d.Seconds(), 0)) }

// BackplaneUp notes whether the backplane can be reached.
func (m *Metrics) BackplaneUp(up bool) { m.backplaneUp.Set(number(up)) }

// StoreUp notes whether the store can be reached.
func (m *Metrics) StoreUp(up bool) { m.storeUp.Set(number(up)) }

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// RateLimited counts a refusal. Also of session and auth.
func (m *Metrics) RateLimited(what string) { m.rateLimited.WithLabelValues(what).Inc() }

// SendEnded counts what was asked for; how long it took, if it was committed.
func (m *Metrics) SendEnded(result string, took time.Duration) {
	m.sends.WithLabelValues(result).Inc()
	if result == "committed" {
		m.sendSeconds.Observe(took.Seconds())
	}
}

// The observer of session.

// Connected counts the beginning of a connection.
func (m *Metrics) Connected() { m.connects.Inc() }

// TurnedAway counts a connection that was not admitted.
func (m *Metrics) TurnedAway(why string) { m.turnedAway.WithLabelValues(why).Inc() }

// Disconnected counts the end of a connection.
func (m *Metrics) Disconnected(code int) { m.disconnects.WithLabelValues(closeCode(code)).Inc() }

// closeCode is a label of few values: codes that clients make up count as one.
func closeCode(code int) string {
	if code == 0 || (code >= 1000 && code <= 1015) || (code >= 4000 && code < 4200) {
		return strconv.Itoa(code)
	}
	return "other"
}

// Resumed counts a room resumed.
func (m *Metrics) Resumed(recovered bool) {
	m.resumes.WithLabelValues(strconv.FormatBool(recovered)).Inc()
}

// Written observes how long ago what is written now was committed.
func (m *Metrics) Written(committed time.Time) { m.delivery.Observe(time.Since(committed).Seconds()) }

// The observer of auth.

// AuthFailed counts a refusal.
func (m *Metrics) AuthFailed(why string) { m.authFailures.WithLabelValues(why).Inc() }
