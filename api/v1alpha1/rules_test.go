package v1alpha1_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gochat-dev/gochat/internal/settings"
)

// TestTaken are specs that the server takes: the near side of each bound.
func TestTaken(t *testing.T) {
	s := newStage(t)
	for i, spec := range []string{
		"{profile: Small}", "{profile: Standard}", "{profile: HA}",
		"{hostname: ''}", "{hostname: localhost}", "{hostname: chat.example.com}", "{hostname: 1-2-3.example.com}",
		"{hostname: " + strings.Repeat("a", 63) + ".example.com}",
		"{server: {replicas: 0}}", "{server: {replicas: 100}}",
		"{server: {drainSeconds: 5}}", "{server: {drainSeconds: 3600}}",
		"{server: {web: None}}", "{server: {image: 'registry.example.com:5000/chat@sha256:" + strings.Repeat("0", 64) + "'}}",
		"{server: {resources: {requests: {cpu: 1, memory: 64Mi}, limits: {memory: 128Mi}}}}",
		"{server: {env: [{name: GOCHAT_LOG_LEVEL, value: debug}]}}",
		"{server: {env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]}}",
		"{server: {env: [" + list(64, "{name: E%d, value: x}") + "]}}",
		"{server: {trustedProxies: [10.0.0.7, 10.0.0.0/8, 'fd00::/8', '::1']}}",
		"{server: {pod: {nodeSelector: {disk: fast}, tolerations: [{key: chat, operator: Exists, effect: NoSchedule}], priorityClassName: high}}}",
		"{auth: {registration: InviteOnly}}", "{auth: {registration: Closed, guests: true}}",
		"{autoscaling: {minReplicas: 100, maxReplicas: 100, targetConnections: 1, provider: HPA, scaleDownStabilizationSeconds: 0}}",
		"{autoscaling: {maxReplicas: 1, scaleDownStabilizationSeconds: 3600}}",
		"{database: {type: External, external: {secretName: pg}}}",
		"{database: {type: External, external: {secretName: pg, key: DATABASE_URL}}}",
		"{database: {storage: {size: 20Gi, storageClassName: fast}}}", "{database: {storage: {size: 2147483648}}}",
		"{redis: {type: External, external: {secretName: valkey, key: url}}}",
		"{redis: {type: None}}", "{redis: {type: None}, server: {replicas: 0}}",
		"{hostname: a.example, gateway: {name: public, namespace: infra, sectionName: https}}",
		"{hostname: a.example, ingress: {className: nginx, annotations: {a.example/b: c}}}",
		"{hostname: a.example, tls: {secretName: cert}}", "{hostname: a.example, tls: {issuerRef: {name: own, kind: Issuer}}}",
		"{backup: {schedule: '*/5 0-6,12 * JAN-MAR MON', keep: 1}}", "{backup: {schedule: '@hourly', keep: 1000}}",
		"{bootstrap: {restoreFrom: chat-backup}}", "{bootstrap: {restoreFrom: chat-backup/2026-01-02T030000Z.dump}}",
		"{deletionPolicy: Delete}", "{hibernate: true}", "{paused: true}", "{networkPolicy: false}",
		"{monitoring: Enabled}", "{monitoring: Disabled}",
	} {
		t.Run(spec, func(t *testing.T) {
			if err := s.take(s.chat(fmt.Sprintf("chat-%d", i), spec)); err != nil {
				t.Error(err)
			}
		})
	}
}

// list repeats an item with its number.
func list(n int, item string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf(item, i)
	}
	return strings.Join(items, ", ")
}

