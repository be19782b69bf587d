package controller

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/go-logr/logr"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/kubetest"
	"github.com/gochat-dev/gochat/internal/operator/children"
)

// cluster is what all tests of the package share: an API server, Kubernetes' own controllers, and a kubelet of ours.
var cluster struct {
	once sync.Once
	stop []func()
}

func TestMain(m *testing.M) {
	logf.SetLogger(logr.Discard())
	code := kubetest.Run(stopper{m}, "../../../config/crd/bases")
	os.Exit(code)
}

// stopper stops what runs beside the API server, before that is stopped.
type stopper struct{ m *testing.M }

func (s stopper) Run() int {
	code := s.m.Run()
	for _, stop := range cluster.stop {
		stop()
	}
	return code
}

// within is how long the cluster may take for anything, on a busy machine.
const within = 90 * time.Second

// stage is a namespace of its own, in which an operator works.
type stage struct {
	*testing.T
	client.Client

	cfg       *rest.Config
	as        rest.ImpersonationConfig // who the operator is; without a name: who may do everything
	namespace string
	lost      string // the resource that an operator can't find when it starts
}

func newStage(t *testing.T) *stage {
	t.Helper()
	cfg := kubetest.Shared(t)
	cfg.QPS, cfg.Burst = 500, 1000
	cluster.once.Do(func() {
		cluster.stop = append(cluster.stop, kubetest.Controllers(t, cfg), runKubelet(t, cfg))
	})
	scheme := runtime.NewScheme()
	if err := clientgo.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(cfg, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{T: t, Client: c, cfg: cfg, namespace: kubetest.Namespace(t, cfg)}
	t.Cleanup(func() { // the garbage collector does the rest
		if err := c.DeleteAllOf(context.Background(), &v1alpha1.ChatCluster{}, client.InNamespace(s.namespace)); err != nil {
			t.Error(err)
		}
	})
	return s
}

// operator is one that runs.
type operator struct {
	*wire

	stage  *stage
	passes atomic.Int64
	pokes  int
	end    func()
	ended  chan error
}

// operate starts an operator for the stage. It ends with the test, or before that by stop.
func (s *stage) operate(change ...func(*Config)) *operator {
	s.Helper()
	cfg := Config{
		Release: "1.0.0", Namespaces: []string{s.namespace},
		Log: slog.New(slog.NewTextHandler(testLog{s.T}, &slog.HandlerOptions{Level: slog.LevelError})), Connections: noServers{},
	}
	for _, f := range change {
		f(&cfg)
	}
	to, w := rest.CopyConfig(s.cfg), &wire{lost: s.lost}
	to.Impersonate = s.as
	to.Wrap(func(next http.RoundTripper) http.RoundTripper { return w.around(next) })
	o := &operator{wire: w, stage: s, ended: make(chan error, 1)}
	now := orTimeNow(cfg.Now)
	cfg.Now = func() time.Time { // asked for at the end of each pass
		o.passes.Add(1)
		return now()
	}
	m, err := New(to, cfg)
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	o.end = cancel
	go func() { o.ended <- m.Start(ctx) }()
	s.Cleanup(o.stop)
	return o
}

func orTimeNow(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}

// stop ends an operator, as often as one likes.
func (o *operator) stop() {
	if o.end == nil {
		return
	}
	o.end()
	o.end = nil
	if err := <-o.ended; err != nil {
		o.stage.Errorf("the operator ended with %v", err)
	}
}

// testLog is the log of an operator in that of its test.
type testLog struct{ *testing.T }

func (l testLog) Write(line []byte) (int, error) {
	l.Log(strings.TrimSpace(string(line)))
	return len(line), nil
}

type noServers struct{}

func (noServers) Of(context.Context, string) (int, error) {
	return 0, fmt.Errorf("nobody answers")
}

// apply makes a ChatCluster, or changes the fields that spec sets.
func (s *stage) create(name string, change ...func(*v1alpha1.ChatCluster)) *v1alpha1.ChatCluster {
	s.Helper()
	c := &v1alpha1.ChatCluster{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.namespace}}
	for _, f := range change {
		f(c)
	}
	if err := s.Create(s.Context(), c); err != nil {
		s.Fatal(err)
	}
	return c
}

// edit changes a ChatCluster.
func (s *stage) edit(name string, change func(*v1alpha1.ChatCluster)) {
	s.Helper()
	s.eventually("edit "+name, func() error {
		c := s.get(name)
		change(c)
		return s.Update(s.Context(), c)
	})
}

func (s *stage) get(name string) *v1alpha1.ChatCluster {
	s.Helper()
	c := &v1alpha1.ChatCluster{}
	s.read(name, c)
	return c
}

// read gets an object of the namespace, which has to be there.
func (s *stage) read(name string, object client.Object) {
	s.Helper()
	if err := s.Get(s.Context(), client.ObjectKey{Namespace: s.namespace, Name: name}, object); err != nil {
		s.Fatal(err)
	}
}

// eventually waits until something holds, and says what was wrong last if it does not.
func (s *stage) eventually(what string, holds func() error) {
	s.Helper()
	deadline := time.After(within)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := holds()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			s.dump()
			s.Fatalf("%s: after %s: %v", what, within, err)
		case <-tick.C:
		}
	}
}

// has waits for a condition of this generation.
func (s *stage) has(name, condition string, status metav1.ConditionStatus, reason string) {
	s.Helper()
	s.eventually(name+" "+condition+"="+string(status)+" "+reason, func() error { return s.is(name, condition, status, reason) })
}

func (s *stage) is(name, condition string, status metav1.ConditionStatus, reason string) error {
	c := s.get(name)
	is := meta.FindStatusCondition(c.Status.Conditions, condition)
	if is == nil || is.Status != status || (reason != "" && is.Reason != reason) || is.ObservedGeneration != c.Generation {
		return fmt.Errorf("it is %+v, of generation %d", is, c.Generation)
	}
	return nil
}

func (s *stage) ready(name string) {
	s.Helper()
	s.has(name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
}

// dump tells how everything is, for a test that fails.
func (s *stage) dump() {
	var all v1alpha1.ChatClusterList
	if err := s.List(s.Context(), &all, client.InNamespace(s.namespace)); err != nil {
		s.Log(err)
	}
	for _, c := range all.Items {
		for _, condition := range c.Status.Conditions {
			s.Logf("%s: %s=%s %s: %s", c.Name, condition.Type, condition.Status, condition.Reason, condition.Message)
		}
	}
	for at := range s.children() {
		s.Log(at.kind.Kind, at.name)
	}
}

// children are all objects of the namespace that have our label, of the kinds that the operator makes, as far as there are such.
func (s *stage) children() map[ref]client.Object {
	s.Helper()
	found := make(map[ref]client.Object)
	for _, k := range kinds {
		if k.seen || k.needs != nil {
			continue
		}
		list := dynamic(k.gvk, nil).list()
		err := s.List(s.Context(), list, client.InNamespace(s.namespace), client.MatchingLabels{children.LabelManagedBy: children.ManagedBy})
		if err != nil {
			s.Fatal(err)
		}
		items, err := meta.ExtractList(list)
		if err != nil {
			s.Fatal(err)
		}
		for _, item := range items {
			object := item.(client.Object)
			found[ref{kind: k.gvk.GroupKind(), name: object.GetName()}] = object
		}
	}
	return found
}
