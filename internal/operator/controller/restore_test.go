package controller

import (
	"fmt"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// TestRestoredOnce: a second restore has nothing to do, and would wait for ever for dumps that have gone since. What lets a Job go when its
// time has come deletes it as anybody does.
func TestRestoredOnce(t *testing.T) {
	t.Run("[OP2] what was restored is not restored again, whatever becomes of its Job, of the servers, of the operator", func(t *testing.T) {
		s := newStage(t)
		o := s.operate()
		restores := make(map[types.UID]bool)
		seen := s.watch(&batchv1.JobList{}, func(event watch.Event) {
			if event.Object.(*batchv1.Job).Name == "chat-restore" {
				restores[event.Object.(*batchv1.Job).UID] = true
			}
		})
		s.create("chat", restoring)
		s.ready("chat")
		if from := s.get("chat").Status.RestoredFrom; from != "old-backup" {
			t.Errorf("the status says that it was restored from %q", from)
		}
		s.takeAway(kindJob, "chat-restore")
		o.settle("chat")
		taken := s.takeAway(kindDeployment, "chat-server") // with what serves goes what else shows that something was restored
		s.eventually("other servers", func() error { return s.another(kindDeployment, "chat-server", taken) })
		s.ready("chat")
		o.stop()
		taken = s.takeAway(kindDeployment, "chat-server")
		o = s.operate()
		s.eventually("other servers", func() error { return s.another(kindDeployment, "chat-server", taken) })
		s.ready("chat")
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Hibernate = true })
		s.has("chat", v1alpha1.ConditionHibernated, metav1.ConditionTrue, "Stopped")
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Hibernate = false })
		s.ready("chat")
		o.settle("chat")
		if seen(); len(restores) != 1 {
			t.Errorf("it was restored by %d Jobs", len(restores))
		}
	})
	t.Run("[OP2] one that lost its servers and can't have others is not restored again either, and a failed one is tried again when its Job is deleted", func(t *testing.T) {
		s := newStage(t)
		o := s.operate()
		s.create("chat", restoring, image(failing)) // whose migration ends the restore
		s.oneTry(failing)
		s.has("chat", v1alpha1.ConditionSchemaCurrent, metav1.ConditionFalse, "RestoreFailed")
		if from := s.get("chat").Status.RestoredFrom; from != "" {
			t.Errorf("the status says that it was restored from %q", from)
		}
		s.edit("chat", image("v1"))
		taken := s.takeAway(kindJob, "chat-restore")
		s.eventually("another try", func() error { return s.another(kindJob, "chat-restore", taken) })
		s.ready("chat")
		s.edit("chat", image(failing))
		s.oneTry(failing)
		s.has("chat", v1alpha1.ConditionSchemaCurrent, metav1.ConditionFalse, "MigrationFailed")
		taken = s.takeAway(kindJob, "chat-restore")
		s.takeAway(kindDeployment, "chat-server")
		o.settle("chat")
		if err := s.another(kindJob, "chat-restore", taken); err == nil {
			t.Error("it is restored again")
		}
	})
}

func restoring(c *v1alpha1.ChatCluster) {
	c.Spec.Bootstrap = &v1alpha1.BootstrapSpec{RestoreFrom: "old-backup"}
}

// takeAway deletes a Job or a Deployment, and what it owns.
func (s *stage) takeAway(kind schemaKind, name string) (taken types.UID) {
	s.Helper()
	object := s.children()[ref{kind: kind.GroupKind(), name: name}]
	if object == nil {
		s.Fatalf("there is no %s %s", kind.Kind, name)
	}
	if err := s.Delete(s.Context(), object, client.PropagationPolicy(metav1.DeletePropagationBackground)); err != nil {
		s.Fatal(err)
	}
	return object.GetUID()
}

// another says whether there is an object of this name that is not the one that was taken away.
func (s *stage) another(kind schemaKind, name string, taken types.UID) error {
	s.Helper()
	if object := s.children()[ref{kind: kind.GroupKind(), name: name}]; object == nil || object.GetUID() == taken {
		return fmt.Errorf("there is none")
	}
	return nil
}
