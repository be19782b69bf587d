package v1alpha1_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// testdata/released.yaml is the definition of the last release.
func TestSchema(t *testing.T) {
	t.Run("[OP10] what the last release took, this one takes, and means the same by it", func(t *testing.T) {
		for _, fault := range narrowed(readDefinition(t, "testdata/released.yaml"), definition(t)) {
			t.Error(fault)
		}
	})
}

// narrowed tells what a new definition takes away from an old one.
func narrowed(before, after *apiextensionsv1.CustomResourceDefinition) []string {
	var faults []string
	if before.Spec.Names.Plural != after.Spec.Names.Plural || before.Spec.Names.Kind != after.Spec.Names.Kind || before.Spec.Scope != after.Spec.Scope {
		faults = append(faults, "the resource has another name or scope")
	}
	for _, name := range slices.Concat(before.Spec.Names.ShortNames, before.Spec.Names.Categories) {
		if !slices.Contains(slices.Concat(after.Spec.Names.ShortNames, after.Spec.Names.Categories), name) {
			faults = append(faults, fmt.Sprintf("kubectl get %s is gone", name))
		}
	}
	for _, old := range before.Spec.Versions {
		i := slices.IndexFunc(after.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool { return v.Name == old.Name })
		if i < 0 || old.Served && !after.Spec.Versions[i].Served {
			faults = append(faults, fmt.Sprintf("version %s is gone", old.Name))
			continue
		}
		now := after.Spec.Versions[i]
		if old.Subresources.Scale != nil && (now.Subresources.Scale == nil || now.Subresources.Scale.SpecReplicasPath != old.Subresources.Scale.SpecReplicasPath) {
			faults = append(faults, fmt.Sprintf("%s/scale is gone, or elsewhere", old.Name))
		}
		faults = append(faults, narrower("", *old.Schema.OpenAPIV3Schema, *now.Schema.OpenAPIV3Schema)...)
	}
	return faults
}

// narrower compares two schemas of a field, and of all below it.
func narrower(path string, before, after schema) []string {
	faults := slices.Concat(narrowerValue(path, before, after), narrowerBounds(path, before, after))
	for name, old := range before.Properties {
		now, ok := after.Properties[name]
		if !ok {
			faults = append(faults, fmt.Sprintf("%s.%s is gone", path, name))
			continue
		}
		faults = append(faults, narrower(path+"."+name, old, now)...)
	}
	for _, name := range after.Required {
		if now := after.Properties[name]; !slices.Contains(before.Required, name) && now.Default == nil {
			faults = append(faults, fmt.Sprintf("%s.%s is required now", path, name))
		}
	}
	if before.Items != nil && after.Items != nil && before.Items.Schema != nil && after.Items.Schema != nil {
		faults = append(faults, narrower(path+"[]", *before.Items.Schema, *after.Items.Schema)...)
	}
	if before.AdditionalProperties != nil && before.AdditionalProperties.Schema != nil {
		if after.AdditionalProperties == nil || after.AdditionalProperties.Schema == nil {
			faults = append(faults, path+": keys of one's own are gone")
		} else {
			faults = append(faults, narrower(path+"{}", *before.AdditionalProperties.Schema, *after.AdditionalProperties.Schema)...)
		}
	}
	return faults
}

