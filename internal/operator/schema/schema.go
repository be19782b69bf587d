// Package schema checks a ChatCluster as the API server would: by the code of the API server, and the definition that is installed there.
package schema

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// definition is a copy of config/crd/bases/gochat.dev_chatclusters.yaml, made by make generate.
//
//go:embed chatclusters.yaml
var definition []byte

// checker is what the definition says, as the API server's code wants it.
type checker struct {
	structure *structural.Structural
	values    validation.SchemaValidator
	rules     *cel.Validator
}

var load = sync.OnceValues(func() (*checker, error) {
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(definition, &crd); err != nil {
		return nil, err
	}
	var internal apiextensions.JSONSchemaProps
	err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(crd.Spec.Versions[0].Schema.OpenAPIV3Schema, &internal, nil)
	if err != nil {
		return nil, err
	}
	c := &checker{}
	if c.structure, err = structural.NewStructural(&internal); err != nil {
		return nil, err
	}
	if c.values, _, err = validation.NewSchemaValidator(&internal); err != nil {
		return nil, err
	}
	c.rules = cel.NewValidator(c.structure, true, celconfig.PerCallLimit)
	return c, nil
})

// Check reads a ChatCluster, in YAML or JSON, and says everything that the API server would refuse of it, fields that there are none of
// included. It returns it with its defaults. Without a namespace it is taken for one of the namespace default.
func Check(ctx context.Context, document []byte) (*unstructured.Unstructured, error) {
	c, err := load()
	if err != nil {
		return nil, fmt.Errorf("the definition of ChatCluster: %w", err)
	}
	text, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return nil, err
	}
	chat := &unstructured.Unstructured{}
	if err := chat.UnmarshalJSON(text); err != nil {
		return nil, err
	}
	defaulting.Default(chat.Object, c.structure)
	if err := c.known(chat); err != nil {
		return nil, err
	}
	if faults := c.validate(ctx, chat); len(faults) > 0 {
		return nil, faults.ToAggregate()
	}
	return chat, nil
}

// known refuses fields that the definition doesn't have.
func (c *checker) known(chat *unstructured.Unstructured) error {
	meta, has, unknown, err := objectmeta.GetObjectMetaWithOptions(chat.Object, objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true})
	if err != nil {
		return err
	}
	kind, version := chat.GetKind(), chat.GetAPIVersion()
	unknown = append(unknown, pruning.PruneWithOptions(chat.Object, c.structure, true, structural.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})...)
	defaulting.PruneNonNullableNullsWithoutDefaults(chat.Object, c.structure)
	chat.SetKind(kind)
	chat.SetAPIVersion(version)
	if has { // it went with what is not in the definition
		if err := objectmeta.SetObjectMeta(chat.Object, meta); err != nil {
			return err
		}
	}
	var faults []error
	for _, name := range unknown {
		faults = append(faults, fmt.Errorf("unknown field %q", name))
	}
	if len(faults) > 0 {
		return runtime.NewStrictDecodingError(faults)
	}
	return nil
}

func (c *checker) validate(ctx context.Context, chat *unstructured.Unstructured) field.ErrorList {
	meta := metav1.ObjectMeta{
		Name: chat.GetName(), GenerateName: chat.GetGenerateName(), Namespace: chat.GetNamespace(),
		Labels: chat.GetLabels(), Annotations: chat.GetAnnotations(), Finalizers: chat.GetFinalizers(), OwnerReferences: chat.GetOwnerReferences(),
	}
	if meta.Namespace == "" {
		meta.Namespace = metav1.NamespaceDefault
	}
	faults := apivalidation.ValidateObjectMeta(&meta, true, apivalidation.NameIsDNSSubdomain, field.NewPath("metadata"))
	faults = append(faults, validation.ValidateCustomResource(nil, chat.Object, c.values)...)
	faults = append(faults, objectmeta.Validate(ctx, nil, chat.Object, c.structure, false)...)
	faults = append(faults, listtype.ValidateListSetsAndMaps(nil, c.structure, chat.Object)...)
	if slices.ContainsFunc(faults, blocks) {
		return faults
	}
	broken, _ := c.rules.Validate(ctx, nil, c.structure, chat.Object, nil, celconfig.RuntimeCELCostBudget)
	return append(faults, broken...)
}

// blocks says whether a fault keeps the rules from being asked, which may take for granted what is wrong.
func blocks(fault *field.Error) bool {
	switch fault.Type {
	case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
		return true
	default:
		return false
	}
}
