package controller

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

func TestGate(t *testing.T) {
	t.Run("[OP6] a migration that fails leaves the old servers at work, and another image goes on", func(t *testing.T) {
		s := newStage(t)
		o := s.operate()
		s.create("chat", image("v1"))
		s.ready("chat")
		if c := s.get("chat"); c.Status.SchemaVersion != 12 || c.Status.Version != "v1" {
			t.Errorf("the status says schema %d, version %s", c.Status.SchemaVersion, c.Status.Version)
		}
		s.edit("chat", image(failing))
		s.oneTry(failing)
		s.has("chat", v1alpha1.ConditionSchemaCurrent, metav1.ConditionFalse, "MigrationFailed")
		s.eventually("an event", func() error { return s.told("chat", "MigrationFailed") })
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Server.Replicas = new(int32(2)) })
		s.eventually("two old servers", func() error { return s.serve(2, "v1") })
		s.has("chat", v1alpha1.ConditionAvailable, metav1.ConditionTrue, "")
		if c := s.get("chat"); c.Status.Version != "v1" {
			t.Errorf("the status says version %s", c.Status.Version)
		}
		o.stop()
		s.operate() // it does not forget
		s.edit("chat", image("v2"))
		s.ready("chat")
		s.eventually("two new servers", func() error { return s.serve(2, "v2") })
		s.edit("chat", image("v1")) // back
		s.ready("chat")
		s.eventually("two old servers", func() error { return s.serve(2, "v1") })
	})
	t.Run("[OP6] a migration whose image is nowhere is said to be stuck, and another image goes on", func(t *testing.T) {
		s := newStage(t)
		s.operate(func(c *Config) { c.Now = func() time.Time { return time.Now().Add(stuckAfter) } })
		s.create("chat", image("v1"))
		s.ready("chat")
		s.edit("chat", image(typo))
		s.has("chat", v1alpha1.ConditionSchemaCurrent, metav1.ConditionFalse, "MigrationStuck")
		s.has("chat", v1alpha1.ConditionReady, metav1.ConditionFalse, "MigrationStuck")
		s.has("chat", v1alpha1.ConditionAvailable, metav1.ConditionTrue, "")
		if c := meta.FindStatusCondition(s.get("chat").Status.Conditions, v1alpha1.ConditionReady); !strings.Contains(c.Message, "ImagePullBackOff: not found") {
			t.Errorf("it says %q", c.Message)
		}
		s.eventually("an event", func() error { return s.told("chat", "MigrationStuck") })
		s.edit("chat", image("v2"))
		s.ready("chat")
	})
	t.Run("[OP8] where a policy lets no pod be made, it says where to look", func(t *testing.T) {
		s := newStage(t)
		s.allowNoPods()
		s.operate()
		s.create("chat")
		for condition, look := range map[string]string{
			v1alpha1.ConditionDatabaseReady: "kubectl describe statefulset chat-postgres", v1alpha1.ConditionRedisReady: "kubectl describe statefulset chat-redis",
			v1alpha1.ConditionSchemaCurrent: "kubectl describe job chat-migrate-", v1alpha1.ConditionReady: "kubectl describe statefulset chat-postgres",
		} {
			s.eventually(condition+" to say where to look", func() error {
				if is := meta.FindStatusCondition(s.get("chat").Status.Conditions, condition); is == nil || !strings.Contains(is.Message, look) {
					return fmt.Errorf("it is %+v", is)
				}
				return nil
			})
		}
	})
	t.Run("[OP6] no server of a new image is there before its migration has ended, and a failed one is tried again when its Job is deleted", func(t *testing.T) {
		s := newStage(t)
		s.operate()
		s.create("chat", image(failing))
		s.oneTry(failing)
		s.has("chat", v1alpha1.ConditionSchemaCurrent, metav1.ConditionFalse, "MigrationFailed")
		var jobs []client.Object
		for at, object := range s.children() {
			if at.name == "chat-server" && at.kind.Kind == "Deployment" {
				t.Error("there are servers on a schema that is not there")
			}
			if at.kind == kindJob.GroupKind() {
				jobs = append(jobs, object)
			}
		}
		if len(jobs) != 1 {
			t.Fatalf("there are %d Jobs", len(jobs))
		}
		if err := s.Delete(t.Context(), jobs[0], client.PropagationPolicy(metav1.DeletePropagationBackground)); err != nil {
			t.Fatal(err)
		}
		s.eventually("another Job", func() error {
			for at, object := range s.children() {
				if at.kind == kindJob.GroupKind() && object.GetUID() != jobs[0].GetUID() {
					return nil
				}
			}
			return fmt.Errorf("there is none")
		})
	})
}

