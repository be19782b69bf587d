package controller

import (
	"fmt"
	"slices"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/kubetest"
)

func often(c *Config) { c.DiscoverEvery = time.Second }

func throughGateway(c *v1alpha1.ChatCluster) {
	c.Spec.Hostname = "chat.example.com"
	c.Spec.Gateway = &v1alpha1.GatewaySpec{Name: "edge"}
}

func TestLeaving(t *testing.T) {
	t.Run("[OP9] an API whose definition is on its way out is none, for an operator that runs and for one that starts", func(t *testing.T) {
		s := newStage(t)
		gateway := kubetest.GatewayAPI(t)
		kubetest.Install(t, s.cfg, gateway)
		o := s.operate(often)
		s.create("chat", throughGateway)
		s.has("chat", v1alpha1.ConditionExposed, metav1.ConditionUnknown, "NoAnswerYet")
		free := s.hold(kindRoute, "chat") // so that it stays on its way
		defer kubetest.Uninstall(t, s.cfg, gateway)
		defer free()
		s.undefine("httproutes.gateway.networking.k8s.io")

		s.has("chat", v1alpha1.ConditionExposed, metav1.ConditionFalse, "GatewayAPIMissing")
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Server.DrainSeconds = 30 })
		s.has("chat", v1alpha1.ConditionUpToDate, metav1.ConditionTrue, "")
		o.stop()

		s.operate(often)
		s.create("other")
		s.ready("other")
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Server.DrainSeconds = 40 })
		s.has("chat", v1alpha1.ConditionUpToDate, metav1.ConditionTrue, "")
		s.has("chat", v1alpha1.ConditionExposed, metav1.ConditionFalse, "GatewayAPIMissing")
	})
	t.Run("[OP9] an operator starts though an API that it finds can't be listed, and takes it up when it can", func(t *testing.T) {
		s := newStage(t)
		gateway := kubetest.GatewayAPI(t)
		kubetest.Install(t, s.cfg, gateway)
		defer kubetest.Uninstall(t, s.cfg, gateway)
		s.lost = "httproutes"
		o := s.operate(often)
		s.create("chat", throughGateway)
		s.has("chat", v1alpha1.ConditionAvailable, metav1.ConditionTrue, "")
		s.has("chat", v1alpha1.ConditionExposed, metav1.ConditionFalse, "GatewayAPIMissing")
		if o.misses() == 0 {
			t.Error("the operator has not tried to list them")
		}
		o.lose("")
		s.has("chat", v1alpha1.ConditionExposed, metav1.ConditionUnknown, "NoAnswerYet")
	})
	t.Run("[OP9] an API that is found later and can't be listed holds nobody up", func(t *testing.T) {
		s := newStage(t)
		o := s.operate(often)
		s.create("chat")
		s.ready("chat")
		o.lose("certificates")
		certificates := kubetest.CertManager(t)
		kubetest.Install(t, s.cfg, certificates)
		defer kubetest.Uninstall(t, s.cfg, certificates)
		s.eventually("the operator asks for them", func() error {
			if o.misses() == 0 {
				return fmt.Errorf("it has not")
			}
			return nil
		})
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Server.DrainSeconds = 30 })
		s.ready("chat")
	})
}

// hold keeps an object from going when it is deleted, until the function is called that it returns.
func (s *stage) hold(kind schemaKind, name string) (free func()) {
	s.Helper()
	set := func(finalizers ...string) {
		s.eventually("finalizers of "+name, func() error {
			object := &unstructured.Unstructured{}
			object.SetGroupVersionKind(kind)
			if err := s.Get(s.Context(), client.ObjectKey{Namespace: s.namespace, Name: name}, object); err != nil {
				return err
			}
			object.SetFinalizers(finalizers)
			return s.Update(s.Context(), object)
		})
	}
	set("example.com/held")
	return func() { set() }
}

// undefine deletes a definition, and waits until the API server says that nothing can be made of it any more.
func (s *stage) undefine(name string) {
	s.Helper()
	definition := &unstructured.Unstructured{}
	definition.SetName(name)
	definition.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	if err := s.Delete(s.Context(), definition); err != nil {
		s.Fatal(err)
	}
	asking := discovery.NewDiscoveryClientForConfigOrDie(s.cfg)
	of := schema.ParseGroupResource(name)
	s.eventually(name+" is on its way out", func() error {
		list, err := asking.ServerResourcesForGroupVersion(of.Group + "/v1")
		if apierrors.IsNotFound(err) {
			s.Fatalf("%s is gone already", name)
		}
		if err != nil {
			return err
		}
		for _, r := range list.APIResources {
			if r.Name == of.Resource && len(r.Verbs) > 0 && !slices.Contains(r.Verbs, "create") {
				return nil
			}
		}
		return fmt.Errorf("it is served as before")
	})
}
