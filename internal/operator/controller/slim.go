package controller

import (
	"encoding/hex"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/gochat-dev/gochat/internal/operator/children"
)

// summedUp stands before the sum of what was in a managed fields entry, which has to be JSON. No such entry begins so by itself.
const (
	summedUp = `{"sum":"`
	sumEnds  = `"}`
)

// slim takes out of an object what nobody reads, before it is kept in the cache (OP11): other people's managed fields, of ours all but
// their sum, of pods what is not about their state, and what alerts say.
func slim(object any) (any, error) {
	accessor, ok := object.(metav1.Object)
	if !ok { // the last state of something that was deleted while nobody watched
		return object, nil
	}
	sum := entryOf(accessor)
	ours := slices.DeleteFunc(slices.Clone(accessor.GetManagedFields()), func(f metav1.ManagedFieldsEntry) bool { return !isOurs(f) })
	for i := range ours {
		ours[i].FieldsV1 = metav1.NewFieldsV1(summedUp + hex.EncodeToString(sum[:]) + sumEnds)
	}
	accessor.SetManagedFields(ours)
	switch object := object.(type) {
	case *corev1.Pod:
		object.Spec = corev1.PodSpec{NodeName: object.Spec.NodeName, Containers: slimContainers(object.Spec.Containers)}
	case *appsv1.Deployment:
		object.Spec.Template = slimTemplate(object.Spec.Template)
	case *appsv1.StatefulSet:
		object.Spec.Template = slimTemplate(object.Spec.Template)
	case *batchv1.Job:
		object.Spec.Template = slimTemplate(object.Spec.Template)
	case *batchv1.CronJob:
		object.Spec.JobTemplate = batchv1.JobTemplateSpec{}
	case *unstructured.Unstructured:
		if object.GroupVersionKind() == kindRule { // whole pages of alerts
			unstructured.RemoveNestedField(object.Object, "spec")
		}
	}
	return object, nil
}

func slimTemplate(full corev1.PodTemplateSpec) corev1.PodTemplateSpec {
	var kept map[string]string
	if given, has := full.Annotations[children.AnnotationGiven]; has {
		kept = map[string]string{children.AnnotationGiven: given}
	}
	return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Annotations: kept}, Spec: corev1.PodSpec{Containers: slimContainers(full.Spec.Containers)}}
}

// slimContainers keeps which images there are, and which external database they use.
func slimContainers(full []corev1.Container) []corev1.Container {
	var slim []corev1.Container
	for _, container := range full {
		kept := corev1.Container{Name: container.Name, Image: container.Image}
		for _, variable := range container.Env {
			if children.IsDatabaseVariable(variable) {
				kept.Env = append(kept.Env, variable)
			}
		}
		slim = append(slim, kept)
	}
	return slim
}
