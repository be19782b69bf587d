package controller

import (
	corev1 "k8s.io/api/core/v1"
)

const (
	normal  = corev1.EventTypeNormal
	warning = corev1.EventTypeWarning
)

// event tells of a decision. Each is told where it is made, once.
func (p *pass) event(kind, reason, action, note string) {
	p.events.Eventf(p.cluster, nil, kind, reason, action, "%s", note)
}
