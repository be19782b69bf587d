package children

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

var update = flag.Bool("update", false, "write the golden files anew")

// settled is what is known of a cluster in which all that can be waited for has happened.
func settled(cluster *v1alpha1.ChatCluster) Known {
	known := Known{Release: "1.2.3", Migrated: true, Restored: true, Secrets: map[string]map[string][]byte{}}
	for _, c := range Credentials(cluster) {
		known.Secrets[c.Name] = c.Placeholders()
	}
	return known
}

// read reads a manifest as an API server would store it.
func read(t *testing.T, path string) *v1alpha1.ChatCluster {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cluster := &v1alpha1.ChatCluster{}
	if err := yaml.UnmarshalStrict(raw, cluster); err != nil {
		t.Fatal(err)
	}
	cluster.ObjectMeta.UID = "00000000-0000-0000-0000-000000000000"
	if cluster.Namespace == "" {
		cluster.Namespace = metav1.NamespaceDefault
	}
	return cluster
}

func encode(t *testing.T, all []Child) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, c := range all {
		object, err := yaml.Marshal(c.Object)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString("---\n")
		if c.Kept {
			out.WriteString("# outlives the ChatCluster\n")
		}
		if c.Once {
			out.WriteString("# made once, never changed\n")
		}
		out.Write(object)
	}
	return out.Bytes()
}

// TestGolden compares the children of each ChatCluster of testdata with what stands beside it. Look at every line of a
// difference before -update: it is what happens in people's clusters when they install the next release.
func TestGolden(t *testing.T) {
	manifests, err := filepath.Glob("testdata/*.in.yaml")
	if err != nil || len(manifests) == 0 {
		t.Fatal("no manifests", err)
	}
	for _, path := range manifests {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".in.yaml"), func(t *testing.T) {
			cluster := read(t, path)
			all, err := All(cluster, settled(cluster))
			if err != nil {
				t.Fatal(err)
			}
			got := encode(t, all)
			golden := strings.TrimSuffix(path, ".in.yaml") + ".yaml"
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("the children are not those of %s (-update writes them; git diff shows what changed)", golden)
			}
		})
	}
}
