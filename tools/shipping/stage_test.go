package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/gochat-dev/gochat/internal/kubetest"
)

const (
	root  = "../.."
	chart = root + "/charts/gochat"
)

// atEnd is done when all tests have run.
var atEnd []func() error

func TestMain(m *testing.M) {
	code := kubetest.Run(m)
	for _, do := range atEnd {
		if err := do(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// object is one object of a manifest.
type object = unstructured.Unstructured

// objects are those of a manifest, by kind and name; with the namespace before that, where there is one.
func objects(t *testing.T, manifest string) map[string]object {
	t.Helper()
	all := make(map[string]object)
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(manifest), 4096)
	for {
		var o object
		err := decoder.Decode(&o)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, manifest)
		}
		if o.Object == nil {
			continue
		}
		if _, twice := all[key(o)]; twice {
			t.Errorf("%s is there twice", key(o))
		}
		all[key(o)] = o
	}
}

func key(o object) string {
	return strings.TrimPrefix(o.GetNamespace()+" ", " ") + o.GetKind() + " " + o.GetName()
}

// kustomize builds a folder of config/.
func kustomize(t *testing.T, folder string) map[string]object {
	t.Helper()
	manifest, err := build(filepath.Join(root, "config", folder))
	if err != nil {
		t.Fatal(err)
	}
	return objects(t, manifest)
}

// helm runs bin/helm, and returns what it prints.
func helm(t *testing.T, args ...string) (string, error) {
	t.Helper()
	program, err := filepath.Abs(filepath.Join(root, "bin", "helm"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("GOCHAT_TEST_APISERVER") == "required" { // as make test-shipping says, which builds it
			t.Fatal(err)
		}
		t.Skip("no bin/helm: run make helm")
	}
	command := exec.CommandContext(t.Context(), program, args...)
	home := t.TempDir()
	command.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil && !errors.Is(err, context.Canceled) {
		err = errors.New(strings.TrimSpace(stderr.String() + err.Error()))
	}
	return string(out), err
}

// template renders the chart as the release gochat in gochat-system.
func template(t *testing.T, args ...string) map[string]object {
	t.Helper()
	out, err := helm(t, append([]string{"template", "gochat", chart, "--namespace", "gochat-system", "--include-crds"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return objects(t, out)
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// column is the first column of a definition.
func column(definition *object) any {
	versions, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
	columns, _, _ := unstructured.NestedSlice(versions[0].(map[string]any), "additionalPrinterColumns")
	return columns[0].(map[string]any)["name"]
}

// image is the operator's.
func (c *cluster) image() any {
	c.t.Helper()
	containers, _, _ := unstructured.NestedSlice(
		c.get("apps/v1", "Deployment", "gochat-system", "gochat-operator").Object, "spec", "template", "spec", "containers")
	return containers[0].(map[string]any)["image"]
}
