package controller

import (
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/internal/operator/children"
)

// kind is a kind of objects that is watched, and in which form it is kept in memory: whole where something in it is
// read, else its metadata only.
type kind struct {
	gvk    schema.GroupVersionKind
	object func() client.Object
	list   func() client.ObjectList

	// needs says which optional API brings the kind. Without it every cluster has it.
	needs func(*children.APIs) *bool

	// seen kinds are only looked at: other controllers make them from our children, with the labels of these.
	seen bool
}

// The kinds that are looked at by name.
var (
	kindSecret     = corev1.SchemeGroupVersion.WithKind("Secret")
	kindConfigMap  = corev1.SchemeGroupVersion.WithKind("ConfigMap")
	kindVolume     = corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim")
	kindPod        = corev1.SchemeGroupVersion.WithKind("Pod")
	kindSlice      = discoveryv1.SchemeGroupVersion.WithKind("EndpointSlice")
	kindDeployment = appsv1.SchemeGroupVersion.WithKind("Deployment")
	kindStateful   = appsv1.SchemeGroupVersion.WithKind("StatefulSet")
	kindJob        = batchv1.SchemeGroupVersion.WithKind("Job")
	kindCronJob    = batchv1.SchemeGroupVersion.WithKind("CronJob")
	kindScaler     = autoscalingv2.SchemeGroupVersion.WithKind("HorizontalPodAutoscaler")
	kindIngress    = networkingv1.SchemeGroupVersion.WithKind("Ingress")

	kindRoute       = schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"}
	kindCertificate = schema.GroupVersionKind{Group: "cert-manager.io", Version: "v1", Kind: "Certificate"}
	kindPodMonitor  = schema.GroupVersionKind{Group: "monitoring.coreos.com", Version: "v1", Kind: "PodMonitor"}
	kindRule        = schema.GroupVersionKind{Group: "monitoring.coreos.com", Version: "v1", Kind: "PrometheusRule"}
)

// schemaKind names a kind with its version.
type schemaKind = schema.GroupVersionKind

// kinds are all kinds that the operator makes or looks at. What is not in here is not pruned.
var kinds = []kind{
	whole[corev1.Secret, corev1.SecretList](kindSecret),
	whole[corev1.PersistentVolumeClaim, corev1.PersistentVolumeClaimList](kindVolume),
	whole[appsv1.Deployment, appsv1.DeploymentList](kindDeployment),
	whole[appsv1.StatefulSet, appsv1.StatefulSetList](kindStateful),
	whole[batchv1.Job, batchv1.JobList](kindJob),
	whole[batchv1.CronJob, batchv1.CronJobList](kindCronJob),
	whole[autoscalingv2.HorizontalPodAutoscaler, autoscalingv2.HorizontalPodAutoscalerList](kindScaler),
	whole[networkingv1.Ingress, networkingv1.IngressList](kindIngress),

	metadata(corev1.SchemeGroupVersion.WithKind("ServiceAccount")),
	metadata(corev1.SchemeGroupVersion.WithKind("Service")),
	metadata(kindConfigMap),
	metadata(networkingv1.SchemeGroupVersion.WithKind("NetworkPolicy")),
	metadata(schema.GroupVersionKind{Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"}),

	dynamic(kindRoute, func(a *children.APIs) *bool { return &a.Gateway }),
	dynamic(kindCertificate, func(a *children.APIs) *bool { return &a.CertManager }),
	dynamic(kindPodMonitor, func(a *children.APIs) *bool { return &a.PodMonitor }),
	dynamic(kindRule, func(a *children.APIs) *bool { return &a.PrometheusRule }),

	onlySeen(whole[corev1.Pod, corev1.PodList](kindPod)),
	onlySeen(whole[discoveryv1.EndpointSlice, discoveryv1.EndpointSliceList](kindSlice)),
}

// served says whether the cluster serves a kind.
func (k kind) served(apis children.APIs) bool { return k.needs == nil || *k.needs(&apis) }

func whole[O, L any, PO interface {
	*O
	client.Object
}, PL interface {
	*L
	client.ObjectList
}](gvk schema.GroupVersionKind,
) kind {
	return kind{
		gvk:    gvk,
		object: func() client.Object { return PO(new(O)) },
		list:   func() client.ObjectList { return PL(new(L)) },
	}
}

func metadata(gvk schema.GroupVersionKind) kind {
	return kind{
		gvk: gvk,
		object: func() client.Object {
			object := &metav1.PartialObjectMetadata{}
			object.SetGroupVersionKind(gvk)
			return object
		},
		list: func() client.ObjectList {
			list := &metav1.PartialObjectMetadataList{}
			list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
			return list
		},
	}
}

func dynamic(gvk schema.GroupVersionKind, needs func(*children.APIs) *bool) kind {
	return kind{
		gvk:   gvk,
		needs: needs,
		object: func() client.Object {
			object := &unstructured.Unstructured{}
			object.SetGroupVersionKind(gvk)
			return object
		},
		list: func() client.ObjectList {
			list := &unstructured.UnstructuredList{}
			list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
			return list
		},
	}
}

func onlySeen(k kind) kind {
	k.seen = true
	return k
}
