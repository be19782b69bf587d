package v1alpha1_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/internal/kubetest"
)

func TestScale(t *testing.T) {
	s := newStage(t)
	made := s.create("chat", "")
	read := func() *unstructured.Unstructured {
		t.Helper()
		scale := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "autoscaling/v1", "kind": "Scale"}}
		if err := s.SubResource("scale").Get(t.Context(), made, scale); err != nil {
			t.Fatal(err)
		}
		return scale
	}
	// Before the operator has looked: no pods are known, and there is no error.
	equal(t, read().Object["spec"], map[string]any{"replicas": 1})
	equal(t, read().Object["status"], map[string]any{"replicas": 0})

	if err := s.scaleTo(made, 3); err != nil {
		t.Fatal(err)
	}
	s.setStatus(made, map[string]any{"replicas": int64(2), "readyReplicas": int64(1), "selector": "a=b"})
	equal(t, read().Object["spec"], map[string]any{"replicas": 3})
	equal(t, read().Object["status"], map[string]any{"replicas": 2, "selector": "a=b"})
}

// setStatus writes the status of the object as it stands now.
func (s *stage) setStatus(o *unstructured.Unstructured, status map[string]any) {
	s.t.Helper()
	s.get(o)
	o.Object["status"] = status
	if err := s.Status().Update(s.t.Context(), o); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) get(o *unstructured.Unstructured) {
	s.t.Helper()
	if err := s.Get(s.t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
		s.t.Fatal(err)
	}
}

// TestStatusIsApart: who writes the spec can't write the status, and the other way round.
func TestStatusIsApart(t *testing.T) {
	s := newStage(t)
	o := s.chat("chat", "")
	o.Object["status"] = map[string]any{"url": "https://stranger.example"}
	if err := s.Create(t.Context(), o, strict); err != nil {
		t.Fatal(err)
	}
	if o.Object["status"] != nil {
		t.Errorf("a status came in with the spec: %v", o.Object["status"])
	}

	generation := o.GetGeneration()
	o.Object["spec"].(map[string]any)["profile"] = "HA"
	o.Object["status"] = map[string]any{"replicas": int64(1), "readyReplicas": int64(1), "url": "https://chat.example"}
	if err := s.Status().Update(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if profile, _, _ := unstructured.NestedString(o.Object, "spec", "profile"); profile != "Small" || o.GetGeneration() != generation {
		t.Errorf("the spec came in with the status: profile %s, generation %d of %d", profile, o.GetGeneration(), generation)
	}

	o.Object["status"] = nil
	o.Object["spec"].(map[string]any)["profile"] = "Standard"
	if err := s.Update(t.Context(), o, strict); err != nil {
		t.Fatal(err)
	}
	if url, _, _ := unstructured.NestedString(o.Object, "status", "url"); url != "https://chat.example" {
		t.Errorf("the status went with the spec: %q", url)
	}
}

// TestConditionsAreWellFormed: the server keeps the Kubernetes conventions of conditions.
func TestConditionsAreWellFormed(t *testing.T) {
	s := newStage(t)
	condition := func(change func(map[string]any)) []any {
		c := map[string]any{
			"type": "Ready", "status": "True", "reason": "AllWell", "message": "", "lastTransitionTime": "2026-01-02T03:04:05Z",
		}
		change(c)
		return []any{c}
	}
	for name, c := range map[string]struct {
		change func(map[string]any)
		field  string
	}{
		"well":       {func(map[string]any) {}, ""},
		"no reason":  {func(c map[string]any) { delete(c, "reason") }, "status.conditions[0].reason"},
		"no time":    {func(c map[string]any) { delete(c, "lastTransitionTime") }, "status.conditions[0].lastTransitionTime"},
		"bad status": {func(c map[string]any) { c["status"] = "Maybe" }, "status.conditions[0].status"},
	} {
		t.Run(name, func(t *testing.T) {
			o := s.create(strings.ReplaceAll(name, " ", "-"), "")
			o.Object["status"] = map[string]any{"conditions": condition(c.change)}
			err := s.Status().Update(t.Context(), o)
			if c.field != "" {
				refused(t, err, c.field, "")
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestColumns: what kubectl get shows.
func TestColumns(t *testing.T) {
	s := newStage(t)
	made := s.create("chat", "{profile: Standard}")
	s.setStatus(made, map[string]any{
		"replicas": int64(2), "readyReplicas": int64(1), "version": "1.4.0", "url": "https://chat.example.com",
		"conditions": []any{
			map[string]any{"type": "Available", "status": "False", "reason": "Other", "message": "", "lastTransitionTime": "2026-01-02T03:04:05Z"},
			map[string]any{"type": "Ready", "status": "True", "reason": "AllWell", "message": "", "lastTransitionTime": "2026-01-02T03:04:05Z"},
		},
	})
	var table metav1.Table
	if err := s.rest(kubetest.Shared(t)).Get().AbsPath("/apis/gochat.dev/v1alpha1/namespaces", s.namespace, "chatclusters").
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").Do(t.Context()).Into(&table); err != nil {
		t.Fatal(err)
	}
	var always, wide []string
	for _, column := range table.ColumnDefinitions {
		if column.Priority == 0 {
			always = append(always, column.Name)
		} else {
			wide = append(wide, column.Name)
		}
	}
	if want := []string{"Name", "Ready", "Reason", "Servers", "Version", "URL", "Age"}; !slices.Equal(always, want) {
		t.Errorf("columns %v, want %v", always, want)
	}
	if want := []string{"Profile"}; !slices.Equal(wide, want) {
		t.Errorf("wide columns %v, want %v", wide, want)
	}
	cells := table.Rows[0].Cells
	if age := cells[6]; age == "<unknown>" || age == "" {
		t.Errorf("age %v", age)
	}
	cells = slices.Delete(cells, 6, 7)
	equal(t, cells, []any{"chat", "True", "AllWell", 1, "1.4.0", "https://chat.example.com", "Standard"})
}

func (s *stage) rest(cfg *rest.Config) rest.Interface {
	s.t.Helper()
	d, err := discovery.NewDiscoveryClientForConfig(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	return d.RESTClient()
}

// TestKubectl: the short name, the category, and what kubectl explain says.
func TestKubectl(t *testing.T) {
	s := newStage(t)
	s.create("chat", "")
	kubeconfig := kubetest.Kubeconfig(t, kubetest.Shared(t))
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"get", "chat", "-n", s.namespace, "-o", "name"}, []string{"chatcluster.gochat.dev/chat"}},
		{[]string{"get", "gochat", "-n", s.namespace, "-o", "name"}, []string{"chatcluster.gochat.dev/chat"}},
		{[]string{"explain", "chatcluster"}, []string{"GROUP:      gochat.dev", "VERSION:    v1alpha1", "ChatCluster is a whole chat"}},
		{[]string{"explain", "chat.spec.server.replicas"}, []string{"replicas <integer>", "How many servers there are"}},
		{[]string{"explain", "chat.spec.profile"}, []string{"ENUM:", "Standard", "How much the parts may use, and how they are tuned"}},
	} {
		out, err := exec.CommandContext(t.Context(), kubetest.Kubectl(t), append([]string{"--kubeconfig", kubeconfig}, c.args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("kubectl %v: %v\n%s", c.args, err, out)
		}
		for _, want := range c.want {
			if !strings.Contains(string(out), want) {
				t.Errorf("kubectl %v does not say %q:\n%s", c.args, want, out)
			}
		}
	}
}
