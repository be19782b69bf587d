package children

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/settings"
)

// restarts accepts that a release restarts pods.
var restarts = flag.Bool("restart-pods", false, "write the pod templates of the next release: its notes have to say that it restarts them")

// templates are the pod templates of what runs all the time, by kind and name.
func (f family) templates() map[string]*corev1.PodTemplateSpec {
	f.Helper()
	found := make(map[string]*corev1.PodTemplateSpec)
	for _, child := range f.all {
		object := into[unstructured.Unstructured](f, child)
		template, err := templateOf(&object)
		if err != nil {
			f.Fatal(err)
		}
		if template != nil {
			found[child.Kind.Kind+" "+child.Name] = template
		}
	}
	return found
}

func (f family) running() map[string]*corev1.PodTemplateSpec {
	f.Helper()
	found := f.templates()
	maps.DeleteFunc(found, func(name string, _ *corev1.PodTemplateSpec) bool { return strings.Contains(name, "Job ") })
	return found
}

// TestUpgrade compares the pod templates of chats whose images are pinned with those of the last release, which stand in
// testdata/released. A line that differs restarts every pod of that kind, in every cluster, when the operator is upgraded.
func TestUpgrade(t *testing.T) {
	for _, e := range examples(t) {
		if e.name != "minimal" && e.name != "custom" && e.name != "ha" {
			continue
		}
		t.Run("[OP10] an upgrade of the operator restarts no pod of "+e.name, func(t *testing.T) {
			e.known.Release = "pinned"
			var got bytes.Buffer
			templates := familyOf(t, e.cluster, e.known).running()
			for _, name := range slices.Sorted(maps.Keys(templates)) {
				text, err := yaml.Marshal(templates[name])
				if err != nil {
					t.Fatal(err)
				}
				got.WriteString("---\n# " + name + "\n")
				got.Write(text)
			}
			path := "testdata/released/" + e.name + ".yaml"
			if *restarts {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("the pod templates are not those of %s: the next release would restart pods of every chat. "+
					"If it has to, -restart-pods writes them anew, and CHANGELOG.md has to say so", path)
			}
		})
	}
}

func TestSafe(t *testing.T) {
	for _, e := range examples(t) {
		t.Run("[OP12] no pod of "+e.name+" may more than it needs", func(t *testing.T) {
			for name, template := range familyOf(t, e.cluster, e.known).templates() {
				pod := template.Spec
				if *pod.AutomountServiceAccountToken || *pod.EnableServiceLinks || !*pod.SecurityContext.RunAsNonRoot ||
					*pod.SecurityContext.RunAsUser == 0 || pod.SecurityContext.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
					t.Errorf("%s: %+v", name, pod.SecurityContext)
				}
				for _, c := range append(pod.InitContainers, pod.Containers...) {
					s := c.SecurityContext
					if *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) || s.Capabilities.Add != nil {
						t.Errorf("%s, %s: %+v", name, c.Name, s)
					}
					if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
						t.Errorf("%s, %s may use everything", name, c.Name)
					}
				}
			}
		})
	}
	t.Run("[OP12] what is secret stands in Secrets only, and in no error", func(t *testing.T) {
		cluster := chat(t, `{backup: {}, bootstrap: {restoreFrom: b}, server: {replicas: 2}}`)
		known := settled(cluster)
		for _, data := range known.Secrets {
			for key := range data {
				data[key] = []byte("very-secret")
			}
		}
		for _, child := range familyOf(t, cluster, known).all {
			if text := encode(t, child); child.Kind.Kind != "Secret" && strings.Contains(text, "very-secret") {
				t.Errorf("%s %s:\n%s", child.Kind.Kind, child.Name, text)
			}
		}
		known.Secrets["chat-redis"]["password"] = []byte("very-secret@")
		if _, err := All(cluster, known); err == nil || strings.Contains(err.Error(), "very-secret") || !strings.Contains(err.Error(), "chat-redis") {
			t.Error(err)
		}
	})
}

