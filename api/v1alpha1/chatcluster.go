package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ChatCluster is a whole chat: servers, database, Redis, and what keeps them
// well. Its name alone is enough: that makes one server with a small
// Postgres and a small Redis, reached inside the cluster through the Service
// of the same name.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.server.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:resource:shortName=chat,categories=gochat
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Servers",type=integer,JSONPath=`.status.readyReplicas`
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.status.version`
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.status.url`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Profile",type=string,JSONPath=`.spec.profile`,priority=1
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 40",message="the name may have at most 40 characters: names of other objects are made from it"
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="the name must begin with a letter and hold only small letters, digits and dashes: the Service has it too"
// +kubebuilder:validation:XValidation:rule="!self.metadata.name.matches('-(postgres|redis)$')",message="the name must not end in -postgres or -redis: Services of other ChatClusters are called so"
type ChatCluster struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// What is wanted.
	//
	// +optional
	// +kubebuilder:default={}
	Spec ChatClusterSpec `json:"spec,omitempty"`

	// What is there, as the operator saw it last.
	//
	// +optional
	Status ChatClusterStatus `json:"status,omitempty"`
}

// ChatClusterList is a list of ChatClusters.
//
// +kubebuilder:object:root=true
type ChatClusterList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []ChatCluster `json:"items"`
}

// ChatClusterSpec is what is wanted of a chat.
//
// A default of {} is checked by CEL before the defaults inside it are filled
// in, so the rules guard with has().
//
// +kubebuilder:validation:XValidation:rule="!has(self.redis) || !has(self.redis.type) || self.redis.type != 'None' || !has(self.server) || !has(self.server.replicas) || self.server.replicas <= 1",message="redis.type None needs server.replicas 0 or 1: two servers find each other through Redis"
// +kubebuilder:validation:XValidation:rule="!has(self.redis) || !has(self.redis.type) || self.redis.type != 'None' || !has(self.autoscaling)",message="redis.type None can't be combined with autoscaling: two servers find each other through Redis"
// +kubebuilder:validation:XValidation:rule="!has(self.gateway) || (has(self.hostname) && size(self.hostname) > 0)",message="gateway needs a hostname: set spec.hostname to the name that people type"
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || (has(self.hostname) && size(self.hostname) > 0)",message="tls needs a hostname: set spec.hostname to the name that the certificate is for"
// +kubebuilder:validation:XValidation:rule="has(self.bootstrap) == has(oldSelf.bootstrap)",message="bootstrap is immutable: it was carried out, or not, when the chat was created"
type ChatClusterSpec struct {
	// How much the parts may use, and how they are tuned: Small fits a node of 1
	// GB, Standard a node of 4 GB or more, HA spreads over nodes as well. It
	// never says how many servers there are.
	//
	// +optional
	// +kubebuilder:default=Small
	Profile Profile `json:"profile,omitempty"`

	// The name people type into the browser. Set, the chat is exposed: through
	// the Gateway named in gateway, else through an Ingress. Not set, it is
	// reached through its Service only.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*)?$`
	// +kubebuilder:validation:XValidation:rule="!isIP(self)",message="hostname must be a name, not an address: neither an Ingress nor an HTTPRoute takes one"
	Hostname string `json:"hostname,omitempty"`

	// The chat servers.
	//
	// +optional
	// +kubebuilder:default={}
	Server ServerSpec `json:"server,omitempty"`

	// Who may come in.
	//
	// +optional
	// +kubebuilder:default={}
	Auth AuthSpec `json:"auth,omitempty"`

	// Present: the number of servers follows the number of connections.
	//
	// +optional
	Autoscaling *AutoscalingSpec `json:"autoscaling,omitempty"`

	// Where everything is kept.
	//
	// +optional
	// +kubebuilder:default={}
	Database DatabaseSpec `json:"database,omitempty"`

	// What several servers find each other through.
	//
	// +optional
	// +kubebuilder:default={}
	Redis RedisSpec `json:"redis,omitempty"`

	// The Gateway (gateway.networking.k8s.io) that an HTTPRoute is attached to.
	// It needs a hostname.
	//
	// +optional
	Gateway *GatewaySpec `json:"gateway,omitempty"`

	// How the Ingress is made, where a hostname is set and no gateway.
	//
	// +optional
	Ingress *IngressSpec `json:"ingress,omitempty"`

	// The certificate of the hostname: issued by cert-manager, or in a Secret of
	// your own.
	//
	// +optional
	TLS *TLSSpec `json:"tls,omitempty"`

	// Present: the database is dumped to a volume by this plan.
	//
	// +optional
	Backup *BackupSpec `json:"backup,omitempty"`

	// Where the first data comes from. It can't be changed later.
	//
	// +optional
	Bootstrap *BootstrapSpec `json:"bootstrap,omitempty"`

	// What happens to volumes, and to the credentials that open them, when this
	// resource is deleted: Retain leaves both, and a ChatCluster created again
	// with the same name finds them; Delete deletes both.
	//
	// +optional
	// +kubebuilder:default=Retain
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// True stops servers, database and Redis. Data and credentials stay.
	//
	// +optional
	// +kubebuilder:default=false
	Hibernate bool `json:"hibernate,omitempty"`

	// True lets changes of this spec wait. Healing, certificates and status go
	// on.
	//
	// +optional
	// +kubebuilder:default=false
	Paused bool `json:"paused,omitempty"`

	// False leaves out the NetworkPolicies that let each part be reached only by
	// who needs it.
	//
	// +optional
	// +kubebuilder:default=true
	NetworkPolicy *bool `json:"networkPolicy,omitempty"`

	// PodMonitor, PrometheusRule and Grafana dashboard: Auto makes those whose
	// API is installed, Enabled says in a condition what is missing, Disabled
	// makes none.
	//
	// +optional
	// +kubebuilder:default=Auto
	Monitoring Monitoring `json:"monitoring,omitempty"`
}

// Profile says how much the parts may use, and how they are tuned.
//
// +kubebuilder:validation:Enum=Small;Standard;HA
type Profile string

// The profiles.
const (
	ProfileSmall    Profile = "Small"
	ProfileStandard Profile = "Standard"
	ProfileHA       Profile = "HA"
)

// DeletionPolicy says what happens to volumes and credentials when the
// resource is deleted.
//
// +kubebuilder:validation:Enum=Retain;Delete
type DeletionPolicy string

// The deletion policies.
const (
	DeletionRetain DeletionPolicy = "Retain"
	DeletionDelete DeletionPolicy = "Delete"
)

// Monitoring says whether the objects for Prometheus and Grafana are made.
//
// +kubebuilder:validation:Enum=Auto;Enabled;Disabled
type Monitoring string

// The ways of monitoring.
const (
	MonitoringAuto     Monitoring = "Auto"
	MonitoringEnabled  Monitoring = "Enabled"
	MonitoringDisabled Monitoring = "Disabled"
)
