package kubetest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What follows are folders with the definitions of other projects' resources, for Start and Install.

// CertManager is cert-manager's folder.
func CertManager(t testing.TB) string {
	t.Helper()
	return filepath.Join(module(t, "github.com/cert-manager/cert-manager@v1.21.2"), "deploy", "crds")
}

// GatewayAPI is the folder of the Gateway API's standard channel.
func GatewayAPI(t testing.TB) string {
	t.Helper()
	return filepath.Join(module(t, "sigs.k8s.io/gateway-api@v1.6.3"), "config", "crd", "standard")
}

// module is where Go keeps a module, which it fetches if need be.
func module(t testing.TB, name string) string {
	t.Helper()
	out, err := exec.Command("go", "mod", "download", "-json", name).Output()
	var got struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(out, &got); jsonErr != nil || got.Error != "" || err != nil {
		t.Fatalf("go mod download %s: %v %s %v", name, err, got.Error, jsonErr)
	}
	return got.Dir
}

// definitions is the variable that names a folder with definitions which no Go module has: prometheus-operator's.
const definitions = "GOCHAT_TEST_CRDS"

// PrometheusOperator is a folder with the definitions of PodMonitor and PrometheusRule. They are in no module that could
// be fetched, so a test is skipped where neither GOCHAT_TEST_CRDS nor ../shared/crds has them.
func PrometheusOperator(t testing.TB) string {
	t.Helper()
	folder := os.Getenv(definitions)
	if folder == "" {
		root, err := repository()
		if err != nil {
			t.Fatal(err)
		}
		folder = filepath.Join(root, "..", "shared", "crds")
	}
	files, err := filepath.Glob(filepath.Join(folder, "monitoring.coreos.com_*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("no monitoring.coreos.com_*.yaml in %s: set %s to a folder with prometheus-operator's definitions", folder, definitions)
	}
	return only(t, files)
}

// only is a folder with these files and no others.
func only(t testing.TB, files []string) string {
	t.Helper()
	dir := t.TempDir()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
