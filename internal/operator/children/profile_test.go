package children

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/gochat-dev/gochat/api/v1alpha1"
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

// TestSmallRollsOnOneCPU: a machine with one CPU has room for the server that comes before the old one goes, for a job, and for what
// runs there besides (CoreDNS asks for 100m, other add-ons for as much).
func TestSmallRollsOnOneCPU(t *testing.T) {
	small := profiles[v1alpha1.ProfileSmall]
	cpu := resource.MustParse("250m") // the operator's, and the cluster's own
	for _, s := range []size{small.server, small.server, small.postgres, small.redis, small.job} {
		cpu.Add(resource.MustParse(s.cpu))
	}
	if cpu.Cmp(resource.MustParse("1")) > 0 {
		t.Errorf("together they reserve %s", cpu.String())
	}
}
