package children

import (
	ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/children/insight"
)

// dashboard is a ConfigMap that Grafana's sidecar finds by its label. Whether there is a Grafana can't be asked: unless monitoring is
// Enabled, where there is a Prometheus there is one.
func (p part) dashboard() ([]Child, error) {
	if !p.watched() || (p.cluster.Spec.Monitoring != v1alpha1.MonitoringEnabled && !p.known.APIs.PodMonitor) {
		return nil, nil
	}
	board, err := insight.DashboardOf(p.cluster)
	if err != nil {
		return nil, err
	}
	name := DashboardName(p.cluster.Name)
	object := owned(p, ac.ConfigMap(name, p.cluster.Namespace).WithData(map[string]string{"gochat-" + p.cluster.Name + ".json": board}))
	return []Child{{
		Kind: kind("", "v1", "ConfigMap"), Name: name,
		Object: object.WithLabels(map[string]string{insight.DashboardLabel: "1"}), // beside those that it has
	}}, nil
}
