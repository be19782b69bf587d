package v1alpha1_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestSamples: what is shown is what the server takes.
func TestSamples(t *testing.T) {
	s := newStage(t)
	files, err := filepath.Glob("../../config/samples/*.yaml")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d samples, %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		if name == "kustomization.yaml" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			o := &unstructured.Unstructured{Object: parse(t, string(text))}
			o.SetNamespace(s.namespace)
			if err := s.take(o); err != nil {
				t.Fatal(err)
			}
			if err := s.Delete(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestDocumentedExamples: so is what the documentation shows. An example that begins with its spec is a ChatCluster.
func TestDocumentedExamples(t *testing.T) {
	s := newStage(t)
	pages, err := filepath.Glob("../../docs/operations/*.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```")
	tried := 0
	for _, page := range append(pages, "../../README.md", "../../charts/gochat/README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range block.FindAllStringSubmatch(string(text), -1) {
			example := m[1]
			if strings.HasPrefix(example, "spec:") {
				example = "apiVersion: gochat.dev/v1alpha1\nkind: ChatCluster\n" + example
			}
			if !strings.HasPrefix(example, "apiVersion: gochat.dev/") {
				continue
			}
			tried++
			o := &unstructured.Unstructured{Object: parse(t, example)}
			o.SetNamespace(s.namespace)
			o.SetName(fmt.Sprintf("example-%d", tried))
			if err := s.take(o); err != nil {
				t.Errorf("%s: %v\n%s", page, err, m[1])
			}
		}
	}
	if tried < 8 {
		t.Fatalf("found %d examples only", tried)
	}
}
