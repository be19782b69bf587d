package controller

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

func TestHibernating(t *testing.T) {
	t.Run("[OP7] the database and Redis stop when the last server has drained", func(t *testing.T) {
		s := newStage(t)
		o := s.operate()
		s.create("chat")
		s.ready("chat")
		s.eventually("a server", func() error { return s.are(1) })
		pod := s.servers()[0]
		s.patch(&pod, `{"metadata":{"finalizers":["example.com/drains"]}}`)
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Hibernate = true })
		s.eventually("the server to be told", func() error {
			if pod = s.servers()[0]; pod.DeletionTimestamp == nil {
				return fmt.Errorf("it is not")
			}
			return nil
		})
		o.settle("chat")
		if err := s.wantedOf("chat-postgres", 1); err != nil {
			t.Error(err)
		}
		if err := s.wantedOf("chat-redis", 1); err != nil {
			t.Error(err)
		}
		s.patch(&pod, `{"metadata":{"finalizers":null}}`)
		s.has("chat", v1alpha1.ConditionHibernated, metav1.ConditionTrue, "Stopped")
		s.eventually("the database to stop", func() error { return s.wantedOf("chat-postgres", 0) })
		s.eventually("Redis to stop", func() error { return s.wantedOf("chat-redis", 0) })
	})
	t.Run("[OP2] who wakes is not restored once more", func(t *testing.T) {
		s := newStage(t)
		s.operate()
		s.create("chat", func(c *v1alpha1.ChatCluster) {
			c.Spec.Bootstrap = &v1alpha1.BootstrapSpec{RestoreFrom: "old-backup"}
		})
		s.ready("chat")
		first, now := &batchv1.Job{}, &batchv1.Job{}
		s.read("chat-restore", first)
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Hibernate = true })
		s.has("chat", v1alpha1.ConditionHibernated, metav1.ConditionTrue, "Stopped")
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Hibernate = false })
		s.ready("chat")
		s.read("chat-restore", now)
		if now.UID != first.UID {
			t.Error("the restore is another Job")
		}
	})
}

func (s *stage) wantedOf(name string, n int32) error {
	s.Helper()
	stateful := &appsv1.StatefulSet{}
	s.read(name, stateful)
	if is := *stateful.Spec.Replicas; is != n {
		return fmt.Errorf("%s is to have %d pods, not %d", name, is, n)
	}
	return nil
}
