package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Images say what becomes of their pods: "broken" never gets ready, a job of "failing" fails, or one that reads a Secret called so, "typo"
// is nowhere; all others run well.
const (
	broken  = "broken"
	failing = "failing"
	typo    = "typo"
)

var nodes = []string{"node-a", "node-b"}

// runKubelet runs pods in name only: binds each to one of two nodes of which there is nothing else, and writes the status that a kubelet would.
func runKubelet(t *testing.T, cfg *rest.Config) (stop func()) {
	t.Helper()
	c, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range nodes {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if _, err := c.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	k := kubelet{c: c, runs: make(map[types.UID]bool)}
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			k.watch(ctx)
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

type kubelet struct {
	c    kubernetes.Interface
	runs map[types.UID]bool
}

func (k kubelet) watch(ctx context.Context) {
	w, err := k.c.CoreV1().Pods("").Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event, open := <-w.ResultChan():
			if !open {
				return
			}
			if pod, ok := event.Object.(*corev1.Pod); ok && event.Type != "DELETED" {
				k.look(ctx, pod)
			}
		}
	}
}

// look moves a pod on. Who is asked to do so twice does the same twice, and errors are those of pods that are gone.
func (k kubelet) look(ctx context.Context, pod *corev1.Pod) {
	pods := k.c.CoreV1().Pods(pod.Namespace)
	switch {
	case pod.DeletionTimestamp != nil:
		_ = pods.Delete(ctx, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0)), Preconditions: &metav1.Preconditions{UID: &pod.UID}})
	case pod.Spec.NodeName == "":
		_ = pods.Bind(ctx, &corev1.Binding{
			ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace, UID: pod.UID},
			Target:     corev1.ObjectReference{Kind: "Node", Name: nodes[int(pod.UID[0])%len(nodes)]},
		}, metav1.CreateOptions{})
	case !k.runs[pod.UID]:
		k.runs[pod.UID] = true
		pod = pod.DeepCopy()
		pod.Status = statusOf(pod)
		pod.Status.PodIP = fmt.Sprintf("10.%d.%d.%d", len(k.runs)>>16, len(k.runs)>>8&255, len(k.runs)&255)
		_, _ = pods.UpdateStatus(ctx, pod, metav1.UpdateOptions{})
	}
}

func statusOf(pod *corev1.Pod) corev1.PodStatus {
	image, job := pod.Spec.Containers[0].Image, pod.Labels["batch.kubernetes.io/job-name"] != ""
	if strings.HasSuffix(image, ":"+typo) {
		return unpulled(pod)
	}
	status := corev1.PodStatus{Phase: corev1.PodRunning, StartTime: new(metav1.Now())}
	ready := corev1.ConditionTrue
	ended := func(code int32, message string) corev1.ContainerState {
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: code, Message: message, Reason: "Ended", StartedAt: metav1.Now(), FinishedAt: metav1.Now(),
		}}
	}
	state := corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}
	for _, container := range pod.Spec.InitContainers {
		s := corev1.ContainerStatus{Name: container.Name, Image: container.Image, ImageID: "x", State: ended(0, `{"schema":12}`)}
		if strings.Contains(container.Image, failing) || reads(container, failing) {
			s.State = ended(1, "a column is in the way")
		}
		status.InitContainerStatuses = append(status.InitContainerStatuses, s)
	}
	switch {
	case job && (strings.Contains(image, failing) || reads(pod.Spec.Containers[0], failing)):
		status.Phase, ready, state = corev1.PodFailed, corev1.ConditionFalse, ended(1, "a column is in the way")
	case job:
		status.Phase, ready, state = corev1.PodSucceeded, corev1.ConditionFalse, ended(0, "")
	case strings.Contains(image, broken):
		ready = corev1.ConditionFalse
	}
	for _, container := range pod.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, corev1.ContainerStatus{
			Name: container.Name, Image: container.Image, ImageID: "x", State: state, Ready: ready == corev1.ConditionTrue,
		})
	}
	at := metav1.NewTime(time.Now().Add(-time.Minute)) // minReadySeconds have passed
	for _, c := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		value := corev1.ConditionTrue
		if c == corev1.ContainersReady || c == corev1.PodReady {
			value = ready
		}
		status.Conditions = append(status.Conditions, corev1.PodCondition{Type: c, Status: value, LastTransitionTime: at})
	}
	return status
}

// reads says whether a variable of a container is from this Secret.
func reads(container corev1.Container, secret string) bool {
	return slices.ContainsFunc(container.Env, func(v corev1.EnvVar) bool {
		return v.ValueFrom != nil && v.ValueFrom.SecretKeyRef != nil && v.ValueFrom.SecretKeyRef.Name == secret
	})
}

// unpulled is the status of a pod whose image is nowhere.
func unpulled(pod *corev1.Pod) corev1.PodStatus {
	status := corev1.PodStatus{Phase: corev1.PodPending, StartTime: new(metav1.Now())}
	waiting := func(containers []corev1.Container) (all []corev1.ContainerStatus) {
		for _, c := range containers {
			all = append(all, corev1.ContainerStatus{Name: c.Name, Image: c.Image, State: corev1.ContainerState{
				Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "not found"},
			}})
		}
		return all
	}
	status.InitContainerStatuses, status.ContainerStatuses = waiting(pod.Spec.InitContainers), waiting(pod.Spec.Containers)
	return status
}
