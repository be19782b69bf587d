package controller

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

func TestAnotherDatabase(t *testing.T) {
	t.Run("[OP6] another database is migrated before a server uses it, and two are never served at once", func(t *testing.T) {
		s := newStage(t)
		for _, name := range []string{"one", "two", failing} {
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.namespace}, StringData: map[string]string{"uri": "postgres://x"}}
			if err := s.Create(t.Context(), secret); err != nil {
				t.Fatal(err)
			}
		}
		s.operate()
		s.create("chat", database("one"), func(c *v1alpha1.ChatCluster) { c.Spec.Server.Replicas = new(int32(2)) })
		s.ready("chat")
		s.eventually("two servers", func() error { return s.are(2) })
		seen := s.watchDatabases()
		s.edit("chat", database(failing))
		s.oneTryAt(failing)
		s.has("chat", v1alpha1.ConditionSchemaCurrent, metav1.ConditionFalse, "MigrationFailed")
		s.has("chat", v1alpha1.ConditionAvailable, metav1.ConditionTrue, "")
		deployment := &appsv1.Deployment{}
		s.read("chat-server", deployment)
		if !reads(deployment.Spec.Template.Spec.Containers[0], "one") {
			t.Error("the servers are to use a database that could not be migrated")
		}
		s.edit("chat", database("two"))
		s.ready("chat")
		s.eventually("it to roll as ever", func() error {
			s.read("chat-server", deployment)
			if of := deployment.Spec.Strategy.Type; of != appsv1.RollingUpdateDeploymentStrategyType {
				return fmt.Errorf("its strategy is %s", of)
			}
			return nil
		})
		if !reads(deployment.Spec.Template.Spec.Containers[0], "two") {
			t.Error("the servers use another database than the one that is wanted")
		}
		for _, databases := range seen() {
			if len(databases) > 1 || databases[failing] > 0 {
				t.Errorf("for a moment so many servers used these databases: %v", databases)
			}
		}
	})
}

func database(secret string) func(*v1alpha1.ChatCluster) {
	return func(c *v1alpha1.ChatCluster) {
		c.Spec.Database.Type = v1alpha1.DatabaseExternal
		c.Spec.Database.External = &v1alpha1.ExternalSpec{SecretName: secret, Key: "uri"}
	}
}

// oneTryAt lets the Job that migrates a database fail at once.
func (s *stage) oneTryAt(secret string) {
	s.Helper()
	s.eventually("the Job for "+secret, func() error {
		var jobs batchv1.JobList
		if err := s.List(s.Context(), &jobs, client.InNamespace(s.namespace)); err != nil {
			return err
		}
		for i := range jobs.Items {
			if job := &jobs.Items[i]; reads(job.Spec.Template.Spec.Containers[0], secret) {
				s.patch(job, `{"spec":{"backoffLimit":0}}`)
				return nil
			}
		}
		return fmt.Errorf("there is none")
	})
}

// watchDatabases records how many servers use which database, after each change, until what it returns is called.
func (s *stage) watchDatabases() (seen func() []map[string]int) {
	s.Helper()
	var all []map[string]int
	there := make(map[string]string)
	end := s.watch(&corev1.PodList{}, func(event watch.Event) {
		pod := event.Object.(*corev1.Pod)
		if pod.Labels["app.kubernetes.io/component"] != "server" {
			return
		}
		delete(there, pod.Name)
		if event.Type != watch.Deleted {
			there[pod.Name] = databaseOf(pod)
		}
		now := make(map[string]int)
		for _, database := range there {
			now[database]++
		}
		all = append(all, now)
	})
	return func() []map[string]int {
		end()
		return all
	}
}

func databaseOf(pod *corev1.Pod) string {
	for _, v := range pod.Spec.Containers[0].Env {
		if v.Name == "POSTGRES_URL" {
			return v.ValueFrom.SecretKeyRef.Name
		}
	}
	return "managed"
}
