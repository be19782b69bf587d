// Package insight holds the alerts and the dashboard of a ChatCluster.
//
// They are plain files, alerts.yaml and dashboard.json; what is written here fills them in for one ChatCluster, so that its
// rules speak of itself only.
package insight

import (
	_ "embed" // for the files
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/robfig/cron/v3"
	"sigs.k8s.io/yaml"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// ClusterLabel is the label of the series of servers that names their ChatCluster. Prometheus adds the namespace itself.
const ClusterLabel = "chatcluster"

// Runbooks is where the pages are that alerts lead to.
const Runbooks = "https://github.com/gochat-dev/gochat/blob/main/docs/operations/runbooks/"

//go:embed alerts.yaml
var alerts string

// Rules are groups of rules, as a PrometheusRule has them in its spec.
type Rules struct {
	Groups []Group `json:"groups"`
}

// Group is rules that are evaluated together.
type Group struct {
	Name  string `json:"name"`
	Rules []Rule `json:"rules"`
}

// Rule is an alert, or an expression whose value is recorded.
type Rule struct {
	Alert       string            `json:"alert,omitempty"`
	Record      string            `json:"record,omitempty"`
	Expr        string            `json:"expr"`
	For         string            `json:"for,omitempty"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// hibernated has a value while everything is stopped on purpose.
const hibernated = `max(gochat_operator_condition{<by>,condition="Hibernated",status="True"}) == 1`

// allRules are those of alerts.yaml, not filled in. They are read once: the operator asks for them at every pass.
var allRules = sync.OnceValues(func() (all Rules, err error) {
	if err := yaml.UnmarshalStrict([]byte(strings.ReplaceAll(alerts, "<hibernated>", hibernated)), &all); err != nil {
		return Rules{}, fmt.Errorf("alerts.yaml: %w", err)
	}
	return all, nil
})

// RulesOf are the rules of a ChatCluster whose defaults are filled in. The error is that of a file that was built in.
func RulesOf(c *v1alpha1.ChatCluster) (Rules, error) {
	all, err := allRules()
	if err != nil {
		return Rules{}, err
	}
	fill := strings.NewReplacer(
		"<of>", fmt.Sprintf(`namespace="%s",%s="%s"`, c.Namespace, ClusterLabel, c.Name),
		"<by>", fmt.Sprintf(`chatcluster_namespace="%s",chatcluster="%s"`, c.Namespace, c.Name),
		"<namespace>", c.Namespace,
		"<name>", c.Name,
		"<backup-max-age>", strconv.FormatInt(int64(backupMaxAge(c).Seconds()), 10),
	)
	wanted := map[string]bool{
		"chat": true, "slo": true, "operator": true,
		"exposure":    c.Spec.Hostname != "",
		"certificate": c.Spec.TLS != nil,
		"backup":      c.Spec.Backup != nil,
		"volumes":     c.Spec.Database.Type == v1alpha1.DatabaseManaged || c.Spec.Backup != nil,
	}
	var rules Rules
	for _, group := range all.Groups {
		if !wanted[group.Name] {
			continue
		}
		filled := Group{Name: "gochat." + group.Name}
		for _, r := range group.Rules {
			filled.Rules = append(filled.Rules, complete(r, c, fill))
		}
		rules.Groups = append(rules.Groups, filled)
	}
	return rules, nil
}

// complete is a rule filled in, with what every rule has.
func complete(r Rule, c *v1alpha1.ChatCluster, fill *strings.Replacer) Rule {
	full := Rule{
		Alert: r.Alert, Record: r.Record, For: fill.Replace(r.For), Expr: strings.TrimRight(fill.Replace(r.Expr), "\n"),
		Labels: map[string]string{"namespace": c.Namespace, ClusterLabel: c.Name},
	}
	maps.Copy(full.Labels, r.Labels)
	if r.Alert != "" {
		full.Annotations = map[string]string{"runbook_url": Runbooks + r.Alert + ".md"}
		for name, text := range r.Annotations {
			full.Annotations[name] = fill.Replace(text)
		}
	}
	return full
}

// defaultMaxAge is for a schedule that can't be read: Kubernetes refuses it too, and that is said elsewhere.
const defaultMaxAge = 48 * time.Hour

// backupMaxAge is how old the last backup may be: the longest time between two, a quarter more, and an hour for the dump.
func backupMaxAge(c *v1alpha1.ChatCluster) time.Duration {
	if c.Spec.Backup == nil {
		return defaultMaxAge
	}
	schedule, err := cron.ParseStandard(c.Spec.Backup.Schedule)
	if err != nil {
		return defaultMaxAge
	}
	var longest time.Duration
	last := schedule.Next(time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC))
	week := last.AddDate(0, 0, 8)
	for n := 0; n < 60 || last.Before(week); n++ { // two months of one a day, five years of one a month, a weekend in any case
		next := schedule.Next(last)
		if last.IsZero() || next.IsZero() { // never, or never again
			break
		}
		longest, last = max(longest, next.Sub(last)), next
	}
	if longest == 0 {
		return defaultMaxAge
	}
	return longest + longest/4 + time.Hour
}
