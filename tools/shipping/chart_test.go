package main

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the golden files")

// same compares two values as YAML.
func same(t *testing.T, name string, got, want any) {
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
		t.Errorf("%s: wanted, and got:\n%s", name, cmp.Diff(strings.Split(string(w), "\n"), strings.Split(string(g), "\n")))
	}
}

func TestLint(t *testing.T) {
	for _, args := range [][]string{nil, {"--set", "watchNamespaces={a}"}, {"--set", "chatCluster.enabled=true"}} {
		if out, err := helm(t, append([]string{"lint", "--strict", chart}, args...)...); err != nil {
			t.Errorf("helm lint %v: %v\n%s", args, err, out)
		}
	}
}

// TestTheChartIsConfig: what the chart installs is what config/default installs, but for the labels.
func TestTheChartIsConfig(t *testing.T) {
	config, charted := kustomize(t, "default"), template(t, "--set", "image.tag=dev")
	delete(config, "Namespace gochat-system")                                                                   // helm --create-namespace makes it
	maps.DeleteFunc(charted, func(_ string, o object) bool { return o.GetAnnotations()["helm.sh/hook"] != "" }) // done at an upgrade
	for name, want := range config {
		got, ok := charted[name]
		if !ok {
			t.Errorf("the chart does not have %s", name)
			continue
		}
		same(t, name, bare(got), bare(want))
	}
	for name := range charted {
		if _, ok := config[name]; !ok {
			t.Errorf("config/default does not have %s", name)
		}
	}
}

// bare is an object without what says which of the two ways it came, and what the API server fills in anyway.
func bare(o object) map[string]any {
	o = *o.DeepCopy()
	labels := o.GetLabels()
	maps.DeleteFunc(labels, func(name, _ string) bool {
		return strings.HasPrefix(name, "app.kubernetes.io/") || name == "helm.sh/chart"
	})
	o.SetLabels(nil)
	if len(labels) > 0 {
		o.SetLabels(labels)
	}
	annotations := o.GetAnnotations()
	delete(annotations, "helm.sh/resource-policy")
	o.SetAnnotations(annotations)
	if spec, ok := o.Object["spec"].(map[string]any); ok && (o.GetKind() == "Deployment" || o.GetKind() == "Service") {
		delete(spec, "selector")
		if pod, ok := spec["template"].(map[string]any); ok {
			delete(pod["metadata"].(map[string]any), "labels")
			delete(pod["spec"].(map[string]any)["containers"].([]any)[0].(map[string]any), "imagePullPolicy")
		}
	}
	return o.Object
}

// TestGeneratedFiles: make generate copies them into the chart.
func TestGeneratedFiles(t *testing.T) {
	for in, from := range map[string]string{
		"charts/gochat/crds/gochat.dev_chatclusters.yaml": "config/crd/bases/gochat.dev_chatclusters.yaml",
		"charts/gochat/generated/role.yaml":               "config/rbac/operator/role.yaml",
	} {
		if read(t, in) != read(t, from) {
			t.Errorf("%s is not %s: run make generate", in, from)
		}
	}
}

// TestTheChatStays: a chat made by the chart is left behind by helm uninstall.
func TestTheChatStays(t *testing.T) {
	chat := template(t, "--set", "chatCluster.enabled=true")["gochat-system ChatCluster chat"]
	if chat.GetAnnotations()["helm.sh/resource-policy"] != "keep" {
		t.Error("the chat would go with the release")
	}
}

// TestTheDefinitionsJob: what brings the definition up to date runs before an upgrade only, and nothing of it stays; there is none
// where an administrator does that.
func TestTheDefinitionsJob(t *testing.T) {
	names := map[string]bool{
		"gochat-system ServiceAccount gochat-operator-definition": true, "ClusterRole gochat-operator-definition": true,
		"ClusterRoleBinding gochat-operator-definition": true, "gochat-system ConfigMap gochat-operator-definition": true,
		"gochat-system Job gochat-operator-definition": true,
	}
	for name, o := range template(t) {
		hook, policy := o.GetAnnotations()["helm.sh/hook"], o.GetAnnotations()["helm.sh/hook-delete-policy"]
		if names[name] && (hook != "pre-upgrade" || !strings.Contains(policy, "hook-succeeded")) || !names[name] && hook != "" {
			t.Errorf("%s: hook %q, deleted by %q", name, hook, policy)
		}
		delete(names, name)
	}
	if len(names) > 0 {
		t.Errorf("there is no %v", names)
	}
	for _, set := range []string{"crd.upgrade=false", "watchNamespaces={a}"} {
		for name, o := range template(t, "--set", set) {
			if o.GetAnnotations()["helm.sh/hook"] != "" {
				t.Errorf("%s: %s", set, name)
			}
		}
	}
}

// TestGolden compares what the chart renders with testdata (-update writes it), the definition left out.
func TestGolden(t *testing.T) {
	for name, args := range map[string][]string{
		"default":    nil,
		"namespaced": {"--set", "watchNamespaces={team-a,team-b}"},
		"everything": {"--values", "testdata/everything.values.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			all := template(t, args...)
			delete(all, "CustomResourceDefinition chatclusters.gochat.dev")
			delete(all, "gochat-system ConfigMap gochat-operator-definition")
			var got strings.Builder
			for _, key := range slices.Sorted(maps.Keys(all)) {
				text, err := yaml.Marshal(all[key].Object)
				if err != nil {
					t.Fatal(err)
				}
				got.WriteString("---\n" + string(text))
			}
			golden := filepath.Join("testdata", name+".golden.yaml")
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("the chart renders something else than %s: look at it, and run go test -update\n%s", golden, got.String())
			}
		})
	}
}

// TestValuesAreRefused: the schema of the values finds what would otherwise be found by nobody.
func TestValuesAreRefused(t *testing.T) {
	for _, set := range []string{
		"watchNamespace=a", "watchNamespaces={A}", "replicas=many", "image.digest=abc", "image.pullPolicy=Sometimes",
		"logLevel=loud", "goMemoryLimit=34Mi", "chatCluster.name=2chat", "metrics.serviceMonitor.interval=often", "crd.upgraded=false",
	} {
		if _, err := helm(t, "template", "gochat", chart, "--set", set); err == nil {
			t.Errorf("%s is taken", set)
		}
	}
}

// TestEveryValueIsExplained looks for the values in the chart's README, and in the schema.
func TestEveryValueIsExplained(t *testing.T) {
	var values map[string]any
	if err := yaml.Unmarshal([]byte(read(t, "charts/gochat/values.yaml")), &values); err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal([]byte(read(t, "charts/gochat/values.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	readme := read(t, "charts/gochat/README.md")
	var walk func(path string, values, schema map[string]any)
	walk = func(path string, values, schema map[string]any) {
		for name, value := range values {
			at := strings.TrimPrefix(path+"."+name, ".")
			properties, _ := schema["properties"].(map[string]any)
			below, ok := properties[name].(map[string]any)
			if !ok {
				t.Errorf("values.schema.json does not have %s", at)
			}
			if fields, ok := value.(map[string]any); ok && len(fields) > 0 && name != "resources" {
				walk(at, fields, below)
			} else if !strings.Contains(readme, "`"+at+"`") {
				t.Errorf("README.md does not explain %s", at)
			}
		}
	}
	walk("", values, schema)
}
