package controller

import (
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	crmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/kubetest"
	"github.com/gochat-dev/gochat/internal/operator/children"
)

// watching are the children for Prometheus and Grafana of a ChatCluster called chat.
var watching = map[string]schemaKind{
	children.ServerName("chat"):    kindPodMonitor,
	children.RulesName("chat"):     kindRule,
	children.DashboardName("chat"): kindConfigMap,
}

func TestMonitoring(t *testing.T) {
	t.Run("[OP9] what Prometheus' operator reads is made when that is installed, and taken away when nobody wants it", func(t *testing.T) {
		definitions := kubetest.PrometheusOperator(t)
		s := newStage(t)
		o := s.operate()
		s.create("chat")
		s.ready("chat")
		s.has("chat", v1alpha1.ConditionMonitoringInstalled, metav1.ConditionFalse, "")

		kubetest.Install(t, s.cfg, definitions)
		t.Cleanup(func() { kubetest.Uninstall(t, s.cfg, definitions) })
		s.watched(true)
		s.has("chat", v1alpha1.ConditionMonitoringInstalled, metav1.ConditionTrue, "")
		s.ready("chat")

		o.settle("chat")
		before := o.sent()
		for range 5 {
			o.reconcile("chat")
		}
		if more := o.sent()[len(before):]; len(more) > 0 {
			t.Errorf("nothing was to be done, and it wrote %v", more)
		}

		rule := &unstructured.Unstructured{}
		rule.SetGroupVersionKind(kindRule)
		s.read(children.RulesName("chat"), rule)
		groups := len(rule.Object["spec"].(map[string]any)["groups"].([]any))
		if err := s.Patch(t.Context(), rule, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"groups":[]}}`))); err != nil {
			t.Fatal(err)
		}
		s.eventually("the alerts are back", func() error {
			s.read(children.RulesName("chat"), rule)
			if is := len(rule.Object["spec"].(map[string]any)["groups"].([]any)); is != groups {
				return fmt.Errorf("there are %d groups of them, and were %d", is, groups)
			}
			return nil
		})

		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Monitoring = v1alpha1.MonitoringDisabled })
		s.watched(false)
	})
}

// watched waits until what watches is there, or is not.
func (s *stage) watched(want bool) {
	s.Helper()
	for name, kind := range watching {
		s.eventually(fmt.Sprintf("%s %s is there: %t", kind.Kind, name, want), func() error {
			object := &unstructured.Unstructured{}
			object.SetGroupVersionKind(kind)
			err := s.Get(s.Context(), client.ObjectKey{Namespace: s.namespace, Name: name}, object)
			if there := err == nil; there != want || err != nil && !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
				return fmt.Errorf("it is there: %t (%w)", there, err)
			}
			return nil
		})
	}
}

func TestMeasured(t *testing.T) {
	t.Run("what is known of a ChatCluster can be scraped, until it is gone", func(t *testing.T) {
		s := newStage(t)
		s.operate()
		s.create("chat")
		s.ready("chat")
		s.eventually("Ready is counted", func() error {
			if s.measured("gochat_operator_condition", "Ready", "True") && s.measured("gochat_operator_last_reconcile_timestamp_seconds", "", "") {
				return nil
			}
			return fmt.Errorf("it is not")
		})
		if err := s.Delete(t.Context(), s.get("chat")); err != nil {
			t.Fatal(err)
		}
		s.eventually("nothing is left", func() error {
			if s.measured("gochat_operator_last_reconcile_timestamp_seconds", "", "") {
				return fmt.Errorf("it is still counted")
			}
			return nil
		})
	})
}

// measured says whether there is a series of the stage's ChatCluster, with a condition and its status.
func (s *stage) measured(name, condition, status string) bool {
	s.Helper()
	families, err := crmetrics.Registry.Gather()
	if err != nil {
		s.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			labels := make(map[string]string)
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if f.GetName() == name && labels["chatcluster_namespace"] == s.namespace && labels["condition"] == condition && labels["status"] == status {
				return true
			}
		}
	}
	return false
}
