package status

import (
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// databaseReady: it takes connections, though its volume, or that of its backups, may not be as large as is wanted.
func (v view) databaseReady() check {
	c := v.databaseAnswers()
	if v.Small == "" {
		return c
	}
	if c.status == metav1.ConditionTrue {
		c.reason = "VolumeCantGrow"
	}
	c.message += "; " + v.Small
	return c
}

func (v view) databaseAnswers() check {
	for _, fault := range v.Faults {
		if fault.Reason == ReasonCredentialsMissing {
			return no(fault.Reason, fault.String())
		}
	}
	if v.Spec.Database.Type == v1alpha1.DatabaseManaged {
		return v.managed(v.Database, "Postgres")
	}
	switch external := v.Spec.Database.External; {
	case external != nil && slices.Contains(v.LostSecrets, external.SecretName):
		return no("SecretMissing", "the Secret "+external.SecretName+" with the URL of the database is not there, or has no key "+external.Key+": make it")
	case v.Servers != nil && v.Servers.Ready > 0:
		return yes("ServersConnected", "the servers reach it")
	case v.Schema.Current:
		return yes("Migrated", "the migration reached it")
	default:
		return unsure("NotReachedYet", because("nothing has reached it yet", v.Schema.Message))
	}
}

func (v view) redisReady() check {
	switch v.Spec.Redis.Type {
	case v1alpha1.RedisManaged:
		return v.managed(v.Redis, "Redis")
	case v1alpha1.RedisNone:
		return yes("NotNeeded", "a single server needs none")
	case v1alpha1.RedisExternal:
	}
	if external := v.Spec.Redis.External; external != nil && slices.Contains(v.LostSecrets, external.SecretName) {
		return no("SecretMissing", "the Secret "+external.SecretName+" with the URL of Redis is not there, or has no key "+external.Key+": make it")
	}
	return unsure("External", "the servers say in their metrics whether they reach it (gochat_backplane_up)")
}

// managed is a part that runs once, by our own hands.
func (v view) managed(part *Workload, name string) check {
	switch {
	case part != nil && part.Ready > 0 && part.Wanted > 0:
		return yes("Running", name+" takes connections")
	case v.Spec.Hibernate:
		return no("Hibernated", name+" is not to run")
	case part == nil && v.untouched():
		return no("Paused", name+" is made when paused is false")
	case part == nil:
		return no("Creating", name+" is being made")
	default:
		return no("NotReady", because(name+" takes no connections", part.Trouble))
	}
}

// exposed: the hostname leads to the chat, as far as who carries that out says.
func (v view) exposed() check {
	tls := v.Spec.TLS
	switch {
	case v.Spec.Hostname == "":
		return no("NoHostname", "hostname is not set: the chat is reached inside the cluster only, through the Service "+v.Name)
	case v.Spec.Gateway != nil && !v.Gateway:
		return no("GatewayAPIMissing", "the cluster has no gateway.networking.k8s.io/v1: install it, or leave out spec.gateway to use an Ingress")
	case tls != nil && tls.IssuerRef != nil && !v.CertManager:
		return no("CertManagerMissing", "the cluster has no cert-manager.io/v1: install cert-manager, or name a Secret in spec.tls.secretName")
	case tls != nil && tls.SecretName != "" && slices.Contains(v.LostSecrets, tls.SecretName):
		return no("SecretMissing", "the Secret "+tls.SecretName+" with the certificate is not there: make it")
	case tls != nil && tls.IssuerRef != nil && v.Certificate.Status != metav1.ConditionTrue:
		return no("CertificateNotReady", because("cert-manager has not issued the certificate yet", v.Certificate.Message))
	case v.Route.Status == metav1.ConditionTrue:
		return yes("Accepted", because(v.Spec.Hostname+" leads here", v.Route.Message))
	case v.Route.Status == metav1.ConditionFalse:
		return no("NotAccepted", because("the Gateway does not take the HTTPRoute", v.Route.Message))
	case v.Spec.Gateway != nil:
		return unsure("NoAnswerYet", "no Gateway has said anything about the HTTPRoute: is there one called "+v.Spec.Gateway.Name+"?")
	default:
		return unsure("NoAnswerYet", "no Ingress controller has written an address into the Ingress; not every one does")
	}
}

// backupDelay is how much later than its plan a backup may begin before that is said.
const backupDelay = time.Hour

func (v view) backupHealthy() check {
	switch b := v.Backup; {
	case v.Spec.Backup == nil:
		return no("NotConfigured", "spec.backup is not set: nothing is backed up")
	case b == nil && v.untouched():
		return no("Paused", "the plan is made when paused is false")
	case b == nil:
		return no("Creating", "the plan is being made")
	case b.Failed:
		return no("BackupFailed", because("the last backup failed", b.Message))
	case b.Suspended:
		return unsure("Suspended", "nothing is backed up while hibernating")
	case b.Succeeded.IsZero() && b.Scheduled.IsZero():
		return unsure("NotYet", "the first backup comes with the plan: "+v.Spec.Backup.Schedule+" (UTC)")
	case b.Scheduled.After(b.Succeeded) && v.Now.Sub(b.Scheduled) > backupDelay:
		return no("BackupLate", fmt.Sprintf("the backup begun at %s has not ended", b.Scheduled.UTC().Format(time.RFC3339)))
	case b.Succeeded.IsZero():
		return unsure("Running", "the first backup is being made")
	default:
		return yes("BackedUp", "the last backup succeeded")
	}
}

func (v view) autoscalingActive() check {
	switch {
	case v.Spec.Autoscaling == nil:
		return no("NotConfigured", "spec.autoscaling is not set: the number of servers is spec.server.replicas")
	case v.Autoscaler.Status == metav1.ConditionFalse:
		return no("NotActive", because("the HorizontalPodAutoscaler does nothing", v.Autoscaler.Message))
	case v.Autoscaler.Status != metav1.ConditionTrue:
		return unsure("NoAnswerYet", "the HorizontalPodAutoscaler has said nothing yet")
	case !v.ByConnection:
		return yes("CPUOnly", "by CPU: the cluster does not serve the pods metric gochat_connections")
	default:
		return yes("ByConnections", fmt.Sprintf("%d connections per server are aimed at", v.Spec.Autoscaling.TargetConnections))
	}
}

func (v view) monitoringInstalled() check {
	switch {
	case v.Spec.Monitoring == v1alpha1.MonitoringDisabled:
		return no("Disabled", "spec.monitoring is Disabled")
	case v.Monitoring:
		return yes("Installed", "PodMonitor and PrometheusRule are there")
	case v.Spec.Monitoring == v1alpha1.MonitoringEnabled:
		return no("PrometheusOperatorMissing", "the cluster does not serve PodMonitor and PrometheusRule (monitoring.coreos.com/v1): install prometheus-operator, or set monitoring to Auto or Disabled")
	default:
		return no("PrometheusOperatorMissing", "the cluster does not serve PodMonitor and PrometheusRule (monitoring.coreos.com/v1); they are made when it does")
	}
}
