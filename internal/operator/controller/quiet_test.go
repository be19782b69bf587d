package controller

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

func TestEvents(t *testing.T) {
	t.Run("[OP8] a chat that comes up tells of it once, and warns of nothing", func(t *testing.T) {
		s := newStage(t)
		o := s.operate()
		s.create("chat")
		s.ready("chat")
		o.settle("chat")
		s.eventually("the event", func() error { return s.told("chat", "Ready") })
		seen := make(map[string]bool)
		for _, event := range s.events() {
			if event.Regarding.Kind != "ChatCluster" {
				continue
			}
			if event.Type != normal || event.Series != nil || seen[event.Reason+event.Note] {
				t.Errorf("%s %s: %s", event.Type, event.Reason, event.Note)
			}
			seen[event.Reason+event.Note] = true
		}
		if !seen["CredentialMademade what was missing in the Secrets: chat-postgres, chat-redis, chat-keys, chat-admin"] {
			t.Errorf("no event names all Secrets: %v", seen)
		}
	})
}

func TestGaps(t *testing.T) {
	t.Run("[OP8] what can't be read flips no condition", func(t *testing.T) {
		s := newStage(t)
		o := s.operate()
		certificate := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "own", Namespace: s.namespace}, Type: corev1.SecretTypeTLS,
			Data: map[string][]byte{"tls.crt": []byte("x"), "tls.key": []byte("x")},
		}
		if err := s.Create(t.Context(), certificate); err != nil {
			t.Fatal(err)
		}
		s.create("chat", func(c *v1alpha1.ChatCluster) {
			c.Spec.Hostname, c.Spec.TLS = "chat.example.com", &v1alpha1.TLSSpec{SecretName: "own"}
		})
		s.ready("chat")
		o.settle("chat")
		before := s.get("chat").Status
		o.deafen()
		for range 3 {
			o.reconcile("chat")
		}
		if now := s.get("chat").Status; !reflect.DeepEqual(before, now) {
			t.Errorf("the status was\n%+v\nand is\n%+v", before, now)
		}
	})
}

func TestQuiet(t *testing.T) {
	t.Run("[OP1] after it has converged, 20 more reconciles write nothing, with a stranger beside it", func(t *testing.T) {
		s := newStage(t)
		o := s.operate()
		s.create("chat")
		s.ready("chat")
		o.settle("chat")
		before := o.sent()
		if twice := duplicates(before); len(twice) > 0 {
			t.Errorf("on the way to Ready these were written twice: %v", twice)
		}
		for _, object := range s.children() {
			s.labelled(object)
		}
		s.labelled(s.get("chat"))
		for range 20 {
			o.reconcile("chat")
		}
		if more := o.sent()[len(before):]; len(more) > 0 {
			t.Errorf("nothing was to be done, and it wrote %v", more)
		}
		if err := s.is("chat", v1alpha1.ConditionReady, metav1.ConditionTrue, ""); err != nil {
			t.Error(err)
		}
		for at, object := range s.children() {
			if object.GetLabels()["stranger"] == "" || object.GetAnnotations()["stranger"] == "" {
				t.Errorf("a stranger's label is gone from %v", at)
			}
		}
	})
}

// labelled has a stranger put a label and an annotation on an object.
func (s *stage) labelled(object client.Object) {
	s.Helper()
	patch := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"stranger":"was-here"},"annotations":{"stranger":"was here"}}}`))
	if err := s.Patch(s.Context(), object, patch, client.FieldOwner("stranger")); err != nil {
		s.Fatal(err)
	}
}

// duplicates are the children that were written more than once. The servers' Deployment may be: it waits for the migration.
func duplicates(writes []string) []string {
	var twice []string
	seen := make(map[string]bool)
	for _, write := range writes {
		if seen[write] && write[len(write)-len("/status"):] != "/status" {
			twice = append(twice, write)
		}
		seen[write] = true
	}
	return twice
}

// reconcile has a ChatCluster looked at once more, and waits until that has happened.
func (o *operator) reconcile(name string) {
	o.stage.Helper()
	before := o.passes.Load()
	o.poke(name)
	o.stage.eventually("a pass", func() error {
		if o.passes.Load() == before {
			return fmt.Errorf("none yet")
		}
		return nil
	})
}

// poke changes an annotation of a ChatCluster that nobody reads.
func (o *operator) poke(name string) {
	o.stage.Helper()
	o.pokes++
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind("ChatCluster"))
	object.SetNamespace(o.stage.namespace)
	object.SetName(name)
	patch := fmt.Sprintf(`{"metadata":{"annotations":{"poke":"%d"}}}`, o.pokes)
	if err := o.stage.Patch(o.stage.Context(), object, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		o.stage.Fatal(err)
	}
}

// settle waits until five passes in a row have written nothing.
func (o *operator) settle(name string) {
	o.stage.Helper()
	quiet := 0
	for range 100 {
		before := o.sent()
		o.reconcile(name)
		if quiet++; !slices.Equal(before, o.sent()) {
			quiet = 0
		}
		if quiet == 5 {
			return
		}
	}
	o.stage.Fatal("it does not settle: each of 100 passes writes something")
}
