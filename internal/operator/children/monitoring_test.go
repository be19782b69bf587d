package children

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/kubetest"
)

// watchers are the kinds of the children that watch.
func watchers(t *testing.T, monitoring v1alpha1.Monitoring, apis APIs) []string {
	t.Helper()
	cluster := &v1alpha1.ChatCluster{}
	cluster.Name, cluster.Namespace = "chat", "team"
	cluster.Spec.Monitoring = monitoring
	known := settled(cluster)
	known.APIs = apis
	all, err := All(cluster, known)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, c := range all {
		if c.Kind.Kind == "PodMonitor" || c.Kind.Kind == "PrometheusRule" || c.Name == "chat-dashboard" {
			kinds = append(kinds, c.Kind.Kind)
		}
	}
	return kinds
}

func TestMonitoring(t *testing.T) {
	for _, c := range []struct {
		monitoring v1alpha1.Monitoring
		apis       APIs
		want       []string
	}{
		{v1alpha1.MonitoringAuto, APIs{}, nil},
		{"", APIs{PodMonitor: true, PrometheusRule: true}, []string{"PodMonitor", "PrometheusRule", "ConfigMap"}},
		{v1alpha1.MonitoringAuto, APIs{PodMonitor: true}, []string{"PodMonitor", "ConfigMap"}},
		{v1alpha1.MonitoringEnabled, APIs{}, []string{"ConfigMap"}},
		{v1alpha1.MonitoringEnabled, APIs{PodMonitor: true, PrometheusRule: true}, []string{"PodMonitor", "PrometheusRule", "ConfigMap"}},
		{v1alpha1.MonitoringDisabled, APIs{PodMonitor: true, PrometheusRule: true}, nil},
	} {
		if got := watchers(t, c.monitoring, c.apis); !slices.Equal(got, c.want) {
			t.Errorf("monitoring %q, where the cluster serves %+v: %q, want %q", c.monitoring, c.apis, got, c.want)
		}
	}
}

// TestMonitoringApplied has prometheus-operator's own definitions take what is made for them: each field is known, and applying it
// again changes nothing (OP1).
func TestMonitoringApplied(t *testing.T) {
	kubetest.Install(t, kubetest.Shared(t), kubetest.PrometheusOperator(t))
	c, namespace := restricted(t)
	cluster := &v1alpha1.ChatCluster{}
	cluster.Name, cluster.Namespace = "chat", namespace
	cluster.Spec.Hostname, cluster.Spec.TLS = "chat.example.com", &v1alpha1.TLSSpec{SecretName: "certificate"}
	cluster.Spec.Backup = &v1alpha1.BackupSpec{}
	known := settled(cluster)
	known.APIs = APIs{PodMonitor: true, PrometheusRule: true}
	versions := make(map[string]string)
	for round := range 3 {
		all, err := All(cluster, known)
		if err != nil {
			t.Fatal(err)
		}
		applied := 0
		for _, child := range all {
			if child.Kind.Group != "monitoring.coreos.com" {
				continue
			}
			applied++
			if err := c.Apply(t.Context(), child.Object, client.ForceOwnership); err != nil {
				t.Fatalf("%s: %v", child.Kind.Kind, err)
			}
			stored := &unstructured.Unstructured{}
			stored.SetGroupVersionKind(child.Kind)
			if err := c.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: child.Name}, stored); err != nil {
				t.Fatal(err)
			}
			if round == 2 && versions[child.Kind.Kind] != stored.GetResourceVersion() {
				t.Errorf("%s: applied again and again, it is changed each time", child.Kind.Kind)
			}
			versions[child.Kind.Kind] = stored.GetResourceVersion()
		}
		if applied != 2 {
			t.Fatalf("%d objects for Prometheus", applied)
		}
	}
}
