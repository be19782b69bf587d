package controller

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/children"
)

func TestGiven(t *testing.T) {
	t.Run("[OP7] other contents of a Secret that somebody else fills roll the servers, calmly", func(t *testing.T) {
		s := newStage(t)
		s.allow("operator-"+s.namespace, shipped(t))
		o := s.operate()
		for _, name := range []string{"pg", "valkey", "mail", "cert"} {
			s.fill(name, "first")
		}
		s.create("chat", database("pg"), func(c *v1alpha1.ChatCluster) {
			c.Spec.Redis = v1alpha1.RedisSpec{Type: v1alpha1.RedisExternal, External: &v1alpha1.ExternalSpec{SecretName: "valkey", Key: "uri"}}
			c.Spec.Hostname, c.Spec.TLS = "chat.example.com", &v1alpha1.TLSSpec{SecretName: "cert"}
			c.Spec.Server.Env = []corev1.EnvVar{
				variable("MAIL", "mail", nil), variable("LATER", "later", new(true)),
			}
		})
		s.has("chat", v1alpha1.ConditionUpToDate, metav1.ConditionTrue, "")
		o.settle("chat")
		given := s.givenOf("chat")
		if given == "" {
			t.Fatal("the pod template does not say what it was made for")
		}
		same := func(what string) {
			t.Helper()
			o.settle("chat")
			if now := s.givenOf("chat"); now != given {
				t.Errorf("%s: the servers are replaced", what)
			}
		}
		rolls := func(what string) {
			t.Helper()
			s.eventually("the servers are replaced after "+what, func() error {
				now := s.givenOf("chat")
				if now == given {
					return fmt.Errorf("they are not")
				}
				return nil
			})
			given = s.givenOf("chat")
			s.has("chat", v1alpha1.ConditionUpToDate, metav1.ConditionTrue, "")
			same("nothing, after " + what)
		}

		s.fill("valkey", "second")
		rolls("another URL of Redis, which nobody told the operator of")
		s.eventually("an event", func() error { return s.told("chat", "SecretChanged") })
		if mode := s.serversOf("chat").Spec.Strategy.RollingUpdate; mode == nil || mode.MaxUnavailable.IntValue() != 0 {
			t.Error("not one by one")
		}
		for _, name := range []string{"mail", "later"} {
			s.fill(name, "second")
			o.poke("chat")
			rolls("another value for a variable: " + name)
		}

		s.fill("cert", "second")
		same("the certificate, which the servers don't read")
		secret := &corev1.Secret{}
		s.read("pg", secret)
		secret.Labels, secret.Data["note"] = map[string]string{"a": "b"}, []byte("x")
		if err := s.Update(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		same("what nobody reads of a Secret")
		if err := s.Delete(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		o.poke("chat")
		s.has("chat", v1alpha1.ConditionDatabaseReady, metav1.ConditionFalse, "SecretMissing")
		same("a Secret that is gone")
		s.fill("pg", "first")
		same("it is back, as it was")

		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Paused = true })
		s.has("chat", v1alpha1.ConditionPaused, metav1.ConditionTrue, "")
		s.fill("pg", "second")
		same("while it is paused")
		s.edit("chat", func(c *v1alpha1.ChatCluster) { c.Spec.Paused = false })
		rolls("another URL of the database, when it goes on")
	})
}

func TestGivenIsLookedAtSoon(t *testing.T) {
	if lookForGiven > time.Minute {
		t.Errorf("a new password is noticed after %s", lookForGiven)
	}
}

func variable(name, secret string, optional *bool) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: secret}, Key: "uri", Optional: optional,
	}}}
}

// fill makes a Secret that is not the operator's hold this.
func (s *stage) fill(name, value string) {
	s.Helper()
	data := map[string][]byte{"uri": []byte(value), corev1.TLSCertKey: []byte(value)}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.namespace}, Data: data}
	if s.Get(s.Context(), clientKey(secret), &corev1.Secret{}) != nil {
		if err := s.Create(s.Context(), secret); err != nil {
			s.Fatal(err)
		}
		return
	}
	if err := s.Update(s.Context(), secret); err != nil {
		s.Fatal(err)
	}
}

func (s *stage) serversOf(name string) *appsv1.Deployment {
	s.Helper()
	d := &appsv1.Deployment{}
	s.read(children.ServerName(name), d)
	return d
}

func (s *stage) givenOf(name string) string {
	s.Helper()
	return s.serversOf(name).Spec.Template.Annotations[children.AnnotationGiven]
}
