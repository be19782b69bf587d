package v1alpha1_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestEdits: what may follow what. Each edit replaces the whole spec, as kubectl replace does: what it leaves out is
// defaulted again.
func TestEdits(t *testing.T) {
	s := newStage(t)
	const (
		shrink    = "database.storage.size can't shrink: a volume only grows"
		class     = "database.storage.storageClassName can't be changed"
		database  = "database.type can't be changed"
		bootstrap = "bootstrap is immutable"
		restore   = "bootstrap.restoreFrom is immutable"
	)
	for _, c := range []struct{ name, before, after, field, words string }{
		{"grow", "{}", "{database: {storage: {size: 3Gi}}}", "", ""},
		{"grow-number", "{}", "{database: {storage: {size: 2147483649}}}", "", ""},
		{"same-otherwise", "{database: {storage: {size: 2Gi}}}", "{database: {storage: {size: 2048Mi}}}", "", ""},
		{"same-as-number", "{database: {storage: {size: 2Gi}}}", "{database: {storage: {size: 2147483648}}}", "", ""},
		{"same-from-number", "{database: {storage: {size: 2147483648}}}", "{database: {storage: {size: 2Gi}}}", "", ""},
		{"shrink", "{database: {storage: {size: 2Gi}}}", "{database: {storage: {size: 2047Mi}}}", "spec.database.storage.size", shrink},
		{"shrink-decimal", "{database: {storage: {size: 2Gi}}}", "{database: {storage: {size: 2G}}}", "spec.database.storage.size", shrink},
		{"shrink-to-number", "{}", "{database: {storage: {size: 2147483647}}}", "spec.database.storage.size", shrink},
		{"shrink-from-number", "{database: {storage: {size: 3000000000}}}", "{database: {storage: {size: 2Gi}}}", "spec.database.storage.size", shrink},
		{"shrink-by-leaving-out", "{database: {storage: {size: 5Gi}}}", "{}", "spec.database.storage.size", shrink},
		{"shrink-external", "{database: {type: External, external: {secretName: pg}, storage: {size: 5Gi}}}", "{database: {type: External, external: {secretName: pg}}}", "spec.database.storage.size", shrink},

		{"class-same", "{database: {storage: {storageClassName: fast}}}", "{database: {storage: {storageClassName: fast, size: 3Gi}}}", "", ""},
		{"class-other", "{database: {storage: {storageClassName: fast}}}", "{database: {storage: {storageClassName: slow}}}", "spec.database.storage.storageClassName", class},
		{"class-added", "{}", "{database: {storage: {storageClassName: fast}}}", "spec.database.storage.storageClassName", class},
		{"class-left-out", "{database: {storage: {storageClassName: fast}}}", "{}", "spec.database.storage.storageClassName", class},

		{"database-external", "{}", "{database: {type: External, external: {secretName: pg}}}", "spec.database.type", database},
		{"database-managed", "{database: {type: External, external: {secretName: pg}}}", "{database: {type: Managed}}", "spec.database.type", database},
		{"database-left-out", "{database: {type: External, external: {secretName: pg}}}", "{}", "spec.database.type", database},
		{"database-moved", "{database: {type: External, external: {secretName: pg}}}", "{database: {type: External, external: {secretName: other, key: url}}}", "", ""},

		{"bootstrap-same", "{bootstrap: {restoreFrom: a}}", "{profile: HA, bootstrap: {restoreFrom: a}}", "", ""},
		{"bootstrap-spelt-out", "{bootstrap: {}}", "{bootstrap: {restoreFrom: ''}}", "", ""},
		{"bootstrap-other", "{bootstrap: {restoreFrom: a}}", "{bootstrap: {restoreFrom: b}}", "spec.bootstrap.restoreFrom", restore},
		{"bootstrap-emptied", "{bootstrap: {restoreFrom: a}}", "{bootstrap: {}}", "spec.bootstrap.restoreFrom", restore},
		{"bootstrap-filled", "{bootstrap: {}}", "{bootstrap: {restoreFrom: a}}", "spec.bootstrap.restoreFrom", restore},
		{"bootstrap-added", "{}", "{bootstrap: {restoreFrom: a}}", "spec", bootstrap},
		{"bootstrap-removed", "{bootstrap: {restoreFrom: a}}", "{}", "spec", bootstrap},

		// Nothing else is for ever.
		{"everything-else", "{}", `{profile: HA, hostname: a.example, server: {replicas: 3, web: None}, auth: {registration: Closed, guests: true},
			autoscaling: {maxReplicas: 5}, database: {image: p}, redis: {type: External, external: {secretName: r}},
			gateway: {name: public}, tls: {secretName: cert}, backup: {}, deletionPolicy: Delete, hibernate: true, paused: true,
			networkPolicy: false, monitoring: Disabled}`, "", ""},
		{"and-back", "{profile: HA, hostname: a.example, database: {image: p}, redis: {type: None}, backup: {}}", "{}", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			made := s.create(c.name, c.before)
			made.Object["spec"] = parse(t, c.after)
			err := s.Update(t.Context(), made, strict)
			if c.words != "" {
				refused(t, err, c.field, c.words)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestScaleKeepsTheRules: the scale subresource is no way around them.
func TestScaleKeepsTheRules(t *testing.T) {
	s := newStage(t)
	alone := s.create("alone", "{redis: {type: None}}")
	refused(t, s.scaleTo(alone, 2), "spec", "redis.type None needs server.replicas 0 or 1")
	many := s.create("many", "")
	refused(t, s.scaleTo(many, 101), "spec.server.replicas", "less than or equal to 100")
}

func (s *stage) scaleTo(o *unstructured.Unstructured, replicas int64) error {
	scale := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": map[string]any{"replicas": replicas},
	}}
	return s.SubResource("scale").Update(s.t.Context(), o, client.WithSubResourceBody(scale))
}
