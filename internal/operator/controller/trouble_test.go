package controller

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestTrouble(t *testing.T) {
	ended := func(code int32, reason, message string) corev1.ContainerState {
		at := metav1.NewTime(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message, FinishedAt: at}}
	}
	waiting := func(reason, message string) corev1.ContainerState {
		return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	}
	running, nothing := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}, corev1.ContainerState{}
	refused := ended(1, "Error", "starting\nserver: connection refused\n")
	for _, c := range []struct {
		what        string
		now, before corev1.ContainerState
		ready       bool
		want        string
	}{
		{"it ended and said why", refused, nothing, false, "server: connection refused"},
		{"it ended and said nothing", ended(137, "OOMKilled", ""), refused, false, "server: OOMKilled"},
		{
			"it waits to be started again", waiting("CrashLoopBackOff", "back-off 10s"), refused, false,
			"CrashLoopBackOff: back-off 10s; before that it ended at 2026-01-01T12:00:00Z: server: connection refused",
		},
		{"it waits for its image", waiting("ErrImagePull", "not found"), nothing, false, "ErrImagePull: not found"},
		{
			"it is made again", waiting("ContainerCreating", ""), ended(255, "Unknown", ""), false,
			"server waits (ContainerCreating); before that it ended at 2026-01-01T12:00:00Z: Unknown",
		},
		{"it is made", waiting("ContainerCreating", ""), nothing, false, ""},
		{
			"it runs, and ended before for a reason that may be over", running, refused, false,
			"server runs and is not ready; before that it ended at 2026-01-01T12:00:00Z: server: connection refused",
		},
		{
			"it runs, and was killed before", running, ended(137, "OOMKilled", ""), false,
			"server runs and is not ready; before that it ended at 2026-01-01T12:00:00Z: OOMKilled",
		},
		{"it runs, and ended well before", running, ended(0, "Completed", ""), false, ""},
		{"it runs for the first time", running, nothing, false, ""},
		{"it runs and is ready: another container is not", running, refused, true, ""},
	} {
		t.Run("[OP8] "+c.what, func(t *testing.T) {
			pod := &corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{
				{Name: "server", State: c.now, LastTerminationState: c.before, Ready: c.ready},
			}}}
			if got := trouble(pod); got != c.want {
				t.Errorf("it says %q, want %q", got, c.want)
			}
		})
	}
}
