package children

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// chat is a ChatCluster with a spec written as YAML.
func chat(t testing.TB, spec string) *v1alpha1.ChatCluster {
	t.Helper()
	c := &v1alpha1.ChatCluster{ObjectMeta: metav1.ObjectMeta{Name: "chat", Namespace: "default", UID: "u"}}
	if err := yaml.UnmarshalStrict([]byte(spec), &c.Spec); err != nil {
		t.Fatal(err)
	}
	return c
}

// family are the children of a ChatCluster, to look something up in.
type family struct {
	testing.TB
	all []Child
}

func familyOf(t testing.TB, c *v1alpha1.ChatCluster, known Known) family {
	t.Helper()
	all, err := All(c, known)
	if err != nil {
		t.Fatal(err)
	}
	return family{TB: t, all: all}
}

func (f family) find(kind, name string) *Child {
	for i := range f.all {
		if f.all[i].Kind.Kind == kind && f.all[i].Name == name {
			return &f.all[i]
		}
	}
	return nil
}

func (f family) has(kind, name string) bool { return f.find(kind, name) != nil }

// as reads a child into a type of Kubernetes.
func as[T any](f family, kind, name string) T {
	f.Helper()
	child := f.find(kind, name)
	if child == nil {
		f.Fatalf("there is no %s %s", kind, name)
	}
	return into[T](f, *child)
}

