package controller

import (
	"context"
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/kubetest"
)

func TestOptional(t *testing.T) {
	t.Run("[OP9] an optional API that is installed later is noticed, and so is one that goes", func(t *testing.T) {
		s := newStage(t)
		s.allow("operator-"+s.namespace, shipped(t))
		o := s.operate(func(c *Config) { c.DiscoverEvery = time.Second })
		s.create("chat", func(c *v1alpha1.ChatCluster) {
			c.Spec.Hostname = "chat.example.com"
			c.Spec.Gateway = &v1alpha1.GatewaySpec{Name: "edge"}
			c.Spec.TLS = &v1alpha1.TLSSpec{IssuerRef: &v1alpha1.IssuerRef{Name: "letsencrypt"}}
		})
		s.has("chat", v1alpha1.ConditionAvailable, metav1.ConditionTrue, "")
		s.has("chat", v1alpha1.ConditionExposed, metav1.ConditionFalse, "GatewayAPIMissing")
		s.has("chat", v1alpha1.ConditionMonitoringInstalled, metav1.ConditionFalse, "PrometheusOperatorMissing")

		gateway, certificates := kubetest.GatewayAPI(t), kubetest.CertManager(t)
		kubetest.Install(t, s.cfg, gateway)
		s.has("chat", v1alpha1.ConditionExposed, metav1.ConditionFalse, "CertManagerMissing")
		kubetest.Install(t, s.cfg, certificates)
		s.has("chat", v1alpha1.ConditionExposed, metav1.ConditionFalse, "CertificateNotReady")
		until := time.Now().Add(24 * time.Hour).UTC().Truncate(time.Second)
		s.answer(kindCertificate, map[string]any{"notAfter": until.Format(time.RFC3339), "conditions": []any{condition("Ready")}})
		s.has("chat", v1alpha1.ConditionExposed, metav1.ConditionUnknown, "NoAnswerYet")
		s.answer(kindRoute, map[string]any{"parents": []any{map[string]any{
			"controllerName": "example.com/gateway", "parentRef": map[string]any{"name": "edge"}, "conditions": []any{condition("Accepted"), condition("ResolvedRefs")},
		}}})
		s.has("chat", v1alpha1.ConditionExposed, metav1.ConditionTrue, "Accepted")
		s.ready("chat")
		o.settle("chat")

		kubetest.Uninstall(t, s.cfg, gateway, certificates)
		s.has("chat", v1alpha1.ConditionExposed, metav1.ConditionFalse, "GatewayAPIMissing")
		s.has("chat", v1alpha1.ConditionAvailable, metav1.ConditionTrue, "")
	})
	t.Run("[OP9] prometheus-operator", func(t *testing.T) {
		definitions := kubetest.PrometheusOperator(t)
		s := newStage(t)
		s.allow("operator-"+s.namespace, shipped(t))
		s.operate(func(c *Config) { c.DiscoverEvery = time.Second })
		s.create("chat")
		s.ready("chat")
		kubetest.Install(t, s.cfg, definitions)
		defer kubetest.Uninstall(t, s.cfg, definitions)
		s.has("chat", v1alpha1.ConditionMonitoringInstalled, metav1.ConditionTrue, "Installed")
		s.ready("chat")
	})
	t.Run("[OP9] an adapter of metrics that is broken keeps nobody waiting", func(t *testing.T) {
		s := newStage(t)
		adapter := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": map[string]any{"name": "v1beta1.custom.metrics.k8s.io"},
			"spec": map[string]any{
				"group": "custom.metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": int64(100), "versionPriority": int64(100),
				"insecureSkipTLSVerify": true, "service": map[string]any{"name": "gone", "namespace": s.namespace},
			},
		}}
		if err := s.Create(t.Context(), adapter); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := s.Delete(context.Background(), adapter); err != nil {
				t.Error(err)
			}
		}()
		asking := discovery.NewDiscoveryClientForConfigOrDie(s.cfg)
		s.eventually("the API server to say that it is broken", func() error {
			if _, err := asking.ServerResourcesForGroupVersion("custom.metrics.k8s.io/v1beta1"); !apierrors.IsServiceUnavailable(err) {
				return fmt.Errorf("it says %w", err)
			}
			return nil
		})
		s.operate()
		s.create("chat")
		s.ready("chat")
	})
}

func condition(name string) map[string]any {
	return map[string]any{
		"type": name, "status": "True", "reason": "Well", "message": "all is well", "lastTransitionTime": "2026-01-01T00:00:00Z",
	}
}

// answer writes the status of the one child of a kind, as who carries it out would.
func (s *stage) answer(kind schemaKind, status map[string]any) {
	s.Helper()
	s.eventually("an answer to "+kind.Kind, func() error {
		list := dynamic(kind, nil).list().(*unstructured.UnstructuredList)
		if err := s.List(s.Context(), list, client.InNamespace(s.namespace)); err != nil {
			return err
		}
		if len(list.Items) != 1 {
			return fmt.Errorf("there are %d", len(list.Items))
		}
		patch, err := (&unstructured.Unstructured{Object: map[string]any{"apiVersion": kind.GroupVersion().String(), "kind": kind.Kind, "status": status}}).MarshalJSON()
		if err != nil {
			return err
		}
		return s.Status().Patch(s.Context(), &list.Items[0], client.RawPatch(types.MergePatchType, patch))
	})
}
