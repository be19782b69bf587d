package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/event"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/children"
)

// discoverEvery is how often the cluster is asked what it serves: an API that is installed later is noticed within this time. Watching
// for definitions would need a right on the whole cluster, which the operator of one namespace doesn't have.
const discoverEvery = 30 * time.Second

// optional are the APIs that may be there: the resource of a group and version, what the operator has to be able to do with it, and what
// that means. A resource whose definition is about to be deleted is listed until it is gone, but nothing can be made of it any more.
var optional = []struct {
	version, resource, verb string
	found                   func(*children.APIs) *bool
}{
	{"gateway.networking.k8s.io/v1", "httproutes", "patch", func(a *children.APIs) *bool { return &a.Gateway }},
	{"cert-manager.io/v1", "certificates", "patch", func(a *children.APIs) *bool { return &a.CertManager }},
	{"monitoring.coreos.com/v1", "podmonitors", "patch", func(a *children.APIs) *bool { return &a.PodMonitor }},
	{"monitoring.coreos.com/v1", "prometheusrules", "patch", func(a *children.APIs) *bool { return &a.PrometheusRule }},
	{"custom.metrics.k8s.io/v1beta1", "pods/gochat_connections", "get", func(a *children.APIs) *bool { return &a.CustomMetrics }},
	{"custom.metrics.k8s.io/v1beta2", "pods/gochat_connections", "get", func(a *children.APIs) *bool { return &a.CustomMetrics }},
}

// finder knows which optional APIs the cluster serves.
type finder struct {
	client  discovery.DiscoveryInterface
	watch   func(context.Context, children.APIs) children.APIs // watches what is found, and returns what of it is to be counted on
	changed func(context.Context) error                        // called when that is not what it was
	every   time.Duration

	asking sync.Mutex // held while the cluster is asked
	untold bool       // guarded by asking: changed has not been called yet for what is known

	mu    sync.Mutex // guards what follows, for a moment
	asked bool
	found children.APIs // what the cluster serves
	known children.APIs // what of it can be used
}

// apis are the optional APIs as they were seen last. The first call asks.
func (f *finder) apis(ctx context.Context) (children.APIs, error) {
	if _, known, asked := f.last(); asked {
		return known, nil
	}
	f.asking.Lock()
	defer f.asking.Unlock()
	if _, known, asked := f.last(); asked {
		return known, nil
	}
	return f.askLocked(ctx)
}

func (f *finder) last() (found, known children.APIs, asked bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.found, f.known, f.asked
}

// ask asks the cluster.
func (f *finder) ask(ctx context.Context) (children.APIs, error) {
	f.asking.Lock()
	defer f.asking.Unlock()
	return f.askLocked(ctx)
}

func (f *finder) askLocked(ctx context.Context) (children.APIs, error) {
	before, known, asked := f.last()
	found, err := f.find(before, asked)
	if err != nil {
		return known, err
	}
	now := f.watch(ctx, found)
	if err := ctx.Err(); err != nil {
		return known, err // it was not waited for
	}
	f.mu.Lock()
	f.found, f.known, f.asked = found, now, true
	f.mu.Unlock()
	f.untold = f.untold || !asked || now != known
	if f.untold {
		if err := f.changed(ctx); err != nil {
			return now, err
		}
	}
	f.untold = false
	return now, nil
}

// find is what the cluster serves. Of an API that can't be asked about, what was found before stays true. Who serves an API behind the API
// server, as an adapter of metrics does, may be away when the operator starts: that keeps no chat waiting.
func (f *finder) find(before children.APIs, asked bool) (now children.APIs, err error) {
	resources := make(map[string][]metav1.APIResource) // by version; of what was not found: none
	for _, one := range optional {
		known, done := resources[one.version]
		if !done {
			list, err := f.client.ServerResourcesForGroupVersion(one.version)
			switch {
			case apierrors.IsNotFound(err):
			case err != nil && !asked && !apierrors.IsServiceUnavailable(err):
				return now, fmt.Errorf("asking whether the cluster serves %s: %w", one.version, err)
			case err != nil:
				*one.found(&now) = *one.found(&now) || *one.found(&before)
				continue
			default:
				known = list.APIResources
			}
			resources[one.version] = known
		}
		if slices.ContainsFunc(known, func(r metav1.APIResource) bool { return r.Name == one.resource && slices.Contains(r.Verbs, one.verb) }) {
			*one.found(&now) = true
		}
	}
	return now, nil
}

// Start asks again and again, until ctx ends. It implements manager.Runnable.
func (f *finder) Start(ctx context.Context) error {
	ticker := time.NewTicker(f.every)
	defer ticker.Stop()
	for {
		if _, err := f.ask(ctx); err != nil && ctx.Err() == nil {
			logf.FromContext(ctx).Error(err, "which optional APIs there are is not known")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// lookAtAll has every ChatCluster looked at again.
func (r *Reconciler) lookAtAll(ctx context.Context) error {
	var all v1alpha1.ChatClusterList
	if err := r.client.List(ctx, &all); err != nil {
		return err
	}
	for i := range all.Items {
		select {
		case r.again <- event.GenericEvent{Object: &all.Items[i]}:
		case <-ctx.Done():
			return errors.New("stopped")
		}
	}
	return nil
}
