// Package insight holds the alerts and the dashboard of a ChatCluster.
//
// They are plain files, alerts.yaml and dashboard.json; what is written here fills them in for one ChatCluster, so that its
// rules speak of itself only.
package insight

import (
	_ "embed" // for the files
	"fmt"
	"strconv"
	"strings"
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

// RulesOf are the rules of a ChatCluster whose defaults are filled in. The error is that of a file that was built in.
func RulesOf(c *v1alpha1.ChatCluster) (Rules, error) {
	const hibernated = `max(gochat_operator_condition{<by>,condition="Hibernated",status="True"}) == 1`
	maxAge := backupMaxAge(c)
	text := strings.ReplaceAll(alerts, "<hibernated>", hibernated)
	text = strings.NewReplacer(
		"<of>", fmt.Sprintf(`namespace="%s",%s="%s"`, c.Namespace, ClusterLabel, c.Name),
		"<by>", fmt.Sprintf(`chatcluster_namespace="%s",chatcluster="%s"`, c.Namespace, c.Name),
		"<namespace>", c.Namespace,
		"<name>", c.Name,
		"<backup-max-age>", strconv.FormatInt(int64(maxAge.Seconds()), 10),
	).Replace(text)
	var all Rules
	if err := yaml.UnmarshalStrict([]byte(text), &all); err != nil {
		return Rules{}, fmt.Errorf("alerts.yaml: %w", err)
	}
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
		for i := range group.Rules {
			complete(&group.Rules[i], c)
		}
		rules.Groups = append(rules.Groups, Group{Name: "gochat." + group.Name, Rules: group.Rules})
	}
	return rules, nil
}

// complete adds what every rule has.
func complete(r *Rule, c *v1alpha1.ChatCluster) {
	if r.Labels == nil {
		r.Labels = make(map[string]string)
	}
	r.Labels["namespace"], r.Labels[ClusterLabel] = c.Namespace, c.Name
	r.Expr = strings.TrimRight(r.Expr, "\n")
	if r.Alert != "" {
		r.Annotations["runbook_url"] = Runbooks + r.Alert + ".md"
	}
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
	for range 1000 { // two years and more of one a day
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
