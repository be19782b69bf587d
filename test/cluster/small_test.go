package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// TestSmall measures P1 on the small profile: five thousand connections, each of which says something once a minute, to a server, a
// Postgres, a Redis and an operator that together may use 256 MB and one CPU.
func TestSmall(t *testing.T) {
	needLong(t)
	if *loadtest == "" {
		t.Skip("no -loadtest")
	}
	c := newChat(t, v1alpha1.ChatClusterSpec{Server: v1alpha1.ServerSpec{Env: lively()}})
	c.withinLimits()
	c.meet(1, 0)
	watch := c.watchMemory()
	began := time.Now()
	c.load("--accounts=500", "--duration=60s")
	stop := c.logIn(6)
	c.load("--accounts=50", "--duration=20s")
	t.Logf("FIGURE %d times somebody logged in while 5,000 were connected", stop())
	peaks := watch()
	t.Logf("FIGURE 5,000 connections, with signing up %v", time.Since(began).Round(time.Second))
	var sum float64
	for _, name := range slices.Sorted(maps.Keys(peaks)) {
		t.Logf("FIGURE %s held at most %.1f MiB", name, peaks[name]/(1<<20))
		sum += peaks[name]
	}
	t.Logf("FIGURE together at most %.1f MiB", sum/(1<<20))
	for _, p := range c.all() {
		for _, s := range p.Status.ContainerStatuses {
			if s.RestartCount > 0 {
				t.Errorf("%s was restarted: %+v", p.Name, s.LastTerminationState)
			}
		}
	}
}

// load has 5,000 people connect and talk.
func (c *site) load(args ...string) {
	c.t.Helper()
	args = append([]string{"run", "--url=http://" + string(c.address), "--connections=5000"}, args...)
	out, err := exec.CommandContext(c.t.Context(), *loadtest, args...).CombinedOutput()
	c.t.Logf("%s", out)
	if err != nil {
		c.t.Fatalf("loadtest: %v", err)
	}
}

// logIn has so many people log in again and again, until what it returns is called: how often they did.
func (c *site) logIn(people int) (stop func() int64) {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	var times atomic.Int64
	var logging sync.WaitGroup
	for range people {
		logging.Go(func() {
			for ctx.Err() == nil {
				me := map[string]string{"username": c.people[0].username, "password": password}
				if _, err := c.address.Call("", http.MethodPost, "/auth/login", me, nil); err != nil {
					c.t.Errorf("log in: %v", err)
					return
				}
				times.Add(1)
			}
		})
	}
	stop = sync.OnceValue(func() int64 { cancel(); logging.Wait(); return times.Load() })
	c.t.Cleanup(func() { stop() })
	return stop
}

// all are the pods of the chat and of the operator, those that run.
func (c *site) all() []*corev1.Pod {
	c.t.Helper()
	var all []*corev1.Pod
	for _, of := range [][]client.ListOption{{client.InNamespace(c.namespace)}, operatorPods()} {
		pods, _, err := listed[*corev1.Pod](c.t.Context(), &corev1.PodList{}, of)
		must(c.t, err)
		all = append(all, slices.DeleteFunc(pods, func(p *corev1.Pod) bool { return p.Status.Phase != corev1.PodRunning })...)
	}
	return all
}

// withinLimits sees that the pods may use no more than the product promises.
func (c *site) withinLimits() {
	c.t.Helper()
	var memory, cpu resource.Quantity
	for _, p := range c.all() {
		for _, run := range p.Spec.Containers {
			limits := run.Resources.Limits
			if limits.Memory().IsZero() {
				c.t.Errorf("%s may use any memory", p.Name)
			}
			memory.Add(*limits.Memory())
			processor := limits[corev1.ResourceCPU]
			if processor.IsZero() { // what is set aside then: it gets more only when nobody else wants it
				processor = run.Resources.Requests[corev1.ResourceCPU]
			}
			cpu.Add(processor)
			c.t.Logf("%s: %v", p.Name, limits)
		}
	}
	c.t.Logf("FIGURE limits together: memory %s, CPU %s", memory.String(), cpu.String())
	if memory.Cmp(resource.MustParse("256Mi")) > 0 || cpu.Cmp(resource.MustParse("1")) > 0 {
		c.t.Errorf("together they may use %s and %s CPUs, more than 256Mi and 1", memory.String(), cpu.String())
	}
}

// watchMemory follows how much each container holds, until what it returns is called: the most of each.
func (c *site) watchMemory() (stop func() map[string]float64) {
	c.t.Helper()
	cfg, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	must(c.t, err)
	api, err := kubernetes.NewForConfig(cfg)
	must(c.t, err)
	node := c.pod("server").Spec.NodeName
	look := func(peaks map[string]float64) error {
		raw, err := api.CoreV1().RESTClient().Get().AbsPath("/api/v1/nodes/" + node + "/proxy/stats/summary").DoRaw(c.t.Context())
		if err != nil {
			return err
		}
		var stats struct {
			Pods []struct {
				PodRef     struct{ Name, Namespace string }
				Containers []struct {
					Name   string
					Memory struct{ WorkingSetBytes float64 }
				}
			}
		}
		if err := json.Unmarshal(raw, &stats); err != nil {
			return err
		}
		for _, p := range stats.Pods {
			for _, run := range p.Containers {
				if p.PodRef.Namespace == c.namespace || p.PodRef.Namespace == *operatorNS {
					peaks[run.Name] = max(peaks[run.Name], run.Memory.WorkingSetBytes)
				}
			}
		}
		return nil
	}
	peaks, done := make(map[string]float64), make(chan struct{})
	var looking sync.WaitGroup
	looking.Go(func() {
		ticker := time.NewTicker(2 * time.Second)
		defer ticker.Stop()
		for {
			if err := look(peaks); err != nil {
				peaks[fmt.Sprintf("(%v)", err)] = 0
			}
			select {
			case <-ticker.C:
			case <-done:
				return
			}
		}
	})
	return sync.OnceValue(func() map[string]float64 { close(done); looking.Wait(); return peaks })
}
