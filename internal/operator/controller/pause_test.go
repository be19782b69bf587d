package controller

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

func TestPause(t *testing.T) {
	t.Run("changes of the spec wait, those together with the pause too; healing goes on, and a restart changes nothing", func(t *testing.T) {
		s := newStage(t)
		o := s.operate()
		s.create("chat", image("v1"))
		s.ready("chat")
		s.edit("chat", func(c *v1alpha1.ChatCluster) {
			c.Spec.Paused = true
			c.Spec.Server.Replicas = new(int32(2))
			image("v2")(c)
		})
		s.has("chat", v1alpha1.ConditionPaused, metav1.ConditionTrue, "ChangesWait")
		s.has("chat", v1alpha1.ConditionUpToDate, metav1.ConditionFalse, "Paused")
		s.has("chat", v1alpha1.ConditionAvailable, metav1.ConditionTrue, "")
		o.stop()
		o = s.operate(func(c *Config) { c.Release = "2.0.0" }) // nor does a new operator roll anything
		o.reconcile("chat")
		config := &corev1.ConfigMap{}
		s.read("chat-redis", config)
		if err := s.Delete(t.Context(), config); err != nil {
			t.Fatal(err)
		}
		s.eventually("the ConfigMap again", func() error {
			return s.Get(t.Context(), clientKey(config), config)
		})
		if err := s.serve(1, "v1"); err != nil {
			t.Errorf("paused, and %v", err)
		}
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Paused = false })
		s.ready("chat")
		s.eventually("two new servers", func() error { return s.serve(2, "v2") })
	})
	t.Run("where nothing was carried out before the pause, nothing is", func(t *testing.T) {
		s := newStage(t)
		s.operate()
		s.create("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Paused = true })
		s.has("chat", v1alpha1.ConditionPaused, metav1.ConditionTrue, "ChangesWait")
		s.has("chat", v1alpha1.ConditionReady, metav1.ConditionFalse, "Paused")
		if n := len(s.children()); n > 0 {
			t.Errorf("%d objects were made", n)
		}
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Paused = false })
		s.ready("chat")
	})
}

func TestHibernate(t *testing.T) {
	s := newStage(t)
	s.operate()
	s.create("chat", full)
	s.ready("chat")
	secrets, volumes := s.secretData(), s.volumes()
	s.eventually("two servers", func() error { return s.are(2) })
	leaving := s.servers()[0] // a Deployment does not count who is on the way out
	s.patch(&leaving, `{"metadata":{"finalizers":["example.com/slow"]}}`)
	s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Hibernate = true })
	s.eventually("all but one server to be gone", func() error {
		deployment := &appsv1.Deployment{}
		s.read("chat-server", deployment)
		if n := deployment.Status.Replicas; n != 0 {
			return fmt.Errorf("%d servers are counted", n)
		}
		return s.are(1)
	})
	s.has("chat", v1alpha1.ConditionHibernated, metav1.ConditionFalse, "Stopping")
	s.patch(&leaving, `{"metadata":{"finalizers":null}}`)
	s.has("chat", v1alpha1.ConditionHibernated, metav1.ConditionTrue, "Stopped")
	s.has("chat", v1alpha1.ConditionReady, metav1.ConditionFalse, "Hibernated")
	s.eventually("no pod", func() error {
		var pods corev1.PodList
		if err := s.List(t.Context(), &pods, inNamespace(s)); err != nil {
			return err
		}
		for _, pod := range pods.Items {
			if pod.Status.Phase == corev1.PodRunning {
				return fmt.Errorf("%s runs", pod.Name)
			}
		}
		return nil
	})
	s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Hibernate = false })
	s.ready("chat")
	s.sameData(secrets, volumes)
}
