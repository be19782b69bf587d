package controller

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// A ChatCluster with as many kinds of children as there are without optional APIs.
func full(c *v1alpha1.ChatCluster) {
	c.Spec.Hostname = "chat.example.com"
	c.Spec.Server.Replicas = new(int32(2))
	c.Spec.Autoscaling = &v1alpha1.AutoscalingSpec{MinReplicas: 2, MaxReplicas: 4}
	c.Spec.Backup = &v1alpha1.BackupSpec{}
}

func TestFromAnywhere(t *testing.T) {
	t.Run("[OP2] whichever write fails once, the same objects come out of it", func(t *testing.T) {
		s := newStage(t)
		failures := newCuts(false)
		o := s.operate()
		o.failing(failures.fails)
		s.fromAnywhere(failures)
	})
	t.Run("[OP2] killed before any write, and started again: the same objects come out of it", func(t *testing.T) {
		s := newStage(t)
		cuts := newCuts(true)
		o := s.operate()
		o.failing(cuts.fails)
		for i := range mostWrites {
			s.create(numbered(i), full)
		}
		s.eventually("each to be cut off", func() error {
			if n := cuts.done(); n < mostWrites-slack {
				return fmt.Errorf("%d are", n)
			}
			return nil
		})
		o.stop()
		s.operate()
		s.comparable()
	})
}

// mostWrites is more than it takes to carry out the ChatCluster of full once. So many are made, of which each is disturbed at
// another write; the last ones, up to slack, come out undisturbed.
const (
	mostWrites = 34
	slack      = 8
)

func (s *stage) fromAnywhere(failures *cuts) {
	s.Helper()
	for i := range mostWrites {
		s.create(numbered(i), full)
	}
	s.comparable()
	if n := failures.done(); n < mostWrites-slack {
		s.Errorf("only %d of %d were disturbed", n, mostWrites)
	}
}

// comparable waits until all the numbered ChatClusters are the same.
func (s *stage) comparable() {
	s.Helper()
	for i := range mostWrites {
		s.ready(numbered(i))
	}
	s.eventually("all to be the same", func() error {
		objects := s.children()
		want := like(objects, numbered(mostWrites-1))
		for at, object := range objects {
			if got := object.GetAnnotations()[revision]; at.kind.Kind == "Deployment" && got != "1" {
				return fmt.Errorf("%s is of revision %s: pods were made twice", at.name, got)
			}
		}
		for i := range mostWrites - 1 {
			if diff := difference(want, like(objects, numbered(i))); diff != "" {
				return fmt.Errorf("%s is not like %s: %s", numbered(i), numbered(mostWrites-1), diff)
			}
		}
		return nil
	})
}

func numbered(i int) string { return fmt.Sprintf("chat-%02d", i) }

var numberedPath = regexp.MustCompile(`/chat-(\d\d)[^/]*(/status)?$`)

// cuts disturbs the nth write about the ChatCluster of number n: it fails, alone or with all that come after it.
type cuts struct {
	forGood bool

	mu     sync.Mutex
	writes map[string]int
	cut    map[string]bool
}

func newCuts(forGood bool) *cuts {
	return &cuts{forGood: forGood, writes: make(map[string]int), cut: make(map[string]bool)}
}

func (c *cuts) fails(_ int, write string) bool {
	m := numberedPath.FindStringSubmatch(write)
	if m == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	number := m[1]
	c.writes[number]++
	at := fmt.Sprintf("%02d", c.writes[number]-1) == number
	if at {
		c.cut[number] = true
	}
	return at || (c.forGood && c.cut[number])
}

func (c *cuts) done() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.cut)
}

// revision counts the templates that a Deployment has had.
const revision = "deployment.kubernetes.io/revision"

// like is what of a ChatCluster's objects should be the same for each, by kind and name.
func like(objects map[ref]client.Object, name string) map[string]string {
	text := make(map[string]string)
	for at, object := range objects {
		if object.GetLabels()["app.kubernetes.io/instance"] != name {
			continue
		}
		o := object.(*unstructured.Unstructured).DeepCopy()
		delete(o.Object, "status")
		for _, of := range []string{"uid", "resourceVersion", "creationTimestamp", "managedFields", "generation", "finalizers"} {
			unstructured.RemoveNestedField(o.Object, "metadata", of)
		}
		unstructured.RemoveNestedField(o.Object, "metadata", "annotations", revision)
		if len(o.GetAnnotations()) == 0 {
			o.SetAnnotations(nil)
		}
		owners := o.GetOwnerReferences()
		for i := range owners {
			owners[i].UID = ""
		}
		o.SetOwnerReferences(owners)
		switch at.kind.Kind {
		case "Secret": // made at random, once
			data, _, _ := unstructured.NestedMap(o.Object, "data")
			keys := slices.Sorted(maps.Keys(data))
			o.Object["data"] = fmt.Sprint(keys)
			o.SetAnnotations(nil) // the time of the keys
		case "Service": // addresses that the API server gives
			unstructured.RemoveNestedField(o.Object, "spec", "clusterIP")
			unstructured.RemoveNestedField(o.Object, "spec", "clusterIPs")
		case "Job": // what the API server adds, for the Job's own id
			unstructured.RemoveNestedField(o.Object, "spec", "selector")
			unstructured.RemoveNestedField(o.Object, "metadata", "labels")
			unstructured.RemoveNestedField(o.Object, "spec", "template", "metadata")
		}
		unstructured.RemoveNestedField(o.Object, "spec", "template", "metadata", "annotations") // hashes of what is random
		raw, err := json.Marshal(o.Object)
		if err != nil {
			panic(err)
		}
		key := hashed.ReplaceAllString(at.kind.Kind+" "+at.name, "-migrate-x")
		text[strings.ReplaceAll(key, name, "chat")] = strings.ReplaceAll(hashed.ReplaceAllString(string(raw), "-migrate-x"), name, "chat")
	}
	return text
}

