package controller

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestRouteAnswer(t *testing.T) {
	says := func(name, value string, generation int64) any {
		return map[string]any{"type": name, "status": value, "message": name + " is " + value, "observedGeneration": generation}
	}
	parent := func(ref map[string]any, conditions ...any) any {
		return map[string]any{"parentRef": ref, "conditions": conditions}
	}
	ours := map[string]any{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "edge", "namespace": "chats", "sectionName": "https"}
	inside := map[string]any{"name": "edge", "sectionName": "https"} // of the namespace of the HTTPRoute
	other := map[string]any{"name": "edge", "namespace": "other", "sectionName": "https"}
	well := []any{says("Accepted", "True", 2), says("ResolvedRefs", "True", 2)}
	for _, c := range []struct {
		what    string
		parents []any
		want    metav1.ConditionStatus
		message string
	}{
		{"nobody says anything", nil, "", ""},
		{"it is taken", []any{parent(ours, well...)}, metav1.ConditionTrue, "Accepted is True"},
		{"it is taken, as said without a namespace", []any{parent(inside, well...)}, metav1.ConditionTrue, "Accepted is True"},
		{"only another Gateway takes it", []any{parent(other, well...)}, "", ""},
		{"another Gateway takes it, and ours doesn't", []any{parent(other, well...), parent(ours, says("Accepted", "False", 2))}, metav1.ConditionFalse, "Accepted is False"},
		{"another Gateway doesn't take it, and ours does", []any{parent(other, says("Accepted", "False", 2)), parent(ours, well...)}, metav1.ConditionTrue, "Accepted is True"},
		{"its Service is not found", []any{parent(ours, says("Accepted", "True", 2), says("ResolvedRefs", "False", 2))}, metav1.ConditionFalse, "ResolvedRefs is False"},
		{"nothing is said of its Service", []any{parent(ours, says("Accepted", "True", 2))}, "", ""},
		{"the generation before was taken", []any{parent(ours, says("Accepted", "True", 1), says("ResolvedRefs", "True", 1))}, "", ""},
	} {
		t.Run("[OP8] "+c.what, func(t *testing.T) {
			route := &unstructured.Unstructured{Object: map[string]any{
				"metadata": map[string]any{"namespace": "chats", "generation": int64(2)},
				"spec":     map[string]any{"parentRefs": []any{ours}},
				"status":   map[string]any{"parents": c.parents},
			}}
			if got := routeAnswer(route, 2); got.Status != c.want || got.Message != c.message {
				t.Errorf("it is %+v", got)
			}
		})
	}
}
