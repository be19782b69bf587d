package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"sigs.k8s.io/yaml"
)

// rendered runs the command line on files with these contents.
func rendered(t *testing.T, args []string, files ...string) (string, error) {
	t.Helper()
	args = append([]string{"render"}, args...)
	for i, content := range files {
		path := filepath.Join(t.TempDir(), string(rune('a'+i))+".yaml")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "-f", path)
	}
	var c cli
	parser, err := kong.New(&c, kong.Vars{"version": "test"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = c.Render.render(&out)
	return out.String(), err
}

const head = "apiVersion: gochat.dev/v1alpha1\nkind: ChatCluster\n"

type object struct {
	Kind     string
	Metadata struct {
		Name, Namespace string
		OwnerReferences []any
	}
	Data map[string]string
	Spec map[string]any
}

func objects(t *testing.T, text string) map[string]object {
	t.Helper()
	all := make(map[string]object)
	for document := range strings.SplitSeq(strings.TrimPrefix(text, "---\n"), "\n---\n") {
		var o object
		if err := yaml.Unmarshal([]byte(document), &o); err != nil {
			t.Fatal(err)
		}
		all[o.Kind+" "+o.Metadata.Namespace+"/"+o.Metadata.Name] = o
	}
	return all
}

func TestRender(t *testing.T) {
	text, err := rendered(t, []string{"--api=gateway,cert-manager", "--release=1.4.0", "-n", "chats"},
		head+"metadata: {name: one}\n---\n# nothing here\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n---\n"+
			head+"metadata: {name: two, namespace: other}\nspec: {hostname: h.example, gateway: {name: g}, tls: {issuerRef: {name: i}}}\n",
		"apiVersion: v1\nkind: Secret\nmetadata: {name: one-postgres}\ndata: {password: Z2l2ZW4=}\n---\n"+
			"apiVersion: v1\nkind: Secret\nmetadata: {name: one-redis}\nstringData: {password: given-too}\n")
	if err != nil {
		t.Fatal(err)
	}
	all := objects(t, text)
	for _, name := range []string{
		"Deployment chats/one-server", "StatefulSet chats/one-postgres", "Deployment other/two-server",
		"HTTPRoute other/two", "Certificate other/two-tls",
	} {
		if _, there := all[name]; !there {
			t.Errorf("there is no %s", name)
		}
	}
	for name, want := range map[string]string{
		"Secret chats/one-postgres": "Z2l2ZW4=", "Secret chats/one-redis": "Z2l2ZW4tdG9v", "Secret other/two-redis": "bWFkZS1ieS10aGUtb3BlcmF0b3I=",
	} {
		if got := all[name].Data["password"]; got != want {
			t.Errorf("%s holds %q, want %q", name, got, want)
		}
	}
	if !strings.Contains(text, "image: ghcr.io/gochat-dev/server:1.4.0\n") || strings.Contains(text, "ownerReferences") {
		t.Error("the image is not that of the release, or there are owners that nobody has")
	}
	text, err = rendered(t, nil, head+"metadata: {name: one}\nspec: {hostname: h.example, gateway: {name: g}}\n")
	if err != nil || strings.Contains(text, "namespace: \"\"") || strings.Contains(text, "HTTPRoute") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestRenderRefuses(t *testing.T) {
	for _, c := range []struct {
		title   string
		args    []string
		content string
		want    []string
	}{
		{"nothing", nil, "# nothing\n", []string{"there is no ChatCluster in what was given"}},
		{"no YAML", nil, "a: b: c\n", []string{"document 1: ", "mapping values are not allowed"}},
		{"a field that is none", nil, head + "metadata: {name: chat}\nspec: {server: {replcas: 3}}\n", []string{"document 1: ChatCluster chat: ", `unknown field "spec.server.replcas"`}},
		{"another version", nil, strings.Replace(head, "v1alpha1", "v2", 1) + "metadata: {name: chat}\n", []string{"its apiVersion is gochat.dev/v2, and this operator knows gochat.dev/v1alpha1"}},
		{"faults in several", nil, head + "metadata: {name: a}\nspec: {hostname: 192.0.2.7}\n---\n" + head + "metadata: {name: b-redis}\n", []string{
			"document 1: ChatCluster a: ", "hostname must be a name", "document 2: ChatCluster b-redis: ", "the name must not end in",
		}},
		{"a word that is none", nil, head + "metadata: {name: chat}\nspec: {profile: Tiny}\n", []string{"document 1: ChatCluster chat: spec.profile", "\"Tiny\""}},
		{"a password that can't be used", nil, head + "metadata: {name: chat}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: chat-redis}\nstringData: {password: \"it's\"}\n", []string{"the Secret chat-redis: its password may hold only letters"}},
		{"an API that is none", []string{"--api=knative"}, head, []string{"--api must be one of"}},
	} {
		t.Run(c.title, func(t *testing.T) {
			text, err := rendered(t, c.args, c.content)
			if err == nil {
				t.Fatalf("it prints\n%s", text)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("it says %q, want %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "it's") {
				t.Error("the password is in the error")
			}
		})
	}
	if _, err := rendered(t, []string{"-f", "/nowhere.yaml"}); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
}
