package controller

import (
	"encoding/json"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/children"
	"github.com/gochat-dev/gochat/internal/operator/status"
)

// gate finds out how far the data is: the servers of an image start when the schema is current for it, and nothing starts before
// the data is there (OP6). Servers that run, or did before somebody deleted the Job, are proof as well.
func (p *pass) gate() {
	p.known.Serving, p.known.ServingDatabase = p.serving()
	image, database := children.ServerImage(p.spec, p.known), children.ExternalDatabase(p.spec)
	restore := get[*batchv1.Job](p, children.RestoreName(p.cluster.Name))
	p.known.RestoreThere = jobIs(restore, batchv1.JobComplete)
	p.known.Restored = p.restored()
	job := p.migrationOf(image, database)
	served := p.known.Serving == image && p.known.ServingDatabase == database
	p.known.Migrated = served || jobIs(job, batchv1.JobComplete)
	p.known.Moving = p.moving(database)
	p.known.ServersThere = len(p.running(children.Server)) > 0
	p.schema = status.Schema{Image: image, Current: p.known.Migrated, Restored: p.known.Restored}
	if !p.known.Restored {
		p.schema.Failed = jobIs(restore, batchv1.JobFailed)
		p.schema.Message, p.schema.Stuck = p.wordsOf(restore), p.cannotStart(restore)
		return
	}
	p.schema.Failed = !p.known.Migrated && jobIs(job, batchv1.JobFailed)
	p.schema.Stuck = !p.known.Migrated && p.cannotStart(job)
	p.schema.Message = p.wordsOf(job)
	p.schema.Version = p.schemaVersion()
}

// restored says whether bootstrap.restoreFrom has been carried out, or there is nothing to restore. Once it has, that is kept in the status, for
// its Job and the servers may be deleted (OP2); what the cache has not seen of the status yet, the memory knows.
func (p *pass) restored() bool {
	bootstrap := p.spec.Spec.Bootstrap
	if bootstrap == nil || bootstrap.RestoreFrom == "" {
		return true
	}
	p.memory.restored = p.memory.restored || p.known.RestoreThere || p.known.Serving != "" || p.cluster.Status.RestoredFrom == bootstrap.RestoreFrom
	return p.memory.restored
}

// moving says whether there are servers that use another database than those that are to run now. Until none of them is left,
// those don't start.
func (p *pass) moving(wanted v1alpha1.ExternalSpec) bool {
	if p.known.Serving == "" {
		return false
	}
	if !p.known.Migrated || !p.known.Restored {
		wanted = p.known.ServingDatabase
	}
	return p.known.ServingDatabase != wanted || slices.ContainsFunc(p.running(children.Server), func(pod *corev1.Pod) bool {
		return children.ExternalDatabaseOf(pod.Spec) != wanted
	})
}

// serving is the image that the Deployment of the servers has now, and the external database.
func (p *pass) serving() (image string, database v1alpha1.ExternalSpec) {
	deployment := get[*appsv1.Deployment](p, children.ServerName(p.cluster.Name))
	if deployment == nil || !p.owns(deployment) || len(deployment.Spec.Template.Spec.Containers) == 0 {
		return "", database
	}
	pod := deployment.Spec.Template.Spec
	return pod.Containers[0].Image, children.ExternalDatabaseOf(pod)
}

// migrationOf is the Job that migrates a database for an image: the one that has ended well, if there are several.
func (p *pass) migrationOf(image string, database v1alpha1.ExternalSpec) *batchv1.Job {
	var found *batchv1.Job
	for _, object := range p.there {
		job, ok := object.(*batchv1.Job)
		if !ok || job.Labels[children.LabelComponent] != string(children.Migration) || !p.owns(job) {
			continue
		}
		if pod := job.Spec.Template.Spec; len(pod.Containers) == 0 || pod.Containers[0].Image != image || children.ExternalDatabaseOf(pod) != database {
			continue
		}
		if found == nil || jobIs(job, batchv1.JobComplete) || job.CreationTimestamp.After(found.CreationTimestamp.Time) {
			found = job
		}
		if jobIs(found, batchv1.JobComplete) {
			break
		}
	}
	return found
}

func jobIs(job *batchv1.Job, condition batchv1.JobConditionType) bool {
	if job == nil {
		return false
	}
	for _, c := range job.Status.Conditions {
		if c.Type == condition && c.Status == corev1.ConditionTrue {
			return true
		}
	}
	return false
}

// schemaVersion is what the migration that ended last reports: {"schema":12} as the termination message of its container.
func (p *pass) schemaVersion() int64 {
	version := p.cluster.Status.SchemaVersion
	for _, pod := range p.podsOf(children.Migration) {
		for _, container := range pod.Status.InitContainerStatuses {
			var report struct {
				Schema int64 `json:"schema"`
			}
			end := container.State.Terminated
			if end != nil && end.ExitCode == 0 && json.Unmarshal([]byte(end.Message), &report) == nil {
				version = max(version, report.Schema)
			}
		}
	}
	return version
}

// lastWords is what the newest pod of a part said when it failed, or why it can't start.
func (p *pass) lastWords(component children.Component) string {
	return trouble(newest(p.podsOf(component)))
}

func newest(pods []*corev1.Pod) *corev1.Pod {
	var newest *corev1.Pod
	for _, pod := range pods {
		if newest == nil || pod.CreationTimestamp.After(newest.CreationTimestamp.Time) {
			newest = pod
		}
	}
	return newest
}

// podOf is the newest pod of a job, or nil.
func (p *pass) podOf(job *batchv1.Job) *corev1.Pod {
	if job == nil {
		return nil
	}
	return newest(slices.DeleteFunc(slices.Clone(p.pods.all), func(pod *corev1.Pod) bool { return pod.Labels[batchv1.JobNameLabel] != job.Name }))
}

// wordsOf is what is to be said of a job that has not ended well.
func (p *pass) wordsOf(job *batchv1.Job) string {
	pod := p.podOf(job)
	if pod == nil && job != nil && !jobIs(job, batchv1.JobFailed) {
		return noPod("job", job.Name)
	}
	return trouble(pod)
}

// noPod says where to look when a quota or a policy lets no pod be made: events say that, and nothing else does.
func noPod(kind, name string) string {
	return "there is no pod of it; if none comes, kubectl describe " + kind + " " + name + " says why"
}

// stuckAfter is for how long a pod of a job may not start before that is trouble: a registry may be away for a moment.
const stuckAfter = time.Minute

// cannotStart says whether the newest pod of a job waits for what it will hardly get: an image that is not there, or a Secret.
func (p *pass) cannotStart(job *batchv1.Job) bool {
	pod := p.podOf(job)
	if pod == nil || pod.Status.Phase != corev1.PodPending {
		return false
	}
	waits := slices.ContainsFunc(slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses), func(c corev1.ContainerStatus) bool {
		w := c.State.Waiting
		return w != nil && w.Reason != "" && w.Reason != "PodInitializing" && w.Reason != "ContainerCreating"
	})
	left := pod.CreationTimestamp.Add(stuckAfter).Sub(p.now())
	if waits && left > 0 {
		p.lookAgainIn(left)
	}
	return waits && left <= 0
}
