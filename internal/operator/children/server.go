package children

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	apps "k8s.io/client-go/applyconfigurations/apps/v1"
	ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// defaultServerImage is followed by the operator's own release.
const defaultServerImage = "ghcr.io/gochat-dev/server:"

const keysFolder = "/etc/gochat/keys"

// What a server that is to go needs besides its drain, in seconds (OP7).
const (
	preStopSeconds = 5  // until those who send people here know that it is going
	marginSeconds  = 15 // for what is under way after the drain
)

// ServerImage is the image that the servers of a ChatCluster should run.
func ServerImage(cluster *v1alpha1.ChatCluster, known Known) string {
	if image := cluster.Spec.Server.Image; image != "" {
		return image
	}
	return defaultServerImage + known.Release
}

// Replicas is how many servers there should be: spec.server.replicas, within what autoscaling allows unless it is 0, and none while
// hibernating (OP4). Nothing else decides about it.
func Replicas(cluster *v1alpha1.ChatCluster) int32 {
	spec := Defaulted(cluster).Spec
	n := *spec.Server.Replicas
	if spec.Autoscaling != nil && n > 0 { // 0 is what no autoscaler wants, but somebody
		n = max(spec.Autoscaling.MinReplicas, min(n, spec.Autoscaling.MaxReplicas))
	}
	if spec.Redis.Type == v1alpha1.RedisNone {
		n = min(n, 1)
	}
	if spec.Hibernate {
		n = 0
	}
	return n
}

// server is the Deployment of the servers; there is none before the schema is current for the first of them (OP6).
func (p part) server() ([]Child, error) {
	image := ServerImage(p.cluster, p.known)
	if !p.known.Migrated || !p.known.Restored {
		if image = p.known.Serving; image == "" {
			return nil, nil
		}
		p = p.asServed()
	}
	pod, err := p.serverPod(image)
	if err != nil {
		return nil, err
	}
	annotations := map[string]string{AnnotationConfig: p.serverSecretsHash()}
	if p.known.Given != "" {
		annotations[AnnotationGiven] = p.known.Given
	}
	name := ServerName(p.cluster.Name)
	return []Child{{
		Kind: kind("apps", "v1", "Deployment"), Name: name,
		Object: owned(p, apps.Deployment(name, p.cluster.Namespace).WithSpec(apps.DeploymentSpec().
			WithReplicas(Replicas(p.cluster)).
			WithStrategy(p.strategy()).
			WithMinReadySeconds(5).
			WithRevisionHistoryLimit(5).
			WithSelector(p.selector()).
			WithTemplate(p.template(pod).WithAnnotations(annotations)))),
	}}, nil
}

// asServed is the same with the database that the servers use now.
func (p part) asServed() part {
	if p.cluster.Spec.Database.Type == v1alpha1.DatabaseExternal && p.known.ServingDatabase.SecretName != "" {
		p.cluster = p.cluster.DeepCopy()
		p.cluster.Spec.Database.External = &p.known.ServingDatabase
	}
	return p
}

// strategy replaces one server at a time, the new one first. Two that have no Redis to find each other through, or different
// databases, never run together.
func (p part) strategy() *apps.DeploymentStrategyApplyConfiguration {
	if p.cluster.Spec.Redis.Type == v1alpha1.RedisNone || p.known.Moving {
		return apps.DeploymentStrategy().WithType(appsv1.RecreateDeploymentStrategyType)
	}
	return apps.DeploymentStrategy().WithType(appsv1.RollingUpdateDeploymentStrategyType).
		WithRollingUpdate(apps.RollingUpdateDeployment().
			WithMaxSurge(intstr.FromInt32(1)).WithMaxUnavailable(intstr.FromInt32(0)))
}

// serverSecretsHash changes with the credentials that a server reads at its start only. The keys of access tokens are none of them: they
// are a file that is read again.
func (p part) serverSecretsHash() string {
	var read []any
	if p.cluster.Spec.Database.Type == v1alpha1.DatabaseManaged {
		read = append(read, PostgresName(p.cluster.Name), p.known.Secrets[PostgresName(p.cluster.Name)][keyPassword])
	}
	if p.cluster.Spec.Redis.Type == v1alpha1.RedisManaged {
		read = append(read, RedisName(p.cluster.Name), p.known.Secrets[RedisName(p.cluster.Name)][keyPassword])
	}
	return hash(read...)
}

