package v1alpha1_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

type schema = apiextensionsv1.JSONSchemaProps

func readDefinition(t *testing.T, name string) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(text, &crd); err != nil {
		t.Fatal(err)
	}
	return &crd
}

func definition(t *testing.T) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	return readDefinition(t, filepath.Join(definitions, "gochat.dev_chatclusters.yaml"))
}

// fields calls see for each field below a schema, with its path: spec.server.env[].name.
func fields(path string, s schema, see func(path string, s schema)) {
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		field := s.Properties[name]
		below := strings.TrimPrefix(path+"."+name, ".")
		see(below, field)
		fields(below, field, see)
	}
	if s.Items != nil && s.Items.Schema != nil {
		fields(path+"[]", *s.Items.Schema, see)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		fields(path+"{}", *s.AdditionalProperties.Schema, see)
	}
}

// TestEveryFieldIsExplained is about kubectl explain.
func TestEveryFieldIsExplained(t *testing.T) {
	s := *definition(t).Spec.Versions[0].Schema.OpenAPIV3Schema
	seen := 0
	fields("", s, func(path string, f schema) {
		seen++
		switch {
		case path == "metadata", path == "apiVersion", path == "kind": // Kubernetes' own
			return
		case f.Description == "":
			t.Errorf("%s has no description", path)
		case strings.Contains(f.Description, "+kubebuilder"), strings.Contains(f.Description, "+optional"):
			t.Errorf("%s: a marker got into the description: %s", path, f.Description)
		}
		for line := range strings.Lines(f.Description) {
			if !strings.Contains(path, "[]") && len(strings.TrimRight(line, "\n")) > 76 { // items are Kubernetes' own
				t.Errorf("%s: kubectl explain would break this line: %s", path, line)
			}
		}
	})
	if seen < 60 {
		t.Fatalf("found %d fields only", seen)
	}
}

// TestTheFieldsAreTheDocumentedOnes: the schema has these fields, and no others.
func TestTheFieldsAreTheDocumentedOnes(t *testing.T) {
	s := *definition(t).Spec.Versions[0].Schema.OpenAPIV3Schema
	want := map[string]bool{"spec.tls.secretName": true, "spec.server.resources.requests": true, "spec.server.resources.limits": true}
	paths("spec", readYAML(t, "testdata/documented.yaml"), want)
	for _, name := range []string{
		"observedGeneration", "conditions", "url", "replicas", "readyReplicas", "selector", "version", "schemaVersion", "lastBackupTime",
		"restoredFrom",
	} {
		want["status."+name] = true
	}
	got := make(map[string]bool)
	fields("", s, func(path string, _ schema) {
		if (strings.HasPrefix(path, "spec.") || strings.HasPrefix(path, "status.")) && !strings.Contains(path, "[]") {
			got[path] = true
		}
	})
	for path := range got {
		if !want[path] {
			t.Errorf("the schema has %s, and it is not documented", path)
		}
	}
	for path := range want {
		if !got[path] {
			t.Errorf("%s is documented, and the schema does not have it", path)
		}
	}
}

func paths(path string, value map[string]any, into map[string]bool) {
	for name, field := range value {
		into[path+"."+name] = true
		if below, ok := field.(map[string]any); ok {
			paths(path+"."+name, below, into)
		}
	}
}
