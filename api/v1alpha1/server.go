package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
)

// ServerSpec is what is wanted of the chat servers.
type ServerSpec struct {
	// The image of the servers. Empty: that of the operator's own release.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^\S*$`
	Image string `json:"image,omitempty"`

	// How many servers there are. This is the path of the scale subresource:
	// kubectl scale and autoscalers write it, the operator never does.
	//
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Replicas *int32 `json:"replicas,omitempty"`

	// How long a server that is told to stop takes to send its connections
	// elsewhere, in seconds. They are closed spread over this time.
	//
	// +optional
	// +kubebuilder:default=60
	// +kubebuilder:validation:Minimum=5
	// +kubebuilder:validation:Maximum=3600
	DrainSeconds int32 `json:"drainSeconds,omitempty"`

	// Whether the servers serve the web app. None: a CDN does.
	//
	// +optional
	// +kubebuilder:default=Embedded
	Web Web `json:"web,omitempty"`

	// CPU and memory of a server, instead of the profile's.
	//
	// +optional
	// +kubebuilder:default={}
	Resources Resources `json:"resources,omitempty"`

	// More of the server's environment, by name: settings that this resource has
	// no field for.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="self.all(e, !(e.name in ['GOCHAT_LISTEN', 'GOCHAT_ADMIN_LISTEN', 'GOCHAT_DATA_DIR', 'GOCHAT_POSTGRES_URL', 'GOCHAT_REDIS_URL', 'GOCHAT_JWT_KEYS_FILE', 'GOCHAT_DRAIN', 'GOCHAT_WEB', 'GOCHAT_REGISTRATION', 'GOCHAT_GUESTS', 'GOCHAT_TRUSTED_PROXIES', 'POSTGRES_URL', 'POSTGRES_PASSWORD', 'REDIS_URL', 'REDIS_PASSWORD']))",message="env can't hold what the operator sets from other fields: GOCHAT_LISTEN, _ADMIN_LISTEN, _DATA_DIR, _POSTGRES_URL, _REDIS_URL, _JWT_KEYS_FILE, _DRAIN, _WEB, _REGISTRATION, _GUESTS, _TRUSTED_PROXIES; nor POSTGRES_URL, POSTGRES_PASSWORD, REDIS_URL, REDIS_PASSWORD"
	Env []corev1.EnvVar `json:"env,omitempty"`

	// Networks and addresses of the proxies whose X-Forwarded-For is believed.
	// Empty: the private ranges where the chat is exposed by an Ingress or a
	// Gateway, else none.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.all(p, isCIDR(p) || isIP(p))",message="each of trustedProxies must be an address (10.0.0.7) or a network (10.0.0.0/8)"
	TrustedProxies []string `json:"trustedProxies,omitempty"`

	// Where the pods of the servers may run.
	//
	// +optional
	// +kubebuilder:default={}
	Pod PodSpec `json:"pod,omitempty"`
}

// Resources are CPU, memory and what else a container may have.
type Resources struct {
	// What is set aside for it.
	//
	// +optional
	Requests corev1.ResourceList `json:"requests,omitempty"`

	// What it may use at most.
	//
	// +optional
	Limits corev1.ResourceList `json:"limits,omitempty"`
}

// Web says who serves the web app.
//
// +kubebuilder:validation:Enum=Embedded;None
type Web string

// Who serves the web app.
const (
	WebEmbedded Web = "Embedded"
	WebNone     Web = "None"
)

// PodSpec says where pods may run.
type PodSpec struct {
	// Labels that a node must have.
	//
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`

	// Taints that the pods tolerate.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// The PriorityClass of the pods.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$`
	PriorityClassName string `json:"priorityClassName,omitempty"`
}

// AuthSpec says who may come in.
type AuthSpec struct {
	// Who may make an account: Open, everybody; InviteOnly, who has an invite
	// link; Closed, nobody.
	//
	// +optional
	// +kubebuilder:default=Open
	Registration Registration `json:"registration,omitempty"`

	// True lets people in without an account.
	//
	// +optional
	// +kubebuilder:default=false
	Guests bool `json:"guests,omitempty"`
}

// Registration says who may make an account.
//
// +kubebuilder:validation:Enum=Open;InviteOnly;Closed
type Registration string

// The ways of registration.
const (
	RegistrationOpen       Registration = "Open"
	RegistrationInviteOnly Registration = "InviteOnly"
	RegistrationClosed     Registration = "Closed"
)

// AutoscalingSpec lets the number of servers follow the number of
// connections.
//
// +kubebuilder:validation:XValidation:rule="!has(self.minReplicas) || self.minReplicas <= self.maxReplicas",message="autoscaling.minReplicas must not be more than autoscaling.maxReplicas"
type AutoscalingSpec struct {
	// The fewest servers.
	//
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MinReplicas int32 `json:"minReplicas,omitempty"`

	// The most servers.
	//
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MaxReplicas int32 `json:"maxReplicas"`

	// How many connections a server should have.
	//
	// +optional
	// +kubebuilder:default=2000
	// +kubebuilder:validation:Minimum=1
	TargetConnections int32 `json:"targetConnections,omitempty"`

	// What scales: HPA by the pods metric gochat_connections where the cluster
	// serves it, else by CPU (the condition AutoscalingActive says which). Auto
	// chooses.
	//
	// +optional
	// +kubebuilder:default=Auto
	Provider AutoscalingProvider `json:"provider,omitempty"`

	// For how long fewer servers must have been enough before some are taken
	// away, in seconds.
	//
	// +optional
	// +kubebuilder:default=600
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=3600
	ScaleDownStabilizationSeconds *int32 `json:"scaleDownStabilizationSeconds,omitempty"`
}

// AutoscalingProvider says what scales.
//
// +kubebuilder:validation:Enum=Auto;HPA
type AutoscalingProvider string

// What scales.
const (
	AutoscalingAuto AutoscalingProvider = "Auto"
	AutoscalingHPA  AutoscalingProvider = "HPA"
)
