package controller

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/children"
	"github.com/gochat-dev/gochat/internal/operator/status"
)

func TestOneWriter(t *testing.T) {
	t.Run("[OP3] a name that a stranger's object has gives a condition, and no takeover", func(t *testing.T) {
		s := newStage(t)
		o := s.operate()
		service := &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: "chat-redis", Namespace: s.namespace, Labels: map[string]string{"app": "other"}},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "other", Port: 1}}},
		}
		owned := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
			Name: "chat-redis", Namespace: s.namespace,
			Labels: map[string]string{"app.kubernetes.io/managed-by": "gochat-operator", "app.kubernetes.io/instance": "chat"},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "v1", Kind: "Service", Name: "chat-redis", Controller: new(true),
			}},
		}}
		if err := s.Create(t.Context(), service); err != nil {
			t.Fatal(err)
		}
		owned.OwnerReferences[0].UID = service.UID
		if err := s.Create(t.Context(), owned); err != nil {
			t.Fatal(err)
		}
		s.create("chat")
		s.has("chat", v1alpha1.ConditionReady, metav1.ConditionFalse, status.ReasonNameTaken)
		s.eventually("an event", func() error { return s.told("chat", status.ReasonNameTaken) })
		s.has("chat", v1alpha1.ConditionAvailable, metav1.ConditionTrue, "") // the rest goes on
		o.reconcile("chat")
		for _, object := range []client.Object{service, owned} {
			now := object.DeepCopyObject().(client.Object)
			s.read(object.GetName(), now)
			if now.GetResourceVersion() != object.GetResourceVersion() {
				t.Errorf("%T was written", object)
			}
		}
		for _, object := range []client.Object{owned, service} {
			if err := s.Delete(t.Context(), object); err != nil {
				t.Fatal(err)
			}
		}
		s.ready("chat")
	})
	t.Run("[OP2] one object that is refused does not keep what is not wanted any more", func(t *testing.T) {
		s := newStage(t)
		s.operate()
		s.create("chat", full)
		s.ready("chat")
		s.edit("chat", func(c *v1alpha1.ChatCluster) {
			c.Spec.Ingress = &v1alpha1.IngressSpec{Annotations: map[string]string{"no key": "x"}}
			c.Spec.Backup = nil
		})
		s.has("chat", v1alpha1.ConditionReady, metav1.ConditionFalse, status.ReasonRefused)
		plan := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: children.BackupName("chat")}}
		s.eventually("the plan of backups to go", func() error {
			if err := s.Get(t.Context(), clientKey(plan), plan); !apierrors.IsNotFound(err) {
				return fmt.Errorf("it is there: %w", err)
			}
			return nil
		})
	})
	t.Run("[OP3] the spec and what strangers wrote stay, and there is no finalizer", func(t *testing.T) {
		s := newStage(t)
		o := s.operate()
		made := s.create("chat", full)
		s.ready("chat")
		o.settle("chat")
		c := s.get("chat")
		if !reflect.DeepEqual(made.Spec, c.Spec) || len(c.Finalizers) > 0 {
			t.Errorf("the spec was\n%+v\nand is\n%+v, with finalizers %v", made.Spec, c.Spec, c.Finalizers)
		}
		for _, entry := range c.ManagedFields {
			if entry.Manager == FieldOwner && entry.Subresource != "status" {
				t.Errorf("the operator wrote %v", entry)
			}
		}
		for at, object := range s.children() {
			for _, entry := range object.GetManagedFields() {
				if entry.Manager != FieldOwner && slices.Contains([]metav1.ManagedFieldsOperationType{"Apply"}, entry.Operation) {
					t.Errorf("%v is applied by %s as well", at, entry.Manager)
				}
			}
		}
	})
}

// told says whether there is an event of a reason about a ChatCluster, and not more than one.
func (s *stage) told(name, reason string) error {
	s.Helper()
	var all eventsv1.EventList
	if err := s.List(s.Context(), &all, client.InNamespace(s.namespace)); err != nil {
		return err
	}
	n := 0
	for _, event := range all.Items {
		if event.Regarding.Name == name && event.Regarding.Kind == "ChatCluster" && event.Reason == reason {
			n++
			if event.Series != nil {
				n += int(event.Series.Count)
			}
		}
	}
	if n != 1 {
		return fmt.Errorf("%s has been told %d times", reason, n)
	}
	return nil
}

