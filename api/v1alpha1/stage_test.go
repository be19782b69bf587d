package v1alpha1_test

import (
	"os"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/kubetest"
)

const definitions = "../../config/crd/bases"

func TestMain(m *testing.M) { os.Exit(kubetest.Run(m, definitions)) }

// stage is a namespace on a real API server that knows ChatClusters.
type stage struct {
	client.Client

	t         *testing.T
	namespace string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	cfg := kubetest.Shared(t)
	c, err := client.New(cfg, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &stage{Client: c, t: t, namespace: kubetest.Namespace(t, cfg)}
}

// chat is a ChatCluster with this spec, in YAML; without one where it is empty. It stays untyped, so that the server gets
// what is written, and nothing that a Go type adds or leaves out.
func (s *stage) chat(name, spec string) *unstructured.Unstructured {
	s.t.Helper()
	o := &unstructured.Unstructured{Object: map[string]any{}}
	if spec != "" {
		o.Object["spec"] = parse(s.t, spec)
	}
	o.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind("ChatCluster"))
	o.SetNamespace(s.namespace)
	o.SetName(name)
	return o
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	var parsed map[string]any
	if err := yaml.UnmarshalStrict([]byte(text), &parsed); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return parsed
}

// create makes the server take a ChatCluster, and returns it as it stands then.
func (s *stage) create(name, spec string) *unstructured.Unstructured {
	s.t.Helper()
	o := s.chat(name, spec)
	if err := s.Create(s.t.Context(), o, strict); err != nil {
		s.t.Fatalf("%v\n%s", err, spec)
	}
	return o
}

// strict has the server refuse fields that it does not know, as kubectl does.
var strict = client.FieldValidation("Strict")

// refused fails unless err is the server's, about this field, with these words.
func refused(t *testing.T, err error, field, words string) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("taken, and not refused with %s: … %s", field, words)
	case !strings.Contains(err.Error(), field+": ") || !strings.Contains(err.Error(), words):
		t.Errorf("refused with\n%v\nand not with\n%s: … %s", err, field, words)
	}
}
