package insight_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/gochat-dev/gochat/internal/operator/children/insight"
)

// world is series and their values, one a minute, as promtool writes them (a+bxn: n more, each b higher). The labels that
// say of which ChatCluster they are need not be there.
type world map[string]string

// example says when an alert fires and when it does not.
type example struct {
	alert, severity string
	after           string // how long the series have been there: 20m unless it is said
	fires           []world
	silent          []world
}

// promtoolTest is a test as promtool reads it.
type promtoolTest struct {
	Name    string            `json:"name"`
	Every   string            `json:"interval"`
	Series  []promtoolSeries  `json:"input_series"`
	Queries []promtoolQueries `json:"promql_expr_test"`
}

type promtoolSeries struct {
	Series string `json:"series"`
	Values string `json:"values"`
}

type promtoolQueries struct {
	Expr    string           `json:"expr"`
	At      string           `json:"eval_time"`
	Samples []promtoolSample `json:"exp_samples"`
}

type promtoolSample struct {
	Labels string  `json:"labels"`
	Value  float64 `json:"value"`
}

// firing are the severities with which an alert fires, each 1.
const firing = `count by (severity, namespace, chatcluster) (ALERTS{alertname="%s",alertstate="firing"})`

func (e example) test(kind string, of string, w world, fires bool) promtoolTest {
	t := promtoolTest{Name: fmt.Sprintf("%s %s %s", e.alert, e.severity, kind), Every: "1m"}
	for _, name := range slices.Sorted(maps.Keys(w)) {
		t.Series = append(t.Series, promtoolSeries{Series: labelled(name, of), Values: w[name]})
	}
	at := e.after
	if at == "" {
		at = "20m"
	}
	q := promtoolQueries{Expr: fmt.Sprintf(firing, e.alert), At: at}
	if fires {
		q.Samples = []promtoolSample{{Labels: fmt.Sprintf(`{severity=%q,namespace="team",chatcluster="chat"}`, e.severity), Value: 1}}
	}
	if e.severity == "critical" { // the warning beside it may fire as well
		q.Expr = strings.Replace(q.Expr, "ALERTS{", `ALERTS{severity="critical",`, 1)
	}
	t.Queries = []promtoolQueries{q}
	return t
}

// labelled adds the labels that say of which ChatCluster a series is.
func labelled(series, cluster string) string {
	labels := fmt.Sprintf(`namespace="team",chatcluster=%q`, cluster)
	switch {
	case strings.HasPrefix(series, "gochat_operator_"):
		labels = fmt.Sprintf(`namespace="gochat-system",chatcluster_namespace="team",chatcluster=%q`, cluster)
	case strings.HasPrefix(series, "kubelet_"):
		labels = `namespace="team"`
		series = strings.ReplaceAll(series, "CLUSTER", cluster)
	}
	name, rest, found := strings.Cut(series, "{")
	if !found {
		return name + "{" + labels + "}"
	}
	return name + "{" + labels + "," + rest
}

// promtoolFile is the tests of one alert, with the rules that it needs.
func promtoolFile(t *testing.T, dir string, rules insight.Rules, e example, number int) (name string) {
	t.Helper()
	var tests []promtoolTest
	for i, w := range e.fires {
		tests = append(tests, e.test(fmt.Sprintf("fires %d", i), "chat", w, true))
		if e.alert != "GoChatNotScraped" { // which is about what is not there
			tests = append(tests, e.test(fmt.Sprintf("is silent, for it is another's trouble %d", i), "other", w, false))
		}
	}
	for i, w := range e.silent {
		tests = append(tests, e.test(fmt.Sprintf("is silent %d", i), "chat", w, false))
	}
	var group insight.Group
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			if r.Alert == e.alert || r.Record != "" && slices.ContainsFunc(alertsOf(rules), func(a insight.Rule) bool {
				return a.Alert == e.alert && strings.Contains(a.Expr, r.Record)
			}) {
				group.Rules = append(group.Rules, r)
			}
		}
	}
	group.Name = e.alert
	every := "1m"
	if strings.HasSuffix(e.after, "h") {
		every = "5m"
	}
	name = fmt.Sprintf("test%d.yaml", number)
	write(t, filepath.Join(dir, "rules-of-"+name), insight.Rules{Groups: []insight.Group{group}})
	write(t, filepath.Join(dir, name), map[string]any{"rule_files": []string{"rules-of-" + name}, "evaluation_interval": every, "tests": tests})
	return name
}

func TestAlertsFireWhenTheyShould(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatalf("%v: make setup installs it", err)
	}
	rules, dir := rulesOf(t, everything()), t.TempDir()
	covered := make(map[string]bool)
	files := []string{"test", "rules"}
	for i, e := range examples {
		covered[e.alert+" "+e.severity] = len(e.fires) > 0 && len(e.silent) > 0
		files = append(files, promtoolFile(t, dir, rules, e, i))
	}
	for _, r := range alertsOf(rules) {
		if !covered[r.Alert+" "+r.Labels["severity"]] {
			t.Errorf("nothing shows when %s (%s) fires, and when it does not", r.Alert, r.Labels["severity"])
		}
	}
	write(t, filepath.Join(dir, "rules.yaml"), rules)
	for _, args := range [][]string{{"check", "rules", "rules.yaml"}, files} {
		cmd := exec.CommandContext(t.Context(), promtool, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args[:2], " "), err, out)
		}
	}
}

func write(t *testing.T, path string, content any) {
	t.Helper()
	text, err := yaml.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func alertsOf(rules insight.Rules) []insight.Rule {
	var alerts []insight.Rule
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			if r.Alert != "" {
				alerts = append(alerts, r)
			}
		}
	}
	return alerts
}
