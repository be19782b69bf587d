// Package status computes how a ChatCluster is from what was observed of it.
//
// It is pure: what is not observed is not said. Each condition is a check of its own (conditions.go, parts.go), and Ready sums
// them up.
package status

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// Observed is everything that a status is computed from.
type Observed struct {
	Now time.Time

	Waiting bool     // paused, and the spec has changed since
	Faults  []Fault  // what stands in the way, the worst first
	Failed  string   // why the pass could not be carried out to its end; empty if it was
	Small   string   // which volumes stay smaller than is wanted, and why; empty: none
	Missing []string // children that are not there yet, or not seen yet as they were written last

	// The parts; nil where there is none.
	Servers, Database, Redis *Workload

	Image     string // that the servers should run, and do as far as the roll has gone
	Endpoints int    // servers that the Service leads to
	Left      int    // pods of the parts that have not ended, whether they are wanted or on their way out
	Nodes     int    // on which servers are ready

	Schema       Schema
	LostSecrets  []string // that the spec names and that are not there
	Route        Answer   // of whoever is to carry out the Ingress or HTTPRoute
	Certificate  Answer   // of cert-manager
	Backup       *Backup
	Autoscaler   Answer
	ByConnection bool // the autoscaler goes by connections, not by CPU

	// Which optional APIs there are.
	Gateway, CertManager, Monitoring bool

	Selector string // of the pods of the servers

	Rotates time.Time // when the keys of access tokens are rotated next; zero: nobody has asked for it
}

// Fault is something that the operator can't get past by itself.
type Fault struct {
	Reason  string
	Object  string // what it is about: "Service chat"
	Message string // goes on from there: "is there already and is not ours: …"
}

func (f Fault) String() string { return strings.TrimSpace(f.Object + " " + f.Message) }

// The reasons of faults.
const (
	ReasonNameTaken          = "NameTaken"
	ReasonLeftover           = "Leftover"
	ReasonRefused            = "Refused"
	ReasonCredentialsMissing = "CredentialsMissing"
)

// Workload is a part that runs in pods.
type Workload struct {
	Wanted, Replicas, Updated, Ready int32

	Current bool   // whoever runs it has seen what is wanted now
	Stuck   bool   // it gets no further
	Trouble string // what keeps a pod of it from running
}

// settled says whether all pods are as wanted, and no others are left. Those of a part that is not there are not.
func (w *Workload) settled() bool {
	return w != nil && w.Current && w.Replicas == w.Wanted && w.Updated == w.Wanted && w.Ready == w.Wanted
}

func (w *Workload) trouble() string {
	if w == nil {
		return ""
	}
	return w.Trouble
}

// Schema is how far the data is.
type Schema struct {
	Image    string // that it should fit
	Restored bool   // there is nothing to restore any more
	Current  bool
	Failed   bool   // the restore, or the migration
	Stuck    bool   // the pod of either can't start
	Message  string // what it said
	Version  int64
}

// Answer is what another controller says of one of our children.
type Answer struct {
	Status  metav1.ConditionStatus // empty: it has said nothing
	Message string
}

// Backup is what the CronJob of backups has done.
type Backup struct {
	Suspended bool
	Scheduled time.Time // when it began last; zero: never
	Succeeded time.Time // when one that succeeded ended; zero: never
	Failed    bool      // the last one did
	Message   string
}

// check is the answer to one question.
type check struct {
	status          metav1.ConditionStatus
	reason, message string
}

func yes(reason, message string) check    { return check{metav1.ConditionTrue, reason, message} }
func no(reason, message string) check     { return check{metav1.ConditionFalse, reason, message} }
func unsure(reason, message string) check { return check{metav1.ConditionUnknown, reason, message} }

// view is what the checks look at.
type view struct {
	Observed
	*v1alpha1.ChatCluster
}

// untouched says whether the ChatCluster is paused and nothing is known to have been carried out before that.
func (v view) untouched() bool { return v.Waiting && v.Schema.Image == "" }

const neverCarriedOut = "it was made paused, and nothing has been carried out yet; set paused to false to carry it out"

// checks are all conditions but Ready, in the order in which they are shown.
var checks = []struct {
	condition string
	of        func(view) check
}{
	{v1alpha1.ConditionAvailable, view.available},
	{v1alpha1.ConditionUpToDate, view.upToDate},
	{v1alpha1.ConditionDatabaseReady, view.databaseReady},
	{v1alpha1.ConditionRedisReady, view.redisReady},
	{v1alpha1.ConditionSchemaCurrent, view.schemaCurrent},
	{v1alpha1.ConditionExposed, view.exposed},
	{v1alpha1.ConditionBackupHealthy, view.backupHealthy},
	{v1alpha1.ConditionAutoscalingActive, view.autoscalingActive},
	{v1alpha1.ConditionMonitoringInstalled, view.monitoringInstalled},
	{v1alpha1.ConditionPaused, view.paused},
	{v1alpha1.ConditionHibernated, view.hibernated},
	{v1alpha1.ConditionHighlyAvailable, view.highlyAvailable},
}