// narrowerValue compares which values may stand there, and what stands there by itself.
func narrowerValue(path string, before, after schema) []string {
	var faults []string
	add := func(format string, args ...any) { faults = append(faults, path+": "+fmt.Sprintf(format, args...)) }
	if before.Type != after.Type || before.XIntOrString != after.XIntOrString || before.Format != after.Format {
		add("another type")
	}
	if before.Default != nil && (after.Default == nil || string(after.Default.Raw) != string(before.Default.Raw)) {
		add("another default")
	}
	if before.Default == nil && after.Default != nil && before.Type != "object" && string(after.Default.Raw) != `""` && string(after.Default.Raw) != "false" {
		add("a default where absence had a meaning")
	}
	if len(after.Enum) > 0 {
		if len(before.Enum) == 0 {
			add("values are listed now")
		}
		for _, value := range before.Enum {
			if !slices.ContainsFunc(after.Enum, func(v apiextensionsv1.JSON) bool { return string(v.Raw) == string(value.Raw) }) {
				add("the value %s is gone", value.Raw)
			}
		}
	}
	if after.Pattern != "" && after.Pattern != before.Pattern {
		add("another pattern, %s", after.Pattern)
	}
	if before.Nullable && !after.Nullable {
		add("null is refused now")
	}
	if list := func(s schema) string {
		if s.XListType == nil {
			return "atomic"
		}
		return *s.XListType + strings.Join(s.XListMapKeys, ",")
	}; list(before) != list(after) {
		add("items are told apart otherwise")
	}
	for _, rule := range after.XValidations {
		if !slices.ContainsFunc(before.XValidations, func(v apiextensionsv1.ValidationRule) bool { return v.Rule == rule.Rule }) {
			add("another rule, %s", rule.Rule)
		}
	}
	return faults
}

// narrowerBounds compares how small and how large values may be.
func narrowerBounds(path string, before, after schema) []string {
	var faults []string
	atLeast := func(what string, before, after *float64) {
		if after != nil && (before == nil || *after > *before) {
			faults = append(faults, path+": "+what+" rose")
		}
	}
	atMost := func(what string, before, after *float64) {
		if after != nil && (before == nil || *after < *before) {
			faults = append(faults, path+": "+what+" fell")
		}
	}
	atLeast("minimum", before.Minimum, after.Minimum)
	atLeast("minLength", number(before.MinLength), number(after.MinLength))
	atLeast("minItems", number(before.MinItems), number(after.MinItems))
	atLeast("minProperties", number(before.MinProperties), number(after.MinProperties))
	atMost("maximum", before.Maximum, after.Maximum)
	atMost("maxLength", number(before.MaxLength), number(after.MaxLength))
	atMost("maxItems", number(before.MaxItems), number(after.MaxItems))
	atMost("maxProperties", number(before.MaxProperties), number(after.MaxProperties))
	return faults
}

func number(n *int64) *float64 {
	if n == nil {
		return nil
	}
	f := float64(*n)
	return &f
}