// TestRestartedBy: what pods read at their start only restarts them when it changes, and nothing else does.
func TestRestartedBy(t *testing.T) {
	const redis, postgres, server = "StatefulSet chat-redis", "StatefulSet chat-postgres", "Deployment chat-server"
	for _, c := range []struct {
		what   string
		change func(*v1alpha1.ChatCluster, *Known)
		want   []string
	}{
		{"the password of Postgres", func(_ *v1alpha1.ChatCluster, k *Known) { k.Secrets["chat-postgres"]["password"] = []byte("another") }, []string{server, postgres}},
		{"the password of Redis", func(_ *v1alpha1.ChatCluster, k *Known) { k.Secrets["chat-redis"]["password"] = []byte("another") }, []string{server, redis}},
		{"the keys of access tokens", func(_ *v1alpha1.ChatCluster, k *Known) { k.Secrets["chat-keys"]["keys.json"] = []byte("another") }, nil},
		{"the first administrator", func(_ *v1alpha1.ChatCluster, k *Known) { k.Secrets["chat-admin"]["password"] = []byte("another") }, nil},
		{"the number of servers", func(c *v1alpha1.ChatCluster, _ *Known) { c.Spec.Server.Replicas = new(int32(5)) }, nil},
		{"optional APIs", func(_ *v1alpha1.ChatCluster, k *Known) { k.APIs = everything }, nil},
		{"a backup", func(c *v1alpha1.ChatCluster, _ *Known) { c.Spec.Backup = &v1alpha1.BackupSpec{} }, nil},
		{"the deletion policy", func(c *v1alpha1.ChatCluster, _ *Known) { c.Spec.DeletionPolicy = v1alpha1.DeletionDelete }, nil},
		{"the profile", func(c *v1alpha1.ChatCluster, _ *Known) { c.Spec.Profile = v1alpha1.ProfileStandard }, []string{server, postgres, redis}},
		{"who may register", func(c *v1alpha1.ChatCluster, _ *Known) { c.Spec.Auth.Registration = v1alpha1.RegistrationClosed }, []string{server}},
	} {
		t.Run(c.what, func(t *testing.T) {
			cluster := chat(t, `{}`)
			known := settled(cluster)
			before := familyOf(t, cluster, known).running()
			c.change(cluster, &known)
			var changed []string
			for name, template := range familyOf(t, cluster, known).running() {
				if template.String() != before[name].String() {
					changed = append(changed, name)
				}
			}
			slices.Sort(changed)
			if !slices.Equal(changed, c.want) {
				t.Errorf("restarted: %v, want %v", changed, c.want)
			}
		})
	}
}

// TestEnvironment: what the operator writes is what the server reads, and makes sense to it.
func TestEnvironment(t *testing.T) {
	known := make(map[string]bool)
	for _, s := range settings.All() {
		known[s.Name] = true
	}
	for _, e := range examples(t) {
		for name, template := range familyOf(t, e.cluster, e.known).templates() {
			for _, c := range append(template.Spec.InitContainers, template.Spec.Containers...) {
				for _, v := range c.Env {
					if strings.HasPrefix(v.Name, settings.Prefix) && !known[v.Name] {
						t.Errorf("%s: %s: the server reads no %s", e.name, name, v.Name)
					}
				}
			}
		}
		p := part{cluster: Defaulted(e.cluster), known: e.known, Component: Server}
		f := p.settings()
		f.PostgresURL = strings.NewReplacer("$(POSTGRES_PASSWORD)", "p", "$(POSTGRES_URL)", "postgres://u:p@h/d").Replace(f.PostgresURL)
		f.RedisURL = strings.NewReplacer("$(REDIS_PASSWORD)", "p", "$(REDIS_URL)", "redis://h:6379").Replace(f.RedisURL)
		if _, err := f.Server(); err != nil {
			t.Errorf("%s: %v", e.name, err)
		}
	}
	for _, c := range []struct{ spec, name, want string }{
		{`{}`, "GOCHAT_TRUSTED_PROXIES", ""},
		{`{}`, "GOCHAT_PUBLIC_URL", ""},
		{`{}`, "GOCHAT_WEB", ""},
		{`{server: {web: None}}`, "GOCHAT_WEB", "none"},
		{`{hostname: h}`, "GOCHAT_TRUSTED_PROXIES", strings.Join(privateNetworks, ",")},
		{`{hostname: h}`, "GOCHAT_PUBLIC_URL", ""},
		{`{hostname: h, tls: {secretName: s}}`, "GOCHAT_PUBLIC_URL", "https://h"},
		{`{hostname: h, server: {trustedProxies: [10.1.0.0/16, 10.2.0.7]}}`, "GOCHAT_TRUSTED_PROXIES", "10.1.0.0/16,10.2.0.7"},
		{`{auth: {registration: InviteOnly}}`, "GOCHAT_REGISTRATION", "invite"},
		{`{auth: {guests: true}}`, "GOCHAT_GUESTS", "true"},
		{`{redis: {type: None}}`, "GOCHAT_REDIS_URL", ""},
		{`{redis: {type: External, external: {secretName: s}}}`, "GOCHAT_REDIS_URL", "$(REDIS_URL)"},
		{`{server: {resources: {limits: {memory: 100Mi}}}}`, "GOMEMLIMIT", "89128960"},
		{`{server: {resources: {requests: {memory: 100Mi}}}}`, "GOMEMLIMIT", ""},
		{`{}`, "GOCHAT_MAX_CONNECTIONS", "6000"},
		{`{profile: Standard}`, "GOCHAT_MAX_CONNECTIONS", ""},
		{`{server: {resources: {limits: {memory: 1Gi}}}}`, "GOCHAT_MAX_CONNECTIONS", ""},
		{`{server: {env: [{name: GOCHAT_MAX_CONNECTIONS, value: "100"}]}}`, "GOCHAT_MAX_CONNECTIONS", "100"},
		{`{server: {env: [{name: GOMEMLIMIT, value: 90MiB}]}}`, "GOMEMLIMIT", "90MiB"},
		{`{server: {env: [{name: GOCHAT_LOG_FORMAT, value: text}]}}`, "GOCHAT_LOG_FORMAT", "text"},
	} {
		cluster := chat(t, c.spec)
		if got := environment(familyOf(t, cluster, settled(cluster)).servers().Spec.Template.Spec)[c.name]; got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.spec, c.name, got, c.want)
		}
	}
}
