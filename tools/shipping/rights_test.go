package main

import (
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// TestRights are about all roles that are shipped, by kustomize and by the chart, for a cluster and for one namespace.
func TestRights(t *testing.T) {
	shipped := map[string]map[string]object{
		"config/default":      kustomize(t, "default"),
		"config/namespaced":   kustomize(t, "namespaced"),
		"chart":               template(t),
		"chart, namespaced":   template(t, "--set", "watchNamespaces={a,b}"),
		"chart, with a chat":  template(t, "--set", "chatCluster.enabled=true"),
		"chart, without CRD":  template(t, "--set", "crd.upgrade=false"),
		"chart, with metrics": template(t, "--set", "metrics.serviceMonitor.enabled=true"),
	}
	t.Run("[OP12] no role has a *, and none lets the operator make itself another", func(t *testing.T) {
		for from, all := range shipped {
			for name, o := range all {
				for _, rule := range rulesOf(t, o) {
					for _, words := range [][]string{rule.Verbs, rule.Resources, rule.APIGroups, rule.NonResourceURLs} {
						if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w, "*") }) {
							t.Errorf("%s: %s has a *: %v", from, name, rule)
						}
					}
					for _, verb := range []string{"impersonate", "escalate", "bind"} {
						if slices.Contains(rule.Verbs, verb) {
							t.Errorf("%s: %s may %s", from, name, verb)
						}
					}
					for _, resource := range []string{"roles", "rolebindings", "clusterroles", "clusterrolebindings", "pods/exec", "nodes"} {
						if slices.Contains(rule.Resources, resource) {
							t.Errorf("%s: %s may touch %s", from, name, resource)
						}
					}
				}
			}
		}
	})
	t.Run("[OP12] for one namespace there is nothing of the whole cluster", func(t *testing.T) {
		for _, from := range []string{"config/namespaced", "chart, namespaced"} {
			for name, o := range shipped[from] {
				if (o.GetNamespace() == "" || strings.HasPrefix(o.GetKind(), "Cluster")) && o.GetKind() != "CustomResourceDefinition" {
					t.Errorf("%s: %s", from, name)
				}
			}
		}
	})
	t.Run("[OP12] the operator is restricted, and its root file system read-only", func(t *testing.T) {
		for from, all := range shipped {
			for name, o := range all {
				switch o.GetKind() {
				case "Deployment":
					restricted(t, from+": "+name, o)
					probed(t, from+": "+name, o)
				case "Job":
					restricted(t, from+": "+name, o)
				}
			}
		}
	})
}

func rulesOf(t *testing.T, o object) []rbacv1.PolicyRule {
	t.Helper()
	if o.GetKind() != "Role" && o.GetKind() != "ClusterRole" {
		return nil
	}
	var role rbacv1.ClusterRole
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &role); err != nil {
		t.Fatal(err)
	}
	if len(role.Rules) == 0 {
		t.Errorf("%s has no rules", o.GetName())
	}
	return role.Rules
}

// TestTheOperatorsRights: the chart and kustomize grant the same, in a cluster and in a namespace.
func TestTheOperatorsRights(t *testing.T) {
	config, namespaced := kustomize(t, "default"), kustomize(t, "namespaced")
	charted, inNamespaces := template(t), template(t, "--set", "watchNamespaces={a,b}")
	for name, pair := range map[string][2]object{
		"cluster":         {config["ClusterRole gochat-operator"], charted["ClusterRole gochat-operator"]},
		"namespaced":      {config["ClusterRole gochat-operator"], namespaced["gochat Role gochat-operator"]},
		"chart in a":      {config["ClusterRole gochat-operator"], inNamespaces["a Role gochat-operator"]},
		"chart in b":      {config["ClusterRole gochat-operator"], inNamespaces["b Role gochat-operator"]},
		"leader election": {config["gochat-system Role gochat-operator-leader-election"], charted["gochat-system Role gochat-operator-leader-election"]},
	} {
		if pair[0].Object == nil || pair[1].Object == nil {
			t.Errorf("%s: a role is missing", name)
			continue
		}
		same(t, name, pair[1].Object["rules"], pair[0].Object["rules"])
	}
}
