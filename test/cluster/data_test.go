package cluster

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/checker"
)

// TestRetain deletes a chat, makes it again, and finds the same messages and the same passwords.
func TestRetain(t *testing.T) {
	needLong(t)
	c := newChat(t, v1alpha1.ChatClusterSpec{Server: v1alpha1.ServerSpec{Env: lively(), DrainSeconds: 5}})
	before := c.written()
	secrets := c.secrets()
	c.delete()
	c.t.Logf("left by Retain: %v", c.left())
	c.create(v1alpha1.ChatClusterSpec{Server: v1alpha1.ServerSpec{Env: lively(), DrainSeconds: 5}})
	c.proves("[OP5] under Retain a chat that is made again has the same messages, accounts and passwords", func() {
		c.has(before)
		for name, data := range c.secrets() {
			if was, there := secrets[name]; there && strings.HasSuffix(name, "-postgres") && !reflect.DeepEqual(was, data) {
				c.t.Errorf("secret %s is another one now", name)
			}
		}
	})
}

// TestDelete deletes a chat with all that belongs to it, while the operator is away.
func TestDelete(t *testing.T) {
	needLong(t)
	c := newChat(t, v1alpha1.ChatClusterSpec{
		DeletionPolicy: v1alpha1.DeletionDelete, Backup: &v1alpha1.BackupSpec{},
		Server: v1alpha1.ServerSpec{Env: lively(), DrainSeconds: 5},
	})
	c.written()
	c.backUp()
	away(t)
	c.proves("[OP5] under Delete nothing stays, and the operator is not needed for that", func() {
		c.delete()
		for _, kind := range kinds() {
			await(c.t, "nothing is left", 2*time.Minute, kind, func(all []client.Object) bool {
				return len(slices.DeleteFunc(slices.Clone(all), ofEveryNamespace)) == 0
			}, client.InNamespace(c.namespace))
		}
	})
}

// TestBackupAndRestore is the drill of docs/operations: back up, lose everything but the backups, restore into a chat of another
// name.
func TestBackupAndRestore(t *testing.T) {
	needLong(t)
	c := newChat(t, v1alpha1.ChatClusterSpec{Server: v1alpha1.ServerSpec{Env: lively(), DrainSeconds: 5}, Backup: &v1alpha1.BackupSpec{Keep: 2}})
	before, epoch := c.written(), c.epoch()
	c.proves("[OP8] a backup is known when it is made", func() {
		c.backUp()
		awaitChat(c.t, c, "the backup is known", time.Minute, func(cc *v1alpha1.ChatCluster) bool {
			return condition(cc, v1alpha1.ConditionBackupHealthy, metav1.ConditionTrue) && cc.Status.LastBackupTime != nil
		})
	})
	c.delete()
	var volumes corev1.PersistentVolumeClaimList
	must(t, kube.List(t.Context(), &volumes, client.InNamespace(c.namespace)))
	for i := range volumes.Items {
		if v := &volumes.Items[i]; !strings.HasSuffix(v.Name, "-backup") {
			must(t, kube.Delete(t.Context(), v))
		}
	}
	must(t, kube.DeleteAllOf(t.Context(), &corev1.Secret{}, client.InNamespace(c.namespace)))
	backups := c.name + "-backup"
	c.name = "again"
	c.create(v1alpha1.ChatClusterSpec{
		Server: v1alpha1.ServerSpec{Env: lively(), DrainSeconds: 5}, Bootstrap: &v1alpha1.BootstrapSpec{RestoreFrom: backups},
	})
	c.proves("[RES3] what is restored is all there, in an epoch of its own", func() {
		c.has(before)
		if c.epoch() == epoch {
			c.t.Error("the epoch is that of the chat before")
		}
	})
}

func (c *site) epoch() string {
	c.t.Helper()
	epoch, err := c.store().Epoch(context.Background())
	must(c.t, err)
	return epoch
}

// written has people sign up and talk, and returns all that was said.
func (c *site) written() []chat.Entry {
	c.t.Helper()
	c.meet(4, 2)
	quiet := c.talk(20 * time.Millisecond)
	c.said("to be kept", 20*time.Second)
	c.until("a few hundred messages", time.Minute, func() bool { return c.crowd.Acknowledged() > 300 })
	c.agree(quiet)
	return c.logs()
}

func (c *site) logs() []chat.Entry {
	c.t.Helper()
	entries, err := checker.Logs(context.Background(), c.store(), c.rooms)
	must(c.t, err)
	return entries
}

