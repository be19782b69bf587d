package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// await waits until the objects that a list would hold are as they should be, and returns how long that took. It is told
// by a watch.
func await[T client.Object](t *testing.T, what string, within time.Duration, list client.ObjectList, is func(all []T) bool, opts ...client.ListOption) time.Duration {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), within) // a test that ends waits too
	defer cancel()
	var last []T
	for {
		all, version, err := listed[T](ctx, list, opts)
		switch {
		case err == nil && is(all):
			return time.Since(began)
		case err == nil:
			last = all
			if follow(ctx, list, version, &last, is, opts) {
				return time.Since(began)
			}
		}
		if ctx.Err() != nil {
			t.Fatalf("%s: not within %v (%v); the last that was seen:\n%s", what, within, err, summary(last))
		}
	}
}

// listed returns what a list holds.
func listed[T client.Object](ctx context.Context, list client.ObjectList, opts []client.ListOption) (all []T, version string, err error) {
	if err := kube.List(ctx, list, opts...); err != nil {
		return nil, "", err
	}
	objects, err := meta.ExtractList(list)
	for _, o := range objects {
		all = append(all, o.(T))
	}
	return all, list.GetResourceVersion(), err
}

// follow keeps a list up to date by a watch, until it is as it should be, or the watch ends.
func follow[T client.Object](ctx context.Context, list client.ObjectList, version string, all *[]T, is func([]T) bool, opts []client.ListOption) bool {
	changes, err := kube.Watch(ctx, list, append(slices.Clone(opts), &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: version}})...)
	if err != nil {
		return false // listed anew, as after any end of a watch
	}
	defer changes.Stop()
	for change := range changes.ResultChan() {
		object, ok := change.Object.(T)
		if !ok {
			return false // the version is too old
		}
		*all = slices.DeleteFunc(*all, func(o T) bool { return o.GetUID() == object.GetUID() })
		if change.Type != watch.Deleted {
			*all = append(*all, object)
		}
		if is(*all) {
			return true
		}
	}
	return false
}

func summary[T client.Object](all []T) string {
	var out strings.Builder
	for _, o := range all {
		fmt.Fprintf(&out, "  %T %s", o, o.GetName())
		switch o := any(o).(type) {
		case *v1alpha1.ChatCluster:
			for _, c := range o.Status.Conditions {
				fmt.Fprintf(&out, "\n    %s=%s %s: %s", c.Type, c.Status, c.Reason, c.Message)
			}
		case *corev1.Pod:
			fmt.Fprintf(&out, " %s %v", o.Status.Phase, o.Status.ContainerStatuses)
		}
		out.WriteString("\n")
	}
	return out.String()
}

// named selects one object of a namespace.
func named(namespace, name string) []client.ListOption {
	return []client.ListOption{client.InNamespace(namespace), client.MatchingFields{"metadata.name": name}}
}

// awaitChat waits until a ChatCluster is as it should be.
func awaitChat(t *testing.T, c *site, what string, within time.Duration, is func(*v1alpha1.ChatCluster) bool) time.Duration {
	t.Helper()
	return await(t, "ChatCluster "+c.name+": "+what, within, &v1alpha1.ChatClusterList{}, func(all []*v1alpha1.ChatCluster) bool {
		return len(all) == 1 && is(all[0])
	}, named(c.namespace, c.name)...)
}

// condition reports whether a condition has a status, and is about the present generation.
func condition(cc *v1alpha1.ChatCluster, kind string, status metav1.ConditionStatus) bool {
	c := meta.FindStatusCondition(cc.Status.Conditions, kind)
	return c != nil && c.Status == status && c.ObservedGeneration == cc.Generation
}

// newNamespace makes a namespace that lets no pod in which is not as restricted as can be, and removes it in the end.
func newNamespace(t *testing.T, name string) string {
	t.Helper()
	const policy = "pod-security.kubernetes.io/"
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: "gochat-test-" + name + "-",
		Labels:       map[string]string{policy + "enforce": "restricted", policy + "enforce-version": "latest"},
	}}
	must(t, kube.Create(t.Context(), ns))
	t.Cleanup(func() {
		if t.Failed() {
			describe(t, ns.Name)
		}
		ctx := context.Background()
		if err := kube.Delete(ctx, ns); err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
		// A small node has no room for the next test beside this one.
		if err := kube.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(ns.Name), client.GracePeriodSeconds(0)); err != nil {
			t.Error(err)
		}
		await(t, "the namespace is gone", 3*time.Minute, &corev1.NamespaceList{},
			func(all []*corev1.Namespace) bool { return len(all) == 0 }, client.MatchingFields{"metadata.name": ns.Name})
	})
	return ns.Name
}

// describe logs what somebody would look at who wonders what went wrong.
func describe(t *testing.T, namespace string) {
	t.Helper()
	ctx := context.Background()
	var chats v1alpha1.ChatClusterList
	if err := kube.List(ctx, &chats, client.InNamespace(namespace)); err != nil {
		t.Log(err)
	}
	for i := range chats.Items {
		t.Log(summary([]*v1alpha1.ChatCluster{&chats.Items[i]}))
	}
	for _, ns := range []string{namespace, *operatorNS} {
		var pods corev1.PodList
		if err := kube.List(ctx, &pods, client.InNamespace(ns)); err != nil {
			t.Log(err)
		}
		for i := range pods.Items {
			t.Log(summary([]*corev1.Pod{&pods.Items[i]}))
		}
	}
	var events corev1.EventList
	if err := kube.List(ctx, &events, client.InNamespace(namespace)); err != nil {
		t.Log(err)
	}
	for _, e := range events.Items {
		t.Logf("%s %s %s/%s: %s", e.LastTimestamp.Format(time.TimeOnly), e.Reason, e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Message)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
