package controller

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/children"
	"github.com/gochat-dev/gochat/internal/operator/status"
)

// applyAll applies the children in their order. One that can't be applied does not hold up the others: those that need it wait
// for it by themselves. Only a credential does: nothing is made that it should open before it is kept (OP5). It says whether what is
// not wanted any more may go: not where a credential stands still, nor where the servers do, which may need it yet.
func (p *pass) applyAll(ctx context.Context, wanted []children.Child) (mayPrune bool, err error) {
	var errs []error
	mayPrune = true
	for _, child := range wanted {
		faults, before := p.faults, len(p.faults)+len(p.absent)
		err := p.apply(ctx, child)
		if err != nil && mayBeGone(err) && p.without(ctx, child) {
			p.faults = faults
			continue
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %s: %w", child.Kind.Kind, child.Name, err))
		}
		if err == nil && len(p.faults)+len(p.absent) == before {
			continue
		}
		switch child.Kind {
		case kindSecret:
			return false, errors.Join(errs...)
		case kindDeployment:
			mayPrune = false
		}
	}
	return mayPrune, errors.Join(errs...)
}

// without says whether a child can't be made because its kind is gone, which the operator had not noticed yet. All ChatClusters are then
// looked at again.
func (p *pass) without(ctx context.Context, child children.Child) bool {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.gvk == child.Kind })
	if i < 0 || kinds[i].needs == nil {
		return false
	}
	apis, err := p.finder.ask(ctx)
	if err != nil || kinds[i].served(apis) {
		return false // what was refused is told
	}
	delete(p.memory.written, refOf(child))
	return true
}

