package children

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

type jsonSchema = apiextensionsv1.JSONSchemaProps

// definition is that of ChatCluster.
func definition(t *testing.T) apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	raw, err := os.ReadFile("../../../config/crd/bases/gochat.dev_chatclusters.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var d apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(raw, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// fillIn fills in the defaults of a schema as an API server does: from the outside in, what is not there at all.
func fillIn(t *testing.T, value any, s jsonSchema) {
	t.Helper()
	switch value := value.(type) {
	case map[string]any:
		for name, property := range s.Properties {
			if _, there := value[name]; !there && property.Default != nil {
				var otherwise any
				if err := json.Unmarshal(property.Default.Raw, &otherwise); err != nil {
					t.Fatal(err)
				}
				value[name] = otherwise
			}
			fillIn(t, value[name], property)
		}
	case []any:
		for _, item := range value {
			fillIn(t, item, *s.Items.Schema)
		}
	}
}

// filled is a ChatCluster as an API server stores it.
func filled(t *testing.T, raw []byte) *v1alpha1.ChatCluster {
	t.Helper()
	var object map[string]any
	if err := yaml.Unmarshal(raw, &object); err != nil {
		t.Fatal(err)
	}
	fillIn(t, object, *definition(t).Spec.Versions[0].Schema.OpenAPIV3Schema)
	written, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	cluster := &v1alpha1.ChatCluster{}
	if err := json.Unmarshal(written, cluster); err != nil {
		t.Fatal(err)
	}
	return cluster
}

func TestDefaultedIsWhatTheSchemaSays(t *testing.T) {
	for _, e := range examples(t) {
		raw, err := os.ReadFile(e.path)
		if err != nil {
			t.Fatal(err)
		}
		stored := filled(t, raw)
		ours := &v1alpha1.ChatCluster{}
		if err := yaml.Unmarshal(raw, ours); err != nil {
			t.Fatal(err)
		}
		ours = Defaulted(ours)
		if !reflect.DeepEqual(ours.Spec, stored.Spec) {
			a, b := encodeSpec(t, ours), encodeSpec(t, stored)
			t.Errorf("%s: Defaulted makes\n%s\nthe schema makes\n%s", e.name, a, b)
		}
		if again := Defaulted(stored); !reflect.DeepEqual(again.Spec, stored.Spec) {
			t.Errorf("%s: there was something left to fill in", e.name)
		}
	}
}

func encodeSpec(t *testing.T, c *v1alpha1.ChatCluster) string {
	t.Helper()
	spec, err := yaml.Marshal(c.Spec)
	if err != nil {
		t.Fatal(err)
	}
	return string(spec)
}
