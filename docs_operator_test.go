package gochat_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestEveryFieldIsInTheOperationsGuide looks for the fields of ChatCluster: docs/operations/chatcluster.md has each by its path.
func TestEveryFieldIsInTheOperationsGuide(t *testing.T) {
	type schema struct {
		Properties map[string]schema `json:"properties"`
	}
	var definition struct {
		Spec struct {
			Versions []struct {
				Schema struct {
					OpenAPIV3Schema schema `json:"openAPIV3Schema"`
				} `json:"schema"`
			} `json:"versions"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal([]byte(readText(t, "config/crd/bases/gochat.dev_chatclusters.yaml")), &definition); err != nil {
		t.Fatal(err)
	}
	guide, seen := readText(t, "docs/operations/chatcluster.md"), 0
	var look func(path string, s schema)
	look = func(path string, s schema) {
		for name, field := range s.Properties {
			below := strings.TrimPrefix(path+"."+name, ".")
			seen++
			if !regexp.MustCompile(`(^|[^\w.])` + regexp.QuoteMeta(below) + `\b`).MatchString(guide) {
				t.Errorf("docs/operations/chatcluster.md does not mention %s", below)
			}
			look(below, field)
		}
	}
	root := definition.Spec.Versions[0].Schema.OpenAPIV3Schema
	look("", root.Properties["spec"])
	look("", schema{Properties: map[string]schema{"status": {Properties: root.Properties["status"].Properties}}})
	if seen < 50 {
		t.Fatalf("found %d fields only", seen)
	}
}

// TestEveryReasonIsInTheTroubleshootingGuide looks for the reasons of the conditions.
func TestEveryReasonIsInTheTroubleshootingGuide(t *testing.T) {
	guide := readText(t, "docs/operations/troubleshooting.md")
	files, err := filepath.Glob("internal/operator/status/*.go")
	if err != nil {
		t.Fatal(err)
	}
	reason := regexp.MustCompile(`(?:\b(?:yes|no|unsure)\(|\bReason\w+ += )"([A-Z]\w+)"`)
	var reasons []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range reason.FindAllStringSubmatch(readText(t, file), -1) {
			reasons = append(reasons, m[1])
		}
	}
	if len(reasons) < 40 {
		t.Fatalf("found %d reasons only", len(reasons))
	}
	for _, name := range unmentioned(guide, "`", reasons) {
		t.Errorf("docs/operations/troubleshooting.md does not mention %s", name)
	}
	for _, m := range regexp.MustCompile(`\bCondition\w+ += "(\w+)"`).FindAllStringSubmatch(readText(t, "api/v1alpha1/status.go"), -1) {
		if !regexp.MustCompile(`(?m)^## .*\b` + m[1] + `\b`).MatchString(guide) {
			t.Errorf("docs/operations/troubleshooting.md has no chapter about %s", m[1])
		}
	}
}

// TestTheSizesAreTheDocumentedOnes: what a profile reserves is what the guide says.
func TestTheSizesAreTheDocumentedOnes(t *testing.T) {
	guide, small := readText(t, "docs/operations/chatcluster.md"), readText(t, "docs/operations/vps.md")
	sizes := regexp.MustCompile(`size\{cpu: "(\w+)", memory: "(\w+)"(?:, cpuLimit: "(\w+)")?\}`).FindAllStringSubmatch(readText(t, "internal/operator/children/profile.go"), -1)
	if len(sizes) != 12 {
		t.Fatalf("found %d sizes", len(sizes))
	}
	for _, s := range sizes {
		want := s[1] + ", " + s[2]
		if s[3] != "" {
			want = s[1] + " to " + s[3] + ", " + s[2]
		}
		if row := "| " + s[1] + " | " + s[3] + " | " + strings.TrimSuffix(s[2], "Mi") + " MiB |"; s[3] != "" && !strings.Contains(small, row) {
			t.Errorf("docs/operations/vps.md does not have %s", row)
		}
		if !strings.Contains(guide, "| "+want+" |") {
			t.Errorf("docs/operations/chatcluster.md does not have %s", want)
		}
	}
}

// TestLogsOfSeveralContainersAreAskedForWhole: kubectl logs takes the first container that is no init container, which in the pods of
// migrations and restores has not begun when one before it fails; asked for all, it stops at that one's refusal, in no certain order.
func TestLogsOfSeveralContainersAreAskedForWhole(t *testing.T) {
	several := regexp.MustCompile("kubectl (?:-n \\S+ )?logs [^`\\n]*(?:component=(?:migration|restore)|-restore\\b)[^`\\n]*")
	seen := 0
	for _, pattern := range []string{"docs/operations/*.md", "docs/operations/runbooks/*.md"} {
		pages, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range pages {
			for _, command := range several.FindAllString(readText(t, page), -1) {
				seen++
				if !strings.Contains(command, " --all-containers --ignore-errors") {
					t.Errorf("%s: %s: say --all-containers --ignore-errors", page, command)
				}
			}
		}
	}
	if seen < 4 {
		t.Fatalf("found %d commands only", seen)
	}
}

// TestABackupCanBeMadeTwice: a Job of a fixed name is there until the next planned backup, and then there can't be another one.
func TestABackupCanBeMadeTwice(t *testing.T) {
	files, err := filepath.Glob("docs/operations/*.md")
	if err != nil {
		t.Fatal(err)
	}
	books, err := filepath.Glob("docs/operations/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range append(files, books...) {
		text := readText(t, file)
		for _, made := range regexp.MustCompile(`create job --from=\S+ ([^\s`+"`"+`]+)`).FindAllStringSubmatch(text, -1) {
			seen++
			if name := made[1]; !strings.HasSuffix(name, "$(date") && !(name == "$J" && strings.Contains(text, "J=$C-backup-$(date ")) {
				t.Errorf("%s makes the Job %s, whose name is the same each time", file, name)
			}
		}
	}
	if seen < 2 {
		t.Fatalf("found %d such Jobs only", seen)
	}
}
