package children

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// TestSmallFits: a whole chat of profile Small, with the operator, within 256 MB and one CPU, as requests and as limits.
func TestSmallFits(t *testing.T) {
	cluster := chat(t, `{}`)
	for name, of := range map[string]func(corev1.ResourceRequirements) corev1.ResourceList{
		"requests": func(r corev1.ResourceRequirements) corev1.ResourceList { return r.Requests },
		"limits":   func(r corev1.ResourceRequirements) corev1.ResourceList { return r.Limits },
	} {
		cpu, memory := resource.MustParse("50m"), resource.MustParse("40Mi") // the operator's
		for _, template := range familyOf(t, cluster, settled(cluster)).running() {
			for _, c := range template.Spec.Containers {
				list := of(c.Resources)
				cpu.Add(*list.Cpu())
				memory.Add(*list.Memory())
			}
		}
		if cpu.Cmp(resource.MustParse("1")) > 0 || memory.Cmp(resource.MustParse("256Mi")) > 0 {
			t.Errorf("%s: %s of CPU, %s of memory", name, cpu.String(), memory.String())
		}
	}
}