// has sees that everything that was said is there, and that everybody gets in with their password.
func (c *site) has(before []chat.Entry) {
	c.t.Helper()
	if after := c.logs(); !reflect.DeepEqual(before, after) {
		c.t.Errorf("%d entries were there, and %d are, or not the same", len(before), len(after))
	}
	for _, p := range c.people {
		if id, _ := c.grant("/auth/login", p.username); id != p.id {
			c.t.Errorf("%s is somebody else now", p.username)
		}
	}
	c.t.Logf("FIGURE %d entries are there again, and %d people got in with their passwords", len(before), len(c.people))
}

// backUp has a backup made now, as kubectl create job --from=cronjob does.
func (c *site) backUp() {
	c.t.Helper()
	var plan batchv1.CronJob
	must(c.t, kube.Get(c.t.Context(), client.ObjectKey{Namespace: c.namespace, Name: c.name + "-backup"}, &plan))
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: c.namespace, Name: c.name + "-backup-now",
			Labels: plan.Spec.JobTemplate.Labels, Annotations: plan.Spec.JobTemplate.Annotations,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(&plan, batchv1.SchemeGroupVersion.WithKind("CronJob"))},
		},
		Spec: plan.Spec.JobTemplate.Spec,
	}
	must(c.t, kube.Create(c.t.Context(), job))
	took := await(c.t, "the backup", 3*time.Minute, &batchv1.JobList{}, func(all []*batchv1.Job) bool {
		return len(all) == 1 && all[0].Status.Succeeded > 0
	}, named(c.namespace, job.Name)...)
	c.t.Logf("FIGURE a backup took %v", took.Round(100*time.Millisecond))
}

// delete deletes the ChatCluster, and waits until its pods are gone.
func (c *site) delete() {
	c.t.Helper()
	must(c.t, kube.Delete(c.t.Context(), c.get()))
	await(c.t, "the pods are gone", 3*time.Minute, &corev1.PodList{}, func(all []*corev1.Pod) bool { return len(all) == 0 }, client.InNamespace(c.namespace))
}

func (c *site) secrets() map[string]map[string][]byte {
	c.t.Helper()
	var all corev1.SecretList
	must(c.t, kube.List(c.t.Context(), &all, client.InNamespace(c.namespace)))
	data := make(map[string]map[string][]byte)
	for _, s := range all.Items {
		data[s.Name] = s.Data
	}
	return data
}

// kinds are those of all that a chat may be made of.
func kinds() []client.ObjectList {
	return []client.ObjectList{
		&corev1.PodList{}, &corev1.ServiceList{}, &corev1.SecretList{}, &corev1.ConfigMapList{}, &corev1.ServiceAccountList{},
		&corev1.PersistentVolumeClaimList{}, &appsv1.DeploymentList{}, &appsv1.StatefulSetList{}, &appsv1.ReplicaSetList{},
		&batchv1.JobList{}, &batchv1.CronJobList{}, &networkingv1.NetworkPolicyList{}, &policyv1.PodDisruptionBudgetList{},
		&rbacv1.RoleList{}, &rbacv1.RoleBindingList{}, &v1alpha1.ChatClusterList{},
	}
}

// ofEveryNamespace is what Kubernetes itself puts into each.
func ofEveryNamespace(o client.Object) bool {
	return o.GetName() == "kube-root-ca.crt" || o.GetName() == "default"
}

// left names what is in the namespace.
func (c *site) left() []string {
	c.t.Helper()
	var names []string
	for _, kind := range kinds() {
		must(c.t, kube.List(c.t.Context(), kind, client.InNamespace(c.namespace)))
		must(c.t, meta.EachListItem(kind, func(o runtime.Object) error {
			if object := o.(client.Object); !ofEveryNamespace(object) {
				names = append(names, strings.TrimPrefix(reflect.TypeOf(o).String(), "*v1.")+" "+object.GetName())
			}
			return nil
		}))
	}
	return names
}

// away stops the operator until the test ends.
func away(t *testing.T) {
	t.Helper()
	deployments, _, err := listed[*appsv1.Deployment](t.Context(), &appsv1.DeploymentList{}, operatorPods())
	must(t, err)
	if len(deployments) != 1 {
		t.Fatalf("there are %d operators, want 1", len(deployments))
	}
	set := func(ctx context.Context, n int32) error {
		d := deployments[0].DeepCopy()
		d.Spec.Replicas = &n
		return kube.Patch(ctx, d, client.MergeFrom(deployments[0]))
	}
	replicas := *deployments[0].Spec.Replicas
	must(t, set(t.Context(), 0))
	t.Cleanup(func() {
		deployments[0].Spec.Replicas = new(int32)
		if err := set(context.Background(), replicas); err != nil {
			t.Error(err)
		}
	})
	await(t, "the operator is away", time.Minute, &corev1.PodList{}, func(all []*corev1.Pod) bool { return len(all) == 0 }, operatorPods()...)
}
