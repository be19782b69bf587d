package gochat_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gochat-dev/gochat/internal/settings"
)

// TestDeploymentsSetWhatThereIs: a setting that is misspelt in a file for Docker or systemd would be found by nobody.
func TestDeploymentsSetWhatThereIs(t *testing.T) {
	var known []string
	for _, s := range settings.All() {
		known = append(known, s.Name)
	}
	for _, name := range []string{
		"Dockerfile", "compose.yaml", "compose.nodes.yaml", ".env.example", "docs/operations/gochat.service", "scripts/run-cluster.sh",
	} {
		set := regexp.MustCompile(`\bGOCHAT_[A-Z_]+\b`).FindAllString(readText(t, name), -1)
		for _, setting := range set {
			if setting != "GOCHAT_NAME" && !slices.Contains(known, setting) { // GOCHAT_NAME stands for any
				t.Errorf("%s: there is no setting %s", name, setting)
			}
		}
	}
}

// TestTheOperatorIsDeployedAsItIs: the manifests of the operator name what there is: its variables, its Lease, its ports.
func TestTheOperatorIsDeployedAsItIs(t *testing.T) {
	command := readText(t, "cmd/operator/main.go")
	for _, name := range []string{
		"config/manager/deployment.yaml", "config/namespaced/one_namespace.yaml", "config/rbac/leader_election.yaml",
		"charts/gochat/templates/deployment.yaml", "charts/gochat/templates/leader-election.yaml", "docs/operations/install.md",
	} {
		for _, variable := range regexp.MustCompile(`\bGOCHAT_OPERATOR_[A-Z_]+\b`).FindAllString(readText(t, name), -1) {
			if !strings.Contains(command, `env:"`+variable+`"`) {
				t.Errorf("%s: the operator does not read %s", name, variable)
			}
		}
	}
	lease := regexp.MustCompile(`const lease = "(.+)"`).FindStringSubmatch(readText(t, "internal/operator/controller/setup.go"))
	if lease == nil {
		t.Fatal("internal/operator/controller/setup.go names no Lease")
	}
	for _, name := range []string{"config/rbac/leader_election.yaml", "charts/gochat/templates/leader-election.yaml"} {
		if !strings.Contains(readText(t, name), "resourceNames: ["+lease[1]+"]") {
			t.Errorf("%s is about another Lease than %s", name, lease[1])
		}
	}
	for port, listen := range map[string]string{"health": "HealthListen", "metrics": "MetricsListen"} {
		number := regexp.MustCompile(listen + ` .*default:":(\d+)"`).FindStringSubmatch(command)
		if number == nil {
			t.Fatalf("cmd/operator/main.go has no default of %s", listen)
		}
		for _, name := range []string{"config/manager/deployment.yaml", "charts/gochat/templates/deployment.yaml"} {
			if want := "{name: " + port + ", containerPort: " + number[1] + "}"; !strings.Contains(readText(t, name), want) {
				t.Errorf("%s does not have %s", name, want)
			}
		}
	}
}
