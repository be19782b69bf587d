package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// operatorLabel is what every child has.
var operatorLabel = client.MatchingLabels{"app.kubernetes.io/managed-by": "gochat-operator"}

// unrestricted has somebody make pods of which each lacks one thing that restricted Pod Security wants, and one that has all.
func unrestricted(t *testing.T, namespace string) {
	t.Helper()
	yes, no := true, false
	restricted := func(name string) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
			Spec: corev1.PodSpec{
				NodeName: "nowhere", // it is about being let in; nobody runs it
				SecurityContext: &corev1.PodSecurityContext{
					RunAsNonRoot: &yes, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
				},
				Containers: []corev1.Container{{Name: "it", Image: "it", SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: &no, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				}}},
			},
		}
	}
	for lack, without := range map[string]func(*corev1.PodSpec){
		"runAsNonRoot":             func(s *corev1.PodSpec) { s.SecurityContext.RunAsNonRoot = nil },
		"seccompProfile":           func(s *corev1.PodSpec) { s.SecurityContext.SeccompProfile = nil },
		"allowPrivilegeEscalation": func(s *corev1.PodSpec) { s.Containers[0].SecurityContext.AllowPrivilegeEscalation = nil },
		"unrestricted capabilities": func(s *corev1.PodSpec) {
			s.Containers[0].SecurityContext.Capabilities = nil
		},
		"hostPath": func(s *corev1.PodSpec) {
			s.Volumes = []corev1.Volume{{Name: "root", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}}}
		},
	} {
		pod := restricted("unrestricted")
		without(&pod.Spec)
		err := kube.Create(t.Context(), pod, client.DryRunAll)
		if !apierrors.IsForbidden(err) || !strings.Contains(fmt.Sprint(err), `violates PodSecurity "restricted`) || !strings.Contains(fmt.Sprint(err), lack) {
			t.Errorf("%s: a pod that lacks %s: %v", namespace, lack, err)
		}
	}
	if err := kube.Create(t.Context(), restricted("restricted"), client.DryRunAll); err != nil {
		t.Errorf("%s: a pod that lacks nothing: %v", namespace, err)
	}
}

// deletedByHand deletes every child that holds no data, and waits until each is there again under its name.
func (c *site) deletedByHand() {
	c.t.Helper()
	for kind, list := range map[string]client.ObjectList{
		"ConfigMaps": &corev1.ConfigMapList{}, "NetworkPolicies": &networkingv1.NetworkPolicyList{}, "ServiceAccounts": &corev1.ServiceAccountList{},
		"StatefulSets": &appsv1.StatefulSetList{}, "Deployments": &appsv1.DeploymentList{},
	} {
		children, _, err := listed[client.Object](c.t.Context(), list, []client.ListOption{client.InNamespace(c.namespace), operatorLabel})
		must(c.t, err)
		if len(children) == 0 {
			c.t.Errorf("there are no %s", kind)
		}
		before := make(map[string]string)
		for _, child := range children {
			before[child.GetName()] = string(child.GetUID())
			must(c.t, kube.Delete(c.t.Context(), child, client.PropagationPolicy(metav1.DeletePropagationBackground)))
		}
		took := await(c.t, kind+" are there again", time.Minute, list, func(all []client.Object) bool {
			again := 0
			for _, o := range all {
				if uid, was := before[o.GetName()]; was && uid != string(o.GetUID()) {
					again++
				}
			}
			return again == len(before)
		}, client.InNamespace(c.namespace), operatorLabel)
		c.t.Logf("%v: there again after %v", slices.Sorted(maps.Keys(before)), took.Round(100*time.Millisecond))
	}
	c.ready()
	c.settled()
}

// applied is what the operator has written of each child, and when: but for the dashboard, and for what it remembers the spec by.
func (c *site) applied() map[string]string {
	c.t.Helper()
	all := make(map[string]string)
	for _, kind := range []client.ObjectList{
		&corev1.ServiceList{}, &corev1.SecretList{}, &corev1.ConfigMapList{}, &corev1.ServiceAccountList{}, &corev1.PersistentVolumeClaimList{},
		&appsv1.DeploymentList{}, &appsv1.StatefulSetList{}, &batchv1.JobList{}, &networkingv1.NetworkPolicyList{},
	} {
		must(c.t, kube.List(c.t.Context(), kind, client.InNamespace(c.namespace), operatorLabel))
		must(c.t, meta.EachListItem(kind, func(o runtime.Object) error {
			child := o.(client.Object)
			if strings.HasSuffix(child.GetName(), "-dashboard") || strings.HasSuffix(child.GetName(), "-carried-out") {
				return nil
			}
			var entries []string
			for _, e := range child.GetManagedFields() {
				if e.Manager == "gochat-operator" {
					entries = append(entries, fmt.Sprint(e.Subresource, e.Operation, e.Time, e.FieldsV1))
				}
			}
			all[fmt.Sprintf("%T %s", o, child.GetName())] = fmt.Sprint(child.GetUID(), child.GetGeneration(), entries)
			return nil
		}))
	}
	if len(all) < 10 {
		c.t.Fatalf("there are only %d children", len(all))
	}
	return all
}

// killOperator kills the operator, and sees that nobody who chats notices, and that the next one, though it has looked at the
// chat, finds nothing to write.
func (c *site) killOperator() {
	c.t.Helper()
	pods, _, err := listed[*corev1.Pod](c.t.Context(), &corev1.PodList{}, operatorPods())
	must(c.t, err)
	pods = slices.DeleteFunc(pods, func(p *corev1.Pod) bool { return !isReady(p) })
	if len(pods) == 0 {
		c.t.Fatal("there is no operator")
	}
	before, server := c.applied(), c.pod("server").UID
	took := kill(c.t, pods[0], operatorPods())
	heard := c.said("after the operator", 10*time.Second)
	c.t.Logf("FIGURE operator killed: another is ready after %v, and what is said meanwhile takes %v", took.Round(100*time.Millisecond), heard.Round(time.Millisecond))
	c.change(func(s *v1alpha1.ChatClusterSpec) { s.Monitoring = v1alpha1.MonitoringDisabled }) // it concerns the dashboard only
	c.ready()
	after := c.applied()
	for child, was := range before {
		if after[child] != was {
			c.t.Errorf("%s was written:\n%s\n%s", child, was, after[child])
		}
	}
	if len(after) != len(before) {
		c.t.Errorf("there were %d children, and are %d", len(before), len(after))
	}
	if c.pod("server").UID != server {
		c.t.Error("the server was replaced with the operator")
	}
}
