package controller

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/internal/operator/children"
)

// lookForGiven is how often the Secrets are read that somebody else fills. Nothing tells of their changes: they don't have our labels, and
// to watch all Secrets of a cluster would be to hold them all (OP11).
const lookForGiven = 30 * time.Second

// given decides for which contents of the Secrets that somebody else fills the servers are to be. When those have changed, the servers are
// replaced, as by any other change; not while the ChatCluster is paused or its schema is not current, and not for a Secret that is gone: what
// runs has read it already.
func (p *pass) given(ctx context.Context) error {
	refs := children.GivenTo(p.spec)
	if len(refs) == 0 {
		return nil
	}
	p.lookAgainIn(lookForGiven)
	serving := p.servingGiven()
	p.known.Given = serving
	if p.known.Serving != "" && (p.cluster.Spec.Paused || !p.known.Migrated || !p.known.Restored) {
		return nil
	}
	values := make(map[children.Given][]byte)
	for _, ref := range refs {
		secret, err := p.stranger(ctx, ref.Secret)
		if err != nil {
			return err
		}
		if secret != nil {
			values[ref] = secret.Data[ref.Key]
		}
		if len(values[ref]) == 0 && !ref.Optional {
			return nil
		}
	}
	p.known.Given = p.known.GivenSum(p.spec, values)
	if serving != "" && p.known.Given != serving && p.memory.given != p.known.Given {
		p.event(normal, "SecretChanged", "Replace", "a Secret that the servers read at their start has other contents: they are replaced, one after the other")
	}
	p.memory.given = p.known.Given
	return nil
}

// servingGiven is what the servers were made for that the Deployment has now.
func (p *pass) servingGiven() string {
	deployment := get[*appsv1.Deployment](p, children.ServerName(p.cluster.Name))
	if deployment == nil || !p.owns(deployment) {
		return ""
	}
	return deployment.Spec.Template.Annotations[children.AnnotationGiven]
}

// stranger reads a Secret that is not ours, and so in no cache, once in a pass. There is nil of one that is not there.
func (p *pass) stranger(ctx context.Context, name string) (*corev1.Secret, error) {
	if secret, read := p.strangers[name]; read {
		return secret, nil
	}
	secret := &corev1.Secret{}
	err := p.live.Get(ctx, client.ObjectKey{Namespace: p.cluster.Namespace, Name: name}, secret)
	switch {
	case apierrors.IsNotFound(err):
		secret = nil
	case err != nil:
		return nil, err
	}
	if p.strangers == nil {
		p.strangers = make(map[string]*corev1.Secret)
	}
	p.strangers[name] = secret
	return secret, nil
}
