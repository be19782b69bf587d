package v1alpha1

// GatewaySpec names a Gateway (gateway.networking.k8s.io).
type GatewaySpec struct {
	// The Gateway.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name"`

	// The namespace of the Gateway. Empty: that of the ChatCluster.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$`
	Namespace string `json:"namespace,omitempty"`

	// The listener of the Gateway. Empty: each that takes the hostname.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$`
	SectionName string `json:"sectionName,omitempty"`
}

// IngressSpec says how the Ingress is made.
type IngressSpec struct {
	// The IngressClass. Empty: the cluster's default.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$`
	ClassName string `json:"className,omitempty"`

	// Annotations of the Ingress, for its controller.
	//
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
}

// TLSSpec says where the certificate of the hostname comes from: exactly one
// of the two.
//
// +kubebuilder:validation:XValidation:rule="has(self.issuerRef) != (has(self.secretName) && size(self.secretName) > 0)",message="tls needs exactly one of issuerRef and secretName"
type TLSSpec struct {
	// The cert-manager issuer that issues it.
	//
	// +optional
	IssuerRef *IssuerRef `json:"issuerRef,omitempty"`

	// A Secret of type kubernetes.io/tls in this namespace that holds it.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$`
	SecretName string `json:"secretName,omitempty"`
}

// IssuerRef names an issuer of cert-manager.
type IssuerRef struct {
	// The issuer.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name"`

	// Issuer (of this namespace) or ClusterIssuer.
	//
	// +optional
	// +kubebuilder:default=ClusterIssuer
	// +kubebuilder:validation:Enum=Issuer;ClusterIssuer
	Kind string `json:"kind,omitempty"`
}
