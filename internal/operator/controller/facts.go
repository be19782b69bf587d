package controller

import (
	"context"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/children"
	"github.com/gochat-dev/gochat/internal/operator/status"
)

// observed gathers what the status is computed from.
func (p *pass) observed(ctx context.Context, wanted []children.Child, failed error) (status.Observed, error) {
	name := p.cluster.Name
	image, _ := p.serving()
	o := status.Observed{
		Now: p.now(), Waiting: p.waiting, Faults: p.faults, Small: strings.Join(p.small, "; "), Missing: p.missing(wanted), Schema: p.schema,
		Servers:   p.deployment(children.ServerName(name), children.Server),
		Database:  p.stateful(children.PostgresName(name), children.Postgres),
		Redis:     p.stateful(children.RedisName(name), children.Redis),
		Image:     image,
		Endpoints: p.endpoints(), Nodes: p.nodes(), Left: p.left(),
		Route: p.route(), Certificate: p.certificate(), Backup: p.backup(), Autoscaler: p.autoscaler(),
		ByConnection: p.known.APIs.CustomMetrics,
		Gateway:      p.known.APIs.Gateway,
		CertManager:  p.known.APIs.CertManager,
		Monitoring:   p.known.APIs.PodMonitor && p.known.APIs.PrometheusRule,
		Selector:     children.Selector(name),
		Rotates:      p.rotates,
	}
	if failed != nil {
		o.Failed = firstLine(failed.Error())
	}
	var err error
	o.LostSecrets, err = p.lostSecrets(ctx)
	return o, err
}

// missing are the wanted children that are not there, or not seen yet as they were written last.
func (p *pass) missing(wanted []children.Child) []string {
	var missing []string
	for _, child := range wanted {
		live := p.there[refOf(child)]
		if live == nil || live.GetDeletionTimestamp() != nil || older(live.GetResourceVersion(), p.memory.written[refOf(child)].version) {
			missing = append(missing, child.Kind.Kind+" "+child.Name)
		}
	}
	return missing
}

func (p *pass) deployment(name string, component children.Component) *status.Workload {
	d := get[*appsv1.Deployment](p, name)
	if d == nil || !p.owns(d) {
		return nil
	}
	w := &status.Workload{
		Wanted: value(d.Spec.Replicas), Replicas: d.Status.Replicas, Updated: d.Status.UpdatedReplicas, Ready: d.Status.ReadyReplicas,
		Current: d.Status.ObservedGeneration >= p.generationOf(kindDeployment, d),
	}
	for _, c := range d.Status.Conditions {
		w.Stuck = w.Stuck || (c.Type == appsv1.DeploymentProgressing && c.Status == corev1.ConditionFalse)
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
			w.Trouble = c.Message
		}
	}
	if w.Trouble == "" {
		w.Trouble = p.troubleOf(component)
	}
	return w
}

func (p *pass) stateful(name string, component children.Component) *status.Workload {
	s := get[*appsv1.StatefulSet](p, name)
	if s == nil || !p.owns(s) {
		return nil
	}
	w := &status.Workload{
		Wanted: value(s.Spec.Replicas), Replicas: s.Status.Replicas, Updated: s.Status.UpdatedReplicas, Ready: s.Status.ReadyReplicas,
		Current: s.Status.ObservedGeneration >= p.generationOf(kindStateful, s), Trouble: p.troubleOf(component),
	}
	if w.Wanted > 0 && len(p.podsOf(component)) == 0 {
		w.Trouble = noPod("statefulset", name)
	}
	return w
}

// generationOf is the generation of a child that its controller must have seen: that of our last write.
func (p *pass) generationOf(kind schemaKind, live client.Object) int64 {
	if last, ok := p.memory.written[ref{kind: kind.GroupKind(), name: live.GetName()}]; ok && last.uid == live.GetUID() {
		return last.generation
	}
	return live.GetGeneration()
}

func value(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}

// troubleOf is what keeps a pod of a part from being ready.
func (p *pass) troubleOf(component children.Component) string {
	for _, pod := range p.podsOf(component) {
		if !isReady(pod) && pod.DeletionTimestamp == nil {
			if what := trouble(pod); what != "" {
				return what
			}
		}
	}
	return ""
}

