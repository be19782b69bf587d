package controller

import (
	"bytes"
	"os"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

// shipped are the operator's rights as they are shipped.
func shipped(t *testing.T) []rbacv1.PolicyRule {
	t.Helper()
	text, err := os.ReadFile("../../../config/rbac/operator/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var role rbacv1.ClusterRole
	if err := yaml.UnmarshalStrict(text, &role); err != nil {
		t.Fatal(err)
	}
	return role.Rules
}

// leaderElection are the rights in the operator's own namespace.
func leaderElection(t *testing.T) []rbacv1.PolicyRule {
	t.Helper()
	text, err := os.ReadFile("../../../config/rbac/leader_election.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var role rbacv1.Role
	if err := yaml.Unmarshal(bytes.Split(text, []byte("\n---\n"))[0], &role); err != nil || len(role.Rules) == 0 {
		t.Fatalf("%+v, %v", role, err)
	}
	return role.Rules
}

func TestRights(t *testing.T) {
	t.Run("[OP12] the operator's rights name every resource and every verb", func(t *testing.T) {
		for _, rule := range shipped(t) {
			for _, words := range [][]string{rule.APIGroups, rule.Resources, rule.Verbs, rule.NonResourceURLs} {
				if slices.Contains(words, "*") {
					t.Errorf("%+v", rule)
				}
			}
		}
	})
	t.Run("[OP9] [OP12] for one namespace a Role will do, with leader election, and none of the optional APIs is needed", func(t *testing.T) {
		s := newStage(t)
		s.allow("operator-"+s.namespace, append(shipped(t), leaderElection(t)...))
		o := s.operate(func(c *Config) { c.LeaderElection, c.LeaderElectionNamespace = true, s.namespace })
		s.create("chat", full)
		s.ready("chat")
		s.remove("chat")
		o.stop() // gives the Lease back
		s.operate(func(c *Config) { c.LeaderElection, c.LeaderElectionNamespace = true, s.namespace })
		s.create("again")
		s.ready("again")
	})
	t.Run("[OP9] for the whole cluster the same rules as a ClusterRole will do", func(t *testing.T) {
		s := newStage(t)
		user := "operator-everywhere"
		role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: user}, Rules: shipped(t)}
		binding := &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: user},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: user},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
		}
		if err := s.Create(t.Context(), role); err != nil {
			t.Fatal(err)
		}
		if err := s.Create(t.Context(), binding); err != nil {
			t.Fatal(err)
		}
		s.as = rest.ImpersonationConfig{UserName: user}
		s.operate(func(c *Config) { c.Namespaces = nil })
		s.create("chat")
		s.ready("chat")
	})
	t.Run("[OP12] no secret is in a status, an event, or an object that is none", func(t *testing.T) {
		s := newStage(t)
		s.operate()
		s.create("chat", full)
		s.ready("chat")
		var secrets corev1.SecretList
		if err := s.List(t.Context(), &secrets); err != nil {
			t.Fatal(err)
		}
		said, err := yaml.Marshal([]any{s.get("chat"), s.notSecret(), s.events()})
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range secrets.Items {
			for key, value := range secret.Data {
				if secret.Namespace == s.namespace && key != "username" && bytes.Contains(said, value) {
					t.Errorf("%s of %s is there for all to read", key, secret.Name)
				}
			}
		}
	})
	t.Run("[OP12] the metrics are for who may read them", func(t *testing.T) {
		testMetricsAccess(t)
	})
}

// allow makes a user with rights in the namespace only, and has the operator be that.
func (s *stage) allow(user string, rules []rbacv1.PolicyRule) {
	s.Helper()
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: user, Namespace: s.namespace}, Rules: rules}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: user, Namespace: s.namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: user},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}
	if err := s.Create(s.Context(), role); err != nil {
		s.Fatal(err)
	}
	if err := s.Create(s.Context(), binding); err != nil {
		s.Fatal(err)
	}
	s.as = rest.ImpersonationConfig{UserName: user}
}

// notSecret are the children that are no Secrets.
func (s *stage) notSecret() []any {
	s.Helper()
	var all []any
	for at, object := range s.children() {
		if at.kind != kindSecret.GroupKind() {
			all = append(all, object)
		}
	}
	return all
}
