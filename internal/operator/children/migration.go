package children

import (
	core "k8s.io/api/core/v1"
	batch "k8s.io/client-go/applyconfigurations/batch/v1"
	ac "k8s.io/client-go/applyconfigurations/core/v1"
)

const (
	adminFolder = "/etc/gochat/admin"

	// waitForDatabase is for how long a job tries to reach a database that is only starting.
	waitForDatabase = "5m"
)

// migrationName is the Job that brings the schema up to date for the wanted image. It has a name for each image and each database, as
// a Job can't be changed: another one takes its place (OP6). What else its pod is made of is no reason to migrate again.
func (p part) migrationName() string {
	return p.cluster.Name + "-migrate-" + hash(ServerImage(p.cluster, p.known), ExternalDatabase(p.cluster))
}

// migration brings the schema up to date and then makes the first administrator, if there is none. While hibernating there is no
// database to work on: it waits.
func (p part) migration() ([]Child, error) {
	if !p.known.Restored || p.cluster.Spec.Hibernate {
		return nil, nil
	}
	pod, err := p.placed(p.pod(serverUser))
	if err != nil {
		return nil, err
	}
	image := ServerImage(p.cluster, p.known)
	admin := AdminName(p.cluster.Name)
	pod = pod.
		WithRestartPolicy(core.RestartPolicyNever). // each try leaves its log
		WithInitContainers(p.migrateContainer(image)).
		WithContainers(container("administrator", image).
			WithArgs("admin", "create", "--if-none", "--username=$(ADMIN_USERNAME)", "--password-file="+adminFolder+"/"+keyPassword).
			WithEnv(append(p.migrationEnv(), secretEnv("ADMIN_USERNAME", admin, keyUsername))...).
			WithResources(p.sizes().job.resources()).
			WithVolumeMounts(mount("admin", adminFolder).WithReadOnly(true))).
		WithVolumes(secretVolume("admin", admin, keyPassword, keyPassword))
	return []Child{p.job(p.migrationName(), pod)}, nil
}

// awaitContainer ends when the database takes connections.
func (p part) awaitContainer(image string) *ac.ContainerApplyConfiguration {
	return container("await", image).
		WithArgs("migrate", "status", "--wait="+waitForDatabase).
		WithEnv(p.migrationEnv()...).
		WithResources(p.sizes().job.resources())
}

// migrateContainer reports the version that the schema has then as its termination message: {"schema":12}.
func (p part) migrateContainer(image string) *ac.ContainerApplyConfiguration {
	return container("migrate", image).
		WithArgs("migrate", "--wait="+waitForDatabase, "--report="+core.TerminationMessagePathDefault).
		WithEnv(p.migrationEnv()...).
		WithResources(p.sizes().job.resources())
}

// job runs a pod until it succeeds, five times at most.
func (p part) job(name string, pod *ac.PodSpecApplyConfiguration) Child {
	return Child{
		Kind: kind("batch", "v1", "Job"), Name: name, Once: true,
		Object: owned(p, batch.Job(name, p.cluster.Namespace).WithSpec(batch.JobSpec().
			WithBackoffLimit(4).
			WithTemplate(p.template(pod)))),
	}
}
