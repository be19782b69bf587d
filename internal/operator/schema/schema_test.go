package schema

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// That Check says what the API server says, of every bound and rule, is tested where those are: api/v1alpha1.

func TestTheDefinitionIsTheOneThatIsShipped(t *testing.T) {
	shipped, err := os.ReadFile("../../../config/crd/bases/gochat.dev_chatclusters.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(definition, shipped) {
		t.Error("chatclusters.yaml is old: make generate")
	}
}

func TestCheckReadsYAML(t *testing.T) {
	const head = "apiVersion: gochat.dev/v1alpha1\nkind: ChatCluster\nmetadata: {name: chat, labels: {a: b}}\n"
	chat, err := Check(t.Context(), []byte(head))
	if err != nil {
		t.Fatal(err)
	}
	if chat.GetName() != "chat" || chat.GetLabels()["a"] != "b" || chat.GetKind() != "ChatCluster" || chat.GetNamespace() != "" {
		t.Errorf("%v", chat.Object)
	}
	for text, want := range map[string]string{
		"a: b: c":                         "mapping values are not allowed",
		head + "spec: {a: 1}\nspec: {}\n": `"spec" already set`,
		head + "spec: {server: {replcas: 3, web: None}, metadat: 1}\n": `unknown field "spec.server.replcas"`,
		strings.Replace(head, "labels", "labelz", 1):                   `unknown field "metadata.labelz"`,
		strings.Replace(head, "{a: b}", "{a: b c}", 1):                 "metadata.labels: Invalid value",
	} {
		if _, err := Check(t.Context(), []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
