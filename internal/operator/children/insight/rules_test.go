package insight_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/children/insight"
)

// everything is a ChatCluster that asks for all that there are alerts about.
func everything() *v1alpha1.ChatCluster {
	return &v1alpha1.ChatCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "chat"},
		Spec: v1alpha1.ChatClusterSpec{
			Hostname: "chat.example.com", TLS: &v1alpha1.TLSSpec{SecretName: "certificate"},
			Database: v1alpha1.DatabaseSpec{Type: v1alpha1.DatabaseManaged},
			Backup:   &v1alpha1.BackupSpec{Schedule: "0 3 * * *", Keep: 7},
		},
	}
}

func rulesOf(t *testing.T, c *v1alpha1.ChatCluster) insight.Rules {
	t.Helper()
	rules, err := insight.RulesOf(c)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

const runbooks = "../../../../docs/operations/runbooks"

// Whoever is woken by an alert finds what it means and what to do.
func TestEveryAlertIsExplained(t *testing.T) {
	pages, err := filepath.Glob(runbooks + "/GoChat*.md")
	if err != nil {
		t.Fatal(err)
	}
	unused := make(map[string]bool)
	for _, page := range pages {
		unused[filepath.Base(page)] = true
	}
	for _, r := range alertsOf(rulesOf(t, everything())) {
		if severity := r.Labels["severity"]; severity != "critical" && severity != "warning" {
			t.Errorf("%s has the severity %q", r.Alert, severity)
		}
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" || !strings.Contains(r.Annotations["summary"], "team/chat") {
			t.Errorf("%s lacks a summary that names the ChatCluster, or a description: %q", r.Alert, r.Annotations)
		}
		page, found := strings.CutPrefix(r.Annotations["runbook_url"], insight.Runbooks)
		if !found || page != r.Alert+".md" {
			t.Errorf("%s leads to %q", r.Alert, r.Annotations["runbook_url"])
		}
		text, err := os.ReadFile(filepath.Join(runbooks, page))
		if err != nil {
			t.Errorf("%s has no runbook: %v", r.Alert, err)
			continue
		}
		for _, part := range []string{"# " + r.Alert + "\n", "\n## See it\n", "\n## Do\n", "\n## It is over when\n"} {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s lacks %q", page, strings.TrimSpace(part))
			}
		}
		delete(unused, page)
	}
	for page := range unused {
		t.Errorf("no alert leads to %s", page)
	}
}

func TestRulesSpeakOfOneChatClusterOnly(t *testing.T) {
	for _, g := range rulesOf(t, everything()).Groups {
		for _, r := range g.Rules {
			if r.Labels["namespace"] != "team" || r.Labels["chatcluster"] != "chat" {
				t.Errorf("%s%s has the labels %v", r.Alert, r.Record, r.Labels)
			}
			for _, s := range selectors(r.Expr) {
				if !strings.Contains(s.labels, `namespace="team"`) || !strings.Contains(s.labels, `chatcluster="chat"`) && !strings.Contains(s.labels, `=~"chat-(`) {
					t.Errorf("%s%s looks at %s{%s}", r.Alert, r.Record, s.metric, s.labels)
				}
			}
			if text := fmt.Sprint(r); regexp.MustCompile(`<[a-z-]+>`).MatchString(text) {
				t.Errorf("%s%s: something is not filled in: %s", r.Alert, r.Record, text)
			}
		}
	}
}

func TestGroupsAreThereForWhatIsAskedFor(t *testing.T) {
	minimal := everything()
	minimal.Spec = v1alpha1.ChatClusterSpec{Database: v1alpha1.DatabaseSpec{Type: v1alpha1.DatabaseExternal}}
	names := func(c *v1alpha1.ChatCluster) (names []string) {
		for _, g := range rulesOf(t, c).Groups {
			names = append(names, g.Name)
		}
		return names
	}
	if got, want := names(minimal), []string{"gochat.chat", "gochat.slo", "gochat.operator"}; !slices.Equal(got, want) {
		t.Errorf("a chat with nothing but a name has %q, want %q", got, want)
	}
	want := []string{"gochat.chat", "gochat.slo", "gochat.operator", "gochat.exposure", "gochat.certificate", "gochat.backup", "gochat.volumes"}
	if got := names(everything()); !slices.Equal(got, want) {
		t.Errorf("a chat with all of it has %q, want %q", got, want)
	}
}

func TestBackupMaxAge(t *testing.T) {
	for schedule, want := range map[string]time.Duration{
		"0 3 * * *":        31 * time.Hour,
		"0 * * * *":        2*time.Hour + 15*time.Minute,
		"@weekly":          211 * time.Hour,
		"*/5 9-17 * * 1-5": 79*time.Hour + 51*time.Minute + 15*time.Second,
		"0 3 * * 1-5":      91 * time.Hour, // over the weekend
		"0 3 31 2 *":       48 * time.Hour, // never
		"not a plan":       48 * time.Hour,
		"0 3 * * * * *":    48 * time.Hour,
	} {
		c := everything()
		c.Spec.Backup.Schedule = schedule
		alerts := alertsOf(rulesOf(t, c))
		at := slices.IndexFunc(alerts, func(r insight.Rule) bool { return r.Alert == "GoChatBackupTooOld" })
		if part := fmt.Sprintf("> %d\n", int(want.Seconds())); !strings.Contains(alerts[at].Expr, part) {
			t.Errorf("%s: %s, want %s", schedule, alerts[at].Expr, part)
		}
	}
}
