package metrics_test

import (
	"testing"

	"github.com/gochat-dev/gochat/internal/metrics"
)

// A series that is not there until something happens hides the first time it does from whoever watches its rate.
func TestSeriesAreThereFromTheStart(t *testing.T) {
	m := metrics.New("test")
	m.Connections(func() (int, int) { return 0, 0 })
	m.ConnectionsMax(5000)
	m.SendsWaiting(func() int { return 0 })
	m.SchemaVersion(3)
	families, err := m.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	there := make(map[string]int)
	for _, f := range families {
		there[f.GetName()] = len(f.GetMetric())
	}
	for _, name := range []string{
		"gochat_connections", "gochat_rooms_live", "gochat_entries_committed_total", "gochat_deliveries_total", "gochat_commit_seconds",
		"gochat_delivery_seconds", "gochat_bus_lag_seconds", "gochat_outbox_bytes", "gochat_disconnects_total", "gochat_resumes_total",
		"gochat_gaps_mended_total", "gochat_numbers_skipped_total", "gochat_duplicates_total", "gochat_rooms_reset_total",
		"gochat_backplane_up", "gochat_store_up", "gochat_rate_limited_total", "gochat_auth_failures_total", "gochat_build_info",
		"gochat_sends_total", "gochat_send_seconds", "gochat_sends_waiting", "gochat_connects_total", "gochat_connections_turned_away_total",
		"gochat_connections_max", "gochat_schema_version",
	} {
		if there[name] == 0 {
			t.Errorf("%s is not there", name)
		}
	}
	before := there["gochat_disconnects_total"]
	m.Disconnected(4009)
	m.Resumed(true)
	if families, err = m.Registry().Gather(); err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "gochat_disconnects_total" && len(f.GetMetric()) != before {
			t.Errorf("a close code of the contract is a new series")
		}
	}
}
