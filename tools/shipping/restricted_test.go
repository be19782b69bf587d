package main

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	psa "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// restricted has Kubernetes' own Pod Security policies look at the pods of a Deployment or a Job.
func restricted(t *testing.T, name string, o object) {
	t.Helper()
	template := podsOf(t, o)
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	level := psa.LevelVersion{Level: psa.LevelRestricted, Version: psa.LatestVersion()}
	if result := policy.AggregateCheckResults(evaluator.EvaluatePod(level, &template.ObjectMeta, &template.Spec)); !result.Allowed {
		t.Errorf("%s is not restricted: %s", name, result.ForbiddenDetail())
	}
	for _, c := range template.Spec.Containers {
		if c.SecurityContext.ReadOnlyRootFilesystem == nil || !*c.SecurityContext.ReadOnlyRootFilesystem {
			t.Errorf("%s: the root file system of %s can be written", name, c.Name)
		}
		if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Memory().Cmp(*c.Resources.Limits.Memory()) != 0 {
			t.Errorf("%s: the memory of %s is not reserved", name, c.Name)
		}
	}
}

// probed sees that Kubernetes asks how the pods of a Deployment are.
func probed(t *testing.T, name string, o object) {
	t.Helper()
	for _, c := range podsOf(t, o).Spec.Containers {
		if c.LivenessProbe == nil || c.ReadinessProbe == nil {
			t.Errorf("%s: %s has no probes", name, c.Name)
		}
	}
}

func podsOf(t *testing.T, o object) corev1.PodTemplateSpec {
	t.Helper()
	var owner struct {
		Spec struct {
			Template corev1.PodTemplateSpec `json:"template"`
		} `json:"spec"`
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &owner); err != nil {
		t.Fatal(err)
	}
	return owner.Spec.Template
}
