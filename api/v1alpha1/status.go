package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ChatClusterStatus is what is there, as the operator saw it last.
type ChatClusterStatus struct {
	// The generation of the spec that this status speaks of.
	//
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// What can be said with yes or no. All are there from the first pass on.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// Where people reach the chat.
	//
	// +optional
	URL string `json:"url,omitempty"`

	// How many servers there are.
	//
	// +optional
	Replicas int32 `json:"replicas"`

	// How many servers take connections.
	//
	// +optional
	ReadyReplicas int32 `json:"readyReplicas"`

	// The pods of the servers, for autoscalers.
	//
	// +optional
	Selector string `json:"selector,omitempty"`

	// The release that all servers run. During a roll: the one that is left.
	//
	// +optional
	Version string `json:"version,omitempty"`

	// The version of the database's schema.
	//
	// +optional
	SchemaVersion int64 `json:"schemaVersion,omitempty"`

	// When the last backup that succeeded was finished.
	//
	// +optional
	LastBackupTime *metav1.Time `json:"lastBackupTime,omitempty"`

	// What bootstrap.restoreFrom was when it was carried out. It is not carried
	// out again.
	//
	// +optional
	RestoredFrom string `json:"restoredFrom,omitempty"`
}

// The types of the conditions.
const (
	// ConditionReady sums up: this generation is carried out, and people can
	// chat.
	ConditionReady = "Ready"
	// ConditionAvailable says whether people can chat now.
	ConditionAvailable = "Available"
	// ConditionUpToDate says whether every server is of this generation and the
	// roll has finished.
	ConditionUpToDate = "UpToDate"
	// ConditionDatabaseReady says whether the database takes connections.
	ConditionDatabaseReady = "DatabaseReady"
	// ConditionRedisReady says whether Redis takes connections.
	ConditionRedisReady = "RedisReady"
	// ConditionSchemaCurrent says whether the schema is the one that the wanted
	// servers need.
	ConditionSchemaCurrent = "SchemaCurrent"
	// ConditionExposed says whether the hostname leads to the chat.
	ConditionExposed = "Exposed"
	// ConditionBackupHealthy says whether there is a recent backup.
	ConditionBackupHealthy = "BackupHealthy"
	// ConditionAutoscalingActive says whether the number of servers follows the
	// load, and by which metric.
	ConditionAutoscalingActive = "AutoscalingActive"
	// ConditionMonitoringInstalled says whether the objects for Prometheus and
	// Grafana are there.
	ConditionMonitoringInstalled = "MonitoringInstalled"
	// ConditionPaused says whether changes of the spec wait.
	ConditionPaused = "Paused"
	// ConditionHibernated says whether everything is stopped.
	ConditionHibernated = "Hibernated"
	// ConditionHighlyAvailable says whether the chat outlives the loss of any
	// one node.
	ConditionHighlyAvailable = "HighlyAvailable"
)
