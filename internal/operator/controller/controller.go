// Package controller is the only part of the operator that talks to the API server: it applies what a ChatCluster should own, deletes what it should not, and says how it is.
package controller

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/children"
	"github.com/gochat-dev/gochat/internal/operator/metrics"
	"github.com/gochat-dev/gochat/internal/operator/status"
)

// Reconciler makes the cluster hold what each ChatCluster describes.
type Reconciler struct {
	client      client.Client // reads from the cache, which holds what has our labels
	live        client.Reader // reads from the API server
	cache       cache.Cache
	events      events.EventRecorder
	finder      *finder
	optionals   *optionals
	connections Connections
	release     string // the operator's own version
	now         func() time.Time

	controller controller.Controller
	again      chan event.GenericEvent // ChatClusters to look at again
	memories   memories
	metrics    *metrics.Metrics
}

// pass is one reconcile of one ChatCluster.
type pass struct {
	*Reconciler

	cluster *v1alpha1.ChatCluster // as it is in the API server, with defaults
	spec    *v1alpha1.ChatCluster // the same with the spec that counts: while paused, the one carried out last
	known   children.Known
	memory  *memory

	there map[ref]client.Object // what the cache holds of the kinds that we make
	pods  pods

	strangers map[string]*corev1.Secret // the Secrets that were read of those that somebody else fills; nil: not there

	rotation rotation  // of the keys that sign access tokens, as their Secret should say
	rotates  time.Time // when they are rotated next, if that is known
	schema   status.Schema
	waiting  bool // paused, and the spec has changed since
	faults   []status.Fault
	small    []string         // volumes that can't grow as is wanted
	absent   []children.Child // wanted, and on their way out first
	lookIn   time.Duration    // when to look again though nothing happens; 0 = then not
}

// atLeastEvery is how often a ChatCluster is looked at though nothing happens: what the operator does not watch changes too.
const atLeastEvery = 5 * time.Minute

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	cluster := &v1alpha1.ChatCluster{}
	err := r.client.Get(ctx, request.NamespacedName, cluster)
	switch {
	case apierrors.IsNotFound(err):
		r.memories.forget(request.NamespacedName)
		r.metrics.Forget(request.NamespacedName)
		return reconcile.Result{}, nil
	case err != nil:
		return reconcile.Result{}, err
	case cluster.DeletionTimestamp != nil:
		return reconcile.Result{}, nil // the API server deletes what it owns; nobody needs us for that
	}
	p := &pass{Reconciler: r, cluster: children.Defaulted(cluster), memory: r.memories.get(cluster)}
	if err := p.observe(ctx); err != nil {
		return reconcile.Result{}, err // nothing is known, so nothing is said
	}
	p.lookAgainIn(atLeastEvery)
	wanted, err := p.carryOut(ctx)
	if err := errors.Join(err, p.report(ctx, cluster, wanted, err)); err != nil {
		return reconcile.Result{}, err // it is tried again, later and later
	}
	return reconcile.Result{RequeueAfter: p.lookIn}, nil
}

// carryOut makes the children what they should be, and returns which there should be.
func (p *pass) carryOut(ctx context.Context) ([]children.Child, error) {
	apis, err := p.finder.apis(ctx)
	if err != nil {
		return nil, err
	}
	p.known = children.Known{Release: p.release, APIs: apis}
	record, err := p.settle(ctx)
	if err != nil || record == nil {
		return nil, err
	}
	p.gate()
	complete, err := p.credentials(ctx)
	if err != nil || !complete {
		return nil, err
	}
	if err := p.given(ctx); err != nil {
		return nil, err
	}
	wanted, err := children.All(p.spec, p.known)
	if err != nil {
		p.faults = append(p.faults, status.Fault{Reason: status.ReasonRefused, Message: err.Error()})
		return nil, err
	}
	wanted = append([]children.Child{*record}, p.annotate(wanted)...)
	mayPrune, err := p.applyAll(ctx, wanted)
	if mayPrune {
		err = errors.Join(err, p.prune(ctx, wanted))
	}
	return wanted, err
}

// start begins to watch ChatClusters and everything that they own.
func (r *Reconciler) start() error {
	clusters := source.Kind(r.cache, client.Object(&v1alpha1.ChatCluster{}), &handler.EnqueueRequestForObject{},
		predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))
	if err := r.controller.Watch(clusters); err != nil {
		return err
	}
	if err := r.controller.Watch(source.Channel(r.again, &handler.EnqueueRequestForObject{})); err != nil {
		return err
	}
	for _, k := range kinds {
		if k.needs != nil {
			continue // optionals does
		}
		if err := r.watch(k); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reconciler) watch(k kind) error {
	return r.controller.Watch(source.Kind(r.cache, k.object(), handler.EnqueueRequestsFromMapFunc(byInstance)))
}

// byInstance leads from an object to its ChatCluster, by its label: what is kept has no owner.
func byInstance(_ context.Context, object client.Object) []reconcile.Request {
	name := object.GetLabels()[children.LabelInstance]
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: object.GetNamespace(), Name: name}}}
}