// allowNoPods forbids all pods of the namespace by a quota.
func (s *stage) allowNoPods() {
	s.Helper()
	none := corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}
	quota := &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "none"}, Spec: corev1.ResourceQuotaSpec{Hard: none},
	}
	if err := s.Create(s.Context(), quota); err != nil {
		s.Fatal(err)
	}
	quota.Status = corev1.ResourceQuotaStatus{Hard: none, Used: none} // as its controller would
	if err := s.Status().Update(s.Context(), quota); err != nil {
		s.Fatal(err)
	}
	s.eventually("the quota to count", func() error {
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "none"},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "none", Image: "none"}}},
		}
		if err := s.Create(s.Context(), pod, client.DryRunAll); err == nil || !strings.Contains(err.Error(), "exceeded quota") {
			return fmt.Errorf("a pod gives %w", err)
		}
		return nil
	})
}

// oneTry lets the Job of an image fail at once, not only after five tries and minutes between them.
func (s *stage) oneTry(tag string) {
	s.Helper()
	s.eventually("the Job of "+tag, func() error {
		var jobs batchv1.JobList
		if err := s.List(s.Context(), &jobs, client.InNamespace(s.namespace)); err != nil {
			return err
		}
		for i := range jobs.Items {
			if job := &jobs.Items[i]; strings.HasSuffix(job.Spec.Template.Spec.Containers[0].Image, ":"+tag) {
				s.patch(job, `{"spec":{"backoffLimit":0}}`)
				return nil
			}
		}
		return fmt.Errorf("there is none")
	})
}

func image(tag string) func(*v1alpha1.ChatCluster) {
	return func(c *v1alpha1.ChatCluster) { c.Spec.Server.Image = "example.com/server:" + tag }
}

// serve says whether so many servers, all of them of an image, are ready.
func (s *stage) serve(n int32, tag string) error {
	s.Helper()
	deployment := &appsv1.Deployment{}
	s.read("chat-server", deployment)
	is, ready := deployment.Spec.Template.Spec.Containers[0].Image, deployment.Status.ReadyReplicas
	if !strings.HasSuffix(is, ":"+tag) || ready != n || deployment.Status.UpdatedReplicas != n || deployment.Status.Replicas != n {
		return fmt.Errorf("%d of %s are ready", ready, is)
	}
	return nil
}

// counted are connections by the address of a pod.
type counted struct {
	mu sync.Mutex
	by map[string]int
}

func (c *counted) Of(_ context.Context, podIP string) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, known := c.by[podIP]
	if !known {
		return 0, fmt.Errorf("%s does not answer", podIP)
	}
	return n, nil
}

