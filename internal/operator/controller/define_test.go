package controller

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/kubetest"
)

const definition = "../../../config/crd/bases/gochat.dev_chatclusters.yaml"

func TestDefine(t *testing.T) {
	manifest, err := os.ReadFile(definition)
	if err != nil {
		t.Fatal(err)
	}
	older := bytes.Replace(manifest, []byte("name: Ready\n"), []byte("name: Old\n"), 1)
	if bytes.Equal(older, manifest) {
		t.Fatal("there is no column called Ready")
	}
	cfg := kubetest.Start(t)
	for _, text := range [][]byte{older, manifest, manifest} {
		if err := Define(t.Context(), cfg, text); err != nil {
			t.Fatal(err)
		}
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(cfg, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Create(t.Context(), &v1alpha1.ChatCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "chat"}}); err != nil {
		t.Errorf("it is not served: %v", err)
	}
	there := &unstructured.Unstructured{}
	there.SetGroupVersionKind(definitionKind)
	if err := c.Get(t.Context(), client.ObjectKey{Name: "chatclusters.gochat.dev"}, there); err != nil {
		t.Fatal(err)
	}
	if versions, _, _ := unstructured.NestedSlice(there.Object, "spec", "versions"); strings.Contains(fmt.Sprint(versions), "name:Old") {
		t.Error("it is the older one")
	}
}

func TestDefineNothingElse(t *testing.T) {
	for what, manifest := range map[string]string{
		"no manifest":           "}",
		"nothing":               "",
		"another definition":    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: others.example.com}",
		"another kind":          "apiVersion: v1\nkind: Secret\nmetadata: {name: chatclusters.gochat.dev}",
		"another version of it": "apiVersion: apiextensions.k8s.io/v1beta1\nkind: CustomResourceDefinition\nmetadata: {name: chatclusters.gochat.dev}",
	} {
		err := Define(t.Context(), &rest.Config{Host: "http://127.0.0.1:1"}, []byte(manifest))
		if err == nil || !strings.Contains(err.Error(), "definition") || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
