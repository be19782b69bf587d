package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/event"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/children"
)

// discoverEvery is how often the cluster is asked what it serves: an API that is installed later is noticed within this time. Watching
// for definitions would need a right on the whole cluster, which the operator of one namespace doesn't have.
const discoverEvery = 30 * time.Second

// optional are the APIs that may be there: the resource of a group and version, and what it means.
var optional = []struct {
	version, resource string
	found             func(*children.APIs) *bool
}{
	{"gateway.networking.k8s.io/v1", "httproutes", func(a *children.APIs) *bool { return &a.Gateway }},
	{"cert-manager.io/v1", "certificates", func(a *children.APIs) *bool { return &a.CertManager }},
	{"monitoring.coreos.com/v1", "podmonitors", func(a *children.APIs) *bool { return &a.PodMonitor }},
	{"monitoring.coreos.com/v1", "prometheusrules", func(a *children.APIs) *bool { return &a.PrometheusRule }},
	{"custom.metrics.k8s.io/v1beta1", "pods/gochat_connections", func(a *children.APIs) *bool { return &a.CustomMetrics }},
	{"custom.metrics.k8s.io/v1beta2", "pods/gochat_connections", func(a *children.APIs) *bool { return &a.CustomMetrics }},
}

// finder knows which optional APIs the cluster serves.
type finder struct {
	client  discovery.DiscoveryInterface
	changed func(context.Context, children.APIs) error // called when they are not what they were
	every   time.Duration

	mu    sync.Mutex
	asked bool
	known children.APIs
}

// apis are the optional APIs as they were seen last. The first call asks.
func (f *finder) apis(ctx context.Context) (children.APIs, error) {
	f.mu.Lock()
	known, asked := f.known, f.asked
	f.mu.Unlock()
	if asked {
		return known, nil
	}
	return f.ask(ctx)
}

// ask asks the cluster. Of an API that can't be asked about, what was known stays true. Who serves an API behind the API server, as
// an adapter of metrics does, may be away when the operator starts: that keeps no chat waiting.
func (f *finder) ask(ctx context.Context) (children.APIs, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var now children.APIs
	resources := make(map[string][]string) // by version; of what was not found: none
	for _, one := range optional {
		names, done := resources[one.version]
		if !done {
			list, err := f.client.ServerResourcesForGroupVersion(one.version)
			switch {
			case apierrors.IsNotFound(err):
			case err != nil && !f.asked && !apierrors.IsServiceUnavailable(err):
				return now, fmt.Errorf("asking whether the cluster serves %s: %w", one.version, err)
			case err != nil:
				*one.found(&now) = *one.found(&now) || *one.found(&f.known)
				continue
			default:
				for _, resource := range list.APIResources {
					names = append(names, resource.Name)
				}
			}
			resources[one.version] = names
		}
		if slices.Contains(names, one.resource) {
			*one.found(&now) = true
		}
	}
	if f.asked && now == f.known {
		return now, nil
	}
	if err := f.changed(ctx, now); err != nil {
		return now, err
	}
	f.known, f.asked = now, true
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

// apisChanged begins to watch what is there now, ends watching what is gone, and looks at every ChatCluster again.
func (r *Reconciler) apisChanged(ctx context.Context, apis children.APIs) error {
	for _, k := range kinds {
		if k.needs == nil || k.served(apis) == r.watched[k.gvk] {
			continue
		}
		if !k.served(apis) {
			if err := r.cache.RemoveInformer(ctx, k.object()); err != nil {
				return err
			}
			delete(r.watched, k.gvk)
			continue
		}
		if err := r.watch(k); err != nil {
			return err
		}
		r.watched[k.gvk] = true
	}
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
