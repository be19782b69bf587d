package controller

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/children"
	"github.com/gochat-dev/gochat/internal/operator/metrics"
	"github.com/gochat-dev/gochat/internal/operator/status"
)

// report writes the status, if it is not what it was, and tells of what has changed.
func (p *pass) report(ctx context.Context, cluster *v1alpha1.ChatCluster, wanted []children.Child, failed error) error {
	seen, err := p.observed(ctx, wanted, failed)
	if err != nil {
		return err
	}
	now := status.Compute(p.cluster, seen)
	p.measure(now, failed)
	if older(cluster.ResourceVersion, p.memory.status) {
		p.lookAgainIn(soon) // this is how it was before our last word
		return nil
	}
	if equality.Semantic.DeepEqual(cluster.Status, now) {
		return nil
	}
	if err := p.patchStatus(ctx, now); err != nil {
		if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
			p.lookAgainIn(soon) // the ChatCluster has changed in the meantime: its event brings us back
			return nil
		}
		return err
	}
	p.tell(cluster.Status.Conditions, now.Conditions)
	return nil
}

// soon is when a ChatCluster is looked at again of which the cache has an old version.
const soon = 200 * time.Millisecond

// patchStatus applies the status to the very version of the ChatCluster that it was computed from: a status computed from an old one could
// move the time of a transition (OP8).
func (p *pass) patchStatus(ctx context.Context, now v1alpha1.ChatClusterStatus) error {
	text, err := json.Marshal(now)
	if err != nil {
		return err
	}
	fields := make(map[string]any)
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	object := &unstructured.Unstructured{Object: map[string]any{"status": fields}}
	object.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind("ChatCluster"))
	object.SetNamespace(p.cluster.Namespace)
	object.SetName(p.cluster.Name)
	object.SetResourceVersion(p.cluster.ResourceVersion)
	err = p.client.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner(FieldOwner), client.ForceOwnership)
	if err == nil {
		p.memory.status = object.GetResourceVersion()
	}
	return err
}

// told are the conditions whose changes are events: what somebody may have to act upon, and that it is over.
var told = []string{
	v1alpha1.ConditionReady, v1alpha1.ConditionAvailable, v1alpha1.ConditionDatabaseReady, v1alpha1.ConditionSchemaCurrent,
	v1alpha1.ConditionBackupHealthy, v1alpha1.ConditionPaused, v1alpha1.ConditionHibernated,
}

// tell makes an event of each of those that is another one now, after the status has been written: what is written is never told again.
// What only goes on its way from the beginning to Ready is no news.
func (p *pass) tell(before, now []metav1.Condition) {
	var said []metav1.Condition
	p.memory.wasReady = p.memory.wasReady || meta.IsStatusConditionTrue(before, v1alpha1.ConditionReady)
	for _, condition := range told {
		c, old := meta.FindStatusCondition(now, condition), meta.FindStatusCondition(before, condition)
		trouble := status.IsTrouble(c, old, p.memory.wasReady)
		same := old != nil && old.Status == c.Status && (old.Reason == c.Reason || !trouble)
		twice := slices.ContainsFunc(said, func(other metav1.Condition) bool { return other.Reason == c.Reason && other.Message == c.Message })
		if same || twice || (old == nil && !trouble) {
			continue
		}
		kind := normal
		if trouble {
			kind = warning
		}
		p.event(kind, c.Reason, condition, c.Message)
		said = append(said, *c)
	}
}

func (p *pass) measure(now v1alpha1.ChatClusterStatus, failed error) {
	facts := metrics.Facts{Status: now, CertificateExpiry: p.certificateExpiry()}
	if failed == nil {
		facts.Reconciled = p.now()
	}
	p.metrics.Set(client.ObjectKeyFromObject(p.cluster), facts)
}

// lookAgainIn has the ChatCluster looked at again after this time, or earlier.
func (p *pass) lookAgainIn(d time.Duration) {
	if p.lookIn == 0 || d < p.lookIn {
		p.lookIn = d
	}
}