// TestNarrowingIsFound plants one narrowing after the other.
func TestNarrowingIsFound(t *testing.T) {
	for want, plant := range map[string]func(*apiextensionsv1.CustomResourceDefinition){
		"another name or scope":                        func(c *apiextensionsv1.CustomResourceDefinition) { c.Spec.Scope = apiextensionsv1.ClusterScoped },
		"kubectl get chat is gone":                     func(c *apiextensionsv1.CustomResourceDefinition) { c.Spec.Names.ShortNames = nil },
		"version v1alpha1 is gone":                     func(c *apiextensionsv1.CustomResourceDefinition) { c.Spec.Versions[0].Served = false },
		"v1alpha1/scale is gone":                       func(c *apiextensionsv1.CustomResourceDefinition) { c.Spec.Versions[0].Subresources.Scale = nil },
		".spec.hostname is gone":                       at(func(s *schema) { delete(s.Properties, "hostname") }, "spec"),
		".spec.hostname is required":                   at(func(s *schema) { s.Required = append(s.Required, "hostname") }, "spec"),
		".spec.hostname: another pattern":              at(func(s *schema) { s.Pattern = "a" }, "spec", "hostname"),
		".spec.hostname: another rule":                 at(func(s *schema) { s.XValidations[0].Rule = "true" }, "spec", "hostname"),
		".spec.hostname: maxLength fell":               at(func(s *schema) { *s.MaxLength = 252 }, "spec", "hostname"),
		".spec.hostname: a default where":              at(func(s *schema) { s.Default = raw(`"a"`) }, "spec", "hostname"),
		".spec.profile: the value \"HA\" is gone":      at(func(s *schema) { s.Enum = s.Enum[:2] }, "spec", "profile"),
		".spec.profile: another default":               at(func(s *schema) { s.Default = raw(`"HA"`) }, "spec", "profile"),
		".spec.deletionPolicy: another default":        at(func(s *schema) { s.Default = nil }, "spec", "deletionPolicy"),
		".spec.server.replicas: another type":          at(func(s *schema) { s.Type = "string" }, "spec", "server", "replicas"),
		".spec.server.replicas: minimum rose":          at(func(s *schema) { *s.Minimum = 1 }, "spec", "server", "replicas"),
		".spec.server.replicas: maximum fell":          at(func(s *schema) { *s.Maximum = 99 }, "spec", "server", "replicas"),
		".spec.server.image: values are listed now":    at(func(s *schema) { s.Enum = []apiextensionsv1.JSON{*raw(`""`)} }, "spec", "server", "image"),
		".spec.server.image: minLength rose":           at(func(s *schema) { one := int64(1); s.MinLength = &one }, "spec", "server", "image"),
		".spec.server.env: maxItems fell":              at(func(s *schema) { *s.MaxItems = 1 }, "spec", "server", "env"),
		".spec.server.env: items are told apart":       at(func(s *schema) { s.XListMapKeys = []string{"value"} }, "spec", "server", "env"),
		".spec.server.env[].value is gone":             at(func(s *schema) { delete(s.Items.Schema.Properties, "value") }, "spec", "server", "env"),
		".spec.ingress.annotations: keys of one's own": at(func(s *schema) { s.AdditionalProperties = nil }, "spec", "ingress", "annotations"),
		".status.url is gone":                          at(func(s *schema) { delete(s.Properties, "url") }, "status"),
	} {
		t.Run(want, func(t *testing.T) {
			changed := definition(t)
			plant(changed)
			faults := narrowed(definition(t), changed)
			if len(faults) == 0 || !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, want) }) {
				t.Errorf("found %q", faults)
			}
		})
	}
}

// TestWideningIsAllowed: what a new release may do.
func TestWideningIsAllowed(t *testing.T) {
	for name, widen := range map[string]func(*apiextensionsv1.CustomResourceDefinition){
		"field":    at(func(s *schema) { s.Properties["more"] = schema{Type: "string", Default: raw(`"a"`)} }, "spec"),
		"value":    at(func(s *schema) { s.Enum = append(s.Enum, *raw(`"Huge"`)) }, "spec", "profile"),
		"bound":    at(func(s *schema) { *s.Maximum = 1000 }, "spec", "server", "replicas"),
		"no rule":  at(func(s *schema) { s.XValidations = nil }, "spec", "tls"),
		"anything": at(func(s *schema) { s.Pattern = "" }, "spec", "hostname"),
		"optional": at(func(s *schema) { s.Required = nil }, "spec", "gateway"),
		"words":    at(func(s *schema) { s.Description = "other" }, "spec", "gateway"),
	} {
		t.Run(name, func(t *testing.T) {
			changed := definition(t)
			widen(changed)
			for _, fault := range narrowed(definition(t), changed) {
				t.Error(fault)
			}
		})
	}
}

// at makes a change of the schema that a path leads to.
func at(change func(*schema), path ...string) func(*apiextensionsv1.CustomResourceDefinition) {
	return func(c *apiextensionsv1.CustomResourceDefinition) {
		var within func(s schema, path []string) schema
		within = func(s schema, path []string) schema {
			if len(path) == 0 {
				change(&s)
				return s
			}
			s.Properties[path[0]] = within(s.Properties[path[0]], path[1:])
			return s
		}
		root := c.Spec.Versions[0].Schema.OpenAPIV3Schema
		*root = within(*root, path)
	}
}

func raw(json string) *apiextensionsv1.JSON { return &apiextensionsv1.JSON{Raw: []byte(json)} }
