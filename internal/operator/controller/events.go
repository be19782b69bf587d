package controller

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

const (
	normal  = corev1.EventTypeNormal
	warning = corev1.EventTypeWarning
)

// noteLimit is how many bytes of a note the API server takes: an event with more is refused, and nobody hears of it.
const noteLimit = 1024

// event tells of a decision. Each is told where it is made, once. Kubernetes takes events of one reason about one ChatCluster for one
// that is repeated, and keeps the first note: so a pass tells of a reason once, with everything in it.
func (p *pass) event(kind, reason, action, note string) {
	p.events.Eventf(p.cluster, nil, kind, reason, action, "%s", shortened(note))
}

// shortened is the beginning of a note that is too long: what somebody else said may be in it.
func shortened(note string) string {
	const more = "…"
	if len(note) <= noteLimit {
		return note
	}
	return strings.ToValidUTF8(note[:noteLimit-len(more)], "") + more
}