func TestScaling(t *testing.T) {
	t.Run("[OP4] the emptiest server goes, and one that does not answer holds nothing up", func(t *testing.T) {
		s := newStage(t)
		connections := &counted{by: make(map[string]int)}
		s.operate(func(c *Config) { c.Connections = connections })
		s.create("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Server.Replicas = new(int32(4)) })
		s.ready("chat")
		servers := s.servers()
		if len(servers) != 4 {
			t.Fatalf("there are %d servers", len(servers))
		}
		empty := servers[2].Name
		connections.mu.Lock()
		for i, n := range []int{30, 20, 1, 40} {
			connections.by[servers[i].Status.PodIP] = n
		}
		connections.mu.Unlock()
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Server.Replicas = new(int32(3)) })
		s.ready("chat")
		s.eventually("three servers", func() error { return s.are(3) })
		for _, pod := range s.servers() {
			if pod.Name == empty {
				t.Errorf("the emptiest stayed")
			}
		}
		connections.mu.Lock()
		clear(connections.by) // nobody answers
		connections.mu.Unlock()
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Server.Replicas = new(int32(1)) })
		s.ready("chat")
		s.eventually("one server", func() error { return s.are(1) })
	})
	t.Run("[OP4] the number of servers is only ever what is wanted, whatever is switched", func(t *testing.T) {
		s := newStage(t)
		s.operate()
		s.create("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Server.Replicas = new(int32(3)) })
		s.ready("chat")
		seen := s.watchReplicas()
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Hibernate = true })
		s.has("chat", v1alpha1.ConditionHibernated, metav1.ConditionTrue, "Stopped")
		for _, part := range []string{"chat-postgres", "chat-redis"} {
			if err := s.wantedOf(part, 0); err != nil {
				t.Error(err)
			}
		}
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Hibernate = false })
		s.ready("chat")
		s.edit("chat", func(c *v1alpha1.ChatCluster) {
			c.Spec.Autoscaling = &v1alpha1.AutoscalingSpec{MinReplicas: 2, MaxReplicas: 5}
		})
		s.ready("chat")
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Autoscaling = nil })
		s.ready("chat")
		for _, n := range seen() {
			if n != 3 && n != 0 {
				t.Errorf("for a moment there were to be %d servers", n)
			}
		}
	})
}

func (s *stage) servers() []corev1.Pod {
	s.Helper()
	var pods corev1.PodList
	err := s.List(s.Context(), &pods, client.InNamespace(s.namespace), client.MatchingLabels{"app.kubernetes.io/component": "server"})
	if err != nil {
		s.Fatal(err)
	}
	return pods.Items
}

func (s *stage) are(n int) error {
	if pods := s.servers(); len(pods) != n {
		return fmt.Errorf("there are %d servers", len(pods))
	}
	return nil
}

// watchReplicas records how many servers the Deployment asks for, until what it returns is called.
func (s *stage) watchReplicas() (seen func() []int32) {
	s.Helper()
	var all []int32
	end := s.watch(&appsv1.DeploymentList{}, func(event watch.Event) {
		if d := event.Object.(*appsv1.Deployment); d.Name == "chat-server" {
			all = append(all, *d.Spec.Replicas)
		}
	})
	return func() []int32 {
		end()
		return all
	}
}

// watch has each change of the objects of a kind seen, first what is there, until what it returns is called.
func (s *stage) watch(kind client.ObjectList, see func(watch.Event)) (end func()) {
	s.Helper()
	c, err := client.NewWithWatch(s.cfg, client.Options{Scheme: s.Scheme()})
	if err != nil {
		s.Fatal(err)
	}
	// From whatever the API server has at hand: it waits for no more than that.
	w, err := c.Watch(s.Context(), kind, client.InNamespace(s.namespace), &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: "0"}})
	if err != nil {
		s.Fatal(err)
	}
	var failed *watch.Event
	var ending atomic.Bool // which is an error as well
	n := 0
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for event := range w.ResultChan() {
			switch {
			case event.Type != watch.Error:
				n++
				see(event)
			case !ending.Load():
				failed = &event
			}
		}
	}()
	return func() {
		ending.Store(true)
		w.Stop()
		<-ended
		if failed != nil || n == 0 {
			s.Errorf("%d changes were seen, and then %v", n, failed)
		}
	}
}