var hashed = regexp.MustCompile(`-migrate-[0-9a-f]{10}`)

// difference names the first thing that is not the same.
func difference(want, is map[string]string) string {
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if is[key] != want[key] {
			return fmt.Sprintf("%s is\n%s\nand not\n%s", key, is[key], want[key])
		}
	}
	for key := range is {
		if _, ok := want[key]; !ok {
			return key + " is too much"
		}
	}
	return ""
}

// Edits by hand, by kind: fields of ours with other values. Those that are missing get another label only.
var edits = map[string]string{
	"Service":                 `{"spec":{"selector":{"app":"other"}}}`,
	"ServiceAccount":          `{"automountServiceAccountToken":true}`,
	"Deployment":              `{"spec":{"replicas":7,"template":{"spec":{"terminationGracePeriodSeconds":999}}}}`,
	"StatefulSet":             `{"spec":{"replicas":3}}`,
	"NetworkPolicy":           `{"spec":{"podSelector":{"matchLabels":{"app.kubernetes.io/instance":"other"}}}}`,
	"PodDisruptionBudget":     `{"spec":{"maxUnavailable":5}}`,
	"HorizontalPodAutoscaler": `{"spec":{"maxReplicas":99}}`,
	"Ingress":                 `{"spec":{"rules":[{"host":"evil.example.com"}]}}`,
	"CronJob":                 `{"spec":{"schedule":"* * * * *"}}`,
	"Secret":                  `{"metadata":{"annotations":{"gochat.dev/rotated-for":"x"}}}`,
}

func TestHealing(t *testing.T) {
	t.Run("[OP2] each child deleted or changed by hand is as it was", func(t *testing.T) {
		s := newStage(t)
		o := s.operate()
		s.create("chat", full)
		s.ready("chat")
		o.settle("chat")
		want := like(s.children(), "chat")
		secrets := s.secretData()
		same := func(what string) {
			t.Helper()
			s.eventually(what, func() error {
				if diff := difference(want, like(s.children(), "chat")); diff != "" {
					return fmt.Errorf("after this: %s", diff)
				}
				return nil
			})
		}
		for at, object := range s.children() {
			patch := `{"metadata":{"labels":{"app.kubernetes.io/managed-by":"somebody"}}}`
			s.patch(object, patch)
			same(fmt.Sprint("label of ", at))
			patch = edits[at.kind.Kind]
			if data, ok, _ := unstructured.NestedStringMap(object.(*unstructured.Unstructured).Object, "data"); ok && at.kind.Kind == "ConfigMap" {
				patch = fmt.Sprintf(`{"data":{%q:"exit 1"}}`, slices.Sorted(maps.Keys(data))[0])
			}
			if patch == "" {
				continue
			}
			s.patch(object, patch)
			same(fmt.Sprint("edit of ", at))
		}
		for at, object := range s.children() {
			if at.kind.Kind == "PersistentVolumeClaim" {
				continue // it goes when its pod does, and its data with it
			}
			if err := s.Delete(t.Context(), object, client.PropagationPolicy("Background")); err != nil {
				t.Fatal(err)
			}
			same(fmt.Sprint("deletion of ", at))
		}
		if again := s.secretData(); !maps.Equal(secrets, again) {
			t.Error("a credential was made again, though it was known")
		}
		s.ready("chat")
	})
}

// patch changes an object by hand.
func (s *stage) patch(object client.Object, patch string) {
	s.Helper()
	if err := s.Patch(s.Context(), object, client.RawPatch(types.MergePatchType, []byte(patch)), client.FieldOwner("somebody")); err != nil {
		s.Fatal(err)
	}
}

// secretData is what the Secrets of the namespace hold.
func (s *stage) secretData() map[string]string {
	s.Helper()
	data := make(map[string]string)
	for at, object := range s.children() {
		if at.kind == kindSecret.GroupKind() {
			raw, err := json.Marshal(object.(*unstructured.Unstructured).Object["data"])
			if err != nil {
				s.Fatal(err)
			}
			data[at.name] = string(raw)
		}
	}
	return data
}
