// Package kubetest runs a real Kubernetes API server for tests, with its etcd, on free ports.
//
// Nothing else of a cluster is there: no controller makes pods of a Deployment, no garbage is collected, a namespace
// that is deleted stays. The programs come from `make apiserver`. Where they are not, a test that needs them is
// skipped, unless GOCHAT_TEST_APISERVER=required; GOCHAT_TEST_APISERVER=skip skips it everywhere.
package kubetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// startTimeout is how long the two programs may take on a busy machine. Alone they take five seconds.
const startTimeout = 2 * time.Minute

// shared is the server that all tests of a package have in common.
var shared struct {
	folders []string
	start   sync.Once
	server  *envtest.Environment
	err     error
}

// Run is for TestMain: it runs a package's tests, which share one API server that knows the resources defined in
// these folders. It starts when the first test asks for it (Shared), and is stopped after the last.
//
//	func TestMain(m *testing.M) { os.Exit(kubetest.Run(m, "../../config/crd")) }
func Run(m interface{ Run() int }, folders ...string) int {
	shared.folders = folders
	code := m.Run()
	if shared.server == nil {
		return code
	}
	if err := shared.server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "kubetest:", err)
		return max(code, 1)
	}
	return code
}

// Shared is the way, with all rights, to the server that the tests of the package share.
func Shared(t testing.TB) *rest.Config {
	t.Helper()
	need(t)
	shared.start.Do(func() { shared.server, shared.err = start(shared.folders) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return rest.CopyConfig(shared.server.Config)
}

// Start starts a server for one test alone, which ends with it.
func Start(t testing.TB, folders ...string) *rest.Config {
	t.Helper()
	need(t)
	server, err := start(folders)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server.Config
}

func start(folders []string) (*envtest.Environment, error) {
	server := &envtest.Environment{
		CRDDirectoryPaths: folders, ErrorIfCRDPathMissing: true,
		ControlPlaneStartTimeout: startTimeout, ControlPlaneStopTimeout: startTimeout,
	}
	if os.Getenv(assets) == "" { // else the programs in there are meant
		var err error
		if server.ControlPlane, err = programs(); err != nil {
			return nil, err
		}
	}
	if _, err := server.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("kubetest: %w", err), server.Stop())
	}
	return server, nil
}

// Install teaches a running server the resources defined in these folders.
func Install(t testing.TB, cfg *rest.Config, folders ...string) {
	t.Helper()
	_, err := envtest.InstallCRDs(cfg, envtest.CRDInstallOptions{Paths: folders, ErrorIfPathMissing: true, MaxTime: startTimeout})
	if err != nil {
		t.Fatal(err)
	}
}

// Uninstall removes these resources again, with everything of them.
func Uninstall(t testing.TB, cfg *rest.Config, folders ...string) {
	t.Helper()
	if err := envtest.UninstallCRDs(cfg, envtest.CRDInstallOptions{Paths: folders}); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(cfg, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	// The operator is fit for a definition on its way out; a test that installs it again would be told that it is there.
	err = wait.PollUntilContextTimeout(context.Background(), 50*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinitionList"})
		err := c.List(ctx, list)
		return !slices.ContainsFunc(list.Items, func(d metav1.PartialObjectMetadata) bool { return d.DeletionTimestamp != nil }), err
	})
	if err != nil {
		t.Fatalf("definitions that are still on their way out: %v", err)
	}
}

// Namespace makes a namespace that no other test has, and returns its name.
func Namespace(t testing.TB, cfg *rest.Config) string {
	t.Helper()
	c, err := client.New(cfg, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	if err := c.Create(context.Background(), ns); err != nil {
		t.Fatal(err)
	}
	return ns.Name
}
