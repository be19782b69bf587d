package controller

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/status"
)

func TestVolumeThatCantGrow(t *testing.T) {
	t.Run("[OP8] a volume that can't grow is told of, and holds nothing up", func(t *testing.T) {
		s := newStage(t)
		s.operate()
		s.create("chat")
		s.ready("chat")
		s.edit("chat", func(c *v1alpha1.ChatCluster) { // no node has asked for it: the API server refuses
			c.Spec.Database.Storage.Size = new(resource.MustParse("5Gi"))
			c.Spec.DeletionPolicy = v1alpha1.DeletionDelete
			c.Spec.Server.Replicas = new(int32(2))
		})
		s.has("chat", v1alpha1.ConditionDatabaseReady, metav1.ConditionTrue, "VolumeCantGrow")
		s.ready("chat")
		s.eventually("two servers", func() error { return s.are(2) })
		s.eventually("an event", func() error { return s.told("chat", "VolumeCantGrow") })
		volume := &corev1.PersistentVolumeClaim{}
		s.eventually("the rest of the volume", func() error {
			if s.read("chat-postgres", volume); len(volume.OwnerReferences) != 1 {
				return fmt.Errorf("its owners are %v", volume.OwnerReferences)
			}
			return nil
		})
		if size := volume.Spec.Resources.Requests.Storage().String(); size != "2Gi" {
			t.Errorf("it asks for %s", size)
		}
	})
	t.Run("[OP5] a volume that is larger than is wanted, or of another class than the default, stays so, and is no trouble", func(t *testing.T) {
		s := newStage(t)
		o := s.operate()
		s.create("chat", func(c *v1alpha1.ChatCluster) {
			c.Spec.Database.Storage = v1alpha1.StorageSpec{Size: new(resource.MustParse("5Gi")), StorageClassName: "fast"}
		})
		s.ready("chat")
		s.remove("chat")
		s.create("chat")
		s.ready("chat")
		s.has("chat", v1alpha1.ConditionDatabaseReady, metav1.ConditionTrue, "Running")
		o.settle("chat")
		volume := &corev1.PersistentVolumeClaim{}
		s.read("chat-postgres", volume)
		if size := volume.Spec.Resources.Requests.Storage().String(); size != "5Gi" {
			t.Errorf("it asks for %s", size)
		}
		if class := volume.Spec.StorageClassName; class == nil || *class != "fast" {
			t.Error("it is of another class")
		}
		if err := s.told("chat", "VolumeCantGrow"); err == nil {
			t.Error("there is an event")
		}
	})
	t.Run("[OP5] a volume of another class than is asked for is left alone, and it is said how to go on with it", func(t *testing.T) {
		s := newStage(t)
		s.operate()
		of := func(class, size string) func(*v1alpha1.ChatCluster) {
			return func(c *v1alpha1.ChatCluster) {
				c.Spec.Database.Storage = v1alpha1.StorageSpec{Size: new(resource.MustParse(size)), StorageClassName: class}
			}
		}
		s.create("chat", of("fast", "2Gi"))
		s.ready("chat")
		before := s.volumes()
		s.remove("chat")
		s.create("chat", of("slow", "5Gi")) // one thing more that the volume can't become now
		s.has("chat", v1alpha1.ConditionReady, metav1.ConditionFalse, status.ReasonRefused)
		for _, word := range []string{
			"PersistentVolumeClaim chat-postgres outlived another ChatCluster", `"fast"`, `"slow"`, `with database.storage.storageClassName "fast"`, "delete the volume",
		} {
			if c := meta.FindStatusCondition(s.get("chat").Status.Conditions, v1alpha1.ConditionReady); !strings.Contains(c.Message, word) {
				t.Errorf("it does not say %s: %s", word, c.Message)
			}
		}
		s.remove("chat")
		s.create("chat", of("fast", "2Gi"))
		s.ready("chat")
		if now := s.volumes(); !reflect.DeepEqual(before, now) {
			t.Errorf("the volumes were %v, and are %v", before, now)
		}
	})
	t.Run("[OP1] a volume of the cluster's default class is written by no second operator", func(t *testing.T) {
		s := newStage(t)
		class := &storagev1.StorageClass{
			ObjectMeta:  metav1.ObjectMeta{Name: "default-" + s.namespace, Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"}},
			Provisioner: "example.com/none",
		}
		if err := s.Create(t.Context(), class); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Delete(context.Background(), class); err != nil {
				t.Error(err)
			}
		})
		first := s.operate()
		s.create("chat")
		s.ready("chat")
		first.settle("chat")
		first.stop()
		before := &corev1.PersistentVolumeClaim{}
		if s.read("chat-postgres", before); before.Spec.StorageClassName == nil || *before.Spec.StorageClassName != class.Name {
			t.Fatalf("its class is %v", before.Spec.StorageClassName)
		}
		second := s.operate()
		second.settle("chat")
		after := &corev1.PersistentVolumeClaim{}
		if s.read("chat-postgres", after); !reflect.DeepEqual(before.ManagedFields, after.ManagedFields) {
			t.Errorf("what is ours of it was\n%v\nand is\n%v", before.ManagedFields, after.ManagedFields)
		}
	})
}
