package controller

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/gochat-dev/gochat/internal/operator/children"
)

// listWithin is how long the first list of a kind that has just been found is waited for.
const listWithin = 5 * time.Second

// optionals watches the kinds that optional APIs bring. They have a cache of their own, and nothing of it is read before it has been
// filled: a kind is found, and can't be listed, while its definition is on its way out or its webhook is broken, and who starts with a cache
// waits for all that is in it.
type optionals struct {
	cache      cache.Cache
	controller controller.Controller

	listed map[schemaKind]toolscache.InformerSynced // of what is watched; owned by follow, of which there is one at a time
}

// follow begins to watch what is served now, ends watching what is gone, and returns of what is served that which has been listed: the rest
// is not there yet.
func (o *optionals) follow(ctx context.Context, served children.APIs) children.APIs {
	var wait []toolscache.InformerSynced
	for _, k := range kinds {
		if k.needs == nil {
			continue
		}
		var err error
		switch listed := o.listed[k.gvk]; {
		case !k.served(served) && listed != nil:
			delete(o.listed, k.gvk)
			err = o.cache.RemoveInformer(ctx, k.object())
		case k.served(served) && listed == nil:
			err = o.begin(ctx, k)
		}
		if err != nil && ctx.Err() == nil {
			logf.FromContext(ctx).Error(err, "an optional kind can't be watched", "kind", k.gvk.Kind)
		}
		if listed := o.listed[k.gvk]; listed != nil {
			wait = append(wait, listed)
		}
	}
	soon, cancel := context.WithTimeout(ctx, listWithin)
	defer cancel()
	if len(wait) > 0 {
		toolscache.WaitForCacheSync(soon.Done(), wait...)
	}
	for _, k := range kinds {
		if k.needs == nil || !k.served(served) {
			continue
		}
		if listed := o.listed[k.gvk]; listed == nil || !listed() {
			*k.needs(&served) = false
			logf.FromContext(ctx).Info("an optional kind is served, and can't be listed: the operator does without it", "kind", k.gvk.Kind)
		}
	}
	return served
}

func (o *optionals) begin(ctx context.Context, k kind) error {
	informer, err := o.cache.GetInformer(ctx, k.object(), cache.BlockUntilSynced(false))
	if err != nil {
		return err
	}
	if err := o.controller.Watch(&source.Informer{Informer: informer, Handler: handler.EnqueueRequestsFromMapFunc(byInstance)}); err != nil {
		return err
	}
	o.listed[k.gvk] = informer.HasSynced
	return nil
}

// mayBeGone says whether an error can mean that a kind is not served any more, or is about to be. While its definition is on its way out,
// the API server forbids to make one.
func mayBeGone(err error) bool {
	return apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) || apierrors.IsForbidden(err) || meta.IsNoMatchError(err)
}
