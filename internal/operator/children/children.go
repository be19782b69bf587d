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

	// Once says that the object is made where there is none of its name, and never changed: it is a Job, whose template can't
	// be. What it does can be done twice.
	Once bool
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

	// ServingDatabase is the external database that they use; empty where it is the managed one.
	ServingDatabase v1alpha1.ExternalSpec

	// Given sums up what the Secrets hold that somebody else fills (GivenSum); empty where none is named, or none is there yet.
	Given string

	// Moving says that there are servers which use another database than those that are to run now: they go first, for two
	// databases are never served at once.
	Moving bool

	// ServersThere says that there are servers, also such as are told to end: until the last has gone, they need the database and Redis.
	ServersThere bool

	// Migrated says that the schema is current for the wanted image of the servers, in the wanted database. Until then the servers
	// keep the image Serving and its database, or are not there (OP6).
	Migrated bool

	// Restored says that bootstrap.restoreFrom has been carried out, or that there is nothing to restore. Until then nothing
	// migrates and no server starts.
	Restored bool

	// RestoreThere says that the Job which carried it out is there still.
	RestoreThere bool
}

// APIs are the optional APIs that a cluster may serve. None is needed.
type APIs struct {
	Gateway        bool // gateway.networking.k8s.io/v1 HTTPRoute
	CertManager    bool // cert-manager.io/v1 Certificate
	PodMonitor     bool // monitoring.coreos.com/v1 PodMonitor
	PrometheusRule bool // monitoring.coreos.com/v1 PrometheusRule
	CustomMetrics  bool // custom.metrics.k8s.io serves the pods metric gochat_connections
}

// All returns the children of a ChatCluster in the order in which they are applied: what pods refer to, before the pods;
// what others need, before those who need it. So each finds what it asks for, and nothing starts twice. The defaults of the
// schema need not be filled in.
//
// An error says what is wrong with the Secrets, or with the resource in a way that its schema can't find. It names no secret.
func All(cluster *v1alpha1.ChatCluster, known Known) ([]Child, error) {
	p := part{cluster: Defaulted(cluster), known: known}
	var all []Child

	// What every pod refers to.
	all = append(all, p.of(Access).serviceAccount())
	secrets, err := p.secrets()
	if err != nil {
		return nil, err
	}
	all = append(all, secrets...)
	all = append(all, p.of(Access).networkPolicies()...)

	// What the servers need.
	all = append(all, p.of(Postgres).managedPostgres()...)
	all = append(all, p.of(Redis).managedRedis()...)

	// What was restored, the schema, then the servers, then the way to them.
	all = append(all, p.of(Backup).scripts()...)
	all = append(all, p.of(Restore).restore()...)
	migration, err := p.of(Migration).migration()
	if err != nil {
		return nil, err
	}
	all = append(all, migration...)
	servers, err := p.of(Server).server()
	if err != nil {
		return nil, err
	}
	all = append(all, servers...)
	server := p.of(Server)
	all = append(all, server.serverService())
	all = append(all, server.disruptionBudget()...)
	all = append(all, server.autoscaler()...)
	all = append(all, server.exposed()...)

	// What looks after it.
	all = append(all, p.of(Backup).backup()...)
	all = append(all, server.podMonitor()...)
	rules, err := server.prometheusRule()
	if err != nil {
		return nil, err
	}
	all = append(all, rules...)
	dashboard, err := server.dashboard()
	if err != nil {
		return nil, err
	}
	return append(all, dashboard...), nil
}
