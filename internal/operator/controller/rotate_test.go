package controller

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/auth"
	"github.com/gochat-dev/gochat/internal/operator/children"
)

func inNamespace(s *stage) client.InNamespace { return client.InNamespace(s.namespace) }

func clientKey(object client.Object) client.ObjectKey { return client.ObjectKeyFromObject(object) }

func TestRotationInACluster(t *testing.T) {
	s := newStage(t)
	later := make(chan time.Duration, 1)
	later <- 0
	o := s.operate(func(c *Config) {
		c.Now = func() time.Time {
			d := <-later
			later <- d
			return time.Now().Add(d)
		}
	})
	s.create("chat")
	s.ready("chat")
	secret := &corev1.Secret{}
	s.read("chat-keys", secret)
	before := keyIDs(t, secret.Data[children.KeyJWKSet])
	if len(before) != 2 {
		t.Fatalf("there are %d keys", len(before))
	}
	ask := func(value string) {
		t.Helper()
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Annotations = map[string]string{AnnotationRotate: value} })
	}
	ask("1") // too early: the keys have only been made
	o.reconcile("chat")
	s.read("chat-keys", secret)
	if now := keyIDs(t, secret.Data[children.KeyJWKSet]); fmt.Sprint(now) != fmt.Sprint(before) {
		t.Errorf("the keys %v became %v within a minute", before, now)
	}
	<-later
	later <- betweenRotations + time.Minute
	o.poke("chat")
	s.eventually("other keys", func() error {
		s.read("chat-keys", secret)
		now := keyIDs(t, secret.Data[children.KeyJWKSet])
		if len(now) != 3 || now[0] != before[1] || now[2] != before[0] {
			return fmt.Errorf("the keys %v became %v", before, now)
		}
		return nil
	})
	s.ready("chat")
	o.settle("chat")
	again := secret.ResourceVersion
	o.reconcile("chat")
	s.read("chat-keys", secret)
	if secret.ResourceVersion != again {
		t.Error("they are rotated once for each value, not more")
	}
	if err := s.told("chat", "KeysRotated"); err != nil {
		t.Error(err)
	}
}

// keyIDs are the ids of the keys as the servers read them: the first signs.
func keyIDs(t *testing.T, set []byte) []string {
	t.Helper()
	keys, err := auth.ParseKeys(set)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, key := range keys {
		ids = append(ids, key.ID)
	}
	return ids
}

func TestRotate(t *testing.T) {
	const name = "chat"
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		what        string
		annotations map[string]string // of the ChatCluster
		ttl         string
		rotated     time.Duration // ago
		asked       string        // for the last rotation
		want        bool
		wait        time.Duration
		faulty      bool
	}{
		{what: "nobody asks", rotated: 1000 * time.Hour},
		{what: "asked for", annotations: map[string]string{AnnotationRotate: "a"}, rotated: 2 * time.Hour, want: true},
		{what: "asked for once", annotations: map[string]string{AnnotationRotate: "a"}, asked: "a", rotated: 2 * time.Hour},
		{what: "asked for again", annotations: map[string]string{AnnotationRotate: "b"}, asked: "a", rotated: 2 * time.Hour, want: true},
		{what: "too early", annotations: map[string]string{AnnotationRotate: "b"}, asked: "a", rotated: 20 * time.Minute, wait: 40 * time.Minute},
		{what: "tokens that last long", annotations: map[string]string{AnnotationRotate: "b"}, ttl: "3h", rotated: 2 * time.Hour, wait: 4 * time.Hour},
		{what: "old enough", annotations: map[string]string{AnnotationMaxAge: "720h"}, rotated: 721 * time.Hour, want: true},
		{what: "not old enough", annotations: map[string]string{AnnotationMaxAge: "720h"}, rotated: 700 * time.Hour, wait: 20 * time.Hour},
		{what: "no length of time", annotations: map[string]string{AnnotationMaxAge: "monthly"}, rotated: 1000 * time.Hour, faulty: true},
		{what: "too often", annotations: map[string]string{AnnotationMaxAge: "1m"}, rotated: 1000 * time.Hour, faulty: true},
	} {
		t.Run(c.what, func(t *testing.T) {
			chat := &v1alpha1.ChatCluster{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: c.annotations}}
			if c.ttl != "" {
				chat.Spec.Server.Env = []corev1.EnvVar{{Name: "GOCHAT_ACCESS_TOKEN_TTL", Value: c.ttl}}
			}
			p := &pass{Reconciler: &Reconciler{now: func() time.Time { return now }, events: events.NewFakeRecorder(10)}, cluster: chat, spec: chat}
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: children.KeysName(name), Annotations: map[string]string{
				annotationRotatedFor: c.asked, annotationRotatedAt: now.Add(-c.rotated).Format(time.RFC3339),
			}}}
			var data map[string][]byte
			for _, credential := range children.Credentials(chat) {
				if credential.Name == secret.Name {
					data, _ = credential.Complete(nil)
				}
			}
			got, err := p.rotate(secret, data)
			if err != nil {
				t.Fatal(err)
			}
			before, after := keyIDs(t, data[children.KeyJWKSet]), keyIDs(t, got[children.KeyJWKSet])
			if rotated := after[0] == before[1]; rotated != c.want {
				t.Errorf("%v became %v", before, after)
			}
			if p.lookIn != c.wait || (len(p.faults) > 0) != c.faulty {
				t.Errorf("it is looked at again in %s, with faults %v", p.lookIn, p.faults)
			}
			next := time.Time{}
			switch age, err := time.ParseDuration(c.annotations[AnnotationMaxAge]); {
			case c.wait > 0:
				next = now.Add(c.wait)
			case err == nil && c.want:
				next = now.Add(age)
			}
			if !p.rotates.Equal(next) {
				t.Errorf("it is said to be rotated at %s, not %s", p.rotates, next)
			}
			if c.want && (p.rotation.asked != c.annotations[AnnotationRotate] || !p.rotation.at.Equal(now)) {
				t.Errorf("it notes %+v", p.rotation)
			}
		})
	}
}
