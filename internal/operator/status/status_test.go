package status

import (
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// chat is a ChatCluster of two servers whose defaults are filled in, and well is what is observed of it when all is well.
func chat(change ...func(*v1alpha1.ChatCluster)) *v1alpha1.ChatCluster {
	c := &v1alpha1.ChatCluster{ObjectMeta: metav1.ObjectMeta{Name: "chat", Namespace: "here", Generation: 7}}
	c.Spec.Server.Replicas = new(int32(2))
	c.Spec.Database.Type, c.Spec.Redis.Type = v1alpha1.DatabaseManaged, v1alpha1.RedisManaged
	c.Spec.Monitoring = v1alpha1.MonitoringAuto
	for _, f := range change {
		f(c)
	}
	return c
}

func well(change ...func(*Observed)) Observed {
	run := func(n int32) *Workload {
		return &Workload{Wanted: n, Replicas: n, Updated: n, Ready: n, Current: true}
	}
	o := Observed{
		Now: now, Servers: run(2), Database: run(1), Redis: run(1), Image: "ghcr.io/gochat-dev/server:1.4.0", Endpoints: 2, Nodes: 2,
		Schema:   Schema{Image: "ghcr.io/gochat-dev/server:1.4.0", Restored: true, Current: true, Version: 12},
		Selector: "app.kubernetes.io/instance=chat",
	}
	for _, f := range change {
		f(&o)
	}
	return o
}

// is looks for a condition in a status: "Ready=False NoServerReady".
func is(t *testing.T, status v1alpha1.ChatClusterStatus, wants ...string) {
	t.Helper()
	for _, want := range wants {
		name, rest, _ := strings.Cut(want, "=")
		value, reason, _ := strings.Cut(rest, " ")
		c := meta.FindStatusCondition(status.Conditions, name)
		if c == nil || string(c.Status) != value || (reason != "" && c.Reason != reason) {
			t.Errorf("want %s, got %+v", want, c)
		}
	}
}

func TestConditions(t *testing.T) {
	external := func(c *v1alpha1.ChatCluster) {
		c.Spec.Database = v1alpha1.DatabaseSpec{Type: v1alpha1.DatabaseExternal, External: &v1alpha1.ExternalSpec{SecretName: "pg", Key: "uri"}}
		c.Spec.Redis = v1alpha1.RedisSpec{Type: v1alpha1.RedisExternal, External: &v1alpha1.ExternalSpec{SecretName: "redis", Key: "uri"}}
	}
	hostname := func(c *v1alpha1.ChatCluster) { c.Spec.Hostname = "chat.example.com" }
	gateway := func(c *v1alpha1.ChatCluster) { c.Spec.Gateway = &v1alpha1.GatewaySpec{Name: "edge"} }
	issued := func(c *v1alpha1.ChatCluster) {
		c.Spec.TLS = &v1alpha1.TLSSpec{IssuerRef: &v1alpha1.IssuerRef{Name: "x"}}
	}
	backup := func(c *v1alpha1.ChatCluster) { c.Spec.Backup = &v1alpha1.BackupSpec{Schedule: "0 3 * * *"} }
	scaled := func(c *v1alpha1.ChatCluster) { c.Spec.Autoscaling = &v1alpha1.AutoscalingSpec{MaxReplicas: 4} }
	hibernate := func(c *v1alpha1.ChatCluster) { c.Spec.Hibernate = true }
	paused := func(c *v1alpha1.ChatCluster) { c.Spec.Paused = true }
	type changes = []func(*v1alpha1.ChatCluster)
	for _, c := range []struct {
		what  string
		chat  changes
		seen  func(*Observed)
		wants []string
	}{
		{"all is well", nil, nil, []string{
			"Ready=True", "Available=True ServersReady", "UpToDate=True RolledOut", "DatabaseReady=True Running", "RedisReady=True Running",
			"SchemaCurrent=True Migrated", "Exposed=False NoHostname", "BackupHealthy=False NotConfigured", "AutoscalingActive=False NotConfigured",
			"MonitoringInstalled=False PrometheusOperatorMissing", "Paused=False", "Hibernated=False", "HighlyAvailable=False SingleInstance",
		}},
		{"the keys rotate by a schedule", nil, func(o *Observed) { o.Rotates = now.Add(time.Hour) }, []string{"Ready=True", "UpToDate=True RolledOut"}},
		{"nothing yet", nil, func(o *Observed) { *o = Observed{Now: now, Schema: Schema{Image: "x", Restored: true}} }, []string{
			"Ready=False", "Available=False NoServers", "DatabaseReady=False Creating", "SchemaCurrent=False Migrating",
		}},
		{"one server of two answers", nil, func(o *Observed) { o.Servers.Ready, o.Endpoints = 1, 1 }, []string{"Ready=False Rolling", "Available=True"}},
		{"no server is ready", nil, func(o *Observed) { o.Servers.Ready, o.Endpoints, o.Servers.Trouble = 0, 0, "OOMKilled" }, []string{"Ready=False NoServerReady", "Available=False NoServerReady"}},
		{"the Service leads nowhere", nil, func(o *Observed) { o.Endpoints = 0 }, []string{"Ready=False NoEndpoints", "Available=False NoEndpoints"}},
		{"the Deployment has not been looked at", nil, func(o *Observed) { o.Servers.Current = false }, []string{"Ready=False Rolling", "Available=True"}},
		{"an old server is left", nil, func(o *Observed) { o.Servers.Replicas = 3 }, []string{"Ready=False Rolling", "Available=True"}},
		{"the roll is stuck", nil, func(o *Observed) { o.Servers.Updated, o.Servers.Stuck = 1, true }, []string{"Ready=False RollStuck", "Available=True"}},
		{"a child is missing", nil, func(o *Observed) { o.Missing = []string{"Service chat"} }, []string{"Ready=False Applying", "Available=True"}},
		{"a write failed", nil, func(o *Observed) { o.Failed = "timeout" }, []string{"Ready=False ApplyFailed", "Available=True"}},
		{"a name is taken", nil, func(o *Observed) { o.Faults = []Fault{{Reason: ReasonNameTaken, Object: "Service chat"}} }, []string{"Ready=False NameTaken", "Available=True"}},
		{"the password is lost", nil, func(o *Observed) { o.Faults = []Fault{{Reason: ReasonCredentialsMissing, Message: "is gone"}} }, []string{"Ready=False CredentialsMissing", "DatabaseReady=False CredentialsMissing"}},
		{"a migration failed", nil, func(o *Observed) { o.Schema.Current, o.Schema.Failed = false, true }, []string{"Ready=False MigrationFailed", "SchemaCurrent=False MigrationFailed", "Available=True", "UpToDate=False WaitingForSchema"}},
		{"a migration can't start", nil, func(o *Observed) { o.Schema.Current, o.Schema.Stuck = false, true }, []string{"Ready=False MigrationStuck", "SchemaCurrent=False MigrationStuck", "Available=True", "UpToDate=False WaitingForSchema"}},
		{"a restore can't start", nil, func(o *Observed) { o.Schema = Schema{Image: "x", Stuck: true} }, []string{"SchemaCurrent=False RestoreStuck"}},
		{"a restore failed", nil, func(o *Observed) { o.Schema = Schema{Image: "x", Failed: true} }, []string{"SchemaCurrent=False RestoreFailed"}},
		{"a restore runs", nil, func(o *Observed) { o.Schema = Schema{Image: "x"} }, []string{"SchemaCurrent=False Restoring"}},
		{"Postgres is away", nil, func(o *Observed) { o.Database.Ready = 0 }, []string{"Ready=False NotReady", "DatabaseReady=False NotReady", "Available=True"}},
		{"Postgres has not been looked at", nil, func(o *Observed) { o.Database.Current = false }, []string{"Ready=False Rolling", "UpToDate=False Rolling", "DatabaseReady=True"}},
		{"Postgres is an old one", nil, func(o *Observed) { o.Database.Updated = 0 }, []string{"Ready=False Rolling", "DatabaseReady=True"}},
		{"Redis has not been looked at", nil, func(o *Observed) { o.Redis.Current = false }, []string{"Ready=False Rolling", "UpToDate=False Rolling", "RedisReady=True"}},
		{"Redis is an old one", nil, func(o *Observed) { o.Redis.Updated = 0 }, []string{"Ready=False Rolling", "RedisReady=True"}},
		{"Redis is away", nil, func(o *Observed) { o.Redis.Ready = 0 }, []string{"Ready=False NotReady", "RedisReady=False NotReady", "Available=True"}},
		{"scaled to nothing", nil, func(o *Observed) { o.Servers, o.Endpoints = &Workload{Current: true}, 0 }, []string{"Ready=False ScaledToZero", "Available=False ScaledToZero"}},
		{"paused", changes{paused}, nil, []string{"Ready=True", "Paused=True Paused"}},
		{"paused, and changed", changes{paused}, func(o *Observed) { o.Waiting = true }, []string{"Ready=False Paused", "Paused=True ChangesWait", "Available=True"}},
		{"paused from the beginning", changes{paused, backup}, func(o *Observed) { *o = Observed{Now: now, Waiting: true} }, []string{
			"Ready=False Paused", "Paused=True ChangesWait", "UpToDate=False Paused", "DatabaseReady=False Paused", "RedisReady=False Paused",
			"SchemaCurrent=Unknown NotLookedAt", "BackupHealthy=False Paused",
		}},
		{"going to sleep", changes{hibernate}, func(o *Observed) { o.Servers.Wanted = 0 }, []string{"Ready=False Hibernated", "Hibernated=False Stopping"}},
		{"a pod is on its way out", changes{hibernate}, func(o *Observed) {
			o.Servers, o.Database, o.Redis, o.Endpoints, o.Left = &Workload{Current: true}, &Workload{Current: true}, &Workload{Current: true}, 0, 1
		}, []string{"Ready=False Hibernated", "Hibernated=False Stopping"}},
		{"asleep", changes{hibernate}, func(o *Observed) {
			o.Servers, o.Database, o.Redis, o.Endpoints = &Workload{Current: true}, &Workload{Current: true}, &Workload{Current: true}, 0
		}, []string{"Ready=False Hibernated", "Hibernated=True Stopped", "Available=False Hibernated", "DatabaseReady=False Hibernated", "UpToDate=True Hibernated"}},
		{"a volume that can't grow", nil, func(o *Observed) { o.Small = "the volume stays" }, []string{"Ready=True Ready", "DatabaseReady=True VolumeCantGrow"}},
		{"a volume that can't grow, of a database that is away", nil, func(o *Observed) { o.Small, o.Database.Ready = "the volume stays", 0 }, []string{"DatabaseReady=False NotReady"}},
		{"external", changes{external}, nil, []string{"Ready=True", "DatabaseReady=True ServersConnected", "RedisReady=Unknown External", "HighlyAvailable=True Spread"}},
		{"external, on one node", changes{external}, func(o *Observed) { o.Nodes = 1 }, []string{"HighlyAvailable=False SingleNode"}},
		{"external, its Secret is lost", changes{external}, func(o *Observed) { o.LostSecrets = []string{"pg", "redis"} }, []string{"Ready=False SecretMissing", "DatabaseReady=False SecretMissing", "RedisReady=False SecretMissing"}},
		{"an Ingress that nobody answers", changes{hostname}, nil, []string{"Ready=True", "Exposed=Unknown NoAnswerYet"}},
		{"an Ingress with an address", changes{hostname}, func(o *Observed) { o.Route.Status = "True" }, []string{"Ready=True", "Exposed=True Accepted"}},
		{"no Gateway API", changes{hostname, gateway}, nil, []string{"Ready=False GatewayAPIMissing", "Exposed=False GatewayAPIMissing", "Available=True"}},
		{"a route that is refused", changes{hostname, gateway}, func(o *Observed) { o.Gateway, o.Route.Status = true, "False" }, []string{"Ready=False NotAccepted"}},
		{"no cert-manager", changes{hostname, issued}, nil, []string{"Ready=False CertManagerMissing"}},
		{"no certificate", changes{hostname, issued}, func(o *Observed) { o.CertManager = true }, []string{"Ready=False CertificateNotReady"}},
		{"a backup that succeeded", changes{backup}, func(o *Observed) { o.Backup = &Backup{Scheduled: now.Add(-time.Hour), Succeeded: now} }, []string{"BackupHealthy=True BackedUp"}},
		{"a backup that failed", changes{backup}, func(o *Observed) { o.Backup = &Backup{Failed: true} }, []string{"BackupHealthy=False BackupFailed", "Ready=True"}},
		{"a backup that does not end", changes{backup}, func(o *Observed) { o.Backup = &Backup{Scheduled: now.Add(-3 * time.Hour)} }, []string{"BackupHealthy=False BackupLate"}},
		{"no backup yet", changes{backup}, func(o *Observed) { o.Backup = &Backup{} }, []string{"BackupHealthy=Unknown NotYet"}},
		{"a first backup that runs", changes{backup}, func(o *Observed) { o.Backup = &Backup{Scheduled: now.Add(-time.Minute)} }, []string{"BackupHealthy=Unknown Running"}},
		{"scaled by CPU", changes{scaled}, func(o *Observed) { o.Autoscaler.Status = "True" }, []string{"AutoscalingActive=True CPUOnly"}},
		{"scaled by connections", changes{scaled}, func(o *Observed) { o.Autoscaler.Status, o.ByConnection = "True", true }, []string{"AutoscalingActive=True ByConnections"}},
		{"scaled by nothing", changes{scaled}, func(o *Observed) { o.Autoscaler.Status = "False" }, []string{"AutoscalingActive=False NotActive", "Ready=True"}},
	} {
		t.Run("[OP8] "+c.what, func(t *testing.T) {
			o := well()
			if c.seen != nil {
				c.seen(&o)
			}
			status := Compute(chat(c.chat...), o)
			is(t, status, c.wants...)
			if len(status.Conditions) != len(checks)+1 || status.ObservedGeneration != 7 {
				t.Errorf("%d conditions, of generation %d", len(status.Conditions), status.ObservedGeneration)
			}
			for _, condition := range status.Conditions {
				if condition.ObservedGeneration != 7 || condition.Message == "" || condition.Reason == "" {
					t.Errorf("%+v", condition)
				}
			}
		})
	}
}

// says is the message of a condition.
func says(status v1alpha1.ChatClusterStatus, condition string) string {
	return meta.FindStatusCondition(status.Conditions, condition).Message
}

func TestMessages(t *testing.T) {
	t.Run("[OP8] it is said when the keys of access tokens rotate next", func(t *testing.T) {
		o := well()
		o.Rotates = now.Add(time.Hour)
		if message := says(Compute(chat(), o), v1alpha1.ConditionUpToDate); !strings.HasSuffix(message, "; the keys of access tokens will rotate at 2026-01-02T04:04:05Z") {
			t.Error(message)
		}
	})
	t.Run("[OP8] of a chat that is paused from the beginning nothing is said to be there, or being made", func(t *testing.T) {
		made := chat(func(c *v1alpha1.ChatCluster) { c.Spec.Paused = true })
		status := Compute(made, Observed{Now: now, Waiting: true})
		for _, c := range status.Conditions {
			if strings.Contains(c.Message, "being made") || strings.Contains(c.Message, "carried out last") {
				t.Errorf("%s: %s", c.Type, c.Message)
			}
		}
	})
	t.Run("[OP8] what is only being stopped is not said to be stopped", func(t *testing.T) {
		hibernate := chat(func(c *v1alpha1.ChatCluster) { c.Spec.Hibernate = true })
		stopped := well(func(o *Observed) {
			o.Servers, o.Database, o.Redis, o.Endpoints = &Workload{Current: true}, &Workload{Current: true}, &Workload{Current: true}, 0
		})
		if got := says(Compute(hibernate, stopped), "Ready"); !strings.Contains(got, "everything is stopped") {
			t.Error(got)
		}
		stopping := stopped
		stopping.Left = 2
		status := Compute(hibernate, stopping)
		for _, c := range status.Conditions {
			if strings.Contains(c.Message, "is stopped") || strings.Contains(c.Message, "are stopped") {
				t.Errorf("%s: %s", c.Type, c.Message)
			}
		}
		if got := says(status, "Hibernated"); got != "2 pods have not stopped yet" {
			t.Error(got)
		}
	})
}

func TestTransitions(t *testing.T) {
	t.Run("[OP8] a transition time changes with its status only, and nothing else changes by itself", func(t *testing.T) {
		c := chat()
		c.Status = Compute(c, well())
		later := well(func(o *Observed) { o.Now = now.Add(time.Hour) })
		if again := Compute(c, later); !slices.Equal(again.Conditions, c.Status.Conditions) {
			t.Errorf("%+v\nbecame\n%+v", c.Status.Conditions, again.Conditions)
		}
		later.Servers.Ready, later.Endpoints = 0, 0
		down := Compute(c, later)
		at := func(s v1alpha1.ChatClusterStatus, name string) time.Time {
			return meta.FindStatusCondition(s.Conditions, name).LastTransitionTime.UTC()
		}
		if !at(down, "Available").Equal(later.Now) || !at(down, "DatabaseReady").Equal(now) {
			t.Errorf("%+v", down.Conditions)
		}
		c.Status = down
		later.Servers.Trouble, later.Now = "ImagePullBackOff", now.Add(2*time.Hour)
		if worse := Compute(c, later); !at(worse, "Available").Equal(at(down, "Available")) {
			t.Error("another message moved the time")
		}
	})
}

func TestFields(t *testing.T) {
	status := Compute(chat(), well())
	if status.Version != "1.4.0" || status.SchemaVersion != 12 || status.Replicas != 2 || status.ReadyReplicas != 2 ||
		status.URL != "http://chat.here.svc" || status.Selector == "" || status.LastBackupTime != nil {
		t.Errorf("%+v", status)
	}
	t.Run("during a roll the version is the one that is left", func(t *testing.T) {
		c := chat()
		c.Status.Version = "1.3.0"
		if got := Compute(c, well(func(o *Observed) { o.Servers.Updated = 1 })).Version; got != "1.3.0" {
			t.Error(got)
		}
	})
	for image, want := range map[string]string{
		"a/b:1.2": "1.2", "a/b": "latest", "host:5000/b": "latest", "a/b@sha256:0123456789abcdef": "sha256:0123456789ab", "a/b:1@sha256:01": "1",
	} {
		if got := versionOf(image); got != want {
			t.Errorf("%s is %s, want %s", image, got, want)
		}
	}
	secure := chat(func(c *v1alpha1.ChatCluster) {
		c.Spec.Hostname, c.Spec.TLS = "chat.example.com", &v1alpha1.TLSSpec{SecretName: "x"}
	})
	if got := Compute(secure, well()).URL; got != "https://chat.example.com" {
		t.Error(got)
	}
}

func TestIsTrouble(t *testing.T) {
	t.Run("[OP8] what goes away for a moment on the way to the first Ready is no trouble", func(t *testing.T) {
		was, away := &metav1.Condition{Status: metav1.ConditionTrue}, &metav1.Condition{Status: metav1.ConditionFalse, Reason: "NoServerReady"}
		taken := &metav1.Condition{Status: metav1.ConditionFalse, Reason: ReasonNameTaken}
		if IsTrouble(away, was, false) || IsTrouble(away, nil, true) || !IsTrouble(away, was, true) || !IsTrouble(taken, nil, false) {
			t.Error("it is told otherwise")
		}
	})
}
