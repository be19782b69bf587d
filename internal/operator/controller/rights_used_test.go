package controller

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
)

// TestRightsAreUsed: the operator may do with each kind what it does with it, and no more.
func TestRightsAreUsed(t *testing.T) {
	used := map[string]bool{
		"get chatclusters.gochat.dev": true, "list chatclusters.gochat.dev": true, "watch chatclusters.gochat.dev": true,
		"patch chatclusters/status.gochat.dev": true,
		"create events.events.k8s.io":          true, "patch events.events.k8s.io": true, // it repeats by counting up
		"patch pods.": true, // which goes first
	}
	for _, k := range kinds {
		resource, _ := meta.UnsafeGuessKindToResource(k.gvk)
		verbs := []string{"get", "list", "watch"}
		if !k.seen {
			verbs = append(verbs, "create", "patch", "delete")
		}
		for _, verb := range verbs {
			used[fmt.Sprintf("%s %s.%s", verb, resource.Resource, resource.Group)] = true
		}
	}
	granted := make(map[string]bool)
	for _, rule := range shipped(t) {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					granted[fmt.Sprintf("%s %s.%s", verb, resource, group)] = true
				}
			}
		}
	}
	for _, right := range slices.Sorted(maps.Keys(granted)) {
		if !used[right] {
			t.Errorf("it may %s, and does not", right)
		}
	}
	for _, right := range slices.Sorted(maps.Keys(used)) {
		if !granted[right] {
			t.Errorf("it may not %s, and does", right)
		}
	}
}
