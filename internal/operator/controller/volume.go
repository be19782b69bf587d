package controller

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/internal/operator/children"
)

// sizeOf is where a volume says how large it is to be, classOf of which class.
var (
	sizeOf  = []string{"spec", "resources", "requests", "storage"}
	classOf = []string{"spec", "storageClassName"}
)

// write applies an object. A volume that outlived a ChatCluster of a certain class keeps it for one that asks for none: the class is ours
// then, to leave it out would be to take it away, and that is refused. One that is only the cluster's default is nobody's, and is left out.
func (p *pass) write(ctx context.Context, live client.Object, desired *unstructured.Unstructured) error {
	apply := func() error {
		return p.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(desired), client.FieldOwner(FieldOwner), client.ForceOwnership)
	}
	err := apply()
	volume, ok := live.(*corev1.PersistentVolumeClaim)
	if !ok || !apierrors.IsInvalid(err) || volume.Spec.StorageClassName == nil {
		return err
	}
	if _, asked, fault := unstructured.NestedString(desired.Object, classOf...); asked || fault != nil {
		return err
	}
	if err := unstructured.SetNestedField(desired.Object, *volume.Spec.StorageClassName, classOf...); err != nil {
		return err
	}
	return apply()
}

// ofAnotherClass says how it goes on where a volume outlived a ChatCluster that asked for another class than this one does; empty: it is of the
// class that is wanted. Neither a volume nor a spec can change it.
func ofAnotherClass(live client.Object, desired *unstructured.Unstructured) string {
	volume, ok := live.(*corev1.PersistentVolumeClaim)
	wanted, asked, err := unstructured.NestedString(desired.Object, classOf...)
	if !ok || !asked || err != nil {
		return ""
	}
	is := ""
	if class := volume.Spec.StorageClassName; class != nil {
		is = *class
	}
	if is == wanted {
		return ""
	}
	return fmt.Sprintf("outlived another ChatCluster, is of the storage class %q, and can't become one of %q. To go on with what it holds, delete this ChatCluster "+
		"(with deletionPolicy Retain) and create it with database.storage.storageClassName %q; to have it in the other class, make a backup then, and restore that into a "+
		"ChatCluster of another name; to begin without it, delete the volume", is, wanted, is)
}

// keepVolume lets a volume stay as large as it is where less is wanted of it: it outlived a ChatCluster that wanted more storage, or
// somebody enlarged it by hand. A volume never shrinks.
func keepVolume(volume *corev1.PersistentVolumeClaim, desired *unstructured.Unstructured) error {
	text, found, err := unstructured.NestedString(desired.Object, sizeOf...)
	if err != nil || !found {
		return err
	}
	wanted, err := resource.ParseQuantity(text)
	if err != nil {
		return err
	}
	if is := volume.Spec.Resources.Requests.Storage(); is.Cmp(wanted) > 0 {
		return unstructured.SetNestedField(desired.Object, is.String(), sizeOf...)
	}
	return nil
}

// cantGrow says whether a refusal may be about the size of a volume: no node has asked for it yet, its class does not let it grow, or a
// quota does not. The spec can't take the size back, so it is no fault that holds anything up.
func cantGrow(live client.Object, desired *unstructured.Unstructured, err error) bool {
	volume, ok := live.(*corev1.PersistentVolumeClaim)
	if !ok || !(apierrors.IsInvalid(err) || apierrors.IsForbidden(err)) || ofAnotherClass(live, desired) != "" {
		return false
	}
	wanted, found, fault := unstructured.NestedString(desired.Object, sizeOf...)
	return fault == nil && found && wanted != volume.Spec.Resources.Requests.Storage().String()
}

// keepSize applies all of a volume but the size that was refused. With each pass the size is tried again.
func (p *pass) keepSize(ctx context.Context, child children.Child, live client.Object, desired *unstructured.Unstructured, refusal error) error {
	size := live.(*corev1.PersistentVolumeClaim).Spec.Resources.Requests.Storage().String() //nolint:forcetypeassert // cantGrow has looked
	p.small = append(p.small, fmt.Sprintf("the volume %s stays at %s: %s", child.Name, size, firstLine(refusal.Error())))
	if err := unstructured.SetNestedField(desired.Object, size, sizeOf...); err != nil {
		return err
	}
	delete(p.memory.written, refOf(child))
	return p.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(desired), client.FieldOwner(FieldOwner), client.ForceOwnership)
}
