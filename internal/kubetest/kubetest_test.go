package kubetest

import (
	"context"
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestMain(m *testing.M) { os.Exit(Run(m)) }

func TestShared(t *testing.T) {
	cfg := Shared(t)
	if again := Shared(t); again.Host != cfg.Host {
		t.Errorf("there are two servers: %s and %s", cfg.Host, again.Host)
	}
	one, other := Namespace(t, cfg), Namespace(t, cfg)
	if one == other {
		t.Errorf("two tests share namespace %s", one)
	}
	c, err := client.New(cfg, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var ns corev1.Namespace
	if err := c.Get(context.Background(), client.ObjectKey{Name: one}, &ns); err != nil {
		t.Error(err)
	}
}

// TestOptional installs other projects' resources into a server that runs, and removes them.
func TestOptional(t *testing.T) {
	cfg := Shared(t)
	for _, of := range []struct {
		kind   schema.GroupKind
		folder func(testing.TB) string
	}{
		{schema.GroupKind{Group: "cert-manager.io", Kind: "Certificate"}, CertManager},
		{schema.GroupKind{Group: "gateway.networking.k8s.io", Kind: "HTTPRoute"}, GatewayAPI},
		{schema.GroupKind{Group: "monitoring.coreos.com", Kind: "PodMonitor"}, PrometheusOperator},
	} {
		t.Run(of.kind.Kind, func(t *testing.T) {
			folder := of.folder(t)
			if knows(t, cfg, of.kind) {
				t.Fatal("it is there already")
			}
			Install(t, cfg, folder)
			if !knows(t, cfg, of.kind) {
				t.Error("it is not there")
			}
			Uninstall(t, cfg, folder)
		})
	}
}

func knows(t *testing.T, cfg *rest.Config, kind schema.GroupKind) bool {
	t.Helper()
	c, err := client.New(cfg, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.RESTMapper().RESTMapping(kind)
	if err != nil && !meta.IsNoMatchError(err) {
		t.Fatal(err)
	}
	return err == nil
}

// TestNotBuilt is about a machine where nobody has run make apiserver.
func TestNotBuilt(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if _, err := programs(); err == nil || !strings.Contains(err.Error(), "make apiserver") {
		t.Errorf("without a kube-apiserver: %v", err)
	}
}
