package children

import (
	"maps"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	batch "k8s.io/client-go/applyconfigurations/batch/v1"
	ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/gochat-dev/gochat/internal/operator/children/scripts"
)

const (
	scriptsFolder = "/etc/gochat"
	backupFolder  = "/backup"
	restoreFolder = "/restore"
)

// restoreFrom is what bootstrap names, CLAIM or CLAIM/FILE; empty: nothing.
func (p part) restoreFrom() string {
	if b := p.cluster.Spec.Bootstrap; b != nil {
		return b.RestoreFrom
	}
	return ""
}

// scripts are those of backups and restores.
func (p part) scripts() []Child {
	if p.cluster.Spec.Backup == nil && p.restoreFrom() == "" {
		return nil
	}
	name := ScriptsName(p.cluster.Name)
	files := users()
	maps.Copy(files, map[string]string{
		"database.sh": scripts.Database, "backup.sh": scripts.Backup, "restore.sh": scripts.Restore,
	})
	return []Child{{
		Kind: kind("", "v1", "ConfigMap"), Name: name,
		Object: owned(p, ac.ConfigMap(name, p.cluster.Namespace).WithData(files)),
	}}
}

// scriptContainer runs a script with the programs of Postgres.
func (p part) scriptContainer(script string) *ac.ContainerApplyConfiguration {
	return container(string(p.Component), p.postgresImage()).
		WithCommand("sh", scriptsFolder+"/"+script).
		WithEnv(p.migrationEnv()...).
		WithResources(p.sizes().job.resources()).
		WithVolumeMounts(mount("scripts", scriptsFolder)).
		WithVolumeMounts(asUsers("scripts")...)
}

// backup dumps the database to a volume of its own, which is as large as that of the database.
func (p part) backup() []Child {
	spec := p.cluster.Spec
	if spec.Backup == nil {
		return nil
	}
	name := BackupName(p.cluster.Name)
	claim := p.claim(name, *spec.Database.Storage.Size, spec.Database.Storage.StorageClassName)
	pod := p.pod(dataUser).
		WithRestartPolicy(core.RestartPolicyNever).
		WithContainers(p.scriptContainer("backup.sh").
			WithEnv(env("BACKUP_DIR", backupFolder), env("KEEP", strconv.Itoa(int(spec.Backup.Keep)))).
			WithVolumeMounts(mount("backup", backupFolder))).
		WithVolumes(configVolume("scripts", ScriptsName(p.cluster.Name)), claimVolume("backup", name))
	job := batch.JobSpec().WithBackoffLimit(2).WithTemplate(p.template(pod))
	return []Child{claim, {
		Kind: kind("batch", "v1", "CronJob"), Name: name,
		Object: owned(p, batch.CronJob(name, p.cluster.Namespace).WithSpec(batch.CronJobSpec().
			WithSchedule(spec.Backup.Schedule).WithTimeZone("Etc/UTC").
			WithSuspend(spec.Hibernate).
			WithConcurrencyPolicy(batchv1.ForbidConcurrent).
			WithStartingDeadlineSeconds(3600).
			WithSuccessfulJobsHistoryLimit(1).WithFailedJobsHistoryLimit(2).
			WithJobTemplate(batch.JobTemplateSpec().WithLabels(p.labels()).WithSpec(job)))),
	}}
}

// restore reads a dump into the empty database, in an epoch of its own, and brings its schema up to date. Where it was carried out, the script
// does nothing: a ChatCluster that is created again finds its volume, and asks for a restore once more. The Job that has ended well stays, for
// its log, until somebody deletes it; nobody makes it again then. While hibernating there is no database for one to work on.
func (p part) restore() []Child {
	from, asleep := p.restoreFrom(), p.cluster.Spec.Hibernate
	if from == "" || ((asleep || p.known.Restored) && !p.known.RestoreThere) {
		return nil
	}
	claim, _, _ := strings.Cut(from, "/")
	image := ServerImage(p.cluster, p.known)
	pod := p.pod(dataUser).
		WithRestartPolicy(core.RestartPolicyNever).
		WithInitContainers(
			p.awaitContainer(image),
			p.scriptContainer("restore.sh").
				WithEnv(env("RESTORE_FROM", from), env("RESTORE_DIR", restoreFolder)).
				WithVolumeMounts(mount("dumps", restoreFolder).WithReadOnly(true)),
		).
		WithContainers(p.migrateContainer(image)).
		WithVolumes(
			configVolume("scripts", ScriptsName(p.cluster.Name)),
			ac.Volume().WithName("dumps").WithPersistentVolumeClaim(
				ac.PersistentVolumeClaimVolumeSource().WithClaimName(claim).WithReadOnly(true)),
		)
	return []Child{p.job(RestoreName(p.cluster.Name), pod)}
}
