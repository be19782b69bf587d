package cluster

import (
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// TestBadDay is the life of one chat, from a manifest with nothing but a name on: people talk while everything under them
// is killed, and while the servers are replaced by those of another release.
func TestBadDay(t *testing.T) {
	c := newChat(t, v1alpha1.ChatClusterSpec{})
	c.proves("[OP9] a manifest with nothing but a name has a database, a Redis and a server", func() {
		for _, part := range []string{"server", "postgres", "redis"} {
			if pod := c.pod(part); !isReady(pod) {
				c.t.Errorf("%s is not ready", pod.Name)
			}
		}
	})
	c.proves("[OP12] all of it runs where restricted Pod Security is enforced, and so does the operator: no other pod is let in", func() {
		unrestricted(c.t, c.namespace)
		unrestricted(c.t, *operatorNS)
	})
	c.change(func(s *v1alpha1.ChatClusterSpec) { s.Server.Env, s.Server.DrainSeconds = lively(), 8 })
	c.ready()
	c.settled()
	c.meet(12, 3)
	quiet := c.talk(25 * time.Millisecond)
	c.said("hello", time.Minute)

	for _, part := range []string{"server", "redis", "postgres"} {
		took := kill(t, c.pod(part), c.parts(part))
		heard := c.said("after "+part, 2*time.Minute)
		t.Logf("FIGURE %s killed: another is ready after %v, and everybody has what is said then after %v",
			part, took.Round(100*time.Millisecond), heard.Round(time.Millisecond))
	}
	c.proves("[OP1] the operator is killed: the next one writes nothing that stands, and nobody who chats notices", c.killOperator)
	if *long {
		c.proves("[OP2] each child deleted by hand is made again, and the chat goes on", func() {
			c.deletedByHand()
			c.said("after everything", time.Minute)
		})
	}
	c.proves("[OP6] [OP7] [DRN2] a roll to another image waits for its migration, and nobody is without a connection for more than 5 s", c.roll)
	c.proves("[SEQ3] [DRN2] nothing acknowledged in all of that is lost, doubled or out of order", func() { c.agree(quiet) })
}

// settled waits until no server is on its way out: what is killed then is the only one.
func (c *site) settled() {
	c.t.Helper()
	await(c.t, "the servers are replaced", 3*time.Minute, &corev1.PodList{}, func(all []*corev1.Pod) bool {
		return len(all) == 1 && isReady(all[0])
	}, c.parts("server")...)
}

func operatorPods() []client.ListOption {
	return []client.ListOption{client.InNamespace(*operatorNS), client.MatchingLabels{"app.kubernetes.io/name": "gochat-operator"}}
}

// roll has the servers replaced under load: by those of another image, or, without one, by the same with another setting.
func (c *site) roll() {
	c.t.Helper()
	before := len(c.crowd.Gaps())
	began := time.Now()
	c.change(func(s *v1alpha1.ChatClusterSpec) {
		if *nextImage != "" {
			s.Server.Image = *nextImage
			return
		}
		s.Server.Env = append(s.Server.Env, corev1.EnvVar{Name: "GOCHAT_LOG_LEVEL", Value: "warn"})
	})
	c.rolledOut()
	c.ready()
	took := time.Since(began)
	c.migrated()
	c.said("after the roll", 10*time.Second)
	gaps := c.crowd.Gaps()[before:]
	slices.Sort(gaps)
	if len(gaps) == 0 {
		c.t.Fatal("nobody was moved")
	}
	c.t.Logf("FIGURE [OP7] a roll under load took %v; %d connections were replaced; without one for: median %v, most %v",
		took.Round(100*time.Millisecond), len(gaps), gaps[len(gaps)/2].Round(time.Millisecond), gaps[len(gaps)-1].Round(time.Millisecond))
	if most := gaps[len(gaps)-1]; most > 5*time.Second {
		c.t.Errorf("somebody was without a connection for %v", most)
	}
}

// migrated sees that no server of the wanted image was made before the migration of that image had ended (OP6).
func (c *site) migrated() {
	c.t.Helper()
	servers, _, err := listed[*corev1.Pod](c.t.Context(), &corev1.PodList{}, c.parts("server"))
	must(c.t, err)
	jobs, _, err := listed[*batchv1.Job](c.t.Context(), &batchv1.JobList{}, c.parts("migration"))
	must(c.t, err)
	for _, server := range servers {
		image := server.Spec.Containers[0].Image
		at := slices.IndexFunc(jobs, func(j *batchv1.Job) bool { return j.Spec.Template.Spec.InitContainers[0].Image == image })
		if at < 0 || jobs[at].Status.CompletionTime == nil || server.CreationTimestamp.Before(jobs[at].Status.CompletionTime) {
			c.t.Errorf("%s runs %s, which was not migrated for before: %+v", server.Name, image, jobs)
		}
	}
}

// rolledOut waits until all servers are of the wanted kind, and those before are gone.
func (c *site) rolledOut() {
	c.t.Helper()
	cc := c.get()
	key := named(c.namespace, c.name+"-server")
	await(c.t, "the roll", 5*time.Minute, &appsv1.DeploymentList{}, func(all []*appsv1.Deployment) bool {
		if len(all) != 1 {
			return false
		}
		d := all[0]
		run := d.Spec.Template.Spec.Containers[0]
		wanted := (cc.Spec.Server.Image == "" || run.Image == cc.Spec.Server.Image) &&
			!slices.ContainsFunc(cc.Spec.Server.Env, func(e corev1.EnvVar) bool {
				return !slices.ContainsFunc(run.Env, func(have corev1.EnvVar) bool { return equality.Semantic.DeepEqual(e, have) })
			})
		return wanted && d.Status.ObservedGeneration == d.Generation && d.Status.UpdatedReplicas == *d.Spec.Replicas &&
			d.Status.Replicas == d.Status.UpdatedReplicas && d.Status.AvailableReplicas == d.Status.Replicas
	}, key...)
	await(c.t, "the servers before are gone", 3*time.Minute, &corev1.PodList{}, func(all []*corev1.Pod) bool {
		return !slices.ContainsFunc(all, func(p *corev1.Pod) bool { return p.DeletionTimestamp != nil })
	}, c.parts("server")...)
}