// apply makes one child what it should be, and writes only if it isn't.
func (p *pass) apply(ctx context.Context, child children.Child) error {
	desired, err := json.Marshal(child.Object)
	if err != nil {
		return err
	}
	sum, at := sha256.Sum256(desired), refOf(child)
	live, err := p.find(ctx, child)
	switch {
	case err != nil:
		return err
	case live == nil:
	case live.GetDeletionTimestamp() != nil:
		p.absent = append(p.absent, child) // the event of its end brings us back
		return nil
	case !p.mayWrite(live):
		p.takenBy(child, live)
		return nil
	case p.memory.written[at].holds(sum, live):
		return nil
	case child.Once && p.there[at] != nil:
		return nil
	case child.Once: // without our labels it is not there
		return p.relabel(ctx, child, live)
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(desired); err != nil {
		return err
	}
	if live != nil {
		object.SetUID(live.GetUID()) // not to one that took its place in the meantime
	}
	if err := p.prepare(ctx, child, live, object); err != nil {
		return err
	}
	err = p.write(ctx, live, object)
	switch {
	case err != nil && cantGrow(live, object, err):
		return p.keepSize(ctx, child, live, object, err)
	case err != nil:
		return p.refused(child, err, ofAnotherClass(live, object))
	}
	p.memory.written[at] = written{
		desired: sum, entry: entryOf(object), uid: object.GetUID(), version: object.GetResourceVersion(), generation: object.GetGeneration(),
	}
	return nil
}

// relabel gives what can't be changed our labels back.
func (p *pass) relabel(ctx context.Context, child children.Child, live client.Object) error {
	desired, err := json.Marshal(child.Object)
	if err != nil {
		return err
	}
	labelled := &unstructured.Unstructured{}
	if err := labelled.UnmarshalJSON(desired); err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": live.GetUID(), "labels": labelled.GetLabels()}})
	if err != nil {
		return err
	}
	return client.IgnoreNotFound(p.client.Patch(ctx, live, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(FieldOwner)))
}

// find looks for a child in the cache, and then asks the API server: the cache holds only what has our labels, and may
// not have heard of it yet.
func (p *pass) find(ctx context.Context, child children.Child) (client.Object, error) {
	if live := p.there[refOf(child)]; live != nil {
		return live, nil
	}
	live := &metav1.PartialObjectMetadata{}
	live.SetGroupVersionKind(child.Kind)
	err := p.live.Get(ctx, client.ObjectKey{Namespace: p.cluster.Namespace, Name: child.Name}, live)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return live, err
}

// mayWrite says whether an object is this ChatCluster's: owned by it, or owned by nobody and with our labels or fields in it. Those are
// what outlived a ChatCluster of this name, or was labelled for us by somebody (OP3, OP5).
func (p *pass) mayWrite(live metav1.Object) bool {
	if owner := metav1.GetControllerOf(live); owner != nil {
		return owner.UID == p.cluster.UID
	}
	labels := live.GetLabels()
	if labels[children.LabelManagedBy] == children.ManagedBy && labels[children.LabelInstance] == p.cluster.Name {
		return true
	}
	return entryOf(live) != [sha256.Size]byte{}
}

// takenBy notes that a name is taken.
func (p *pass) takenBy(child children.Child, live metav1.Object) {
	fault := status.Fault{Reason: status.ReasonNameTaken, Object: child.Kind.Kind + " " + child.Name}
	owner := metav1.GetControllerOf(live)
	switch {
	case owner != nil && owner.Kind == "ChatCluster" && owner.Name == p.cluster.Name:
		fault.Reason = status.ReasonLeftover
		fault.Message = "belongs to a ChatCluster of this name that was deleted, and is about to go: wait"
	case owner != nil:
		fault.Message = fmt.Sprintf("is there already and belongs to %s %s: rename or delete one of the two", owner.Kind, owner.Name)
	default:
		fault.Message = fmt.Sprintf("is there already and is not ours: delete it, or label it %s=%s and %s=%s to hand it over",
			children.LabelManagedBy, children.ManagedBy, children.LabelInstance, p.cluster.Name)
	}
	p.faults = append(p.faults, fault)
	p.lookAgainIn(lookForStrangers) // it is in no cache, so nothing tells of its end
}

// lookForStrangers is how often an object of somebody else is looked for that is in the way, or that should be there and isn't.
const lookForStrangers = 10 * time.Second

// prepare does what has to come before a child is written: which servers go when there will be fewer (OP4), and that no volume is told to become less.
func (p *pass) prepare(ctx context.Context, child children.Child, live client.Object, desired *unstructured.Unstructured) error {
	if volume, ok := live.(*corev1.PersistentVolumeClaim); ok {
		return keepVolume(volume, desired)
	}
	deployment, ok := live.(*appsv1.Deployment)
	if !ok || child.Name != children.ServerName(p.cluster.Name) || deployment.Spec.Replicas == nil {
		return nil
	}
	wanted, found, err := unstructured.NestedInt64(desired.Object, "spec", "replicas")
	if err != nil || !found || wanted == 0 || wanted >= int64(*deployment.Spec.Replicas) {
		return err
	}
	return p.markEmptiest(ctx)
}

// refused notes an answer of the API server that will be the same next time. Where more is known than its words say, that is told instead.
func (p *pass) refused(child children.Child, err error, known string) error {
	delete(p.memory.written, refOf(child))
	if apierrors.IsInvalid(err) || apierrors.IsForbidden(err) || apierrors.IsBadRequest(err) {
		message := known
		if message == "" {
			message = "is refused by the API server: " + firstLine(err.Error())
		}
		p.faults = append(p.faults, status.Fault{Reason: status.ReasonRefused, Object: child.Kind.Kind + " " + child.Name, Message: message})
	}
	return err
}

// delete deletes exactly the object that was looked at, and what it owns after it.
func (p *pass) delete(ctx context.Context, live client.Object) error {
	uid, version := live.GetUID(), live.GetResourceVersion()
	return client.IgnoreNotFound(p.client.Delete(ctx, live,
		client.Preconditions{UID: &uid, ResourceVersion: &version}, client.PropagationPolicy(metav1.DeletePropagationBackground)))
}

func refOf(child children.Child) ref { return ref{kind: child.Kind.GroupKind(), name: child.Name} }

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// instance is the label by which all objects of a ChatCluster are found.
func instance(cluster *v1alpha1.ChatCluster) client.MatchingLabels {
	return client.MatchingLabels{children.LabelManagedBy: children.ManagedBy, children.LabelInstance: cluster.Name}
}
