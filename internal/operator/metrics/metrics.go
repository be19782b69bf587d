// Package metrics holds every Prometheus series of the operator, in one place.
//
// Labels that name a ChatCluster are called chatcluster_namespace and chatcluster: Prometheus puts the namespace of
// the operator's own pod into namespace.
package metrics

import (
	"cmp"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// Facts are what is known of a ChatCluster after a pass over it.
type Facts struct {
	Status            v1alpha1.ChatClusterStatus
	Reconciled        time.Time // when the last pass that succeeded ended
	CertificateExpiry time.Time // of the certificate of the hostname; zero: there is none, or it can't be read
}

// Metrics are the series of one operator: a prometheus.Collector to be registered. Its methods may be called at the same
// time.
type Metrics struct {
	build prometheus.Metric

	mu    sync.Mutex
	facts map[types.NamespacedName]Facts
}

var (
	of = []string{"chatcluster_namespace", "chatcluster"}

	chatClusters = describe("gochat_operator_chatclusters", "ChatClusters, by condition and its status.", "condition", "status")
	condition    = describe("gochat_operator_condition", "1: the condition of the ChatCluster has this status, for this reason.", append(slices.Clone(of), "condition", "status", "reason")...)
	reconciled   = describe("gochat_operator_last_reconcile_timestamp_seconds", "When the last pass over the ChatCluster that succeeded ended.", of...)
	lastBackup   = describe("gochat_operator_last_backup_timestamp_seconds", "When the last backup that succeeded was finished.", of...)
	certificate  = describe("gochat_operator_certificate_expiry_timestamp_seconds", "When the certificate of the hostname expires.", of...)
	servers      = describe("gochat_operator_servers", "Servers: all of them, and those that take connections.", append(slices.Clone(of), "state")...)
	buildInfo    = describe("gochat_operator_build_info", "1; the labels say what was built.", "version", "goversion")

	descriptions = []*prometheus.Desc{chatClusters, condition, reconciled, lastBackup, certificate, servers, buildInfo}
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// New makes the series of an operator of a version.
func New(version string) *Metrics {
	return &Metrics{
		build: prometheus.MustNewConstMetric(buildInfo, prometheus.GaugeValue, 1, version, runtime.Version()),
		facts: make(map[types.NamespacedName]Facts),
	}
}

// Set notes what a pass over a ChatCluster found. The time of a pass that failed is left out: that of the last one stays.
func (m *Metrics) Set(cluster types.NamespacedName, f Facts) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.Reconciled.IsZero() {
		f.Reconciled = m.facts[cluster].Reconciled
	}
	m.facts[cluster] = f
}

// Forget drops a ChatCluster that is gone.
func (m *Metrics) Forget(cluster types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.facts, cluster)
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range descriptions {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	out <- m.build
	m.mu.Lock()
	facts := maps.Clone(m.facts)
	m.mu.Unlock()

	type state struct{ condition, status string }
	counts := make(map[state]int)
	for name, f := range facts {
		gauge := func(d *prometheus.Desc, value float64, labels ...string) {
			out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, append([]string{name.Namespace, name.Name}, labels...)...)
		}
		for _, c := range f.Status.Conditions {
			counts[state{c.Type, string(c.Status)}]++
			gauge(condition, 1, c.Type, string(c.Status), c.Reason)
		}
		for d, at := range map[*prometheus.Desc]time.Time{reconciled: f.Reconciled, lastBackup: backupOf(f), certificate: f.CertificateExpiry} {
			if !at.IsZero() {
				gauge(d, float64(at.Unix()))
			}
		}
		gauge(servers, float64(f.Status.Replicas), "all")
		gauge(servers, float64(f.Status.ReadyReplicas), "ready")
	}
	for _, s := range slices.SortedFunc(maps.Keys(counts), func(a, b state) int {
		return cmp.Or(cmp.Compare(a.condition, b.condition), cmp.Compare(a.status, b.status))
	}) {
		out <- prometheus.MustNewConstMetric(chatClusters, prometheus.GaugeValue, float64(counts[s]), s.condition, s.status)
	}
}

func backupOf(f Facts) time.Time {
	if f.Status.LastBackupTime == nil {
		return time.Time{}
	}
	return f.Status.LastBackupTime.Time
}
