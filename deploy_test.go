package gochat_test

import (
	"regexp"
	"slices"
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
