package controller

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	acv1 "k8s.io/client-go/applyconfigurations/core/v1"
	acmeta "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/children"
)

// carriedOut is what decides about the children and may change: what is kept while a ChatCluster is paused.
type carriedOut struct {
	Spec    v1alpha1.ChatClusterSpec `json:"spec"`
	Release string                   `json:"release"` // of the operator
}

const carriedOutKey = "carried-out.json"

// settle decides which spec counts: this one, or while paused the one that was carried out last. That one is kept in a ConfigMap, which is
// written before anything else of a new spec is: so it outlives the operator, and a change together with the pause waits
// too. It returns that ConfigMap; nil says that nothing may be touched, for it is paused and not known what was carried out.
func (p *pass) settle(ctx context.Context) (*children.Child, error) {
	now := carriedOut{Spec: p.cluster.Spec, Release: p.release}
	now.Spec.Paused = false
	if p.cluster.Spec.Paused {
		before, err := p.recall(ctx)
		if err != nil || before == nil {
			p.waiting = true
			return nil, err
		}
		then, err := json.Marshal(before)
		if err != nil {
			return nil, err
		}
		wished, err := json.Marshal(now)
		if err != nil {
			return nil, err
		}
		p.waiting = string(then) != string(wished)
		now = *before
	}
	p.memory.carriedOut = &now
	p.spec = p.cluster.DeepCopy()
	p.spec.Spec = now.Spec
	p.known.Release = now.Release
	return p.record(now)
}

// recall is what was carried out last, or nil where that is not known.
func (p *pass) recall(ctx context.Context) (*carriedOut, error) {
	if p.memory.carriedOut != nil {
		return p.memory.carriedOut, nil
	}
	record := &corev1.ConfigMap{}
	err := p.live.Get(ctx, client.ObjectKey{Namespace: p.cluster.Namespace, Name: recordName(p.cluster)}, record)
	if apierrors.IsNotFound(err) || (err == nil && !p.mayWrite(record)) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	before := &carriedOut{}
	if err := json.Unmarshal([]byte(record.Data[carriedOutKey]), before); err != nil {
		return nil, fmt.Errorf("the ConfigMap %s, which says what was carried out before the pause: %w", record.Name, err)
	}
	return before, nil
}

// record is the child that keeps what is carried out.
func (p *pass) record(now carriedOut) (*children.Child, error) {
	text, err := json.Marshal(now)
	if err != nil {
		return nil, err
	}
	object := acv1.ConfigMap(recordName(p.cluster), p.cluster.Namespace).
		WithLabels(map[string]string{
			children.LabelName: children.AppName, children.LabelPartOf: children.AppName,
			children.LabelInstance: p.cluster.Name, children.LabelManagedBy: children.ManagedBy,
		}).
		WithOwnerReferences(acmeta.OwnerReference().
			WithAPIVersion(v1alpha1.SchemeGroupVersion.String()).WithKind("ChatCluster").
			WithName(p.cluster.Name).WithUID(p.cluster.UID).WithController(true)).
		WithData(map[string]string{carriedOutKey: string(text)})
	return &children.Child{Kind: kindConfigMap, Name: recordName(p.cluster), Object: object}, nil
}

func recordName(cluster *v1alpha1.ChatCluster) string { return cluster.Name + "-carried-out" }
