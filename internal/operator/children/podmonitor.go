package children

import (
	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/children/insight"
)

// watched says whether the objects for Prometheus and Grafana are wanted.
func (p part) watched() bool { return p.cluster.Spec.Monitoring != v1alpha1.MonitoringDisabled }

// podMonitor has Prometheus read every server, where Prometheus' operator is installed. A PodMonitor rather than a
// ServiceMonitor: no Service leads to the port. Prometheus adds namespace and pod to the series; which ChatCluster they are of it takes
// from the label of the pod.
func (p part) podMonitor() []Child {
	if !p.watched() || !p.known.APIs.PodMonitor {
		return nil
	}
	labels := make(map[string]any)
	for name, value := range p.selects() {
		labels[name] = value
	}
	return []Child{p.optional("monitoring.coreos.com", "PodMonitor", ServerName(p.cluster.Name), map[string]any{
		"selector": map[string]any{"matchLabels": labels},
		"podMetricsEndpoints": []any{map[string]any{
			"port":     "admin",
			"path":     "/metrics",
			"interval": "30s",
			"relabelings": []any{map[string]any{
				"sourceLabels": []any{"__meta_kubernetes_pod_label_app_kubernetes_io_instance"},
				"targetLabel":  insight.ClusterLabel,
			}},
		}},
	})}
}