func (p part) serverPod(image string) (*ac.PodSpecApplyConfiguration, error) {
	spec := p.cluster.Spec.Server
	environment, err := p.serverEnv()
	if err != nil {
		return nil, err
	}
	resources := p.serverResources()
	port := func(name string, number int32) *ac.ContainerPortApplyConfiguration {
		return ac.ContainerPort().WithName(name).WithContainerPort(number).WithProtocol(core.ProtocolTCP)
	}
	run := container("server", image).
		WithEnv(environment...).
		WithPorts(port("http", httpPort), port("admin", adminPort)).
		WithResources(ac.ResourceRequirements().WithRequests(resources.Requests).WithLimits(resources.Limits)).
		WithStartupProbe(httpProbe("/livez", "admin").WithPeriodSeconds(1).WithTimeoutSeconds(2).WithFailureThreshold(90)).
		WithReadinessProbe(httpProbe("/readyz", "http").WithPeriodSeconds(5).WithTimeoutSeconds(4).WithFailureThreshold(2)).
		WithLivenessProbe(httpProbe("/livez", "admin").WithPeriodSeconds(10).WithTimeoutSeconds(5).WithFailureThreshold(6)).
		WithLifecycle(ac.Lifecycle().WithPreStop(ac.LifecycleHandler().
			WithSleep(ac.SleepAction().WithSeconds(preStopSeconds)))).
		WithVolumeMounts(mount("keys", keysFolder).WithReadOnly(true))
	pod, err := p.placed(p.pod(serverUser))
	if err != nil {
		return nil, err
	}
	return pod.
		WithTerminationGracePeriodSeconds(int64(preStopSeconds + spec.DrainSeconds + marginSeconds)).
		WithContainers(run).
		WithVolumes(secretVolume("keys", KeysName(p.cluster.Name), keyJWKSet, keyJWKSet)).
		WithTopologySpreadConstraints(p.spread()...), nil
}

// placed puts a pod where the ChatCluster wants the servers.
func (p part) placed(pod *ac.PodSpecApplyConfiguration) (*ac.PodSpecApplyConfiguration, error) {
	where := p.cluster.Spec.Server.Pod
	if len(where.NodeSelector) > 0 {
		pod = pod.WithNodeSelector(where.NodeSelector)
	}
	if where.PriorityClassName != "" {
		pod = pod.WithPriorityClassName(where.PriorityClassName)
	}
	for _, t := range where.Tolerations {
		toleration, err := convert[ac.TolerationApplyConfiguration](t)
		if err != nil {
			return nil, fmt.Errorf("spec.server.pod.tolerations: %w", err)
		}
		pod = pod.WithTolerations(toleration)
	}
	return pod, nil
}

// spread keeps the servers apart: over the zones and nodes as evenly as can be. HA insists on it for nodes, among those that
// would take a server at all: two on one node are no more available than one.
func (p part) spread() []*ac.TopologySpreadConstraintApplyConfiguration {
	over := func(key string, otherwise core.UnsatisfiableConstraintAction) *ac.TopologySpreadConstraintApplyConfiguration {
		return ac.TopologySpreadConstraint().
			WithMaxSkew(1).WithTopologyKey(key).WithWhenUnsatisfiable(otherwise).
			WithNodeTaintsPolicy(core.NodeInclusionPolicyHonor).
			WithLabelSelector(p.selector()).
			WithMatchLabelKeys(appsv1.DefaultDeploymentUniqueLabelKey) // of a roll only the new ones count
	}
	nodes := core.ScheduleAnyway
	if p.cluster.Spec.Profile == v1alpha1.ProfileHA {
		nodes = core.DoNotSchedule
	}
	return []*ac.TopologySpreadConstraintApplyConfiguration{
		over(core.LabelTopologyZone, core.ScheduleAnyway),
		over(core.LabelHostname, nodes),
	}
}