func isReady(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// endpoints is how many servers the Service leads to.
func (p *pass) endpoints() int {
	n := 0
	for _, slice := range p.pods.slices {
		if slice.Labels["kubernetes.io/service-name"] != children.ServiceName(p.cluster.Name) {
			continue
		}
		for _, endpoint := range slice.Endpoints {
			if ready := endpoint.Conditions.Ready; ready == nil || *ready { // nil means yes
				n++
			}
		}
	}
	return n
}

// left is how many pods of the parts have not ended: a StatefulSet and a Deployment don't count those that are on their way out.
func (p *pass) left() int {
	n := 0
	for _, component := range []children.Component{children.Server, children.Postgres, children.Redis} {
		n += len(p.running(component))
	}
	return n
}

func (p *pass) nodes() int {
	on := make(map[string]bool)
	for _, pod := range p.podsOf(children.Server) {
		if isReady(pod) && pod.DeletionTimestamp == nil {
			on[pod.Spec.NodeName] = true
		}
	}
	return len(on)
}

// route is what is said of the HTTPRoute, else whether the Ingress has an address.
func (p *pass) route() status.Answer {
	if p.cluster.Spec.Gateway == nil {
		ingress := first[*networkingv1.Ingress](p)
		if ingress == nil || len(ingress.Status.LoadBalancer.Ingress) == 0 {
			return status.Answer{}
		}
		at := ingress.Status.LoadBalancer.Ingress[0]
		return status.Answer{Status: metav1.ConditionTrue, Message: "at " + at.IP + at.Hostname}
	}
	route := p.dynamic(kindRoute)
	if route == nil {
		return status.Answer{}
	}
	return routeAnswer(route, p.generationOf(kindRoute, route))
}

// routeAnswer is what our Gateway says of an HTTPRoute as it is since a generation: yes if it is taken and its Service was found, no
// if it isn't, and nothing of what others say, or was said of the generation before.
func routeAnswer(route *unstructured.Unstructured, generation int64) status.Answer {
	wanted, _, _ := unstructured.NestedSlice(route.Object, "spec", "parentRefs")
	parents, _, _ := unstructured.NestedSlice(route.Object, "status", "parents")
	var answer status.Answer
	for _, one := range parents {
		parent, ok := one.(map[string]any)
		isOurs := func(ref any) bool { return sameParent(ref, parent["parentRef"], route.GetNamespace()) }
		if !ok || !slices.ContainsFunc(wanted, isOurs) {
			continue
		}
		accepted, resolved := currentOf(parent, "Accepted", generation), currentOf(parent, "ResolvedRefs", generation)
		switch {
		case accepted.Status == metav1.ConditionFalse:
			answer = accepted
		case resolved.Status == metav1.ConditionFalse:
			answer = resolved
		case accepted.Status == metav1.ConditionTrue && resolved.Status == metav1.ConditionTrue:
			return accepted
		}
	}
	return answer
}

// sameParent says whether two references of an HTTPRoute lead to the same listener.
func sameParent(a, b any, namespace string) bool {
	field := func(ref any, name, otherwise string) string {
		fields, _ := ref.(map[string]any)
		if value, _ := fields[name].(string); value != "" {
			return value
		}
		return otherwise
	}
	return field(a, "name", "") == field(b, "name", "") && field(a, "namespace", namespace) == field(b, "namespace", namespace) &&
		field(a, "sectionName", "") == field(b, "sectionName", "")
}

// currentOf is a condition, unless it is of a generation before this one.
func currentOf(fields map[string]any, name string, generation int64) status.Answer {
	conditions, _, _ := unstructured.NestedSlice(fields, "conditions")
	old := func(one any) bool {
		c, _ := one.(map[string]any)
		of, says := c["observedGeneration"].(int64)
		return says && of < generation
	}
	return conditionOf(map[string]any{"conditions": slices.DeleteFunc(conditions, old)}, name)
}

func (p *pass) certificate() status.Answer {
	certificate := p.dynamic(kindCertificate)
	if certificate == nil {
		return status.Answer{}
	}
	fields, _, _ := unstructured.NestedMap(certificate.Object, "status")
	return conditionOf(fields, "Ready")
}

func (p *pass) certificateExpiry() time.Time {
	certificate := p.dynamic(kindCertificate)
	if certificate == nil {
		return time.Time{}
	}
	text, _, _ := unstructured.NestedString(certificate.Object, "status", "notAfter")
	at, err := time.Parse(time.RFC3339, text)
	if err != nil { // not issued yet
		return time.Time{}
	}
	return at
}

// dynamic is the child of a kind of which there is one at most.
func (p *pass) dynamic(kind schemaKind) *unstructured.Unstructured {
	for at, object := range p.there {
		if found, ok := object.(*unstructured.Unstructured); ok && at.kind == kind.GroupKind() {
			return found
		}
	}
	return nil
}

func first[T client.Object](p *pass) T {
	var none T
	for _, object := range p.there {
		if found, ok := object.(T); ok {
			return found
		}
	}
	return none
}

func conditionOf(fields map[string]any, name string) status.Answer {
	conditions, _, _ := unstructured.NestedSlice(fields, "conditions")
	for _, one := range conditions {
		c, ok := one.(map[string]any)
		if !ok || c["type"] != name {
			continue
		}
		says, _ := c["status"].(string)
		message, _ := c["message"].(string)
		return status.Answer{Status: metav1.ConditionStatus(says), Message: message}
	}
	return status.Answer{}
}

func (p *pass) autoscaler() status.Answer {
	scaler := first[*autoscalingv2.HorizontalPodAutoscaler](p)
	if scaler == nil {
		return status.Answer{}
	}
	for _, c := range scaler.Status.Conditions {
		if c.Type == autoscalingv2.ScalingActive {
			return status.Answer{Status: metav1.ConditionStatus(c.Status), Message: c.Message}
		}
	}
	return status.Answer{}
}

func (p *pass) backup() *status.Backup {
	plan := get[*batchv1.CronJob](p, children.BackupName(p.cluster.Name))
	if plan == nil {
		return nil
	}
	b := &status.Backup{Suspended: plan.Spec.Suspend != nil && *plan.Spec.Suspend}
	if at := plan.Status.LastScheduleTime; at != nil {
		b.Scheduled = at.Time
	}
	if at := plan.Status.LastSuccessfulTime; at != nil {
		b.Succeeded = at.Time
	}
	var last *batchv1.Job
	for _, object := range p.there {
		job, ok := object.(*batchv1.Job)
		if ok && job.Labels[children.LabelComponent] == string(children.Backup) && (last == nil || job.CreationTimestamp.After(last.CreationTimestamp.Time)) {
			last = job
		}
	}
	if jobIs(last, batchv1.JobFailed) {
		b.Failed, b.Message = true, p.lastWords(children.Backup)
	}
	return b
}

// lostSecrets are the Secrets that the spec names and that are not there, or without their key. They are not ours, so they are
// in no cache.
func (p *pass) lostSecrets(ctx context.Context) ([]string, error) {
	named := make(map[string]string) // the key that each should have
	for _, external := range []*v1alpha1.ExternalSpec{p.cluster.Spec.Database.External, p.cluster.Spec.Redis.External} {
		if external != nil && external.SecretName != "" { // the schema fills in the key of one that is not there
			named[external.SecretName] = external.Key
		}
	}
	if tls := p.cluster.Spec.TLS; tls != nil && tls.SecretName != "" {
		named[tls.SecretName] = corev1.TLSCertKey
	}
	var lost []string
	for name, key := range named {
		secret, err := p.stranger(ctx, name)
		if err != nil {
			return nil, err
		}
		if secret == nil || len(secret.Data[key]) == 0 {
			lost = append(lost, name)
		}
	}
	if len(lost) > 0 {
		p.lookAgainIn(lookForStrangers)
	}
	slices.Sort(lost)
	return lost, nil
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}
