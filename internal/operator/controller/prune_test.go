package controller

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/children"
)

func TestPrune(t *testing.T) {
	t.Run("[OP2] [OP3] what is not wanted any more goes, and nothing else", func(t *testing.T) {
		s := newStage(t)
		s.operate()
		s.create("chat", full, image("v1"))
		s.ready("chat")
		other := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "other", Namespace: s.namespace, Labels: map[string]string{
			children.LabelManagedBy: children.ManagedBy, children.LabelInstance: "chat", // and owned by nobody
		}}}
		if err := s.Create(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		s.edit("chat", func(c *v1alpha1.ChatCluster) {
			image("v2")(c)
			c.Spec.Backup, c.Spec.Autoscaling, c.Spec.Hostname, c.Spec.NetworkPolicy = nil, nil, "", new(false)
			c.Spec.Redis.Type, c.Spec.Server.Replicas = v1alpha1.RedisNone, new(int32(1))
		})
		s.ready("chat")
		unwanted := []string{"CronJob", "HorizontalPodAutoscaler", "Ingress", "NetworkPolicy", "PodDisruptionBudget"}
		s.eventually("what is not wanted to go", func() error {
			jobs := 0
			for at := range s.children() {
				switch {
				case at.kind.Kind == "Job":
					jobs++
				case slices.Contains(unwanted, at.kind.Kind), at.name == "chat-redis":
					return fmt.Errorf("%v is there", at)
				}
			}
			if jobs != 1 {
				return fmt.Errorf("there are %d Jobs", jobs)
			}
			return nil
		})
		s.read("other", other)
		s.read("chat-backup", &corev1.PersistentVolumeClaim{})
	})
	t.Run("[OP2] nothing goes that the servers need, as long as they can't be made to do without", func(t *testing.T) {
		s := newStage(t)
		o := s.operate()
		s.create("chat")
		s.ready("chat")
		o.failing(func(_ int, write string) bool {
			return strings.HasSuffix(write, "/deployments/"+children.ServerName("chat"))
		})
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Redis.Type = v1alpha1.RedisNone })
		s.has("chat", v1alpha1.ConditionUpToDate, metav1.ConditionFalse, "ApplyFailed")
		for range 3 {
			o.reconcile("chat")
		}
		s.read("chat-redis", &appsv1.StatefulSet{})
		o.failing(nil)
		s.ready("chat")
		s.eventually("Redis to go when they do without", func() error {
			err := s.Get(t.Context(), client.ObjectKey{Namespace: s.namespace, Name: "chat-redis"}, &appsv1.StatefulSet{})
			if !apierrors.IsNotFound(err) {
				return fmt.Errorf("it is there, or %w", err)
			}
			return nil
		})
	})
}
