// Package v1alpha1 is the ChatCluster resource: a whole chat on Kubernetes, described in one object.
//
// Every field has a default, so that a name alone is a valid ChatCluster. What a field may hold is said by the markers
// beside it and kept by the API server (OpenAPI and CEL); there is no webhook.
//
// +kubebuilder:object:generate=true
// +kubebuilder:ac:generate=true
// +kubebuilder:ac:output:package="../applyconfiguration"
// +groupName=gochat.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// SchemeGroupVersion is the group and version of the types of this package.
var SchemeGroupVersion = schema.GroupVersion{Group: "gochat.dev", Version: "v1alpha1"}

// AddToScheme tells a scheme of the types of this package. It never fails: the error is there for runtime.SchemeBuilder.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(SchemeGroupVersion, &ChatCluster{}, &ChatClusterList{})
	metav1.AddToGroupVersion(scheme, SchemeGroupVersion)
	return nil
}