func into[T any](t testing.TB, child Child) (object T) {
	t.Helper()
	raw, err := json.Marshal(child.Object)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

func (f family) servers() appsv1.Deployment {
	f.Helper()
	return as[appsv1.Deployment](f, "Deployment", "chat-server")
}

func TestScale(t *testing.T) {
	for _, c := range []struct {
		spec string
		want int32
	}{
		{`{}`, 1},
		{`server: {replicas: 0}`, 0},
		{`server: {replicas: 7}`, 7},
		{`{server: {replicas: 7}, hibernate: true}`, 0},
		{`{server: {replicas: 7}, paused: true, profile: HA}`, 7},
		{`{server: {replicas: 7}, autoscaling: {maxReplicas: 5}}`, 5},
		{`{server: {replicas: 1}, autoscaling: {minReplicas: 3, maxReplicas: 5}}`, 3},
		{`{server: {replicas: 4}, autoscaling: {minReplicas: 3, maxReplicas: 5}}`, 4},
		{`{server: {replicas: 4}, autoscaling: {minReplicas: 3, maxReplicas: 5}, hibernate: true}`, 0},
		{`{server: {replicas: 0}, autoscaling: {minReplicas: 3, maxReplicas: 5}}`, 0}, // an autoscaler leaves 0 alone
		{`{server: {replicas: 1}, redis: {type: None}}`, 1},
		{`{server: {replicas: 0}, redis: {type: None}}`, 0},
	} {
		t.Run("[OP4] replicas of "+c.spec, func(t *testing.T) {
			cluster := chat(t, c.spec)
			if got := *familyOf(t, cluster, settled(cluster)).servers().Spec.Replicas; got != c.want {
				t.Errorf("%d servers, want %d", got, c.want)
			}
		})
	}
	t.Run("[OP4] without a metric of connections, by the CPU that a server is meant to have", func(t *testing.T) {
		for spec, want := range map[string]int64{
			`autoscaling: {maxReplicas: 5}`:                                                                280, // of 150m: 420m of the 600m that it may use
			`{profile: Standard, autoscaling: {maxReplicas: 5}}`:                                           70,
			`{autoscaling: {maxReplicas: 5}, server: {resources: {requests: {cpu: 1}, limits: {cpu: 8}}}}`: 70,
		} {
			cluster := chat(t, spec)
			scaler := as[autoscalingv2.HorizontalPodAutoscaler](familyOf(t, cluster, settled(cluster)), "HorizontalPodAutoscaler", "chat-server")
			if got := int64(*scaler.Spec.Metrics[0].Resource.Target.AverageUtilization); got != want {
				t.Errorf("%s: at %d %% of the requests, want %d", spec, got, want)
			}
		}
	})
	t.Run("[OP4] an autoscaler writes the ChatCluster's scale, and rests while hibernating", func(t *testing.T) {
		cluster := chat(t, `autoscaling: {maxReplicas: 5}`)
		f := familyOf(t, cluster, settled(cluster))
		scaler := as[unstructured.Unstructured](f, "HorizontalPodAutoscaler", "chat-server")
		target, _, err := unstructured.NestedStringMap(scaler.Object, "spec", "scaleTargetRef")
		if err != nil || target["kind"] != "ChatCluster" || target["name"] != "chat" {
			t.Errorf("%v: it scales %v", err, target)
		}
		cluster.Spec.Hibernate = true
		if f := familyOf(t, cluster, settled(cluster)); f.has("HorizontalPodAutoscaler", "chat-server") {
			t.Error("it would wake the servers")
		}
	})
}

func TestHibernating(t *testing.T) {
	cluster := chat(t, `{hibernate: true, backup: {}, bootstrap: {restoreFrom: other-backup}}`)
	f := familyOf(t, cluster, settled(cluster))
	if n := *as[appsv1.StatefulSet](f, "StatefulSet", "chat-postgres").Spec.Replicas; n != 0 {
		t.Error("Postgres runs")
	}
	if n := *as[appsv1.StatefulSet](f, "StatefulSet", "chat-redis").Spec.Replicas; n != 0 {
		t.Error("Redis runs")
	}
	known := settled(cluster)
	known.ServersThere = true
	draining := familyOf(t, cluster, known)
	for _, name := range []string{"chat-postgres", "chat-redis"} {
		if n := *as[appsv1.StatefulSet](draining, "StatefulSet", name).Spec.Replicas; n != 1 || *draining.servers().Spec.Replicas != 0 {
			t.Errorf("%s stops while servers drain that need it", name)
		}
	}
	if !*as[batchv1.CronJob](f, "CronJob", "chat-backup").Spec.Suspend {
		t.Error("backups are made")
	}
	for _, c := range f.all {
		if c.Kind.Kind == "Job" {
			t.Errorf("the Job %s would find no database", c.Name)
		}
	}
	for _, name := range []string{"chat-postgres", "chat-backup"} {
		if !f.has("PersistentVolumeClaim", name) {
			t.Errorf("the volume %s is gone", name)
		}
	}
}

func TestKept(t *testing.T) {
	precious := []string{
		"PersistentVolumeClaim chat-postgres", "PersistentVolumeClaim chat-backup",
		"Secret chat-postgres", "Secret chat-keys", "Secret chat-admin",
	}
	for _, c := range []struct {
		title, policy string
		kept          []string
	}{
		{"[OP5] Retain: volumes, and what opens them, have no owner", "Retain", precious},
		{"[OP5] Delete: everything has one", "Delete", nil},
	} {
		t.Run(c.title, func(t *testing.T) {
			cluster := chat(t, `{backup: {}, hostname: chat.example.com, deletionPolicy: `+c.policy+`}`)
			f := familyOf(t, cluster, settled(cluster))
			for _, name := range precious {
				kind, object, _ := strings.Cut(name, " ")
				if !f.has(kind, object) {
					t.Errorf("there is no %s", name)
				}
			}
			for _, child := range f.all {
				name := child.Kind.Kind + " " + child.Name
				object := into[unstructured.Unstructured](t, child)
				owners := object.GetOwnerReferences()
				kept := slices.Contains(c.kept, name)
				if child.Kept != kept || (len(owners) == 0) != kept {
					t.Errorf("%s: Kept is %t, its owners are %v", name, child.Kept, owners)
				}
				if !kept && (owners[0].UID != cluster.UID || !*owners[0].Controller || owners[0].Kind != "ChatCluster") {
					t.Errorf("%s is owned by %+v", name, owners)
				}
				if object.GetLabels()[LabelManagedBy] != ManagedBy || object.GetLabels()[LabelInstance] != "chat" {
					t.Errorf("%s is not found by its labels: %v", name, object.GetLabels())
				}
			}
		})
	}
	t.Run("[OP5] a volume grows by an edit, and nothing else of it changes", func(t *testing.T) {
		small, large := chat(t, `{}`), chat(t, `database: {storage: {size: 5Gi}}`)
		before := as[corev1.PersistentVolumeClaim](familyOf(t, small, settled(small)), "PersistentVolumeClaim", "chat-postgres")
		after := as[corev1.PersistentVolumeClaim](familyOf(t, large, settled(large)), "PersistentVolumeClaim", "chat-postgres")
		if size := after.Spec.Resources.Requests.Storage().String(); size != "5Gi" {
			t.Error("it asks for", size)
		}
		after.Spec.Resources = before.Spec.Resources
		if fmt.Sprint(before) != fmt.Sprint(after) {
			t.Errorf("%v\n%v", before, after)
		}
	})
}

func TestMigrationGate(t *testing.T) {
	const wanted, old = "ghcr.io/gochat-dev/server:1.2.3", "ghcr.io/gochat-dev/server:1.2.2"
	for _, c := range []struct {
		title                       string
		serving                     string
		migrated, restored          bool
		servers                     string // their image; empty: there are none
		migrationJob, restoreJobToo bool
	}{
		{"no server before the first migration", "", false, true, "", true, false},
		{"no migration before the restore", "", false, false, "", false, true},
		{"a new version waits for its migration, the old one serves", old, false, true, old, true, false},
		{"then it is rolled out", old, true, true, wanted, true, false},
		{"what serves is there, whatever else", wanted, true, true, wanted, true, false},
	} {
		t.Run("[OP6] "+c.title, func(t *testing.T) {
			cluster := chat(t, `bootstrap: {restoreFrom: old-backup}`)
			known := settled(cluster)
			known.Serving, known.Migrated, known.Restored = c.serving, c.migrated, c.restored
			f := familyOf(t, cluster, known)
			image := ""
			if f.has("Deployment", "chat-server") {
				image = f.servers().Spec.Template.Spec.Containers[0].Image
			}
			if image != c.servers {
				t.Errorf("the servers run %q, want %q", image, c.servers)
			}
			migrations := 0
			for _, child := range f.all {
				if child.Kind.Kind != "Job" || child.Name == "chat-restore" {
					continue
				}
				migrations++
				job := into[batchv1.Job](t, child)
				if got := job.Spec.Template.Spec.InitContainers[0].Image; got != wanted || !child.Once {
					t.Errorf("the migration is done by %s, Once is %t", got, child.Once)
				}
			}
			if (migrations == 1) != c.migrationJob || f.has("Job", "chat-restore") != c.restoreJobToo {
				t.Errorf("%d migrations, a restore: %t", migrations, f.has("Job", "chat-restore"))
			}
		})
	}
	t.Run("[OP6] another database waits for its migration, and then for the servers of the one before to go", func(t *testing.T) {
		cluster := chat(t, `database: {type: External, external: {secretName: new, key: url}}`)
		known := settled(cluster)
		known.Serving, known.ServingDatabase = wanted, v1alpha1.ExternalSpec{SecretName: "old", Key: "uri"}
		for _, c := range []struct {
			migrated, moving bool
			secret           string
			strategy         appsv1.DeploymentStrategyType
		}{
			{false, false, "old", appsv1.RollingUpdateDeploymentStrategyType},
			{true, true, "new", appsv1.RecreateDeploymentStrategyType},
		} {
			known.Migrated, known.Moving = c.migrated, c.moving
			f := familyOf(t, cluster, known)
			servers := f.servers().Spec
			if is := ExternalDatabaseOf(servers.Template.Spec).SecretName; is != c.secret || servers.Strategy.Type != c.strategy {
				t.Errorf("migrated %t: the servers use %s, by %s", c.migrated, is, servers.Strategy.Type)
			}
			for _, child := range f.all {
				if child.Kind.Kind == "Job" && ExternalDatabaseOf(into[batchv1.Job](t, child).Spec.Template.Spec) != ExternalDatabase(cluster) {
					t.Error("another database is migrated than the one that is wanted")
				}
			}
		}
	})
	t.Run("[OP6] each image has a migration of its own", func(t *testing.T) {
		names := make(map[string]bool)
		for _, spec := range []string{
			`{}`, `server: {image: a}`, `server: {image: b}`, `{server: {image: a, replicas: 5, drainSeconds: 9}, auth: {guests: true}}`,
			`{server: {image: b, pod: {nodeSelector: {a: b}}}, profile: HA}`,
		} {
			cluster := chat(t, spec)
			for _, child := range familyOf(t, cluster, settled(cluster)).all {
				if child.Kind.Kind == "Job" {
					names[child.Name] = true
				}
			}
		}
		if len(names) != 3 {
			t.Errorf("three images have these migrations: %v", names)
		}
	})
}

// TestNamesApart: a ChatCluster's name is any that the schema takes.
func TestNamesApart(t *testing.T) {
	t.Run("[OP6] two ChatClusters of a namespace share no name, and none is too long", func(t *testing.T) {
		words := rapid.SampledFrom([]string{"chat", "a", "server", "postgres", "redis", "backup", "restore", "keys", "admin", "tls", "scripts", "migrate", "deny", "allow", "jobs"})
		name := rapid.Custom(func(rt *rapid.T) string {
			return strings.Join(rapid.SliceOfN(words, 1, 5).Draw(rt, "words"), "-")
		}).Filter(func(n string) bool {
			return len(n) <= 40 && !strings.HasSuffix(n, "-postgres") && !strings.HasSuffix(n, "-redis")
		})
		rapid.Check(t, func(rt *rapid.T) {
			taken := make(map[string]string)
			one, other := name.Draw(rt, "one"), name.Draw(rt, "other")
			if one == other {
				return
			}
			for _, n := range []string{one, other} {
				cluster := chat(t, `{backup: {}, bootstrap: {restoreFrom: b}, hostname: h, tls: {issuerRef: {name: i}}, server: {replicas: 2}, autoscaling: {minReplicas: 2, maxReplicas: 3}}`)
				cluster.Name = n
				known := settled(cluster)
				known.APIs = everything
				for _, child := range familyOf(t, cluster, known).all {
					key := child.Kind.Kind + " " + child.Name
					if by, there := taken[key]; there && by != n {
						rt.Fatalf("%s is of %s and of %s", key, by, n)
					}
					taken[key] = n
				}
			}
		})
		cluster := chat(t, `{backup: {}, bootstrap: {restoreFrom: b}}`)
		cluster.Name = strings.Repeat("a", 40)
		for _, child := range familyOf(t, cluster, settled(cluster)).all {
			limit := 63
			if child.Kind.Kind == "CronJob" || child.Kind.Kind == "StatefulSet" {
				limit = 52 // 11 more for what is made of it
			}
			if len(child.Name) > limit {
				t.Errorf("%s %s is %d characters long", child.Kind.Kind, child.Name, len(child.Name))
			}
		}
	})
}

func TestRoll(t *testing.T) {
	t.Run("[OP7] one server more, none less, each for as long as its drain needs", func(t *testing.T) {
		for _, drain := range []int32{5, 60, 3600} {
			cluster := chat(t, fmt.Sprintf(`server: {replicas: 3, drainSeconds: %d}`, drain))
			d := familyOf(t, cluster, settled(cluster)).servers()
			roll := d.Spec.Strategy.RollingUpdate
			if roll == nil || roll.MaxSurge.IntValue() != 1 || roll.MaxUnavailable.IntValue() != 0 || d.Spec.MinReadySeconds <= 0 {
				t.Errorf("it rolls by %+v", d.Spec)
			}
			pod := d.Spec.Template.Spec
			sleep := pod.Containers[0].Lifecycle.PreStop.Sleep
			if sleep == nil || sleep.Seconds <= 0 {
				t.Fatalf("it leaves without a pause: %+v", pod.Containers[0].Lifecycle)
			}
			if grace := *pod.TerminationGracePeriodSeconds; grace <= sleep.Seconds+int64(drain) {
				t.Errorf("it is killed after %d s, in the middle of %d + %d s", grace, sleep.Seconds, drain)
			}
			if got := environment(pod)["GOCHAT_DRAIN"]; got != fmt.Sprintf("%ds", drain) {
				t.Errorf("the drain is %s", got)
			}
		}
	})
	t.Run("[OP7] without Redis the old server goes before the new one comes", func(t *testing.T) {
		cluster := chat(t, `redis: {type: None}`)
		if s := familyOf(t, cluster, settled(cluster)).servers().Spec.Strategy; s.Type != appsv1.RecreateDeploymentStrategyType || s.RollingUpdate != nil {
			t.Errorf("two servers that don't know of each other overlap: %+v", s)
		}
	})
	t.Run("[OP7] nodes are emptied one server at a time, where there are several", func(t *testing.T) {
		for n, want := range map[int]bool{0: false, 1: false, 2: true, 5: true} {
			cluster := chat(t, fmt.Sprintf(`server: {replicas: %d}`, n))
			if got := familyOf(t, cluster, settled(cluster)).has("PodDisruptionBudget", "chat-server"); got != want {
				t.Errorf("with %d servers there is a budget: %t", n, got)
			}
		}
	})
}

func environment(pod corev1.PodSpec) map[string]string {
	all := make(map[string]string)
	for _, v := range pod.Containers[0].Env {
		all[v.Name] = v.Value
	}
	return all
}
