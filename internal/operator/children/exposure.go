package children

import (
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	networking "k8s.io/client-go/applyconfigurations/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// exposed is the way in from outside: the certificate first, then an HTTPRoute where a Gateway is named, else an Ingress.
func (p part) exposed() []Child {
	spec := p.cluster.Spec
	if spec.Hostname == "" {
		return nil
	}
	all := p.certificate()
	switch {
	case spec.Gateway == nil:
		all = append(all, p.ingress())
	case p.known.APIs.Gateway:
		all = append(all, p.route())
	}
	return all
}

// tlsSecret is the Secret that holds the certificate of the hostname; empty without tls.
func (p part) tlsSecret() string {
	switch tls := p.cluster.Spec.TLS; {
	case tls == nil:
		return ""
	case tls.IssuerRef != nil:
		return CertificateName(p.cluster.Name)
	default:
		return tls.SecretName
	}
}

// certificate is issued and renewed by cert-manager, where that is installed.
func (p part) certificate() []Child {
	tls := p.cluster.Spec.TLS
	if tls == nil || tls.IssuerRef == nil || !p.known.APIs.CertManager {
		return nil
	}
	name := CertificateName(p.cluster.Name)
	return []Child{p.optional("cert-manager.io", "Certificate", name, map[string]any{
		"secretName": name,
		"dnsNames":   []any{p.cluster.Spec.Hostname},
		"issuerRef": map[string]any{
			"group": "cert-manager.io", "kind": tls.IssuerRef.Kind, "name": tls.IssuerRef.Name,
		},
		"privateKey": map[string]any{"algorithm": "ECDSA", "size": int64(256), "rotationPolicy": "Always"},
	})}
}

func (p part) ingress() Child {
	name, spec := ServiceName(p.cluster.Name), p.cluster.Spec
	rules := networking.IngressSpec().WithRules(networking.IngressRule().WithHost(spec.Hostname).
		WithHTTP(networking.HTTPIngressRuleValue().WithPaths(networking.HTTPIngressPath().
			WithPath("/").WithPathType(networkingv1.PathTypePrefix).
			WithBackend(networking.IngressBackend().WithService(networking.IngressServiceBackend().
				WithName(name).WithPort(networking.ServiceBackendPort().WithName("http")))))))
	if secret := p.tlsSecret(); secret != "" {
		rules = rules.WithTLS(networking.IngressTLS().WithHosts(spec.Hostname).WithSecretName(secret))
	}
	ingress := networking.Ingress(name, p.cluster.Namespace)
	if own := spec.Ingress; own != nil {
		if own.ClassName != "" {
			rules = rules.WithIngressClassName(own.ClassName)
		}
		ingress = ingress.WithAnnotations(own.Annotations)
	}
	return Child{Kind: kind("networking.k8s.io", "v1", "Ingress"), Name: name, Object: owned(p, ingress.WithSpec(rules))}
}

// route attaches the Service to the Gateway, whose listener has the certificate.
func (p part) route() Child {
	name, gateway := ServiceName(p.cluster.Name), p.cluster.Spec.Gateway
	parent := map[string]any{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": gateway.Name}
	if gateway.Namespace != "" {
		parent["namespace"] = gateway.Namespace
	}
	if gateway.SectionName != "" {
		parent["sectionName"] = gateway.SectionName
	}
	return p.optional("gateway.networking.k8s.io", "HTTPRoute", name, map[string]any{
		"parentRefs": []any{parent},
		"hostnames":  []any{p.cluster.Spec.Hostname},
		"rules": []any{map[string]any{
			"matches":     []any{map[string]any{"path": map[string]any{"type": "PathPrefix", "value": "/"}}},
			"backendRefs": []any{map[string]any{"group": "", "kind": "Service", "name": name, "port": int64(servicePort), "weight": int64(1)}},
		}},
	})
}

// optional makes a child of the first version of an API that a cluster may or may not serve, for which there are no types here: it goes with the
// ChatCluster and has the labels of its part.
func (p part) optional(group, name, object string, spec map[string]any) Child {
	gvk := kind(group, "v1", name)
	metadata := map[string]any{}
	if p.cluster.UID != "" {
		// Not by SetOwnerReferences, which writes fields that say nothing.
		metadata["ownerReferences"] = []any{map[string]any{
			"apiVersion": v1alpha1.SchemeGroupVersion.String(), "kind": "ChatCluster",
			"name": p.cluster.Name, "uid": string(p.cluster.UID), "controller": true,
		}}
	}
	u := &unstructured.Unstructured{Object: map[string]any{"metadata": metadata, "spec": spec}}
	u.SetGroupVersionKind(gvk)
	u.SetName(object)
	u.SetNamespace(p.cluster.Namespace)
	u.SetLabels(p.labels())
	return Child{Kind: gvk, Name: object, Object: client.ApplyConfigurationFromUnstructured(u)}
}
