package controller

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// FieldOwner is the one name under which everything is applied.
const FieldOwner = "gochat-operator"

// ref names an object in the namespace of its ChatCluster.
type ref struct {
	kind schema.GroupKind
	name string
}

// written is what the operator knows of a child that it has applied.
type written struct {
	desired [sha256.Size]byte // of what was applied
	entry   [sha256.Size]byte // of what the API server says is ours since then
	uid     types.UID
	version string // the resource version that came back

	generation int64 // likewise; strangers may move it on, by an annotation of a Deployment
}

// memory is what is known of one ChatCluster beyond what the API server keeps. It is owned by the reconcile of that ChatCluster,
// of which there is never more than one at a time. Without it nothing goes wrong: each child is applied once more.
type memory struct {
	uid     types.UID
	written map[ref]written

	// secrets are the credentials as they were seen last, by Secret and key: one that opens a volume and is deleted by
	// hand is written again as it was (OP5).
	secrets map[string]map[string][]byte

	// status is the resource version that came with the last status that was written: our own writes wake nobody, so one that
	// the cache has not seen yet must be waited for.
	status string

	// given is for which contents of the Secrets that somebody else fills the servers were last told to be.
	given string

	// wasReady says that it has been Ready: what it lacks on the way there is no trouble yet.
	wasReady bool

	// restored says that bootstrap.restoreFrom has been carried out.
	restored bool

	// carriedOut is what was carried out last: what counts while the ChatCluster is paused.
	carriedOut *carriedOut
}

// memories are those of all ChatClusters.
type memories struct {
	mu sync.Mutex
	of map[types.NamespacedName]*memory
}

// get returns the memory of a ChatCluster. One that was created again begins afresh, but for its credentials: the volume
// that they open may have outlived it.
func (m *memories) get(cluster *v1alpha1.ChatCluster) *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := types.NamespacedName{Namespace: cluster.Namespace, Name: cluster.Name}
	old := m.of[key]
	if old != nil && old.uid == cluster.UID {
		return old
	}
	fresh := &memory{wasReady: cluster.Status.Version != "", uid: cluster.UID, written: make(map[ref]written), secrets: make(map[string]map[string][]byte)}
	if old != nil {
		fresh.secrets = old.secrets
	}
	if m.of == nil {
		m.of = make(map[types.NamespacedName]*memory)
	}
	m.of[key] = fresh
	return fresh
}

// forget drops the memory of a ChatCluster that is gone.
func (m *memories) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.of, key)
}

// holds says whether a child is still what was written: what is wanted has not changed, and nobody has taken or changed a field
// of ours. Other people's labels, fields and defaults don't matter. A cache that has not seen our last write yet
// counts as well: its news comes with an event.
func (w written) holds(desired [sha256.Size]byte, live metav1.Object) bool {
	if w.desired != desired || w.uid != live.GetUID() {
		return false
	}
	if w.entry == entryOf(live) {
		return true
	}
	order, err := resourceversion.CompareResourceVersion(live.GetResourceVersion(), w.version)
	return err == nil && order < 0
}

// entryOf sums up the fields of an object that are ours: those applied and not changed by anybody since.
func entryOf(live metav1.Object) [sha256.Size]byte {
	for _, entry := range live.GetManagedFields() {
		if !isOurs(entry) || entry.FieldsV1 == nil {
			continue
		}
		fields := entry.FieldsV1.GetRawString()
		text, summed := strings.CutPrefix(fields, summedUp)
		if !summed {
			return sha256.Sum256([]byte(entry.APIVersion + "\n" + fields))
		}
		var sum [sha256.Size]byte
		if _, err := hex.Decode(sum[:], []byte(strings.TrimSuffix(text, sumEnds))); err != nil {
			return [sha256.Size]byte{} // slim wrote it, so this can't be; it is then applied once more
		}
		return sum
	}
	return [sha256.Size]byte{}
}

func isOurs(entry metav1.ManagedFieldsEntry) bool {
	return entry.Manager == FieldOwner && entry.Operation == metav1.ManagedFieldsOperationApply && entry.Subresource == ""
}
