package children

import (
	"fmt"
	"maps"
	"strings"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	apps "k8s.io/client-go/applyconfigurations/apps/v1"
	ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/children/scripts"
)

// defaultPostgresImage is the official image of a fixed version. A new major version can't open the volume of the one before, so
// it never changes by itself: a release that wants one makes it the default of new ChatClusters only.
const defaultPostgresImage = "docker.io/library/postgres:17.6"

const postgresPort = 5432

// postgresImage also runs backups and restores: pg_dump is of the same version as the server.
func (p part) postgresImage() string {
	if image := p.cluster.Spec.Database.Image; image != "" {
		return image
	}
	return defaultPostgresImage
}

// users are the files that give a name to the user whom Postgres runs as, which it must have, whatever image it is: so the pods bring
// their own lists.
func users() map[string]string {
	return map[string]string{
		"passwd": fmt.Sprintf("root:x:0:0:root:/:/bin/sh\npostgres:x:%[1]d:%[1]d:postgres:/tmp:/bin/sh\n", dataUser),
		"group":  fmt.Sprintf("root:x:0:\npostgres:x:%d:\n", dataUser),
	}
}

// asUsers mounts them from a volume.
func asUsers(volume string) []*ac.VolumeMountApplyConfiguration {
	return []*ac.VolumeMountApplyConfiguration{
		mount(volume, "/etc/passwd").WithSubPath("passwd"),
		mount(volume, "/etc/group").WithSubPath("group"),
	}
}

// postgresFiles are the script and what it reads.
func (p part) postgresFiles() map[string]string {
	files := users()
	maps.Copy(files, map[string]string{
		"postgres.sh":     scripts.Postgres,
		"postgresql.conf": p.postgresConfig(),
		"pg_hba.conf": `# Who may connect, and how. The administrator only from inside the container; nobody without a password from outside.
# The second line is for the probes, which only ask: who is not in any line fills the log.
local  all       postgres     peer
local  "gochat"  gochat       scram-sha-256
host   "gochat"  gochat  all  scram-sha-256
`,
	})
	return files
}

func (p part) postgresConfig() string {
	s := p.sizes()
	var b strings.Builder
	b.WriteString("# Written by the operator. ALTER SYSTEM goes first.\n")
	for _, line := range [][2]string{
		{"listen_addresses", "'*'"},
		{"unix_socket_directories", "'/tmp'"},
		{"password_encryption", "scram-sha-256"},
		{"max_connections", fmt.Sprint(s.postgresConnections)},
		{"shared_buffers", s.postgresBuffers},
		{"effective_cache_size", s.postgresCache},
		{"work_mem", s.postgresWork},
		{"maintenance_work_mem", s.postgresMaintenance},
		{"max_wal_size", s.postgresWAL},
		{"min_wal_size", "80MB"},
		{"wal_level", "minimal"}, // nothing is replicated
		{"max_wal_senders", "0"},
		{"wal_compression", "on"},
		{"checkpoint_completion_target", "0.9"},
		{"random_page_cost", "1.1"},
		{"max_parallel_workers_per_gather", "0"}, // each query of the servers is small, and each worker costs memory
		{"max_parallel_maintenance_workers", "0"},
		{"max_worker_processes", "2"},
		{"max_logical_replication_workers", "0"},
		{"autovacuum_max_workers", "1"},
		{"jit", "off"},
		{"log_destination", "stderr"},
		{"logging_collector", "off"},
		{"log_line_prefix", "'%m [%p] %q%u@%d/%a '"},
		{"log_min_duration_statement", "1s"},
		{"log_parameter_max_length", "0"}, // what people write is none of the log's
		{"log_parameter_max_length_on_error", "0"},
		{"log_checkpoints", "off"},
		{"log_timezone", "UTC"},
		{"timezone", "UTC"},
	} {
		fmt.Fprintf(&b, "%s = %s\n", line[0], line[1])
	}
	return b.String()
}

// postgresClaim is the volume of the database: a child of its own and no template of the StatefulSet, so that it grows when its
// size is edited and goes or stays as deletionPolicy says.
func (p part) postgresClaim() Child {
	storage := p.cluster.Spec.Database.Storage
	name := PostgresName(p.cluster.Name)
	return p.claim(name, *storage.Size, storage.StorageClassName)
}

