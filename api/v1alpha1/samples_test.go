package v1alpha1_test

import (
	"os"
	"path/filepath"
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
			if err := s.Create(t.Context(), o, strict); err != nil {
				t.Fatal(err)
			}
			if err := s.Delete(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		})
	}
}
