package children

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	apps "k8s.io/client-go/applyconfigurations/apps/v1"
	ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/children/scripts"
)

const (
	defaultRedisImage = "docker.io/library/redis:7.4.5"

	redisPort = 6379
)

func (p part) redisFiles() map[string]string {
	s := p.sizes()
	return map[string]string{
		"redis.sh": scripts.Redis,
		"redis.conf": strings.Join([]string{
			"# Written by the operator. Redis holds counters, bells and presence, which the servers put back when they are gone: nothing is kept.",
			"bind * -::*",
			"dir /tmp",
			`save ""`,
			"appendonly no",
			"maxmemory " + s.redisMemory,
			"maxmemory-policy noeviction", // a full Redis says so, and the servers do without; who is here must not vanish one by one
			"client-output-buffer-limit pubsub " + s.redisBacklog + " " + s.redisBacklog + " 10",
			"tcp-keepalive 30",
			"",
		}, "\n"),
	}
}

func (p part) redisConfigMap() Child {
	name := RedisName(p.cluster.Name)
	return Child{
		Kind: kind("", "v1", "ConfigMap"), Name: name,
		Object: owned(p, ac.ConfigMap(name, p.cluster.Namespace).WithData(p.redisFiles())),
	}
}

// redis is a StatefulSet though it keeps nothing: of two pods, the servers would find now this one and now that one, and each
// would count by itself. While its node doesn't answer there is none, and the servers do without (SEQ5, HUB6).
func (p part) redis() Child {
	name := RedisName(p.cluster.Name)
	files := p.redisFiles()
	ping := func() *ac.ProbeApplyConfiguration {
		return execProbe("redis-cli", "-e", "ping").WithTimeoutSeconds(5)
	}
	run := container("redis", p.redisImage()).
		WithCommand("sh", "/etc/gochat/redis.sh").
		WithEnv(secretEnv("REDISCLI_AUTH", name, keyPassword)). // the name by which redis-cli finds it too
		WithPorts(ac.ContainerPort().WithName("redis").WithContainerPort(redisPort).WithProtocol(core.ProtocolTCP)).
		WithResources(p.sizes().redis.resources()).
		WithStartupProbe(ping().WithPeriodSeconds(1).WithFailureThreshold(60)).
		WithReadinessProbe(ping().WithPeriodSeconds(10).WithFailureThreshold(2)).
		WithLivenessProbe(ping().WithPeriodSeconds(30).WithFailureThreshold(3)).
		WithVolumeMounts(mount("config", "/etc/gochat"))
	pod := p.pod(dataUser).
		WithTerminationGracePeriodSeconds(15).
		WithContainers(run).
		WithVolumes(configVolume("config", name))
	return Child{
		Kind: kind("apps", "v1", "StatefulSet"), Name: name,
		Object: owned(p, apps.StatefulSet(name, p.cluster.Namespace).WithSpec(apps.StatefulSetSpec().
			WithReplicas(p.awake()).
			WithServiceName(name).
			WithPodManagementPolicy(appsv1.ParallelPodManagement).
			WithRevisionHistoryLimit(3).
			WithSelector(p.selector()).
			WithTemplate(p.template(pod).WithAnnotations(map[string]string{
				AnnotationConfig: hash(files, p.known.Secrets[name][keyPassword]),
			})))),
	}
}

func (p part) redisImage() string {
	if image := p.cluster.Spec.Redis.Image; image != "" {
		return image
	}
	return defaultRedisImage
}

// managedRedis are the children of a Redis that the operator runs.
func (p part) managedRedis() []Child {
	if p.cluster.Spec.Redis.Type != v1alpha1.RedisManaged {
		return nil
	}
	service := p.service(RedisName(p.cluster.Name), ac.ServiceSpec(), redisPort, "redis")
	return []Child{p.redisConfigMap(), service, p.redis()}
}
