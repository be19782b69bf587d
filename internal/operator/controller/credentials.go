package controller

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	acv1 "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/internal/operator/children"
	"github.com/gochat-dev/gochat/internal/operator/status"
)

// credentials fills in what the Secrets hold: what stands, else what was there when they were seen last, else what is made
// now. It says no where the password of a volume is gone and can't be known: nothing is made up then (OP5).
func (p *pass) credentials(ctx context.Context) (bool, error) {
	p.known.Secrets = make(map[string]map[string][]byte)
	var fresh []string
	defer func() {
		if len(fresh) > 0 {
			p.event(normal, "CredentialMade", "Generate", "made what was missing in the Secrets: "+strings.Join(fresh, ", "))
		}
	}()
	for _, credential := range children.Credentials(p.spec) {
		secret, err := p.secret(ctx, credential.Name)
		if err != nil {
			return false, err
		}
		var there map[string][]byte
		if secret != nil {
			there = secret.Data
		}
		if remembered := p.memory.secrets[credential.Name]; remembered != nil {
			there = over(remembered, there)
		}
		data, made := credential.Complete(there)
		if made && credential.Component == children.Postgres {
			lost, err := p.volumeStands(ctx, credential.Name)
			if err != nil {
				return false, err
			}
			if lost {
				p.faults = append(p.faults, status.Fault{
					Reason: status.ReasonCredentialsMissing, Object: "Secret " + credential.Name,
					Message: "is gone, and the volume that it opens is there: put the Secret back from a copy; without one, " +
						"make a Secret of this name with a key password of letters and digits and the labels " +
						children.LabelManagedBy + "=" + children.ManagedBy + " and " + children.LabelInstance + "=" + p.cluster.Name +
						"; Postgres takes the new password",
				})
				return false, nil
			}
		}
		if made {
			fresh = append(fresh, credential.Name)
		}
		if credential.Name == children.KeysName(p.cluster.Name) {
			if data, err = p.rotate(secret, data); err != nil {
				return false, err
			}
		}
		p.known.Secrets[credential.Name] = data
		p.memory.secrets[credential.Name] = data
	}
	return true, nil
}

// over is what stands, and below it what is remembered of keys that are gone.
func over(remembered, there map[string][]byte) map[string][]byte {
	data := maps.Clone(remembered)
	for key, value := range there {
		if len(value) > 0 {
			data[key] = value
		}
	}
	return data
}

// secret reads a Secret of ours: from the cache, or from the API server where the cache has none, or an older one than the
// one that was written last. One that belongs to a stranger is as good as none: applying it will say so.
func (p *pass) secret(ctx context.Context, name string) (*corev1.Secret, error) {
	cached := get[*corev1.Secret](p, name)
	last, wrote := p.memory.written[ref{kind: kindSecret.GroupKind(), name: name}]
	if cached != nil && (!wrote || !older(cached.ResourceVersion, last.version)) {
		return p.mine(cached), nil
	}
	live := &corev1.Secret{}
	err := p.live.Get(ctx, client.ObjectKey{Namespace: p.cluster.Namespace, Name: name}, live)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return p.mine(live), nil
}

func (p *pass) mine(secret *corev1.Secret) *corev1.Secret {
	if !p.mayWrite(secret) {
		return nil
	}
	return secret
}

// volumeStands says whether the volume of the database is there.
func (p *pass) volumeStands(ctx context.Context, name string) (bool, error) {
	volume, err := p.find(ctx, children.Child{Kind: kindVolume, Name: name})
	return volume != nil, err
}

func older(version, than string) bool {
	order, err := resourceversion.CompareResourceVersion(version, than)
	return err == nil && order < 0
}

// Annotations of a ChatCluster that rotate the keys which sign access tokens.
const (
	// AnnotationRotate rotates them once for each new value.
	AnnotationRotate = "gochat.dev/rotate-jwt-keys"
	// AnnotationMaxAge rotates them when the last time is so long ago: 720h.
	AnnotationMaxAge = "gochat.dev/jwt-keys-max-age"
)

// Annotations of the Secret of the keys.
const (
	annotationRotatedFor = "gochat.dev/rotated-for" // the value of AnnotationRotate that was carried out last
	annotationRotatedAt  = "gochat.dev/rotated-at"  // RFC 3339
)

