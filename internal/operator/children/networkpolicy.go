package children

import (
	core "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	meta "k8s.io/client-go/applyconfigurations/meta/v1"
	networking "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// networkPolicies let each part be reached, and reach, only what it needs: nothing first, then what is listed here. They come
// before the pods that they are about.
func (p part) networkPolicies() []Child {
	spec := p.cluster.Spec
	if !*spec.NetworkPolicy {
		return nil
	}
	var all []Child
	deny := networking.NetworkPolicySpec().
		WithPodSelector(meta.LabelSelector().WithMatchLabels(map[string]string{LabelName: AppName, LabelInstance: p.cluster.Name})).
		WithPolicyTypes(networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress)
	all = append(all, p.networkPolicy("-deny", deny))

	fromAnywhere := networking.NetworkPolicyIngressRule().WithPorts(tcp(httpPort))
	// Prometheus and the operator may be in any namespace; what is outside the cluster isn't.
	fromInside := networking.NetworkPolicyIngressRule().WithPorts(tcp(adminPort)).
		WithFrom(networking.NetworkPolicyPeer().WithNamespaceSelector(meta.LabelSelector()))
	server := p.of(Server)
	all = append(all, server.networkPolicy("-allow-server", networking.NetworkPolicySpec().WithPodSelector(server.selector()).
		WithPolicyTypes(networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress).
		WithIngress(fromAnywhere, fromInside).
		WithEgress(append(p.toDatabase(), p.toRedis()...)...)))

	workers := []Component{Migration, Restore, Backup}
	all = append(all, p.networkPolicy("-allow-jobs", networking.NetworkPolicySpec().
		WithPodSelector(p.anyOf(workers...)).
		WithPolicyTypes(networkingv1.PolicyTypeEgress).
		WithEgress(p.toDatabase()...)))

	if spec.Database.Type == v1alpha1.DatabaseManaged {
		all = append(all, p.of(Postgres).reachedBy("-allow-postgres", postgresPort, append(workers, Server)...))
	}
	if spec.Redis.Type == v1alpha1.RedisManaged {
		all = append(all, p.of(Redis).reachedBy("-allow-redis", redisPort, Server))
	}
	return all
}

func (p part) networkPolicy(suffix string, spec *networking.NetworkPolicySpecApplyConfiguration) Child {
	name := p.cluster.Name + suffix
	return Child{
		Kind: kind("networking.k8s.io", "v1", "NetworkPolicy"), Name: name,
		Object: owned(p, networking.NetworkPolicy(name, p.cluster.Namespace).WithSpec(spec)),
	}
}

// reachedBy lets some parts of the same ChatCluster reach a port of this one.
func (p part) reachedBy(suffix string, port int32, parts ...Component) Child {
	return p.networkPolicy(suffix, networking.NetworkPolicySpec().WithPodSelector(p.selector()).
		WithPolicyTypes(networkingv1.PolicyTypeIngress).
		WithIngress(networking.NetworkPolicyIngressRule().WithPorts(tcp(port)).
			WithFrom(networking.NetworkPolicyPeer().WithPodSelector(p.anyOf(parts...)))))
}

// anyOf selects the pods of some parts of the same ChatCluster.
func (p part) anyOf(parts ...Component) *meta.LabelSelectorApplyConfiguration {
	var values []string
	for _, c := range parts {
		values = append(values, string(c))
	}
	return meta.LabelSelector().
		WithMatchLabels(map[string]string{LabelName: AppName, LabelInstance: p.cluster.Name}).
		WithMatchExpressions(meta.LabelSelectorRequirement().WithKey(LabelComponent).WithOperator("In").WithValues(values...))
}

// toDatabase is names and the database. Where that is somebody else's, only its Secret knows where it is: then it is anywhere.
func (p part) toDatabase() []*networking.NetworkPolicyEgressRuleApplyConfiguration {
	if p.cluster.Spec.Database.Type == v1alpha1.DatabaseExternal {
		return []*networking.NetworkPolicyEgressRuleApplyConfiguration{networking.NetworkPolicyEgressRule()}
	}
	return []*networking.NetworkPolicyEgressRuleApplyConfiguration{toNames(), p.of(Postgres).toPods(postgresPort)}
}

func (p part) toRedis() []*networking.NetworkPolicyEgressRuleApplyConfiguration {
	switch p.cluster.Spec.Redis.Type {
	case v1alpha1.RedisManaged:
		return []*networking.NetworkPolicyEgressRuleApplyConfiguration{p.of(Redis).toPods(redisPort)}
	case v1alpha1.RedisExternal:
		return []*networking.NetworkPolicyEgressRuleApplyConfiguration{networking.NetworkPolicyEgressRule()}
	default:
		return nil
	}
}

func (p part) toPods(port int32) *networking.NetworkPolicyEgressRuleApplyConfiguration {
	return networking.NetworkPolicyEgressRule().WithPorts(tcp(port)).
		WithTo(networking.NetworkPolicyPeer().WithPodSelector(p.selector()))
}

// toNames is DNS, wherever it runs: in a namespace of the cluster, or on the node. The pods of OpenShift's listen at 5353, and it is
// the port of the pod that counts.
func toNames() *networking.NetworkPolicyEgressRuleApplyConfiguration {
	udp := func(port int32) *networking.NetworkPolicyPortApplyConfiguration {
		return networking.NetworkPolicyPort().WithProtocol(core.ProtocolUDP).WithPort(intstr.FromInt32(port))
	}
	return networking.NetworkPolicyEgressRule().WithPorts(udp(53), tcp(53), udp(5353), tcp(5353))
}

func tcp(port int32) *networking.NetworkPolicyPortApplyConfiguration {
	return networking.NetworkPolicyPort().WithProtocol(core.ProtocolTCP).WithPort(intstr.FromInt32(port))
}
