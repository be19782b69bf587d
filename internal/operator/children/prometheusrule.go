package children

import (
	"encoding/json"

	"github.com/gochat-dev/gochat/internal/operator/children/insight"
)

// prometheusRule is the alerts about this ChatCluster, where Prometheus' operator is installed.
func (p part) prometheusRule() ([]Child, error) {
	if !p.watched() || !p.known.APIs.PrometheusRule {
		return nil, nil
	}
	rules, err := insight.RulesOf(p.cluster)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(rules)
	if err != nil {
		return nil, err
	}
	var spec map[string]any
	if err := json.Unmarshal(text, &spec); err != nil {
		return nil, err
	}
	return []Child{p.optional("monitoring.coreos.com", "PrometheusRule", RulesName(p.cluster.Name), spec)}, nil
}
