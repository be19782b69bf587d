package gochat_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gochat-dev/gochat/internal/settings"
)

func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// unmentioned returns the words that a text does not contain, each put between quotes.
func unmentioned(text, quote string, words []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(word string) bool {
		return strings.Contains(text, quote+word+quote) || strings.Contains(text, quote+word+"{")
	})
}

func TestEverySettingIsInTheReadme(t *testing.T) {
	var names []string
	for _, s := range settings.All() {
		names = append(names, s.Name)
	}
	for _, name := range unmentioned(readText(t, "README.md"), "`", names) {
		t.Errorf("README.md does not mention %s", name)
	}
}

func TestEveryMetricIsInTheOperationsGuide(t *testing.T) {
	names := regexp.MustCompile(`gochat_[a-z_]+`).FindAllString(readText(t, "internal/metrics/metrics.go"), -1)
	if len(names) < 10 {
		t.Fatalf("found %d series only", len(names))
	}
	for _, name := range unmentioned(readText(t, "docs/operations/README.md"), "`", names) {
		t.Errorf("docs/operations/README.md does not mention %s", name)
	}
}

func TestEveryErrorCodeIsInTheProtocol(t *testing.T) {
	codes := codesOf(t, "internal/chat/errors.go")
	for _, code := range unmentioned(readText(t, "docs/protocol.md"), "`", codes) {
		t.Errorf("docs/protocol.md does not mention %s", code)
	}
}

// codesOf returns the values of the constants of type Code in a file.
func codesOf(t *testing.T, name string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Code" {
			for _, value := range spec.Values {
				code, err := strconv.Unquote(value.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				codes = append(codes, code)
			}
		}
		return true
	})
	if len(codes) < 10 {
		t.Fatalf("found %d codes only", len(codes))
	}
	return codes
}

// TestEveryFrameIsInTheProtocol looks for the types and fields of the golden frames.
func TestEveryFrameIsInTheProtocol(t *testing.T) {
	files, err := filepath.Glob("internal/wire/testdata/frames/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden frames (%v)", err)
	}
	types, fields := make(map[string]bool), make(map[string]bool)
	for _, name := range files {
		var example struct {
			Frame map[string]any `json:"frame"`
		}
		if err := json.Unmarshal([]byte(readText(t, name)), &example); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		kind, ok := example.Frame["type"].(string)
		if !ok {
			t.Fatalf("%s: no type", name)
		}
		types[kind] = true
		for field := range example.Frame {
			fields[field] = true
		}
	}
	prose, schema := readText(t, "docs/protocol.md"), readText(t, "docs/asyncapi.yaml")
	for kind := range maps.Keys(types) {
		if !strings.Contains(prose, "`"+kind+"`") && !strings.Contains(prose, `"type": "`+kind+`"`) {
			t.Errorf("docs/protocol.md does not mention %s", kind)
		}
		if !strings.Contains(schema, "{const: "+kind+"}") {
			t.Errorf("docs/asyncapi.yaml does not mention %s", kind)
		}
	}
	for field := range maps.Keys(fields) {
		if !regexp.MustCompile(`\b` + field + `\b`).MatchString(prose) {
			t.Errorf("docs/protocol.md does not mention the field %s", field)
		}
		if !regexp.MustCompile(`(?m)^\s+'?` + field + `'?:`).MatchString(schema) {
			t.Errorf("docs/asyncapi.yaml does not mention the field %s", field)
		}
	}
}

var majorVersion = regexp.MustCompile(`/v[0-9]+$`)

// TestEveryDependencyHasItsReason looks for the modules that go.mod requires directly.
func TestEveryDependencyHasItsReason(t *testing.T) {
	rows, err := tableBelow(readText(t, "ARCHITECTURE.md"), "## Dependencies")
	if err != nil {
		t.Fatal(err)
	}
	var explained strings.Builder
	for _, row := range rows {
		explained.WriteString(row[0] + "\n")
	}
	for line := range strings.Lines(readText(t, "go.mod")) {
		words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(words) != 2 || !strings.HasPrefix(words[1], "v") {
			continue // not a requirement, or an indirect one
		}
		if _, name, _ := strings.Cut(majorVersion.ReplaceAllString(words[0], ""), "/"); !strings.Contains(explained.String(), name) {
			t.Errorf("ARCHITECTURE.md does not say what %s is for", words[0])
		}
	}
}

var markdownLink = regexp.MustCompile(`\]\(([^)#][^)]*)\)`)

// TestLinksLeadSomewhere follows the links between documents. The pictures are made by `make screenshots`.
func TestLinksLeadSomewhere(t *testing.T) {
	var documents []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "docs/*/*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, found...)
	}
	for _, document := range documents {
		for _, m := range markdownLink.FindAllStringSubmatch(readText(t, document), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			path := filepath.Join(filepath.Dir(document), target)
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: %s leads nowhere", document, m[1])
				continue
			}
			if anchor != "" && !slices.Contains(anchorsOf(readText(t, path)), anchor) {
				t.Errorf("%s: %s has no such heading", document, m[1])
			}
		}
	}
}

// anchorsOf are the anchors that GitHub gives to headings.
func anchorsOf(markdown string) []string {
	var anchors []string
	for line := range strings.Lines(markdown) {
		if heading := strings.TrimLeft(line, "#"); heading != line {
			kept := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), "")
			anchors = append(anchors, strings.ReplaceAll(kept, " ", "-"))
		}
	}
	return anchors
}
