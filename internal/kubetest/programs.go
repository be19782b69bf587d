package kubetest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// assets names a folder with other programs; the variable is envtest's own.
const assets = "KUBEBUILDER_ASSETS"

// choice is the variable that says how much the tests need an API server: "required", or "skip". Without it they run
// where there is one.
const choice = "GOCHAT_TEST_APISERVER"

// need skips a test that has no API server, or fails it where one has to be there.
func need(t testing.TB) {
	t.Helper()
	switch {
	case os.Getenv(choice) == "skip":
		t.Skipf("%s=skip: make test-operator runs it", choice)
	case os.Getenv(assets) != "":
		return
	}
	if _, err := programs(); err != nil {
		missing(t, err)
	}
}

func missing(t testing.TB, err error) {
	t.Helper()
	if os.Getenv(choice) == "required" {
		t.Fatal(err)
	}
	t.Skip(err)
}

// programs are those of `make apiserver`.
func programs() (envtest.ControlPlane, error) {
	var plane envtest.ControlPlane
	folder, err := built()
	if err != nil {
		return plane, err
	}
	plane.GetAPIServer().Path = filepath.Join(folder, "kube-apiserver")
	plane.KubectlPath = filepath.Join(folder, "kubectl")
	if _, err := os.Stat(filepath.Join(folder, "made-of")); err != nil { // the build's last word
		return plane, fmt.Errorf("no kube-apiserver in %s: run make apiserver, once", folder)
	}
	etcd, err := exec.LookPath("etcd")
	if err != nil {
		return plane, fmt.Errorf("%w: run make apiserver", err)
	}
	plane.Etcd = &envtest.Etcd{Path: etcd}
	return plane, nil
}

// Kubectl is the path of a kubectl of the server's version.
func Kubectl(t testing.TB) string {
	t.Helper()
	if folder := os.Getenv(assets); folder != "" {
		return filepath.Join(folder, "kubectl")
	}
	plane, err := programs()
	if err != nil {
		missing(t, err)
	}
	return plane.KubectlPath
}

var kubernetes = regexp.MustCompile(`(?m)^\tk8s\.io/kubernetes (v\S+)$`)

// built is where scripts/kubernetes.sh puts what it builds.
func built() (string, error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(root, "tools", "kubernetes", "go.mod"))
	if err != nil {
		return "", err
	}
	version := kubernetes.FindSubmatch(text)
	if version == nil {
		return "", errors.New("tools/kubernetes/go.mod names no version of Kubernetes")
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		cache = filepath.Join(home, ".cache")
	}
	return filepath.Join(cache, "gochat", "kubernetes", string(version[1])), nil
}

// repository is its folder: tests run in the folder of their package, which may be of a module in tools/.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "tools", "kubernetes", "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no tools/kubernetes/go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}
