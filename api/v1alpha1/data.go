package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
)

// DatabaseSpec says where everything is kept.
//
// +kubebuilder:validation:XValidation:rule="!has(self.type) || self.type != 'External' || (has(self.external) && has(self.external.secretName) && size(self.external.secretName) > 0)",message="database.type External needs database.external.secretName: the Secret that holds the URL"
// +kubebuilder:validation:XValidation:rule="!has(self.external) || !has(self.external.secretName) || size(self.external.secretName) == 0 || (has(self.type) && self.type == 'External')",message="database.external.secretName is for database.type External only: set the type, or take the name away"
type DatabaseSpec struct {
	// Managed: a single Postgres that the operator runs. External: any Postgres,
	// 14 or newer, reached by a URL. It can't be changed.
	//
	// +optional
	// +kubebuilder:default=Managed
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="database.type can't be changed: make a backup, and restore it into a new ChatCluster"
	Type DatabaseType `json:"type,omitempty"`

	// The image of the managed Postgres. Empty: the official one, of a version
	// fixed by the operator's release. Another major version can't open the
	// volume: make a backup, and restore it into a new ChatCluster.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^\S*$`
	Image string `json:"image,omitempty"`

	// The volume of the managed Postgres.
	//
	// +optional
	// +kubebuilder:default={}
	Storage StorageSpec `json:"storage,omitempty"`

	// The Secret that holds the URL of an external Postgres.
	//
	// +optional
	// +kubebuilder:default={}
	External *ExternalSpec `json:"external,omitempty"`
}

// DatabaseType says who runs Postgres.
//
// +kubebuilder:validation:Enum=Managed;External
type DatabaseType string

// Who runs Postgres.
const (
	DatabaseManaged  DatabaseType = "Managed"
	DatabaseExternal DatabaseType = "External"
)

// StorageSpec is a volume.
type StorageSpec struct {
	// How large the volume is. It can grow, where its class can, and never
	// shrinks.
	//
	// +optional
	// +kubebuilder:default="2Gi"
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).compareTo(quantity(string(oldSelf))) >= 0",message="database.storage.size can't shrink: a volume only grows; for a smaller one make a backup, and restore it into a new ChatCluster"
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).isGreaterThan(quantity('0'))",message="database.storage.size must be more than 0, such as 2Gi"
	Size *resource.Quantity `json:"size,omitempty"`

	// The StorageClass of the volume. Empty: the cluster's default. It can't be
	// changed.
	//
	// +optional
	// +kubebuilder:default=""
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="database.storage.storageClassName can't be changed: make a backup, and restore it into a new ChatCluster"
	StorageClassName string `json:"storageClassName"`
}

// ExternalSpec names the Secret that holds a URL.
type ExternalSpec struct {
	// The Secret, in the namespace of the ChatCluster. It is required where the
	// type is External.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$`
	SecretName string `json:"secretName,omitempty"`

	// The key in the Secret whose value is the URL.
	//
	// +optional
	// +kubebuilder:default=uri
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	Key string `json:"key,omitempty"`
}

// RedisSpec says what several servers find each other through.
//
// +kubebuilder:validation:XValidation:rule="!has(self.type) || self.type != 'External' || (has(self.external) && has(self.external.secretName) && size(self.external.secretName) > 0)",message="redis.type External needs redis.external.secretName: the Secret that holds the URL"
// +kubebuilder:validation:XValidation:rule="!has(self.external) || !has(self.external.secretName) || size(self.external.secretName) == 0 || (has(self.type) && self.type == 'External')",message="redis.external.secretName is for redis.type External only: set the type, or take the name away"
type RedisSpec struct {
	// Managed: a single Redis that the operator runs, and that keeps nothing.
	// External: any Redis 6.2 or Valkey, or newer, reached by a URL. None: no
	// Redis; there can be one server only.
	//
	// +optional
	// +kubebuilder:default=Managed
	Type RedisType `json:"type,omitempty"`

	// The image of the managed Redis. Empty: the official one, of a version
	// fixed by the operator's release.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^\S*$`
	Image string `json:"image,omitempty"`

	// The Secret that holds the URL of an external Redis.
	//
	// +optional
	// +kubebuilder:default={}
	External *ExternalSpec `json:"external,omitempty"`
}

// RedisType says who runs Redis.
//
// +kubebuilder:validation:Enum=Managed;External;None
type RedisType string

// Who runs Redis.
const (
	RedisManaged  RedisType = "Managed"
	RedisExternal RedisType = "External"
	RedisNone     RedisType = "None"
)

// BackupSpec is the plan by which the database is dumped.
type BackupSpec struct {
	// When, as cron has it, in UTC.
	//
	// +optional
	// +kubebuilder:default="0 3 * * *"
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:Pattern=`^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|[-0-9A-Za-z*,/?]+( +[-0-9A-Za-z*,/?]+){4})$`
	Schedule string `json:"schedule,omitempty"`

	// How many dumps are kept.
	//
	// +optional
	// +kubebuilder:default=7
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Keep int32 `json:"keep,omitempty"`
}

// BootstrapSpec says where the first data comes from.
type BootstrapSpec struct {
	// A PersistentVolumeClaim of this namespace that holds dumps made by backup,
	// as CLAIM (the newest dump is taken) or CLAIM/FILE. It is restored before
	// the first server starts, and only into a database that is empty.
	//
	// +optional
	// +kubebuilder:default=""
	// +kubebuilder:validation:MaxLength=510
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?(/[A-Za-z0-9][-A-Za-z0-9_.]*)?)?$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="bootstrap.restoreFrom is immutable: it was carried out, or not, when the chat was created"
	RestoreFrom string `json:"restoreFrom"`
}
