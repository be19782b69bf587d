package v1alpha1_test

import (
	"os"
	"reflect"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

func readYAML(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(text))
}

// equal compares what two specs say in YAML, whatever types numbers have.
func equal(t *testing.T, got, want any) {
	t.Helper()
	g, err := yaml.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	w, err := yaml.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if string(g) != string(w) {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

func TestANameIsEnough(t *testing.T) {
	s, want := newStage(t), readYAML(t, "testdata/defaults.yaml")
	for name, spec := range map[string]string{
		"absent":     "",
		"empty":      "{}",
		"empty-most": "{server: {}, auth: {}, database: {}, redis: {}}",
		"empty-all":  "{server: {pod: {}, resources: {}}, auth: {}, database: {storage: {}, external: {}}, redis: {external: {}}}",
	} {
		t.Run(name, func(t *testing.T) {
			equal(t, s.create(name, spec).Object["spec"], want)
		})
	}
}

// TestTheDocumentedManifest: what the documentation shows is what the server takes, and what it takes it as.
func TestTheDocumentedManifest(t *testing.T) {
	s := newStage(t)
	documented, err := os.ReadFile("testdata/documented.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got := s.create("chat", string(documented))
	equal(t, got.Object["spec"], parse(t, string(documented)))
}

func TestDefaultsOfWhatIsOptional(t *testing.T) {
	s := newStage(t)
	for name, c := range map[string]struct{ spec, field, want string }{
		"autoscaling": {
			"{autoscaling: {maxReplicas: 3}}", "autoscaling",
			"{minReplicas: 1, maxReplicas: 3, targetConnections: 2000, provider: Auto, scaleDownStabilizationSeconds: 600}",
		},
		"backup":    {"{backup: {}}", "backup", `{schedule: "0 3 * * *", keep: 7}`},
		"bootstrap": {"{bootstrap: {}}", "bootstrap", `{restoreFrom: ""}`},
		"tls": {
			"{hostname: a.example, tls: {issuerRef: {name: own}}}", "tls",
			"{issuerRef: {name: own, kind: ClusterIssuer}}",
		},
		"ingress": {"{ingress: {}}", "ingress", "{}"},
	} {
		t.Run(name, func(t *testing.T) {
			spec, _, err := unstructured.NestedMap(s.create(name, c.spec).Object, "spec")
			if err != nil {
				t.Fatal(err)
			}
			equal(t, spec[c.field], parse(t, c.want))
		})
	}
}

// TestDefaultsStay: whoever writes back what was read changes nothing, be it as it came or through the Go type.
func TestDefaultsStay(t *testing.T) {
	s := newStage(t)
	all, err := yaml.Marshal(withoutEmpty(readYAML(t, "testdata/documented.yaml"))) // Go drops what is empty
	if err != nil {
		t.Fatal(err)
	}
	for name, spec := range map[string]string{
		"minimal": "",
		"all":     string(all),
		"zeros":   "{server: {replicas: 0}, networkPolicy: false, autoscaling: {maxReplicas: 2, scaleDownStabilizationSeconds: 0}}",
	} {
		t.Run(name, func(t *testing.T) {
			made := s.create(name, spec)
			again := made.DeepCopy()
			if err := s.Update(t.Context(), again, strict); err != nil {
				t.Fatal(err)
			}
			equal(t, again.Object["spec"], made.Object["spec"])

			var typed v1alpha1.ChatCluster
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(again.Object, &typed); err != nil {
				t.Fatal(err)
			}
			back, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&typed)
			if err != nil {
				t.Fatal(err)
			}
			through := &unstructured.Unstructured{Object: back}
			through.SetGroupVersionKind(made.GroupVersionKind())
			if err := s.Update(t.Context(), through, strict); err != nil {
				t.Fatal(err)
			}
			if through.GetGeneration() != made.GetGeneration() {
				t.Errorf("writing back made generation %d of %d", through.GetGeneration(), made.GetGeneration())
			}
			equal(t, withoutEmpty(through.Object["spec"]), withoutEmpty(made.Object["spec"]))
		})
	}
}

// withoutEmpty drops empty strings, lists and maps, which say the same as their absence.
func withoutEmpty(value any) any {
	fields, ok := value.(map[string]any)
	if !ok {
		return value
	}
	kept := make(map[string]any)
	for name, field := range fields {
		field = withoutEmpty(field)
		if v := reflect.ValueOf(field); (v.Kind() == reflect.String || v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0 {
			continue
		}
		kept[name] = field
	}
	return kept
}

// TestApplyTwice: server-side apply of the same manifest again writes nothing.
func TestApplyTwice(t *testing.T) {
	s := newStage(t)
	apply := func() *unstructured.Unstructured {
		o := s.chat("chat", "{profile: HA, server: {replicas: 3}}")
		if err := s.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("me")); err != nil {
			t.Fatal(err)
		}
		return o
	}
	first, second := apply(), apply()
	if first.GetResourceVersion() != second.GetResourceVersion() {
		t.Error("the second apply wrote something")
	}
}
