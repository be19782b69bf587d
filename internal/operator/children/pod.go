package children

import (
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	ac "k8s.io/client-go/applyconfigurations/core/v1"
)

// The users that pods run as: our own image's, and that of the official images of Postgres and Redis (Debian).
const (
	serverUser = 65532
	dataUser   = 999
)

// pod is the beginning of every pod: restricted (OP12), without access to the API server, without variables
// for each Service of the namespace (a Service called gochat would make some that look like settings), and with a /tmp.
func (p part) pod(user int64) *ac.PodSpecApplyConfiguration {
	return ac.PodSpec().
		WithServiceAccountName(p.cluster.Name).
		WithAutomountServiceAccountToken(false).
		WithEnableServiceLinks(false).
		WithSecurityContext(ac.PodSecurityContext().
			WithRunAsNonRoot(true).WithRunAsUser(user).WithRunAsGroup(user).
			WithFSGroup(user).WithFSGroupChangePolicy(core.FSGroupChangeOnRootMismatch).
			WithSeccompProfile(ac.SeccompProfile().WithType(core.SeccompProfileTypeRuntimeDefault))).
		WithVolumes(ac.Volume().WithName("tmp").WithEmptyDir(ac.EmptyDirVolumeSource()))
}

// template is a pod with the labels of its part.
func (p part) template(spec *ac.PodSpecApplyConfiguration) *ac.PodTemplateSpecApplyConfiguration {
	return ac.PodTemplateSpec().WithLabels(p.labels()).WithSpec(spec)
}

// container is the beginning of every container. What it says when it fails is found in its state: the end of its log, where
// it wrote nothing to the file for that.
func container(name, image string) *ac.ContainerApplyConfiguration {
	return ac.Container().WithName(name).WithImage(image).
		WithTerminationMessagePolicy(core.TerminationMessageFallbackToLogsOnError).
		WithSecurityContext(ac.SecurityContext().
			WithAllowPrivilegeEscalation(false).
			WithReadOnlyRootFilesystem(true).
			WithCapabilities(ac.Capabilities().WithDrop("ALL"))).
		WithVolumeMounts(ac.VolumeMount().WithName("tmp").WithMountPath("/tmp"))
}

func env(name, value string) *ac.EnvVarApplyConfiguration {
	return ac.EnvVar().WithName(name).WithValue(value)
}

func secretEnv(name, secret, key string) *ac.EnvVarApplyConfiguration {
	return ac.EnvVar().WithName(name).WithValueFrom(ac.EnvVarSource().
		WithSecretKeyRef(ac.SecretKeySelector().WithName(secret).WithKey(key)))
}

// secretVolume makes a volume of one key of a Secret, readable by the pod's group only.
func secretVolume(name, secret, key, path string) *ac.VolumeApplyConfiguration {
	return ac.Volume().WithName(name).WithSecret(ac.SecretVolumeSource().
		WithSecretName(secret).WithDefaultMode(0o440).
		WithItems(ac.KeyToPath().WithKey(key).WithPath(path)))
}

func configVolume(name, configMap string) *ac.VolumeApplyConfiguration {
	return ac.Volume().WithName(name).WithConfigMap(ac.ConfigMapVolumeSource().WithName(configMap).WithDefaultMode(0o444))
}

func claimVolume(name, claim string) *ac.VolumeApplyConfiguration {
	return ac.Volume().WithName(name).WithPersistentVolumeClaim(ac.PersistentVolumeClaimVolumeSource().WithClaimName(claim))
}

func mount(volume, path string) *ac.VolumeMountApplyConfiguration {
	return ac.VolumeMount().WithName(volume).WithMountPath(path)
}

func httpProbe(path, port string) *ac.ProbeApplyConfiguration {
	return ac.Probe().WithHTTPGet(ac.HTTPGetAction().WithPath(path).WithPort(intstr.FromString(port)))
}

func execProbe(command ...string) *ac.ProbeApplyConfiguration {
	return ac.Probe().WithExec(ac.ExecAction().WithCommand(command...))
}