func TestNoDataLoss(t *testing.T) {
	t.Run("[OP5] under Retain volumes and credentials outlive their ChatCluster, and the next one finds them", func(t *testing.T) {
		s := newStage(t)
		o := s.operate()
		s.create("chat", full)
		s.ready("chat")
		secrets, volumes := s.secretData(), s.volumes()
		s.remove("chat")
		s.eventually("only what is kept to be left", func() error {
			for at := range s.children() {
				if !slices.Contains([]string{"PersistentVolumeClaim chat-postgres", "PersistentVolumeClaim chat-backup", "Secret chat-postgres", "Secret chat-admin", "Secret chat-keys"}, at.kind.Kind+" "+at.name) {
					return fmt.Errorf("%v is there", at)
				}
			}
			return nil
		})
		o.stop()
		s.operate()
		s.create("chat", full)
		s.ready("chat")
		s.sameData(secrets, volumes)
		// Another owner of the data, then none again, and away it goes.
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.DeletionPolicy = v1alpha1.DeletionDelete })
		s.ready("chat")
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.DeletionPolicy = v1alpha1.DeletionRetain })
		s.ready("chat")
		s.remove("chat")
		s.eventually("the servers to be gone", func() error {
			if n := len(s.children()); n > 5 {
				return fmt.Errorf("%d objects are left", n)
			}
			return nil
		})
		s.sameData(secrets, volumes)
	})
	t.Run("[OP5] a volume that is not wanted any more stays, also if it was to be deleted before", func(t *testing.T) {
		s := newStage(t)
		o := s.operate()
		s.create("chat", full, func(c *v1alpha1.ChatCluster) { c.Spec.DeletionPolicy = v1alpha1.DeletionDelete })
		s.ready("chat")
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Backup, c.Spec.DeletionPolicy = nil, v1alpha1.DeletionRetain })
		s.ready("chat")
		o.settle("chat")
		volumes := s.volumes()
		s.remove("chat")
		s.eventually("the servers to be gone", func() error {
			if n := len(s.children()); n > 5 {
				return fmt.Errorf("%d objects are left", n)
			}
			return nil
		})
		if again := s.volumes(); len(again) != 2 || !reflect.DeepEqual(volumes, again) {
			t.Errorf("the volumes were %v and are %v", volumes, again)
		}
	})
	t.Run("[OP5] under Delete nothing stays, and nobody needs the operator for that", func(t *testing.T) {
		s := newStage(t)
		o := s.operate()
		s.create("chat", full)
		s.ready("chat")
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.DeletionPolicy = v1alpha1.DeletionDelete })
		s.ready("chat")
		o.settle("chat")
		o.stop()
		s.remove("chat")
		s.eventually("everything to be gone", func() error {
			if left := s.children(); len(left) > 0 {
				return fmt.Errorf("%d objects are left", len(left))
			}
			return nil
		})
	})
	t.Run("[OP5] the password of a volume is never made up", func(t *testing.T) {
		s := newStage(t)
		o := s.operate()
		s.create("chat")
		s.ready("chat")
		secrets := s.secretData()
		o.stop()
		secret := &corev1.Secret{}
		s.read("chat-postgres", secret)
		kept := secret.DeepCopy()
		if err := s.Delete(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		s.operate() // it does not remember
		s.has("chat", v1alpha1.ConditionDatabaseReady, metav1.ConditionFalse, status.ReasonCredentialsMissing)
		s.eventually("an event", func() error { return s.told("chat", status.ReasonCredentialsMissing) })
		if err := s.Get(t.Context(), client.ObjectKeyFromObject(secret), secret); !apierrors.IsNotFound(err) {
			t.Errorf("there is a Secret again: %v", err)
		}
		kept.ResourceVersion, kept.UID, kept.ManagedFields = "", "", nil
		if err := s.Create(t.Context(), kept); err != nil { // from a copy, as the condition says
			t.Fatal(err)
		}
		s.ready("chat")
		s.sameData(secrets, s.volumes())
	})
	t.Run("[OP5] a new password is taken where it is put as the condition says", func(t *testing.T) {
		s := newStage(t)
		o := s.operate()
		s.create("chat")
		s.ready("chat")
		o.stop()
		secret := &corev1.Secret{}
		s.read("chat-postgres", secret)
		if err := s.Delete(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		s.operate()
		s.has("chat", v1alpha1.ConditionDatabaseReady, metav1.ConditionFalse, status.ReasonCredentialsMissing)
		says := meta.FindStatusCondition(s.get("chat").Status.Conditions, v1alpha1.ConditionDatabaseReady).Message
		labels := make(map[string]string)
		for _, found := range regexp.MustCompile(`(app\.kubernetes\.io/[a-z-]+)=([a-z-]+)`).FindAllStringSubmatch(says, -1) {
			labels[found[1]] = found[2]
		}
		byHand := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: secret.Namespace, Name: secret.Name, Labels: labels},
			Data:       map[string][]byte{"password": []byte("abc123")},
		}
		if err := s.Create(t.Context(), byHand); err != nil {
			t.Fatal(err)
		}
		s.ready("chat")
		s.read("chat-postgres", secret)
		if string(secret.Data["password"]) != "abc123" {
			t.Error("the Secret holds another password now")
		}
	})
}

// remove deletes a ChatCluster and waits until it is gone.
func (s *stage) remove(name string) {
	s.Helper()
	c := s.get(name)
	if err := s.Delete(s.Context(), c); err != nil {
		s.Fatal(err)
	}
	s.eventually("the ChatCluster to be gone", func() error {
		err := s.Get(s.Context(), client.ObjectKeyFromObject(c), c)
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("it is there: %w", err)
	})
}

// volumes are the ids of the volumes.
func (s *stage) volumes() map[string]types.UID {
	s.Helper()
	ids := make(map[string]types.UID)
	for at, object := range s.children() {
		if at.kind == kindVolume.GroupKind() {
			ids[at.name] = object.GetUID()
		}
	}
	return ids
}

// sameData: each volume is the same one, and so is each credential that outlives its ChatCluster.
func (s *stage) sameData(secrets map[string]string, volumes map[string]types.UID) {
	s.Helper()
	now := s.secretData()
	for _, name := range []string{"chat-postgres", "chat-admin", "chat-keys"} {
		if now[name] != secrets[name] {
			s.Errorf("the Secret %s is another one", name)
		}
	}
	if again := s.volumes(); !reflect.DeepEqual(volumes, again) {
		s.Errorf("the volumes were %v and are %v", volumes, again)
	}
}
