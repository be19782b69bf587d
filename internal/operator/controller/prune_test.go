package controller

import (
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
}
