package children

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	core "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

var update = flag.Bool("update", false, "write the golden files anew")

// everything are all optional APIs.
var everything = APIs{Gateway: true, CertManager: true, PodMonitor: true, PrometheusRule: true, CustomMetrics: true}

// circumstances are those of the golden files where more, or less, is known than settled says.
var circumstances = map[string]func(*Known){
	"ingress":   func(k *Known) { k.APIs = everything },
	"gateway":   func(k *Known) { k.APIs = everything },
	"ha":        func(k *Known) { k.APIs = everything },
	"new":       func(k *Known) { k.Migrated = false },
	"rolling":   func(k *Known) { k.Migrated, k.Serving = false, "ghcr.io/gochat-dev/server:1.2.2" },
	"restoring": func(k *Known) { k.Migrated, k.Restored = false, false },

	"backup-and-restore": func(k *Known) { k.RestoreThere = true },
}

// settled is what is known of a cluster in which all that can be waited for has happened.
func settled(cluster *v1alpha1.ChatCluster) Known {
	known := Known{Release: "1.2.3", Migrated: true, Restored: true, Secrets: map[string]map[string][]byte{}}
	for _, c := range Credentials(cluster) {
		known.Secrets[c.Name] = c.Placeholders()
	}
	return known
}

// example is a ChatCluster of testdata, as it comes back from an API server, and what is known in its circumstances.
type example struct {
	name, path string
	cluster    *v1alpha1.ChatCluster
	known      Known
}

func (e example) golden() string { return strings.TrimSuffix(e.path, ".in.yaml") + ".yaml" }

func (e example) all(t *testing.T) []Child {
	t.Helper()
	all, err := All(e.cluster, e.known)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func examples(t *testing.T) []example {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.in.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatal("no manifests", err)
	}
	var all []example
	for _, path := range paths {
		e := example{name: strings.TrimSuffix(filepath.Base(path), ".in.yaml"), path: path, cluster: &v1alpha1.ChatCluster{}}
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict(raw, e.cluster); err != nil {
			t.Fatal(err)
		}
		e.cluster.UID = "00000000-0000-0000-0000-000000000000"
		e.cluster.Namespace = metav1.NamespaceDefault
		e.known = settled(e.cluster)
		if differs := circumstances[e.name]; differs != nil {
			differs(&e.known)
		}
		all = append(all, e)
	}
	return all
}

// withoutFiles has the names of scripts, of the dashboard and of the alerts in their place: they stand in folders of their own, with
// tests of their own, and the hash of those that a pod reads at its start is in the pod's template.
func withoutFiles(t *testing.T, c Child) any {
	t.Helper()
	switch object := c.Object.(type) {
	case *core.ConfigMapApplyConfiguration:
		short := *object
		short.Data = maps.Clone(object.Data)
		for name := range short.Data {
			switch filepath.Ext(name) {
			case ".sh":
				short.Data[name] = "(scripts/" + name + ")"
			case ".json":
				short.Data[name] = "(insight/dashboard.json)"
			}
		}
		return short
	default:
		if c.Kind.Kind != "PrometheusRule" {
			return object
		}
		text, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		rule := make(map[string]any)
		if err := json.Unmarshal(text, &rule); err != nil {
			t.Fatal(err)
		}
		groups, _, err := unstructured.NestedSlice(rule, "spec", "groups")
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range groups {
			g.(map[string]any)["rules"] = "(insight/alerts.yaml)"
		}
		if err := unstructured.SetNestedSlice(rule, groups, "spec", "groups"); err != nil {
			t.Fatal(err)
		}
		return rule
	}
}

func encode(t *testing.T, c Child) string {
	t.Helper()
	object, err := yaml.Marshal(withoutFiles(t, c))
	if err != nil {
		t.Fatal(err)
	}
	said := ""
	if c.Kept {
		said += "# outlives the ChatCluster\n"
	}
	if c.Once {
		said += "# made once, never changed\n"
	}
	return said + string(object)
}

// TestGolden compares the children of each ChatCluster of testdata with what stands beside it: of minimal all, of the others those
// that differ. Look at every line of a difference before -update: it is what happens in people's clusters when they install the
// next release.
func TestGolden(t *testing.T) {
	all := examples(t)
	base := make(map[string]string) // the children of minimal, by kind and name
	for _, e := range all {
		if e.name == "minimal" {
			for _, c := range e.all(t) {
				base[c.Kind.Kind+" "+c.Name] = encode(t, c)
			}
		}
	}
	for _, e := range all {
		t.Run(e.name, func(t *testing.T) {
			var got bytes.Buffer
			for _, c := range e.all(t) {
				name, object := c.Kind.Kind+" "+c.Name, encode(t, c)
				if e.name != "minimal" && base[name] == object {
					object = fmt.Sprintf("# %s: as in minimal.yaml\n", name)
				}
				got.WriteString("---\n" + object)
			}
			if *update {
				if err := os.WriteFile(e.golden(), got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(e.golden())
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("the children are not those of %s (-update writes them; git diff shows what changed)", e.golden())
			}
		})
	}
}

// TestDeterministic: the same ChatCluster and knowledge make the same children, to the byte and in the same order.
func TestDeterministic(t *testing.T) {
	for _, e := range examples(t) {
		var first string
		for i := range 20 {
			var now strings.Builder
			for _, c := range e.all(t) {
				now.WriteString(encode(t, c))
			}
			if i == 0 {
				first = now.String()
			} else if now.String() != first {
				t.Fatalf("%s: the children are others each time", e.name)
			}
		}
	}
}
