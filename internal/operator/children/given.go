package children

import (
	"cmp"
	"slices"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// Given is a key of a Secret that a ChatCluster names and somebody else fills, and that servers read at their start only.
type Given struct {
	Secret, Key string
	Optional    bool // servers start without it
}

// GivenTo are those of a ChatCluster. The certificate is none of them: who serves it looks after that.
func GivenTo(cluster *v1alpha1.ChatCluster) []Given {
	spec := Defaulted(cluster).Spec
	var all []Given
	if spec.Database.Type == v1alpha1.DatabaseExternal {
		all = append(all, Given{Secret: spec.Database.External.SecretName, Key: spec.Database.External.Key})
	}
	if spec.Redis.Type == v1alpha1.RedisExternal {
		all = append(all, Given{Secret: spec.Redis.External.SecretName, Key: spec.Redis.External.Key})
	}
	for _, variable := range spec.Server.Env {
		if from := variable.ValueFrom; from != nil && from.SecretKeyRef != nil {
			ref := from.SecretKeyRef
			all = append(all, Given{Secret: ref.Name, Key: ref.Key, Optional: ref.Optional != nil && *ref.Optional})
		}
	}
	slices.SortFunc(all, func(a, b Given) int { return cmp.Or(cmp.Compare(a.Secret, b.Secret), cmp.Compare(a.Key, b.Key)) })
	return slices.CompactFunc(all, func(a, b Given) bool { return a.Secret == b.Secret && a.Key == b.Key })
}

// GivenSum sums up what they hold. It is there for all to read who may read pods, so a secret of the ChatCluster's own goes into it: without
// that nobody can try passwords on it.
func (k Known) GivenSum(cluster *v1alpha1.ChatCluster, values map[Given][]byte) string {
	sum := []any{k.Secrets[AdminName(cluster.Name)][keyPassword]}
	for _, given := range GivenTo(cluster) {
		sum = append(sum, given.Secret, given.Key, values[given])
	}
	return hash(sum...)
}