// Compute returns the status of a ChatCluster, whose defaults are filled in. What did not change is left as it was: a condition
// keeps the time of its last transition for as long as its status is the same (OP8).
func Compute(cluster *v1alpha1.ChatCluster, o Observed) v1alpha1.ChatClusterStatus {
	v := view{Observed: o, ChatCluster: cluster}
	answers := make(map[string]check, len(checks))
	for _, c := range checks {
		answers[c.condition] = c.of(v)
	}
	now := cluster.Status.DeepCopy()
	before := now.Conditions
	now.Conditions = nil
	set := func(condition string, c check) {
		set := metav1.Condition{
			Type: condition, Status: c.status, Reason: c.reason, Message: c.message,
			ObservedGeneration: cluster.Generation, LastTransitionTime: metav1.NewTime(o.Now.UTC().Truncate(time.Second)),
		}
		if old := meta.FindStatusCondition(before, condition); old != nil && old.Status == c.status {
			set.LastTransitionTime = old.LastTransitionTime
		}
		now.Conditions = append(now.Conditions, set)
	}
	set(v1alpha1.ConditionReady, v.ready(answers))
	for _, c := range checks {
		set(c.condition, answers[c.condition])
	}
	now.ObservedGeneration = cluster.Generation
	now.URL = v.url()
	now.Selector = o.Selector
	now.SchemaVersion = max(now.SchemaVersion, o.Schema.Version)
	now.Replicas, now.ReadyReplicas = 0, 0
	if o.Servers != nil {
		now.Replicas, now.ReadyReplicas = o.Servers.Replicas, o.Servers.Ready
		if o.Servers.Current && o.Servers.Updated == o.Servers.Replicas && o.Servers.Replicas > 0 {
			now.Version = versionOf(o.Image)
		}
	}
	if from := cluster.Spec.Bootstrap; from != nil && o.Schema.Restored {
		now.RestoredFrom = from.RestoreFrom
	}
	if o.Backup != nil && !o.Backup.Succeeded.IsZero() {
		now.LastBackupTime = new(metav1.NewTime(o.Backup.Succeeded))
	}
	return *now
}

// needed are the conditions that Ready can't do without, in the order in which a fault of them is told.
var needed = []string{
	v1alpha1.ConditionDatabaseReady, v1alpha1.ConditionSchemaCurrent, v1alpha1.ConditionAvailable,
	v1alpha1.ConditionRedisReady, v1alpha1.ConditionUpToDate,
}

// ready: this generation is carried out, every child has been seen, and the servers answer. What the operator can't look into, such as an
// external Redis, doesn't stand in its way.
func (v view) ready(answers map[string]check) check {
	if v.Spec.Hibernate && !v.Waiting {
		if answers[v1alpha1.ConditionHibernated].status != metav1.ConditionTrue {
			return no("Hibernated", "it is being stopped; set hibernate to false to wake it")
		}
		return no("Hibernated", "everything is stopped; set hibernate to false to wake it")
	}
	if len(v.Faults) > 0 {
		return no(v.Faults[0].Reason, v.Faults[0].String())
	}
	if v.untouched() {
		return no("Paused", neverCarriedOut)
	}
	for _, condition := range needed {
		if c := answers[condition]; c.status == metav1.ConditionFalse {
			return no(c.reason, c.message)
		}
	}
	if c := answers[v1alpha1.ConditionExposed]; v.Spec.Hostname != "" && c.status == metav1.ConditionFalse {
		return no(c.reason, c.message)
	}
	return yes("Ready", answers[v1alpha1.ConditionAvailable].message)
}

func (v view) url() string {
	switch {
	case v.Spec.Hostname == "":
		return "http://" + v.Name + "." + v.Namespace + ".svc"
	case v.Spec.TLS != nil:
		return "https://" + v.Spec.Hostname
	default:
		return "http://" + v.Spec.Hostname
	}
}

// versionOf is the tag of an image, or the beginning of its digest.
func versionOf(image string) string {
	name, digest, pinned := strings.Cut(image, "@")
	if at := strings.LastIndexByte(name, ':'); at > strings.LastIndexByte(name, '/') {
		return name[at+1:]
	}
	if !pinned {
		return "latest"
	}
	return digest[:min(len(digest), len("sha256:")+12)]
}

// troubles are the reasons of what somebody may have to act upon. Those with false are usual at the beginning of a chat, and
// trouble only where it was well before.
var troubles = map[string]bool{
	ReasonNameTaken: true, ReasonRefused: true, ReasonCredentialsMissing: true, "MigrationFailed": true, "RestoreFailed": true,
	"BackupFailed": true, "BackupLate": true, "SecretMissing": true, "GatewayAPIMissing": true, "CertManagerMissing": true,
	"NotAccepted": true, "RollStuck": true, "VolumeCantGrow": true, "MigrationStuck": true, "RestoreStuck": true,
	"NoServerReady": false, "NoEndpoints": false, "NotReady": false,
}

// IsTrouble says whether a condition tells of something that somebody may have to act upon. before is what it was; nil: it is new.
// wasReady says whether the chat has ever been Ready.
func IsTrouble(c, before *metav1.Condition, wasReady bool) bool {
	always, trouble := troubles[c.Reason]
	return trouble && (always || (wasReady && before != nil && before.Status == metav1.ConditionTrue))
}
