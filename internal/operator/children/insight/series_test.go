package insight_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	server "github.com/gochat-dev/gochat/internal/metrics"
	operator "github.com/gochat-dev/gochat/internal/operator/metrics"
)

// foreign are series that others make: Prometheus itself, and the kubelets.
var foreign = []string{"up", "kubelet_volume_stats_used_bytes", "kubelet_volume_stats_capacity_bytes"}

// series are the names of all series that there are.
func series(t *testing.T) []string {
	t.Helper()
	ofServer := server.New("test")
	ofServer.Connections(func() (int, int) { return 0, 0 })
	ofServer.ConnectionsMax(0)
	ofServer.SendsWaiting(func() int { return 0 })
	ofServer.SchemaVersion(1)
	names := append(namesIn(t, ofServer.Registry()), namesIn(t, registryOf(operatorSeries()))...)
	names = append(names, recordedIn(t)...)
	return append(names, foreign...)
}

// operatorSeries are those of an operator that knows of one ChatCluster.
func operatorSeries() *operator.Metrics {
	m := operator.New("test")
	m.Set(types.NamespacedName{Namespace: "team", Name: "chat"}, operator.Facts{
		Status: v1alpha1.ChatClusterStatus{
			Conditions:     []metav1.Condition{{Type: v1alpha1.ConditionAvailable, Status: metav1.ConditionTrue}},
			Replicas:       1,
			ReadyReplicas:  1,
			LastBackupTime: new(metav1.Now()),
		},
		Reconciled: time.Now(), CertificateExpiry: time.Now().Add(60 * 24 * time.Hour),
	})
	return m
}

func registryOf(c prometheus.Collector) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(c)
	return r
}

func namesIn(t *testing.T, from prometheus.Gatherer) []string {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range families {
		name := f.GetName()
		if f.GetType().String() == "HISTOGRAM" {
			names = append(names, name+"_bucket", name+"_count", name+"_sum")
			continue
		}
		names = append(names, name)
	}
	return names
}

func recordedIn(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, g := range rulesOf(t, everything()).Groups {
		for _, r := range g.Rules {
			if r.Record != "" {
				names = append(names, r.Record)
			}
		}
	}
	return names
}

// selector is a metric as an expression asks for it.
type selector struct{ metric, labels string }

var (
	aSelector = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)\{([^}]*)\}`)
	grouping  = regexp.MustCompile(`\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)`)
	aRange    = regexp.MustCompile(`\[[^\]]*\]`)
	aText     = regexp.MustCompile(`"[^"]*"`)
	word      = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*`)
)

// selectors are what an expression asks for. Each has braces: tell looks for one that has none.
func selectors(expr string) []selector {
	var all []selector
	for _, m := range aSelector.FindAllStringSubmatch(expr, -1) {
		all = append(all, selector{m[1], m[2]})
	}
	return all
}

// language are words of PromQL, and functions that are used.
var language = strings.Fields(`and or unless by on offset sum max min count avg topk rate increase changes absent time vector clamp_min
	max_over_time min_over_time avg_over_time last_over_time histogram_quantile label_replace m s h d`)

// strangers are the words of an expression that are neither of its language nor a selector.
func strangers(expr string) []string {
	rest := expr
	for _, part := range []*regexp.Regexp{aSelector, aRange, grouping, aText} {
		rest = part.ReplaceAllString(rest, " ")
	}
	return slices.DeleteFunc(word.FindAllString(rest, -1), func(w string) bool { return slices.Contains(language, w) })
}

func checkSeries(t *testing.T, where, expr string, known []string) {
	t.Helper()
	for _, s := range selectors(expr) {
		if !slices.Contains(known, s.metric) {
			t.Errorf("%s asks for %s, which nobody makes", where, s.metric)
		}
	}
	if odd := strangers(expr); len(odd) > 0 {
		t.Errorf("%s has %q, which is a series without braces, or a word that is not known here: %s", where, odd, expr)
	}
}

func TestRulesAskForSeriesThatThereAre(t *testing.T) {
	known := series(t)
	for _, g := range rulesOf(t, everything()).Groups {
		for _, r := range g.Rules {
			checkSeries(t, r.Alert+r.Record, r.Expr, known)
		}
	}
}

func TestEverySeriesIsInTheDocuments(t *testing.T) {
	text, err := os.ReadFile("../../../../docs/operations/monitoring.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(namesIn(t, registryOf(operatorSeries())), recordedIn(t)...) {
		name, _, _ = strings.Cut(name, ":ratio_rate")
		if !strings.Contains(string(text), "`"+name) {
			t.Errorf("docs/operations/monitoring.md does not mention %s", name)
		}
	}
}
