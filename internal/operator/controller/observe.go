package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/internal/operator/children"
)

// pods are what other controllers made of our children.
type pods struct {
	all    []*corev1.Pod
	slices []*discoveryv1.EndpointSlice
}

// observe reads what there is of this ChatCluster, from the cache. What it returns is shared with the cache: nobody changes it.
func (p *pass) observe(ctx context.Context) error {
	apis, err := p.finder.apis(ctx)
	if err != nil {
		return err
	}
	p.there = make(map[ref]client.Object)
	for _, k := range kinds {
		if !k.served(apis) {
			continue
		}
		list, reader := k.list(), client.Reader(p.client)
		if k.needs != nil {
			reader = p.optionals.cache
		}
		err := reader.List(ctx, list, client.InNamespace(p.cluster.Namespace), instance(p.cluster), client.UnsafeDisableDeepCopy)
		if gone := (*cache.ErrResourceNotCached)(nil); errors.As(err, &gone) {
			continue // since a moment ago, and another pass follows
		}
		if err != nil {
			return fmt.Errorf("list %s: %w", k.gvk.Kind, err)
		}
		if err := meta.EachListItem(list, func(item runtime.Object) error { return p.note(k, item) }); err != nil {
			return err
		}
	}
	return nil
}

func (p *pass) note(k kind, item runtime.Object) error {
	switch item := item.(type) {
	case *corev1.Pod:
		p.pods.all = append(p.pods.all, item)
	case *discoveryv1.EndpointSlice:
		p.pods.slices = append(p.pods.slices, item)
	case client.Object:
		p.there[ref{kind: k.gvk.GroupKind(), name: item.GetName()}] = item
	default:
		return fmt.Errorf("%T is not an object", item)
	}
	return nil
}

// get returns an object of the cache, or nil.
func get[T client.Object](p *pass, name string) T {
	var none T
	for at, object := range p.there {
		if found, ok := object.(T); ok && at.name == name {
			return found
		}
	}
	return none
}

// podsOf are the pods of one part.
func (p *pass) podsOf(component children.Component) []*corev1.Pod {
	var found []*corev1.Pod
	for _, pod := range p.pods.all {
		if pod.Labels[children.LabelComponent] == string(component) {
			found = append(found, pod)
		}
	}
	return found
}

// running are those of them that have not ended: also one that is told to end, and works until it has.
func (p *pass) running(component children.Component) []*corev1.Pod {
	return slices.DeleteFunc(p.podsOf(component), func(pod *corev1.Pod) bool {
		return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
	})
}
