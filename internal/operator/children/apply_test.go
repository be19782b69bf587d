package children

import (
	"context"
	"os"
	"reflect"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/kubetest"
)

func TestMain(m *testing.M) { os.Exit(kubetest.Run(m, "../../../config/crd/bases")) }

// warned fails a test when the API server warns of something: a Pod that a restricted namespace would not take, an unknown field.
type warned struct{ *testing.T }

// HandleWarningHeaderWithContext implements rest.WarningHandlerWithContext.
func (w warned) HandleWarningHeaderWithContext(_ context.Context, _ int, _, text string) {
	w.Errorf("the API server warns: %s", text)
}

// restricted is a client of an API server with the optional APIs that come in Go modules, and a namespace that takes restricted pods only.
func restricted(t *testing.T) (client.Client, string) {
	t.Helper()
	cfg := kubetest.Shared(t)
	namespace := kubetest.Namespace(t, cfg)
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	cfg.WarningHandlerWithContext, cfg.QPS = warned{t}, -1
	c, err := client.New(cfg, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	c = client.WithFieldValidation(client.WithFieldOwner(c, "gochat-operator"), metav1.FieldValidationStrict)
	enforced := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"labels":{
		"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted"}}}`))
	if err := c.Patch(t.Context(), enforced, patch); err != nil {
		t.Fatal(err)
	}
	return c, namespace
}

// TestApplied has a real API server take the children of every example: it knows each field, it admits each pod, and applying
// all of them again and again changes nothing.
func TestApplied(t *testing.T) {
	kubetest.Install(t, kubetest.Shared(t), kubetest.CertManager(t), kubetest.GatewayAPI(t))
	priority := &schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: "high"}, Value: 1000} // of the example custom
	if c, err := client.New(kubetest.Shared(t), client.Options{}); err != nil {
		t.Fatal(err)
	} else if err := c.Create(t.Context(), priority); client.IgnoreAlreadyExists(err) != nil {
		t.Fatal(err)
	}
	for _, e := range examples(t) {
		t.Run("[OP12] restricted Pod Security takes "+e.name, func(t *testing.T) {
			c, namespace := restricted(t)
			e.cluster.Namespace, e.cluster.UID = namespace, ""
			written := e.cluster.DeepCopy()
			if err := c.Create(t.Context(), e.cluster); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(Defaulted(written).Spec, e.cluster.Spec) {
				t.Errorf("the API server fills in other defaults:\n%s\nthan\n%s", encodeSpec(t, e.cluster), encodeSpec(t, Defaulted(written)))
			}
			e.known.APIs.PodMonitor, e.known.APIs.PrometheusRule = false, false // their definitions are in no module
			versions := make(map[string]string)
			for round := range 3 {
				for _, child := range e.all(t) { // anew each time: Apply may write into what it is given
					if err := c.Apply(t.Context(), child.Object, client.ForceOwnership); err != nil {
						t.Fatalf("%s %s: %v", child.Kind.Kind, child.Name, err)
					}
					stored := &unstructured.Unstructured{}
					stored.SetGroupVersionKind(child.Kind)
					if err := c.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: child.Name}, stored); err != nil {
						t.Fatal(err)
					}
					key := child.Kind.Kind + " " + child.Name
					// With the second time comes the ownership of what the API server filled in the first time.
					if round == 2 && versions[key] != stored.GetResourceVersion() {
						t.Errorf("%s: applied again and again, it is changed each time", key)
					}
					versions[key] = stored.GetResourceVersion()
					checkStored(t, c, child, stored)
				}
			}
		})
	}
}

// checkStored looks at a child that an API server has: whose it is, and whether its pods would be admitted.
func checkStored(t *testing.T, c client.Client, child Child, stored *unstructured.Unstructured) {
	t.Helper()
	if owned := metav1.GetControllerOf(stored) != nil; owned == child.Kept {
		t.Errorf("%s %s: Kept is %t, and it has an owner: %t", child.Kind.Kind, child.Name, child.Kept, owned)
	}
	template, err := templateOf(stored)
	if err != nil {
		t.Fatal(err)
	}
	if template == nil {
		return
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: child.Name + "-", Namespace: stored.GetNamespace(), Labels: template.Labels},
		Spec:       template.Spec,
	}
	if err := c.Create(t.Context(), pod, client.DryRunAll); err != nil {
		t.Errorf("a pod of %s %s is not admitted: %v", child.Kind.Kind, child.Name, err)
	}
}

// templateOf is the pod template of a workload; nil for anything else.
func templateOf(object *unstructured.Unstructured) (*corev1.PodTemplateSpec, error) {
	as := func(into any) error {
		return runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, into)
	}
	switch object.GetKind() {
	case "Deployment":
		var d appsv1.Deployment
		return &d.Spec.Template, as(&d)
	case "StatefulSet":
		var s appsv1.StatefulSet
		return &s.Spec.Template, as(&s)
	case "Job":
		var j batchv1.Job
		return &j.Spec.Template, as(&j)
	case "CronJob":
		var j batchv1.CronJob
		return &j.Spec.JobTemplate.Spec.Template, as(&j)
	default:
		return nil, nil
	}
}