// betweenRotations is the shortest time between two rotations: a key that is dropped has signed nothing for as long as two
// rotations are apart, and what it signed before must have run out. Tokens last 15 minutes, unless spec.server.env says
// otherwise; a new key reaches every server within about two.
const betweenRotations = time.Hour

// rotation is what the Secret of the keys says about the last one.
type rotation struct {
	asked string
	at    time.Time
}

func rotationOf(secret *corev1.Secret) rotation {
	if secret == nil {
		return rotation{}
	}
	at, err := time.Parse(time.RFC3339, secret.Annotations[annotationRotatedAt])
	if err != nil { // never, or edited by hand: as if the keys had been made with the Secret
		at = secret.CreationTimestamp.Time
	}
	return rotation{asked: secret.Annotations[annotationRotatedFor], at: at}
}

// rotate moves the keys on, where that is asked for and the last time is long enough ago. The key that waited in second place, and which
// every server knows by now, signs from now on; the one before it stays good until the next rotation.
func (p *pass) rotate(secret *corev1.Secret, data map[string][]byte) (map[string][]byte, error) {
	last, now := rotationOf(secret), p.now().UTC().Truncate(time.Second)
	wish := p.cluster.Annotations[AnnotationRotate]
	age, ok := p.maxAge()
	if secret == nil { // new keys need no rotation
		p.rotation = rotation{asked: wish, at: now}
		p.plan(age, ok)
		return data, nil
	}
	p.rotation = last
	due, why := time.Duration(-1), ""
	if ok {
		due, why = max(0, last.at.Add(age).Sub(now)), "they are older than "+AnnotationMaxAge+" allows"
	}
	if wish != "" && wish != last.asked {
		due, why = 0, AnnotationRotate+" asks for it"
	}
	if due < 0 {
		return data, nil
	}
	if wait := max(due, last.at.Add(p.between()).Sub(now)); wait > 0 {
		p.lookAgainIn(wait)
		p.rotates = now.Add(wait)
		return data, nil
	}
	set, err := children.RotateKeys(data[children.KeyJWKSet])
	if err != nil {
		return nil, fmt.Errorf("rotate the keys of access tokens in the Secret %s: %w", secret.Name, err)
	}
	p.rotation = rotation{asked: wish, at: now}
	p.plan(age, ok)
	p.event(normal, "KeysRotated", "Rotate", "another key signs access tokens: "+why)
	return over(data, map[string][]byte{children.KeyJWKSet: set}), nil
}

// plan notes when keys that are new now are rotated, if their age is limited.
func (p *pass) plan(age time.Duration, limited bool) {
	if limited {
		p.rotates = p.rotation.at.Add(max(age, p.between()))
	}
}

// between is betweenRotations, or longer where access tokens last longer.
func (p *pass) between() time.Duration {
	between := betweenRotations
	for _, variable := range p.spec.Spec.Server.Env {
		if variable.Name != "GOCHAT_ACCESS_TOKEN_TTL" {
			continue
		}
		if ttl, err := time.ParseDuration(variable.Value); err == nil {
			between = max(between, 2*ttl)
		}
	}
	return between
}

// maxAge is how old the keys may get. What is no length of time is said, once, and counts as none.
func (p *pass) maxAge() (time.Duration, bool) {
	text, set := p.cluster.Annotations[AnnotationMaxAge]
	if !set {
		return 0, false
	}
	age, err := time.ParseDuration(text)
	if err != nil || age < betweenRotations {
		p.faults = append(p.faults, status.Fault{
			Reason: status.ReasonRefused, Object: "annotation " + AnnotationMaxAge,
			Message: fmt.Sprintf("is %q: give a length of time of an hour or more, such as 720h", text),
		})
		return 0, false
	}
	return age, true
}

// annotate adds to the Secret of the keys what the next rotation needs to know.
func (p *pass) annotate(wanted []children.Child) []children.Child {
	for _, child := range wanted {
		secret, ok := child.Object.(*acv1.SecretApplyConfiguration)
		if ok && child.Name == children.KeysName(p.cluster.Name) {
			secret.WithAnnotations(map[string]string{
				annotationRotatedFor: p.rotation.asked,
				annotationRotatedAt:  p.rotation.at.UTC().Format(time.RFC3339),
			})
		}
	}
	return wanted
}
