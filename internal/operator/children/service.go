package children

import (
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	ac "k8s.io/client-go/applyconfigurations/core/v1"
)

// The ports of the servers. People come in by servicePort; what is behind adminPort (metrics, health in detail) has no Service.
const (
	servicePort = 80
	httpPort    = 8080
	adminPort   = 9090
)

// serverService is where the chat is reached inside the cluster, and by the Ingress or HTTPRoute.
func (p part) serverService() Child {
	return p.service(ServiceName(p.cluster.Name), ac.ServiceSpec(), servicePort, "http")
}

// service completes a Service in front of the part's pods with a port that has the same name there.
func (p part) service(name string, spec *ac.ServiceSpecApplyConfiguration, port int32, target string) Child {
	return Child{
		Kind: kind("", "v1", "Service"), Name: name,
		Object: owned(p, ac.Service(name, p.cluster.Namespace).WithSpec(spec.
			WithType(core.ServiceTypeClusterIP).
			WithSelector(p.selects()).
			WithPorts(ac.ServicePort().WithName(target).WithPort(port).WithProtocol(core.ProtocolTCP).
				WithTargetPort(intstr.FromString(target))))),
	}
}

// serviceAccount is that of all pods. No pod is given its token; it is there for imagePullSecrets, which anybody may add to it.
func (p part) serviceAccount() Child {
	name := p.cluster.Name
	return Child{
		Kind: kind("", "v1", "ServiceAccount"), Name: name,
		Object: owned(p, ac.ServiceAccount(name, p.cluster.Namespace).WithAutomountServiceAccountToken(false)),
	}
}
