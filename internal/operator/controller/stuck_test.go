package controller

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestStuck: a registry that is away for a moment is no trouble, and nobody need do anything for it to be noticed that it stays away.
func TestStuck(t *testing.T) {
	begun := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "chat-migrate"}}
	for _, c := range []struct {
		what   string
		phase  corev1.PodPhase
		reason string
		after  time.Duration
		stuck  bool
		again  time.Duration
	}{
		{"an image that is not there yet", corev1.PodPending, "ErrImagePull", 20 * time.Second, false, 40 * time.Second},
		{"at the last moment", corev1.PodPending, "ImagePullBackOff", stuckAfter - time.Second, false, time.Second},
		{"for a minute", corev1.PodPending, "ImagePullBackOff", stuckAfter, true, 0},
		{"a Secret that is not there, for an hour", corev1.PodPending, "CreateContainerConfigError", time.Hour, true, 0},
		{"one that only begins", corev1.PodPending, "ContainerCreating", time.Hour, false, 0},
		{"one that runs", corev1.PodRunning, "ImagePullBackOff", time.Hour, false, 0},
	} {
		t.Run("[OP6] "+c.what, func(t *testing.T) {
			pod := &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{batchv1.JobNameLabel: job.Name}, CreationTimestamp: metav1.NewTime(begun)},
				Status: corev1.PodStatus{Phase: c.phase, InitContainerStatuses: []corev1.ContainerStatus{
					{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: c.reason}}},
				}},
			}
			p := &pass{Reconciler: &Reconciler{now: func() time.Time { return begun.Add(c.after) }}, pods: pods{all: []*corev1.Pod{pod}}}
			if stuck := p.cannotStart(job); stuck != c.stuck || p.lookIn != c.again {
				t.Errorf("stuck: %t, looked at again in %s", stuck, p.lookIn)
			}
		})
	}
}
