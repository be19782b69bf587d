package v1alpha1_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/kubetest"
	offline "github.com/gochat-dev/gochat/internal/operator/schema"
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
	if err := s.take(o); err != nil {
		s.t.Fatalf("%v\n%s", err, spec)
	}
	return o
}

// take gives a ChatCluster to the server, and to the check that works without one. They have to agree: on whether it is taken, on each word
// of what is wrong with it, and on the defaults.
func (s *stage) take(o *unstructured.Unstructured) error {
	s.t.Helper()
	text, err := o.MarshalJSON()
	if err != nil {
		s.t.Fatal(err)
	}
	alone, aloneErr := offline.Check(s.t.Context(), text)
	err = s.Create(s.t.Context(), o, strict)
	if saidOf(err) != saidOf(aloneErr) {
		s.t.Errorf("the server says\n%s\nand without a server it is\n%s", saidOf(err), saidOf(aloneErr))
	}
	if err == nil && aloneErr == nil && !equality.Semantic.DeepEqual(o.Object["spec"], alone.Object["spec"]) {
		s.t.Errorf("the server makes of it\n%v\nand without a server it is\n%v", o.Object["spec"], alone.Object["spec"])
	}
	return err
}

// between stands between the faults of an error.
var between = regexp.MustCompile(`, (<nil>: |\.?spec[.:]|metadata\.)`)

// saidOf are the single faults of an error, in the order of the alphabet.
func saidOf(err error) string {
	if err == nil {
		return "taken"
	}
	text := err.Error()
	for _, front := range []string{`ChatCluster.gochat.dev "[^"]*" is invalid: `, `ChatCluster in version "v1alpha1" cannot be handled as a ChatCluster: `} {
		text = regexp.MustCompile("^"+front).ReplaceAllString(text, "")
	}
	text = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	faults := strings.Split(between.ReplaceAllString(text, "\n$1"), "\n")
	faults = slices.DeleteFunc(faults, func(fault string) bool { // what the server adds is about faults that are there already
		return strings.HasPrefix(fault, "<nil>: ") || strings.HasPrefix(fault, ".spec.server.replicas: ")
	})
	slices.Sort(faults)
	return strings.Join(slices.Compact(faults), "\n")
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
