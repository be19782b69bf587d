// Package children computes from a ChatCluster alone every object it should own.
//
// It is pure: the same ChatCluster and the same knowledge of the cluster give the same objects, in the same order.
package children

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// Child is an object that a ChatCluster should own.
type Child struct {
	Kind schema.GroupVersionKind
	Name string // in the namespace of the ChatCluster

	// Object is the apply configuration: typed where client-go has one, else unstructured. It holds the labels and, but for
	// what is kept, the owner reference.
	Object runtime.ApplyConfiguration

	// Kept says that the object outlives the ChatCluster, and so has no owner: a volume or the credential that opens
	// it, under deletionPolicy Retain (OP5).
	Kept bool
}

// Known is what is known of the cluster and of the release: all that decides about the children beside the resource.
type Known struct {
	// Release is the operator's own version, and that of the default server image.
	Release string

	// APIs are the optional APIs that the cluster serves.
	APIs APIs

	// Secrets hold the data of the credentials by Secret and key: what stood already, and what was made for what was
	// missing (Credentials says what there has to be).
	Secrets map[string]map[string][]byte

	// Serving is the image that the servers run now; empty where there are none.
	Serving string

	// Migrated says that the schema is current for the wanted image of the servers. Until then the servers keep
	// the image Serving, or are not there (OP6).
	Migrated bool

	// Restored says that bootstrap.restoreFrom has been carried out, or that there is nothing to restore. Until then nothing
	// migrates and no server starts.
	Restored bool
}

// APIs are the optional APIs that a cluster may serve. None is needed.
type APIs struct {
	Gateway        bool // gateway.networking.k8s.io/v1 HTTPRoute
	CertManager    bool // cert-manager.io/v1 Certificate
	PodMonitor     bool // monitoring.coreos.com/v1 PodMonitor
	PrometheusRule bool // monitoring.coreos.com/v1 PrometheusRule
	CustomMetrics  bool // custom.metrics.k8s.io serves the pods metric gochat_connections
}

// All returns the children of a ChatCluster in the order in which they are applied.
func All(_ *v1alpha1.ChatCluster, _ Known) ([]Child, error) { return nil, nil }
