package controller

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// trouble is why a pod does not run well: how a container of it ended, what one waits for, that one is not ready, or why the pod finds no node.
func trouble(pod *corev1.Pod) string {
	if pod == nil {
		return ""
	}
	for _, container := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if what := troubleIn(container); what != "" {
			return what
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return c.Reason + ": " + c.Message
		}
	}
	return ""
}

// troubleIn is what is the matter with a container now. How it ended before is told as what is over: that may have been long ago, and for
// another reason (OP8).
func troubleIn(container corev1.ContainerStatus) string {
	before := lastEnd(container.LastTerminationState.Terminated)
	switch now := container.State; {
	case now.Terminated != nil && now.Terminated.ExitCode != 0 && now.Terminated.Message == "":
		return container.Name + ": " + now.Terminated.Reason
	case now.Terminated != nil && now.Terminated.ExitCode != 0:
		return lastLine(now.Terminated.Message)
	case now.Waiting != nil && now.Waiting.Message != "" && now.Waiting.Reason != "PodInitializing":
		return now.Waiting.Reason + ": " + now.Waiting.Message + before
	case now.Waiting != nil && before != "":
		return container.Name + " waits (" + now.Waiting.Reason + ")" + before
	case now.Running != nil && !container.Ready && before != "":
		return container.Name + " runs and is not ready" + before
	default:
		return ""
	}
}

// lastEnd is how a container ended that was started again, as the end of a sentence about what is now.
func lastEnd(end *corev1.ContainerStateTerminated) string {
	if end == nil || end.ExitCode == 0 {
		return ""
	}
	words := end.Reason
	if end.Message != "" {
		words = lastLine(end.Message)
	}
	at := ""
	if !end.FinishedAt.IsZero() {
		at = " at " + end.FinishedAt.UTC().Format(time.RFC3339)
	}
	return "; before that it ended" + at + ": " + words
}
