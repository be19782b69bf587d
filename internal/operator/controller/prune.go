package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/children"
)

// prune deletes what this ChatCluster owns and does not want any more. What has no owner outlives its
// ChatCluster, and so a change of the spec as well: a volume, and the credential that opens it. Nor is a
// volume deleted while its ChatCluster lives, whoever owns it (OP5).
func (p *pass) prune(ctx context.Context, wanted []children.Child) error {
	keep := make(map[ref]bool, len(wanted))
	for _, child := range wanted {
		keep[refOf(child)] = true
	}
	var (
		errs []error
		gone []string
	)
	for at, live := range p.there {
		if keep[at] || live.GetDeletionTimestamp() != nil || !p.owns(live) {
			continue
		}
		if at.kind == kindVolume.GroupKind() || p.opensVolume(at) {
			if err := p.letGo(ctx, live); err != nil {
				errs = append(errs, fmt.Errorf("release %s %s: %w", at.kind.Kind, at.name, err))
			}
			continue
		}
		if err := p.delete(ctx, live); err != nil {
			errs = append(errs, fmt.Errorf("delete %s %s: %w", at.kind.Kind, at.name, err))
			continue
		}
		delete(p.memory.written, at)
		gone = append(gone, at.kind.Kind+" "+at.name)
	}
	if len(gone) > 0 {
		slices.Sort(gone)
		p.event(normal, "Deleted", "Delete", "not wanted any more: "+strings.Join(gone, ", "))
	}
	return errors.Join(errs...)
}

// letGo lets what is not wanted any more, and must not be lost, outlive its ChatCluster, unless that is to be deleted with everything.
func (p *pass) letGo(ctx context.Context, live client.Object) error {
	if p.spec.Spec.DeletionPolicy == v1alpha1.DeletionDelete {
		return nil
	}
	patch := fmt.Sprintf(`{"metadata":{"uid":%q,"resourceVersion":%q,"ownerReferences":null}}`, live.GetUID(), live.GetResourceVersion())
	object := live.DeepCopyObject().(client.Object) //nolint:forcetypeassert // a copy is of the same type
	return p.client.Patch(ctx, object, client.RawPatch(types.MergePatchType, []byte(patch)), client.FieldOwner(FieldOwner))
}

func (p *pass) owns(live client.Object) bool {
	owner := metav1.GetControllerOf(live)
	return owner != nil && owner.UID == p.cluster.UID
}

// opensVolume says whether an object is the credential of a volume that is there.
func (p *pass) opensVolume(at ref) bool {
	return at.kind == kindSecret.GroupKind() && p.there[ref{kind: kindVolume.GroupKind(), name: at.name}] != nil
}
