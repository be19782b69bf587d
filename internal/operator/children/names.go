package children

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"k8s.io/apimachinery/pkg/runtime/schema"
	meta "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// The labels of every child, as Kubernetes recommends them. The selectors of pods hold the first three. None says a version: a
// release changes no label, and so restarts nothing.
const (
	LabelName      = "app.kubernetes.io/name"
	LabelInstance  = "app.kubernetes.io/instance" // the name of the ChatCluster
	LabelComponent = "app.kubernetes.io/component"
	LabelPartOf    = "app.kubernetes.io/part-of"
	LabelManagedBy = "app.kubernetes.io/managed-by"

	// AppName is LabelName and LabelPartOf of everything, ManagedBy LabelManagedBy.
	AppName   = "gochat"
	ManagedBy = "gochat-operator"
)

// Component is a part of a chat: the value of LabelComponent of its objects and pods.
type Component string

// The parts.
const (
	Server    Component = "server"
	Postgres  Component = "postgres"
	Redis     Component = "redis"
	Migration Component = "migration"
	Restore   Component = "restore"
	Backup    Component = "backup"
	Access    Component = "access" // what concerns no part alone: accounts, keys, policies
)

// AnnotationConfig is an annotation of pod templates: a hash of what the pods read at their start only, so that a change of
// it restarts them.
const AnnotationConfig = "gochat.dev/config"

// AnnotationGiven is one of the servers' pod template: a sum of what the Secrets held that somebody else fills (GivenTo).
const AnnotationGiven = "gochat.dev/given"

// The names of children. A ChatCluster's name has at most 40 characters, and the longest name made of it 59. Within
// a kind none ends with what another one appends, so that two ChatClusters of a namespace share no name (OP6); that no
// ChatCluster is called like another's Service is in the schema.

// ServiceName is the Service of the servers, and of the Ingress or HTTPRoute in front of it: the name of the ChatCluster.
func ServiceName(cluster string) string { return cluster }

// ServerName is the Deployment of the servers, its PodDisruptionBudget, HorizontalPodAutoscaler and PodMonitor.
func ServerName(cluster string) string { return cluster + "-server" }

// PostgresName is the StatefulSet of the managed Postgres, its Service, Secret, ConfigMap and PersistentVolumeClaim.
func PostgresName(cluster string) string { return cluster + "-postgres" }

// RedisName is the StatefulSet of the managed Redis, its Service, Secret and ConfigMap.
func RedisName(cluster string) string { return cluster + "-redis" }

// BackupName is the CronJob of backups and its PersistentVolumeClaim: what bootstrap.restoreFrom of another ChatCluster names.
func BackupName(cluster string) string { return cluster + "-backup" }

// ScriptsName is the ConfigMap of the scripts of backups and restores.
func ScriptsName(cluster string) string { return cluster + "-scripts" }

// RestoreName is the Job that carries out bootstrap.restoreFrom.
func RestoreName(cluster string) string { return cluster + "-restore" }

// RulesName is the PrometheusRule.
func RulesName(cluster string) string { return cluster + "-alerts" }

// DashboardName is the ConfigMap of the Grafana dashboard.
func DashboardName(cluster string) string { return cluster + "-dashboard" }

// KeysName is the Secret of the keys of access tokens.
func KeysName(cluster string) string { return cluster + "-keys" }

// AdminName is the Secret of the first administrator.
func AdminName(cluster string) string { return cluster + "-admin" }

// CertificateName is the Certificate of the hostname and the Secret that cert-manager keeps it in.
func CertificateName(cluster string) string { return cluster + "-tls" }

// Selector is the label selector of the pods of the servers, as status.selector has it.
func Selector(cluster string) string {
	return LabelInstance + "=" + cluster + "," + LabelComponent + "=" + string(Server)
}

// part is what the functions for the children of one part of a chat work with: the ChatCluster with its defaults filled in,
// what is known, and the part.
type part struct {
	cluster *v1alpha1.ChatCluster
	known   Known
	Component
}

// of is the same for another part.
func (p part) of(c Component) part {
	p.Component = c
	return p
}

func (p part) labels() map[string]string {
	return map[string]string{
		LabelName: AppName, LabelInstance: p.cluster.Name, LabelComponent: string(p.Component),
		LabelPartOf: AppName, LabelManagedBy: ManagedBy,
	}
}

// selects is what labels select the pods of the part by. It can never change: selectors of workloads can't.
func (p part) selects() map[string]string {
	return map[string]string{LabelName: AppName, LabelInstance: p.cluster.Name, LabelComponent: string(p.Component)}
}

func (p part) selector() *meta.LabelSelectorApplyConfiguration {
	return meta.LabelSelector().WithMatchLabels(p.selects())
}

// keeps says whether volumes and credentials outlive the ChatCluster.
func (p part) keeps() bool { return p.cluster.Spec.DeletionPolicy != v1alpha1.DeletionDelete }

// owner is the reference to the ChatCluster, or nothing where there is none yet (on the command line). It blocks no deletion:
// that needs a right of its own, and nobody waits for it.
func (p part) owner() []*meta.OwnerReferenceApplyConfiguration {
	if p.cluster.UID == "" {
		return nil
	}
	return []*meta.OwnerReferenceApplyConfiguration{
		meta.OwnerReference().WithAPIVersion(v1alpha1.SchemeGroupVersion.String()).WithKind("ChatCluster").
			WithName(p.cluster.Name).WithUID(p.cluster.UID).WithController(true),
	}
}

// described is what the builders of all kinds have in common.
type described[T any] interface {
	WithLabels(entries map[string]string) T
	WithOwnerReferences(values ...*meta.OwnerReferenceApplyConfiguration) T
}

// owned fills in the metadata of an object that goes with its ChatCluster.
func owned[T described[T]](p part, object T) T {
	return kept(p, object).WithOwnerReferences(p.owner()...)
}

// kept fills in the metadata of an object that outlives its ChatCluster.
func kept[T described[T]](p part, object T) T {
	return object.WithLabels(p.labels())
}

// treasured fills in the metadata of a volume, or of a credential that opens one, as deletionPolicy says (OP5).
func treasured[T described[T]](p part, object T) T {
	if p.keeps() {
		return kept(p, object)
	}
	return owned(p, object)
}

func kind(group, version, name string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: group, Version: version, Kind: name}
}

// hash is a short name for what its arguments say: 10 characters that a label, and the name of an object, may hold.
func hash(what ...any) string {
	h := sha256.New()
	// Maps are written with their keys sorted, and what children are made of always encodes.
	if err := json.NewEncoder(h).Encode(what); err != nil {
		panic(err)
	}
	return hex.EncodeToString(h.Sum(nil))[:10]
}
