package cluster

import (
	"reflect"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// several are servers of which three fit on a small node.
func several() v1alpha1.ServerSpec {
	return v1alpha1.ServerSpec{Env: lively(), DrainSeconds: 8, Resources: v1alpha1.Resources{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("64Mi")},
		Limits:   corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("600m"), corev1.ResourceMemory: resource.MustParse("256Mi")},
	}}
}

// TestScale goes from one server to three, replaces them, and goes back to one, while people talk.
func TestScale(t *testing.T) {
	needLong(t)
	c := newChat(t, v1alpha1.ChatClusterSpec{Server: several()})
	c.meet(20, 3)
	quiet := c.talk(20 * time.Millisecond)
	c.proves("[OP4] one server becomes three, by the ChatCluster's scale", func() {
		c.scale(3)
		c.said("by three", 10*time.Second)
	})
	c.proves("[OP6] [OP7] three servers are replaced by those of another image, each by one that finds its schema", c.roll)
	c.proves("[OP4] three become one, and nothing else changes with it", func() {
		c.scale(1)
		c.said("by one", 10*time.Second)
	})
	c.proves("[DRN2] nobody was without a connection for more than 5 s, nothing is lost, and nothing doubled", func() {
		if most := c.longest(0); most > 5*time.Second {
			c.t.Errorf("somebody was without a connection for %v", most)
		}
		c.agree(quiet)
	})
}

// scale sets the number of servers as kubectl scale does, and waits until there are so many, all ready, as the ChatCluster and its
// Deployment say too.
func (c *site) scale(to int32) {
	c.t.Helper()
	before := len(c.crowd.Gaps())
	must(c.t, kube.SubResource("scale").Update(c.t.Context(), c.get(), client.WithSubResourceBody(&autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: c.name}, Spec: autoscalingv1.ScaleSpec{Replicas: to},
	})))
	took := c.servers(to, 3*time.Minute)
	c.ready()
	if wanted := c.get().Spec.Server.Replicas; wanted == nil || *wanted != to {
		c.t.Errorf("the ChatCluster wants %v servers", wanted)
	}
	var deployment appsv1.Deployment
	must(c.t, kube.Get(c.t.Context(), client.ObjectKey{Namespace: c.namespace, Name: c.name + "-server"}, &deployment))
	if *deployment.Spec.Replicas != to {
		c.t.Errorf("the Deployment wants %d servers", *deployment.Spec.Replicas)
	}
	c.t.Logf("FIGURE %d servers after %v; without a connection for at most %v", to, took.Round(100*time.Millisecond), c.longest(before).Round(time.Millisecond))
}

// servers waits until there are so many servers, all ready.
func (c *site) servers(n int32, within time.Duration) time.Duration {
	c.t.Helper()
	return await(c.t, "servers", within, &corev1.PodList{}, func(all []*corev1.Pod) bool {
		return len(all) == int(n) && !slices.ContainsFunc(all, func(p *corev1.Pod) bool { return !isReady(p) })
	}, c.parts("server")...)
}

// longest is for how long somebody was without a connection, of all but the first so many such times.
func (c *site) longest(from int) time.Duration {
	var most time.Duration
	for _, gap := range c.crowd.Gaps()[from:] {
		most = max(most, gap)
	}
	return most
}

// TestAutoscaling has load make more servers, and its end make fewer, by CPU: nothing here serves a metric of pods.
func TestAutoscaling(t *testing.T) {
	needLong(t)
	server := several()
	server.Resources.Requests[corev1.ResourceCPU] = resource.MustParse("60m")
	none := int32(0)
	c := newChat(t, v1alpha1.ChatClusterSpec{Server: server, Autoscaling: &v1alpha1.AutoscalingSpec{
		MinReplicas: 1, MaxReplicas: 3, ScaleDownStabilizationSeconds: &none,
	}})
	c.meet(30, 2)
	quiet := c.talk(2 * time.Millisecond)
	c.proves("[OP4] under load there are more servers, by the ChatCluster's scale", func() {
		took := await(c.t, "more servers under load", 4*time.Minute, &corev1.PodList{}, func(all []*corev1.Pod) bool {
			ready := 0
			for _, p := range all {
				if isReady(p) {
					ready++
				}
			}
			return ready > 1
		}, c.parts("server")...)
		c.t.Logf("FIGURE the autoscaler had another server ready after %v of load", took.Round(time.Second))
		if wanted := c.get().Spec.Server.Replicas; wanted == nil || *wanted < 2 {
			c.t.Errorf("the ChatCluster wants %v servers", wanted)
		}
		awaitChat(c.t, c, "the condition says what is scaled by", time.Minute, func(cc *v1alpha1.ChatCluster) bool {
			return condition(cc, v1alpha1.ConditionAutoscalingActive, metav1.ConditionTrue)
		})
	})
	c.proves("[SEQ3] nothing acknowledged meanwhile is lost, doubled or out of order", func() { c.agree(quiet) })
	c.proves("[OP4] after the load there is one again", func() {
		c.t.Logf("FIGURE one server again %v after the load", c.servers(1, 10*time.Minute).Round(time.Second))
	})
}

// TestHibernate stops everything, and wakes it up.
func TestHibernate(t *testing.T) {
	needLong(t)
	c := newChat(t, v1alpha1.ChatClusterSpec{Server: v1alpha1.ServerSpec{Env: lively(), DrainSeconds: 5}})
	c.meet(5, 1)
	quiet := c.talk(50 * time.Millisecond)
	c.said("good night", 10*time.Second)
	before := c.secrets()
	c.proves("[OP4] [OP8] hibernated, no pod is left, and the ChatCluster wants as many servers as before", func() {
		c.change(func(s *v1alpha1.ChatClusterSpec) { s.Hibernate = true })
		awaitChat(c.t, c, "hibernated", 3*time.Minute, func(cc *v1alpha1.ChatCluster) bool {
			return condition(cc, v1alpha1.ConditionHibernated, metav1.ConditionTrue)
		})
		took := await(c.t, "no pod is left", 2*time.Minute, &corev1.PodList{}, func(all []*corev1.Pod) bool {
			return !slices.ContainsFunc(all, func(p *corev1.Pod) bool {
				return p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed
			})
		}, client.InNamespace(c.namespace))
		c.t.Logf("asleep %v after it is said", took.Round(100*time.Millisecond))
		if wanted := c.get().Spec.Server.Replicas; wanted == nil || *wanted != 1 {
			c.t.Errorf("the ChatCluster wants %v servers", wanted)
		}
	})
	c.proves("[OP5] awake again, everything that was said is there, and the credentials are the same", func() {
		c.change(func(s *v1alpha1.ChatClusterSpec) { s.Hibernate = false })
		c.t.Logf("FIGURE awake again after %v", c.ready().Round(100*time.Millisecond))
		for _, p := range c.all() {
			for _, s := range p.Status.ContainerStatuses {
				if s.RestartCount > 0 {
					c.t.Errorf("%s was restarted: %+v", p.Name, s.LastTerminationState)
				}
			}
		}
		c.said("good morning", time.Minute)
		c.agree(quiet)
		if !reflect.DeepEqual(before, c.secrets()) {
			c.t.Error("a Secret is another one now")
		}
	})
}