// claim is a volume that outlives the ChatCluster under deletionPolicy Retain (OP5).
func (p part) claim(name string, size resource.Quantity, class string) Child {
	spec := ac.PersistentVolumeClaimSpec().
		WithAccessModes(core.ReadWriteOnce).
		WithResources(ac.VolumeResourceRequirements().WithRequests(core.ResourceList{core.ResourceStorage: size}))
	if class != "" {
		spec = spec.WithStorageClassName(class)
	}
	return Child{
		Kind: kind("", "v1", "PersistentVolumeClaim"), Name: name, Kept: p.keeps(),
		Object: treasured(p, ac.PersistentVolumeClaim(name, p.cluster.Namespace).WithSpec(spec)),
	}
}

func (p part) postgresConfigMap() Child {
	name := PostgresName(p.cluster.Name)
	return Child{
		Kind: kind("", "v1", "ConfigMap"), Name: name,
		Object: owned(p, ac.ConfigMap(name, p.cluster.Namespace).WithData(p.postgresFiles())),
	}
}

// postgresService is headless: there is one pod, and its address is found by DNS without a proxy in between.
func (p part) postgresService() Child {
	return p.service(PostgresName(p.cluster.Name), ac.ServiceSpec().WithClusterIP(core.ClusterIPNone), postgresPort, "postgres")
}

// postgres is a StatefulSet, of which never two pods run at once, not even where a node does not answer: they would share
// the volume. Parallel, so that a pod which can't start doesn't hold up its own replacement.
func (p part) postgres() Child {
	name := PostgresName(p.cluster.Name)
	files := p.postgresFiles()
	ready := func() *ac.ProbeApplyConfiguration {
		return execProbe("pg_isready", "--quiet", "--host=/tmp", "--username=gochat", "--dbname=gochat").WithTimeoutSeconds(5)
	}
	run := container("postgres", p.postgresImage()).
		WithCommand("sh", "/etc/gochat/postgres.sh").
		WithEnv(env("DATA_DIR", "/data"), secretEnv("POSTGRES_PASSWORD", name, keyPassword)).
		WithPorts(ac.ContainerPort().WithName("postgres").WithContainerPort(postgresPort).WithProtocol(core.ProtocolTCP)).
		WithResources(p.sizes().postgres.resources()).
		// Mending after a crash may take long, and must not be cut off.
		WithStartupProbe(ready().WithPeriodSeconds(1).WithFailureThreshold(600)).
		WithReadinessProbe(ready().WithPeriodSeconds(10).WithFailureThreshold(2)).
		WithLivenessProbe(ready().WithPeriodSeconds(30).WithFailureThreshold(4)).
		WithVolumeMounts(mount("data", "/data"), mount("config", "/etc/gochat")).
		WithVolumeMounts(asUsers("config")...)
	pod := p.pod(dataUser).
		WithTerminationGracePeriodSeconds(120).
		WithContainers(run).
		WithVolumes(configVolume("config", name), claimVolume("data", name))
	return Child{
		Kind: kind("apps", "v1", "StatefulSet"), Name: name,
		Object: owned(p, apps.StatefulSet(name, p.cluster.Namespace).WithSpec(apps.StatefulSetSpec().
			WithServiceName(name).WithReplicas(p.awake()).WithPodManagementPolicy("Parallel").
			WithRevisionHistoryLimit(3).
			WithSelector(p.selector()).
			WithTemplate(p.template(pod).WithAnnotations(map[string]string{
				AnnotationConfig: hash(files, p.known.Secrets[name][keyPassword]),
			})))),
	}
}

// managedPostgres are the children of a Postgres that the operator runs.
func (p part) managedPostgres() []Child {
	if p.cluster.Spec.Database.Type != v1alpha1.DatabaseManaged {
		return nil
	}
	return []Child{p.postgresClaim(), p.postgresConfigMap(), p.postgresService(), p.postgres()}
}

// awake is the number of pods of what there is one of. It goes to sleep after the servers, which need it until they have drained.
func (p part) awake() int32 {
	if p.cluster.Spec.Hibernate && !p.known.ServersThere {
		return 0
	}
	return 1
}