// TestRefused are specs that the server refuses: the field that it names, and what it says.
func TestRefused(t *testing.T) {
	s := newStage(t)
	for _, c := range []struct{ spec, field, words string }{
		{"{profile: Huge}", "spec.profile", `supported values: "Small", "Standard", "HA"`},
		{"{hostname: Chat.example.com}", "spec.hostname", "should match"},
		{"{hostname: 'https://chat.example.com'}", "spec.hostname", "should match"},
		{"{hostname: '*.example.com'}", "spec.hostname", "should match"},
		{"{hostname: " + strings.Repeat("a", 64) + ".example.com}", "spec.hostname", "should match"},
		{"{hostname: " + strings.Repeat("a.", 127) + "a}", "spec.hostname", "may not be more than 253"},
		{"{hostname: 10.0.0.7}", "spec.hostname", "hostname must be a name, not an address"},

		{"{server: {replicas: -1}}", "spec.server.replicas", "greater than or equal to 0"},
		{"{server: {replicas: 101}}", "spec.server.replicas", "less than or equal to 100"},
		{"{server: {drainSeconds: 4}}", "spec.server.drainSeconds", "greater than or equal to 5"},
		{"{server: {drainSeconds: 3601}}", "spec.server.drainSeconds", "less than or equal to 3600"},
		{"{server: {web: CDN}}", "spec.server.web", `supported values: "Embedded", "None"`},
		{"{server: {image: 'a b'}}", "spec.server.image", "should match"},
		{"{server: {image: " + strings.Repeat("a", 513) + "}}", "spec.server.image", "may not be more than 512"},
		{"{server: {resources: {limits: {memory: much}}}}", "spec.server.resources.limits.memory", "should match"},
		{"{server: {env: [{value: x}]}}", "spec.server.env[0].name", "Required value"},
		{"{server: {env: [{name: A}, {name: A}]}}", "spec.server.env[1]", "Duplicate value"},
		{"{server: {env: [" + list(65, "{name: E%d, value: x}") + "]}}", "spec.server.env", "must have at most 64 items"},
		{"{server: {env: [{name: GOCHAT_POSTGRES_URL, value: x}]}}", "spec.server.env", "env can't hold what the operator sets from other fields"},
		{"{server: {trustedProxies: [proxy.example.com]}}", "spec.server.trustedProxies", "must be an address (10.0.0.7) or a network (10.0.0.0/8)"},
		{"{server: {trustedProxies: [10.0.0.7, 10.0.0.7]}}", "spec.server.trustedProxies[1]", "Duplicate value"},
		{"{server: {trustedProxies: [" + list(65, "10.0.0.%d") + "]}}", "spec.server.trustedProxies", "must have at most 64 items"},
		{"{server: {pod: {priorityClassName: Very High}}}", "spec.server.pod.priorityClassName", "should match"},
		{"{server: {pod: {tolerations: [" + list(33, "{key: k%d, operator: Exists}") + "]}}}", "spec.server.pod.tolerations", "must have at most 32 items"},

		{"{auth: {registration: open}}", "spec.auth.registration", `supported values: "Open", "InviteOnly", "Closed"`},

		{"{autoscaling: {}}", "spec.autoscaling.maxReplicas", "Required value"},
		{"{autoscaling: {maxReplicas: 101}}", "spec.autoscaling.maxReplicas", "less than or equal to 100"},
		{"{autoscaling: {maxReplicas: 0}}", "spec.autoscaling.maxReplicas", "greater than or equal to 1"},
		{"{autoscaling: {minReplicas: 0, maxReplicas: 3}}", "spec.autoscaling.minReplicas", "greater than or equal to 1"},
		{"{autoscaling: {minReplicas: 4, maxReplicas: 3}}", "spec.autoscaling", "autoscaling.minReplicas must not be more than autoscaling.maxReplicas"},
		{"{autoscaling: {maxReplicas: 3, targetConnections: 0}}", "spec.autoscaling.targetConnections", "greater than or equal to 1"},
		{"{autoscaling: {maxReplicas: 3, provider: KEDA}}", "spec.autoscaling.provider", `supported values: "Auto", "HPA"`},
		{"{autoscaling: {maxReplicas: 3, scaleDownStabilizationSeconds: 3601}}", "spec.autoscaling.scaleDownStabilizationSeconds", "less than or equal to 3600"},

		{"{database: {type: CloudNativePG}}", "spec.database.type", `supported values: "Managed", "External"`},
		{"{database: {type: External}}", "spec.database", "database.type External needs database.external.secretName"},
		{"{database: {type: External, external: {}}}", "spec.database", "database.type External needs database.external.secretName"},
		{"{database: {external: {secretName: pg}}}", "spec.database", "database.external.secretName is for database.type External only"},
		{"{database: {type: External, external: {secretName: PG}}}", "spec.database.external.secretName", "should match"},
		{"{database: {type: External, external: {secretName: pg, key: 'a/b'}}}", "spec.database.external.key", "should match"},
		{"{database: {image: 'postgres 17'}}", "spec.database.image", "should match"},
		{"{database: {storage: {size: 0}}}", "spec.database.storage.size", "database.storage.size must be more than 0"},
		{"{database: {storage: {size: -1Gi}}}", "spec.database.storage.size", "database.storage.size must be more than 0"},
		{"{database: {storage: {size: lots}}}", "spec.database.storage.size", "should match"},
		{"{database: {storage: {storageClassName: Fast}}}", "spec.database.storage.storageClassName", "should match"},

		{"{redis: {type: RedisReplication}}", "spec.redis.type", `supported values: "Managed", "External", "None"`},
		{"{redis: {type: External}}", "spec.redis", "redis.type External needs redis.external.secretName"},
		{"{redis: {type: None, external: {secretName: r}}}", "spec.redis", "redis.external.secretName is for redis.type External only"},
		{"{redis: {image: 'redis 8'}}", "spec.redis.image", "should match"},
		{"{redis: {type: None}, server: {replicas: 2}}", "spec", "redis.type None needs server.replicas 0 or 1"},
		{"{redis: {type: None}, autoscaling: {maxReplicas: 2}}", "spec", "redis.type None can't be combined with autoscaling"},

		{"{gateway: {name: public}}", "spec", "gateway needs a hostname"},
		{"{hostname: '', gateway: {name: public}}", "spec", "gateway needs a hostname"},
		{"{hostname: a.example, gateway: {}}", "spec.gateway.name", "Required value"},
		{"{hostname: a.example, gateway: {name: ''}}", "spec.gateway.name", "should be at least 1 chars long"},
		{"{hostname: a.example, gateway: {name: public, namespace: a.b}}", "spec.gateway.namespace", "should match"},
		{"{hostname: a.example, gateway: {name: public, sectionName: HTTPS}}", "spec.gateway.sectionName", "should match"},
		{"{hostname: a.example, ingress: {className: NGINX}}", "spec.ingress.className", "should match"},
		{"{hostname: a.example, ingress: {annotations: {a: 1}}}", "spec.ingress.annotations.a", "must be of type string"},
		{"{tls: {secretName: cert}}", "spec", "tls needs a hostname"},
		{"{hostname: a.example, tls: {}}", "spec.tls", "tls needs exactly one of issuerRef and secretName"},
		{"{hostname: a.example, tls: {secretName: cert, issuerRef: {name: own}}}", "spec.tls", "tls needs exactly one of issuerRef and secretName"},
		{"{hostname: a.example, tls: {secretName: Cert}}", "spec.tls.secretName", "should match"},
		{"{hostname: a.example, tls: {issuerRef: {}}}", "spec.tls.issuerRef.name", "Required value"},
		{"{hostname: a.example, tls: {issuerRef: {name: own, kind: Authority}}}", "spec.tls.issuerRef.kind", `supported values: "Issuer", "ClusterIssuer"`},

		{"{backup: {schedule: daily}}", "spec.backup.schedule", "should match"},
		{"{backup: {schedule: '0 3 * *'}}", "spec.backup.schedule", "should match"},
		{"{backup: {schedule: '0 3 * * * *'}}", "spec.backup.schedule", "should match"},
		{"{backup: {schedule: 'TZ=Europe/Berlin 0 3 * * *'}}", "spec.backup.schedule", "should match"},
		{"{backup: {keep: 0}}", "spec.backup.keep", "greater than or equal to 1"},
		{"{backup: {keep: 1001}}", "spec.backup.keep", "less than or equal to 1000"},
		{"{bootstrap: {restoreFrom: 'claim/../../etc'}}", "spec.bootstrap.restoreFrom", "should match"},
		{"{bootstrap: {restoreFrom: 's3://bucket'}}", "spec.bootstrap.restoreFrom", "should match"},

		{"{deletionPolicy: Keep}", "spec.deletionPolicy", `supported values: "Retain", "Delete"`},
		{"{hibernate: 'yes'}", "spec.hibernate", "must be of type boolean"},
		{"{paused: 'yes'}", "spec.paused", "must be of type boolean"},
		{"{networkPolicy: 'yes'}", "spec.networkPolicy", "must be of type boolean"},
		{"{monitoring: 'On'}", "spec.monitoring", `supported values: "Auto", "Enabled", "Disabled"`},
	} {
		t.Run(c.spec, func(t *testing.T) {
			refused(t, s.take(s.chat("chat", c.spec)), c.field, c.words)
		})
	}
}

