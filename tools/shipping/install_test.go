package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/internal/kubetest"
)

// cluster is a real API server, and the way to it for programs.
type cluster struct {
	client.Client

	t          *testing.T
	config     *rest.Config
	kubeconfig string
	jobs       atomic.Int64 // that ran
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	cfg := kubetest.Start(t)
	c, err := client.New(rest.CopyConfig(cfg), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := &cluster{Client: c, t: t, config: cfg, kubeconfig: kubetest.Kubeconfig(t, cfg)}
	server.runJobs()
	return server
}

func (c *cluster) kubectl(stdin string, args ...string) string {
	c.t.Helper()
	command := exec.CommandContext(c.t.Context(), kubetest.Kubectl(c.t), append([]string{"--kubeconfig", c.kubeconfig}, args...)...)
	command.Stdin = strings.NewReader(stdin)
	out, err := command.CombinedOutput()
	if err != nil {
		c.t.Fatalf("kubectl %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (c *cluster) helm(args ...string) string {
	c.t.Helper()
	out, err := helm(c.t, append([]string{"--kubeconfig", c.kubeconfig, "--namespace", "gochat-system"}, args...)...)
	if err != nil {
		c.t.Fatalf("helm %v: %v", args, err)
	}
	return out
}

// get looks for an object; nil if it is not there.
func (c *cluster) get(version, kind, namespace, name string) *object {
	c.t.Helper()
	o := &object{}
	o.SetAPIVersion(version)
	o.SetKind(kind)
	err := c.Get(context.Background(), client.ObjectKey{Namespace: namespace, Name: name}, o)
	if client.IgnoreNotFound(err) != nil {
		c.t.Fatal(err)
	}
	if err != nil {
		return nil
	}
	return o
}

func (c *cluster) definition() *object {
	return c.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "chatclusters.gochat.dev")
}

const minimal = `
apiVersion: gochat.dev/v1alpha1
kind: ChatCluster
metadata: {name: chat, namespace: default}
`

// TestInstallManifest applies what make dist writes, twice: the second time changes nothing.
func TestInstallManifest(t *testing.T) {
	c := newCluster(t)
	manifest, err := install(root, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	apply := func() map[string]string {
		t.Helper()
		c.kubectl(manifest, "apply", "--server-side", "-f", "-")
		versions := make(map[string]string)
		for name, o := range objects(t, manifest) {
			there := c.get(o.GetAPIVersion(), o.GetKind(), o.GetNamespace(), o.GetName())
			if there == nil {
				t.Fatalf("%s was not made", name)
			}
			versions[name] = there.GetResourceVersion()
		}
		return versions
	}
	first := apply()
	c.kubectl("", "wait", "--for=condition=Established", "crd/chatclusters.gochat.dev")
	for name, version := range apply() {
		if version != first[name] && !strings.HasPrefix(name, "CustomResourceDefinition") { // its status comes in between
			t.Errorf("the second apply wrote %s", name)
		}
	}
	c.kubectl(minimal, "apply", "-f", "-")
	if !strings.Contains(c.kubectl("", "get", "deployment", "-n", "gochat-system", "-o", "wide"), "ghcr.io/gochat-dev/operator:1.2.3") {
		t.Error("the operator is not of the release")
	}
}

func TestVersionsOfImages(t *testing.T) {
	for _, version := range []string{"", "1.2.3+4", "a b", "-1"} {
		if _, err := install(root, version); err == nil {
			t.Errorf("version %q is taken", version)
		}
	}
}

// TestNamespacedManifest applies config/namespaced on a server where config/crd is, and finds everything in that namespace.
func TestNamespacedManifest(t *testing.T) {
	c := newCluster(t)
	c.kubectl("", "create", "namespace", "gochat")
	for _, folder := range []string{"crd", "namespaced"} {
		manifest, err := build(filepath.Join(root, "config", folder))
		if err != nil {
			t.Fatal(err)
		}
		c.kubectl(manifest, "apply", "--server-side", "-f", "-")
	}
	const account = "--as=system:serviceaccount:gochat:gochat-operator"
	if may := c.kubectl("", "auth", "can-i", "patch", "deployments", "-n", "gochat", account); strings.TrimSpace(may) != "yes" {
		t.Errorf("the operator has no rights in its namespace: %s", may)
	}
	out, err := exec.CommandContext(t.Context(), kubetest.Kubectl(t), "--kubeconfig", c.kubeconfig,
		"auth", "can-i", "get", "secrets", "-n", "default", account).CombinedOutput()
	if err == nil || strings.TrimSpace(string(out)) != "no" {
		t.Errorf("the operator has rights in another namespace: %s", out)
	}
}

// TestChartLife installs an older chart, upgrades it, makes a chat with it, removes it, and installs it again.
func TestChartLife(t *testing.T) {
	c := newCluster(t)

	c.helm("install", "gochat", older(t), "--create-namespace")
	if c.definition() == nil || column(c.definition()) != "Old" {
		t.Fatal("the older definition is not there")
	}
	c.ran(0)
	c.kubectl(minimal, "apply", "-f", "-")
	uid := c.get("gochat.dev/v1alpha1", "ChatCluster", "default", "chat").GetUID()

	notes := c.helm("upgrade", "gochat", chart, "--set", "image.tag=2.0.0")
	if !strings.Contains(notes, "A chat needs no more than a name") {
		t.Errorf("the notes say %s", notes)
	}
	if column(c.definition()) != "Ready" {
		t.Error("the upgrade left the older definition")
	}
	c.ran(1)
	for _, kind := range []string{"serviceaccount", "configmap", "job"} {
		if left := c.kubectl("", "get", kind, "-n", "gochat-system", "-o", "name"); strings.Contains(left, "definition") {
			t.Errorf("the upgrade left %s", left)
		}
	}
	if left := c.kubectl("", "get", "clusterrole,clusterrolebinding", "-o", "name"); strings.Contains(left, "definition") {
		t.Errorf("the upgrade left rights: %s", left)
	}
	if image := c.image(); image != "ghcr.io/gochat-dev/operator:2.0.0" {
		t.Errorf("the upgrade left %s", image)
	}

	// A chat in the release's namespace; and somebody has deleted part of the definition.
	c.kubectl("", "patch", "crd", "chatclusters.gochat.dev", "--type=json", "-p", `[{"op": "remove", "path": "/spec/names/shortNames"}]`)
	c.helm("upgrade", "gochat", chart, "--set", "chatCluster.enabled=true,chatCluster.spec.profile=Standard")
	if c.get("gochat.dev/v1alpha1", "ChatCluster", "gochat-system", "chat") == nil {
		t.Fatal("the chat was not made")
	}
	if names, _, _ := unstructured.NestedStringSlice(c.definition().Object, "spec", "names", "shortNames"); len(names) == 0 {
		t.Error("the upgrade did not mend the definition")
	}
	c.ran(2)

	// To one namespace and back: what is of the whole cluster goes, and comes again.
	c.helm("upgrade", "gochat", chart, "--set", "watchNamespaces={default}")
	if c.get("rbac.authorization.k8s.io/v1", "ClusterRole", "", "gochat-operator") != nil {
		t.Error("the ClusterRole stayed")
	}
	if c.get("rbac.authorization.k8s.io/v1", "Role", "default", "gochat-operator") == nil {
		t.Error("there is no Role")
	}
	c.helm("upgrade", "gochat", chart, "--reset-values")
	if c.get("rbac.authorization.k8s.io/v1", "ClusterRole", "", "gochat-operator") == nil {
		t.Error("the ClusterRole did not come back")
	}

	for range 2 { // removed, and installed again, and removed
		c.helm("uninstall", "gochat")
		c.stays(uid)
		if c.get("apps/v1", "Deployment", "gochat-system", "gochat-operator") != nil {
			t.Error("the operator stayed")
		}
		c.helm("install", "gochat", chart)
		c.stays(uid)
	}
	c.ran(3) // for several namespaces there is none, and nothing to do for an installation that finds its definition
}

// ran fails unless so many Jobs ran.
func (c *cluster) ran(want int64) {
	c.t.Helper()
	if got := c.jobs.Load(); got != want {
		c.t.Errorf("%d Jobs ran, want %d", got, want)
	}
}

// stays fails unless the definition and both chats are there, the first of them with this uid.
func (c *cluster) stays(uid any) {
	c.t.Helper()
	if c.definition() == nil || c.definition().GetDeletionTimestamp() != nil {
		c.t.Fatal("the definition is gone, and every chat with it")
	}
	if chat := c.get("gochat.dev/v1alpha1", "ChatCluster", "default", "chat"); chat == nil || any(chat.GetUID()) != uid || chat.GetDeletionTimestamp() != nil {
		c.t.Error("a chat is gone")
	}
	if chat := c.get("gochat.dev/v1alpha1", "ChatCluster", "gochat-system", "chat"); chat == nil || chat.GetDeletionTimestamp() != nil {
		c.t.Error("the chat that the chart made is gone")
	}
}

// TestChartWithAChatAtOnce: one command brings the definition, the operator and a chat to a cluster that knows none of them.
func TestChartWithAChatAtOnce(t *testing.T) {
	for _, command := range [][]string{{"install"}, {"upgrade", "--install"}} {
		c := newCluster(t)
		args := append(command, "gochat", chart, "--create-namespace", "--set", "chatCluster.enabled=true,chatCluster.spec.profile=Standard")
		if notes := c.helm(args...); !strings.Contains(notes, "kubectl get chat chat") {
			t.Errorf("the notes say %s", notes)
		}
		if c.get("gochat.dev/v1alpha1", "ChatCluster", "gochat-system", "chat") == nil {
			t.Error("the chat was not made")
		}
		c.ran(0)
	}
}

// TestChartOverAnOlderDefinition: an older definition that a removed release has left is brought up to date by an installation, whether
// Helm applies what is in crds/ (since version 4) or leaves what it finds there (before, and as it does with --skip-crds).
func TestChartOverAnOlderDefinition(t *testing.T) {
	for _, way := range []struct {
		flags []string
		jobs  int64
	}{{nil, 0}, {[]string{"--skip-crds"}, 1}} {
		c := newCluster(t)
		c.helm("install", "gochat", older(t), "--create-namespace")
		c.helm("uninstall", "gochat")
		c.helm(append([]string{"install", "gochat", chart, "--set", "chatCluster.enabled=true"}, way.flags...)...)
		if column(c.definition()) != "Ready" {
			t.Errorf("%v: the installation left the older definition", way.flags)
		}
		c.ran(way.jobs)
	}
}

// older is a copy of the chart whose definition calls the first column otherwise.
func older(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "gochat")
	if err := os.CopyFS(dir, os.DirFS(chart)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "crds", "gochat.dev_chatclusters.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), "name: Ready\n", "name: Old\n", 1)
	if changed == string(text) {
		t.Fatal("the definition has no column called Ready")
	}
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestServiceMonitor: prometheus-operator's own definition takes what the chart makes for it.
func TestServiceMonitor(t *testing.T) {
	folder := kubetest.PrometheusOperator(t)
	c := newCluster(t)
	kubetest.Install(t, c.config, folder)
	c.helm("install", "gochat", chart, "--create-namespace", "--set", "metrics.serviceMonitor.enabled=true")
	if c.get("monitoring.coreos.com/v1", "ServiceMonitor", "gochat-system", "gochat-operator") == nil {
		t.Error("there is no ServiceMonitor")
	}
}
