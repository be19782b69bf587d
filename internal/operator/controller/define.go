package controller

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// definitionOwner is the field owner of the definition: Helm's, which has made it when the chart was installed first, and does so again
// when that is removed and installed anew. An owner of its own would be in its way then.
const definitionOwner = "helm"

var definitionKind = schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}

// Define brings the definition of ChatCluster up to date, and returns when the API server serves it. The manifest holds that definition
// alone; any other object is refused.
func Define(ctx context.Context, to *rest.Config, manifest []byte) error {
	definition := &unstructured.Unstructured{}
	if err := yaml.UnmarshalStrict(manifest, &definition.Object); err != nil {
		return fmt.Errorf("the definition is no manifest: %w", err)
	}
	want := v1alpha1.SchemeGroupVersion.WithResource("chatclusters").GroupResource().String()
	if definition.GroupVersionKind() != definitionKind || definition.GetName() != want {
		return fmt.Errorf("this is %v %q, not the definition of ChatCluster", definition.GroupVersionKind(), definition.GetName())
	}
	c, err := client.New(to, client.Options{})
	if err != nil {
		return fmt.Errorf("no way to a cluster: %w", err)
	}
	apply := client.ApplyConfigurationFromUnstructured(definition)
	if err := c.Apply(ctx, apply, client.FieldOwner(definitionOwner), client.ForceOwnership); err != nil {
		return fmt.Errorf("apply the definition: %w", err)
	}
	return wait.PollUntilContextCancel(ctx, 200*time.Millisecond, true, func(ctx context.Context) (served bool, err error) {
		if err := c.Get(ctx, client.ObjectKeyFromObject(definition), definition); err != nil {
			return false, fmt.Errorf("read the definition: %w", err)
		}
		return established(definition), nil
	})
}

// established reports whether the API server says that it serves what is defined.
func established(definition *unstructured.Unstructured) bool {
	conditions, _, err := unstructured.NestedSlice(definition.Object, "status", "conditions")
	if err != nil {
		return false
	}
	for _, c := range conditions {
		if c, ok := c.(map[string]any); ok && c["type"] == "Established" && c["status"] == "True" {
			return true
		}
	}
	return false
}