// TestReservedVariables: each setting of the server is either free to be set in server.env, or has a field of its own.
func TestReservedVariables(t *testing.T) {
	s := newStage(t)
	free := []string{
		"GOCHAT_PUBLIC_URL", "GOCHAT_ALLOWED_ORIGINS", "GOCHAT_ACCESS_TOKEN_TTL", "GOCHAT_REFRESH_TOKEN_TTL", "GOCHAT_AUTH_RATE", "GOCHAT_SEND_RATE",
		"GOCHAT_MAX_CONNECTIONS", "GOCHAT_PPROF", "GOCHAT_LOG_LEVEL", "GOCHAT_LOG_FORMAT",
	}
	names := []string{"POSTGRES_URL", "POSTGRES_PASSWORD", "REDIS_URL", "REDIS_PASSWORD"} // what the operator makes URLs of
	for _, setting := range settings.All() {
		names = append(names, setting.Name)
	}
	for i, name := range names {
		err := s.take(s.chat(fmt.Sprintf("chat-%d", i), "{server: {env: [{name: "+name+", value: x}]}}"))
		if slices.Contains(free, name) {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		refused(t, err, "spec.server.env", "env can't hold what the operator sets from other fields")
	}
}

// TestNames: Services and more are named after a ChatCluster.
func TestNames(t *testing.T) {
	s := newStage(t)
	for _, name := range []string{"a", "chat-2", "redis", "chat-redis-2", strings.Repeat("a", 40)} {
		s.create(name, "")
	}
	for name, words := range map[string]string{
		strings.Repeat("a", 41): "the name may have at most 40 characters",
		"2chat":                 "the name must begin with a letter",
		"chat-postgres":         "the name must not end in -postgres or -redis",
		"chat-redis":            "the name must not end in -postgres or -redis",
		"chat.example":          "the name must begin with a letter and hold only small letters, digits and dashes",
	} {
		err := s.take(s.chat(name, ""))
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLaterFieldsAreUnknown: a field appears in the schema when it works, and not before.
func TestLaterFieldsAreUnknown(t *testing.T) {
	s := newStage(t)
	for _, c := range []struct{ spec, field string }{
		{"{database: {cloudNativePG: {instances: 3}}}", "spec.database.cloudNativePG"},
		{"{redis: {redisReplication: {name: r}}}", "spec.redis.redisReplication"},
		{"{backup: {s3SecretName: s}}", "spec.backup.s3SecretName"},
		{"{server: {resources: {claims: [{name: c}]}}}", "spec.server.resources.claims"},
	} {
		err := s.take(s.chat("chat", c.spec))
		if err == nil || !strings.Contains(err.Error(), `unknown field "`+c.field+`"`) {
			t.Errorf("%s: %v", c.field, err)
		}
	}
}
