package children

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	autoscaling "k8s.io/client-go/applyconfigurations/autoscaling/v2"
	policy "k8s.io/client-go/applyconfigurations/policy/v1"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// connectionsMetric is the series of the servers that counts their connections.
const connectionsMetric = "gochat_connections"

// cpuTarget is how busy servers may be where nobody counts their connections, in percent of the CPU that is meant for them.
const cpuTarget = 70

// cpuUtilization is cpuTarget in percent of what is reserved, which is what an autoscaler counts by. A profile may mean more for a
// server than it reserves: its limit. Of what a ChatCluster says itself, what is reserved is what is meant.
func (p part) cpuUtilization() int32 {
	server := p.sizes().server
	if server.cpuLimit == "" || p.ownResources() {
		return cpuTarget
	}
	limit, request := resource.MustParse(server.cpuLimit), resource.MustParse(server.cpu)
	return int32(cpuTarget * limit.MilliValue() / request.MilliValue())
}

// autoscaler writes the ChatCluster's own scale, as people do: the operator carries it out, whoever wrote it (OP4). There is none
// while hibernating, when it would want servers back.
func (p part) autoscaler() []Child {
	spec := p.cluster.Spec.Autoscaling
	if spec == nil || p.cluster.Spec.Hibernate {
		return nil
	}
	name := ServerName(p.cluster.Name)
	return []Child{{
		Kind: kind("autoscaling", "v2", "HorizontalPodAutoscaler"), Name: name,
		Object: owned(p, autoscaling.HorizontalPodAutoscaler(name, p.cluster.Namespace).WithSpec(autoscaling.HorizontalPodAutoscalerSpec().
			WithScaleTargetRef(autoscaling.CrossVersionObjectReference().
				WithAPIVersion(v1alpha1.SchemeGroupVersion.String()).WithKind("ChatCluster").WithName(p.cluster.Name)).
			WithMinReplicas(spec.MinReplicas).WithMaxReplicas(spec.MaxReplicas).
			WithMetrics(p.scaledBy()).
			// Connections stay where they are when servers come, and move when they go: up at once, down slowly.
			WithBehavior(autoscaling.HorizontalPodAutoscalerBehavior().
				WithScaleUp(autoscaling.HPAScalingRules().WithStabilizationWindowSeconds(0).
					WithSelectPolicy(autoscalingv2.MaxChangePolicySelect).
					WithPolicies(policyOf(autoscalingv2.PercentScalingPolicy, 100, 15), policyOf(autoscalingv2.PodsScalingPolicy, 2, 15))).
				WithScaleDown(autoscaling.HPAScalingRules().WithStabilizationWindowSeconds(*spec.ScaleDownStabilizationSeconds).
					WithSelectPolicy(autoscalingv2.MaxChangePolicySelect).
					WithPolicies(policyOf(autoscalingv2.PodsScalingPolicy, 1, p.cluster.Spec.Server.DrainSeconds)))))),
	}}
}

func policyOf(kind autoscalingv2.HPAScalingPolicyType, value, seconds int32) *autoscaling.HPAScalingPolicyApplyConfiguration {
	return autoscaling.HPAScalingPolicy().WithType(kind).WithValue(value).WithPeriodSeconds(max(15, min(seconds, 1800)))
}

// ScalesByConnections says whether the autoscaler follows the number of connections; it follows the CPU otherwise.
func ScalesByConnections(known Known) bool { return known.APIs.CustomMetrics }

func (p part) scaledBy() *autoscaling.MetricSpecApplyConfiguration {
	if ScalesByConnections(p.known) {
		return autoscaling.MetricSpec().WithType(autoscalingv2.PodsMetricSourceType).WithPods(autoscaling.PodsMetricSource().
			WithMetric(autoscaling.MetricIdentifier().WithName(connectionsMetric)).
			WithTarget(autoscaling.MetricTarget().WithType(autoscalingv2.AverageValueMetricType).
				WithAverageValue(*resource.NewQuantity(int64(p.cluster.Spec.Autoscaling.TargetConnections), resource.DecimalSI))))
	}
	return autoscaling.MetricSpec().WithType(autoscalingv2.ResourceMetricSourceType).WithResource(autoscaling.ResourceMetricSource().
		WithName(core.ResourceCPU).
		WithTarget(autoscaling.MetricTarget().WithType(autoscalingv2.UtilizationMetricType).WithAverageUtilization(p.cpuUtilization())))
}

// disruptionBudget lets a node be emptied one server at a time. Where there is one only, it would keep the node from being
// emptied at all, or nothing: so there is none. What doesn't work anyway keeps nobody.
func (p part) disruptionBudget() []Child {
	if Replicas(p.cluster) < 2 {
		return nil
	}
	name := ServerName(p.cluster.Name)
	return []Child{{
		Kind: kind("policy", "v1", "PodDisruptionBudget"), Name: name,
		Object: owned(p, policy.PodDisruptionBudget(name, p.cluster.Namespace).WithSpec(policy.PodDisruptionBudgetSpec().
			WithMaxUnavailable(intstr.FromInt32(1)).
			WithUnhealthyPodEvictionPolicy(policyv1.AlwaysAllow).
			WithSelector(p.selector()))),
	}}
}
