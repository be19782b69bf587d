package children

import (
	"strings"
	"testing"
)

// TestCheck: what is refused without an API server is refused in the words of the schema.
func TestCheck(t *testing.T) {
	var rules []string
	collectRules(*definition(t).Spec.Versions[0].Schema.OpenAPIV3Schema, &rules)
	said := strings.Join(rules, "\n")
	for _, c := range []struct {
		name, spec, want string
		byRule           bool // of the schema, in the same words
	}{
		{"chat", `{}`, "", false},
		{"", `{}`, "metadata.name is missing", false},
		{strings.Repeat("a", 41), `{}`, "the name may have at most 40 characters", true},
		{"2chat", `{}`, "the name must begin with a letter", true},
		{"chat-redis", `{}`, "the name must not end in -postgres or -redis", true},
		{"chat", `profile: Tiny`, `spec.profile is "Tiny": choose one of [Small Standard HA]`, false},
		{"chat", `deletionPolicy: Never`, "spec.deletionPolicy is", false},
		{"chat", `monitoring: Yes please`, "spec.monitoring is", false},
		{"chat", `server: {web: Some}`, "spec.server.web is", false},
		{"chat", `server: {replicas: -1}`, "spec.server.replicas is -1: give 0 to 100", false},
		{"chat", `server: {drainSeconds: 4}`, "spec.server.drainSeconds is 4: give 5 to 3600", false},
		{"chat", `auth: {registration: Nobody}`, "spec.auth.registration is", false},
		{"chat", `autoscaling: {}`, "spec.autoscaling.maxReplicas is 0: give 1 to 100", false},
		{"chat", `autoscaling: {minReplicas: 3, maxReplicas: 2}`, "autoscaling.minReplicas must not be more than autoscaling.maxReplicas", true},
		{"chat", `backup: {keep: -1}`, "spec.backup.keep is -1", false},
		{"chat", `database: {storage: {size: "0"}}`, "database.storage.size must be more than 0, such as 2Gi", true},
		{"chat", `database: {type: MySQL}`, "spec.database.type is", false},
		{"chat", `database: {type: External}`, "database.type External needs database.external.secretName: the Secret that holds the URL", true},
		{"chat", `database: {external: {secretName: s}}`, "database.external.secretName is for database.type External only", true},
		{"chat", `redis: {type: External}`, "redis.type External needs redis.external.secretName: the Secret that holds the URL", true},
		{"chat", `redis: {type: None, external: {secretName: s}}`, "redis.external.secretName is for redis.type External only", true},
		{"chat", `{redis: {type: None}, server: {replicas: 2}}`, "redis.type None needs server.replicas 0 or 1", true},
		{"chat", `{redis: {type: None}, autoscaling: {maxReplicas: 2}}`, "redis.type None can't be combined with autoscaling", true},
		{"chat", `gateway: {name: g}`, "gateway needs a hostname", true},
		{"chat", `tls: {secretName: s}`, "tls needs a hostname", true},
		{"chat", `{hostname: h, tls: {}}`, "tls needs exactly one of issuerRef and secretName", true},
		{"chat", `{hostname: h, tls: {secretName: s, issuerRef: {name: i}}}`, "tls needs exactly one of issuerRef and secretName", true},
		{"chat", `hostname: 192.0.2.7`, "hostname must be a name, not an address", true},
	} {
		cluster := chat(t, c.spec)
		cluster.Name = c.name
		err := Check(cluster)
		switch {
		case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s %s: %v, want %q", c.name, c.spec, err, c.want)
		case c.byRule && !strings.Contains(said, c.want):
			t.Errorf("the schema does not say %q", c.want)
		}
	}
	for _, e := range examples(t) {
		if err := Check(e.cluster); err != nil {
			t.Errorf("%s: %v", e.name, err)
		}
	}
}

// collectRules are the messages of a schema's rules.
func collectRules(s jsonSchema, all *[]string) {
	for _, rule := range s.XValidations {
		*all = append(*all, rule.Message)
	}
	for _, property := range s.Properties {
		collectRules(property, all)
	}
}
