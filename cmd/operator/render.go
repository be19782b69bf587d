package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/children"
)

// renderCommand shows what the operator would make, without a cluster.
type renderCommand struct {
	File      []string `name:"filename" short:"f" required:"" placeholder:"FILE" help:"Manifests with ChatClusters, and with Secrets of theirs if those are to be shown; - is standard input."`
	Namespace string   `short:"n" placeholder:"NAME" help:"The namespace of what names none. Without it: none is written."`
	API       []string `enum:"gateway,cert-manager,monitoring,custom-metrics" placeholder:"API,…" help:"Optional APIs that the cluster serves: gateway, cert-manager, monitoring (of prometheus-operator), custom-metrics (of gochat_connections)."`
	Release   string   `placeholder:"VERSION" help:"The release whose server image is the default. Without it: the operator's own."`
}

// Run prints the children of each ChatCluster, in the order in which they are applied, as they are when nothing is left to wait for:
// what was to be restored is, and the schema is up to date. Secrets that nobody gives hold placeholders.
func (r renderCommand) Run() error {
	if !checksAll {
		fmt.Fprintln(os.Stderr, "operator: this program checks the main rules of ChatCluster only; bin/operator (make build) knows all that the API server does")
	}
	out := bufio.NewWriter(os.Stdout)
	if err := r.render(out); err != nil {
		return err
	}
	return out.Flush()
}

func (r renderCommand) render(out io.Writer) error {
	known := children.Known{Release: r.Release, APIs: r.apis(), Migrated: true, Restored: true}
	if known.Release == "" {
		known.Release = version
	}
	all := manifests{secrets: make(map[string]map[string][]byte)}
	var faults []error
	for _, file := range r.File {
		if err := all.read(file); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", file, err))
		}
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	if len(all.clusters) == 0 {
		return errors.New("there is no ChatCluster in what was given")
	}
	for _, cluster := range all.clusters {
		if cluster.Namespace == "" {
			cluster.Namespace = r.Namespace
		}
		known.Secrets = maps.Clone(all.secrets)
		if err := render(out, cluster, known); err != nil {
			return fmt.Errorf("ChatCluster %s: %w", cluster.Name, err)
		}
	}
	return nil
}

func (r renderCommand) apis() (a children.APIs) {
	for _, api := range r.API {
		switch api {
		case "gateway":
			a.Gateway = true
		case "cert-manager":
			a.CertManager = true
		case "monitoring":
			a.PodMonitor, a.PrometheusRule = true, true
		case "custom-metrics":
			a.CustomMetrics = true
		}
	}
	return a
}

// manifests are what was found in the files: ChatClusters, and the data of Secrets by their names. What else there is, is passed
// over: a file may hold all that somebody applies.
type manifests struct {
	clusters []*v1alpha1.ChatCluster
	secrets  map[string]map[string][]byte
}

// read reads a file to its end, and says everything that is wrong with it.
func (m *manifests) read(file string) error {
	in := os.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	var faults []error
	documents := utilyaml.NewYAMLReader(bufio.NewReader(in))
	for n := 1; ; n++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return errors.Join(faults...)
		}
		if err != nil {
			return err
		}
		if err := m.add(document); err != nil {
			faults = append(faults, fmt.Errorf("document %d: %w", n, err))
		}
	}
}

func (m *manifests) add(document []byte) error {
	var head unstructured.Unstructured
	if err := yaml.Unmarshal(document, &head.Object); err != nil {
		return err
	}
	kind, ours := head.GroupVersionKind(), v1alpha1.SchemeGroupVersion
	switch {
	case kind.Group == ours.Group && kind.Kind == "ChatCluster" && kind.Version != ours.Version:
		return fmt.Errorf("ChatCluster %s: its apiVersion is %s, and this operator knows %s", head.GetName(), head.GetAPIVersion(), ours)
	case kind.Group == ours.Group && kind.Kind == "ChatCluster":
		cluster, err := check(document)
		if err != nil {
			return fmt.Errorf("ChatCluster %s: %w", head.GetName(), err)
		}
		m.clusters = append(m.clusters, cluster)
	case kind.Group == "" && kind.Kind == "Secret":
		var secret corev1.Secret
		if err := decode(document, &secret); err != nil {
			return fmt.Errorf("the Secret %s: %w", head.GetName(), err)
		}
		data := make(map[string][]byte)
		maps.Copy(data, secret.Data)
		for key, value := range secret.StringData {
			data[key] = []byte(value)
		}
		m.secrets[secret.Name] = data
	}
	return nil
}

// decode reads an object, and refuses fields that it doesn't have, by their paths.
func decode(document []byte, object runtime.Object) error {
	scheme := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(scheme), corev1.AddToScheme(scheme)); err != nil {
		return err
	}
	serializer := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true})
	_, _, err := serializer.Decode(document, nil, object)
	return err
}

// render writes the children of one ChatCluster.
func render(out io.Writer, cluster *v1alpha1.ChatCluster, known children.Known) error {
	for _, c := range children.Credentials(cluster) {
		if known.Secrets[c.Name] == nil {
			known.Secrets[c.Name] = c.Placeholders()
		}
	}
	all, err := children.All(cluster, known)
	if err != nil {
		return err
	}
	for _, child := range all {
		text, err := manifest(child.Object)
		if err != nil {
			return fmt.Errorf("%s %s: %w", child.Kind.Kind, child.Name, err)
		}
		if _, err := fmt.Fprintf(out, "---\n%s", text); err != nil {
			return err
		}
	}
	return nil
}

// manifest is an object as text, without a namespace where there is none.
func manifest(object runtime.ApplyConfiguration) ([]byte, error) {
	text, err := yaml.Marshal(object)
	return bytes.Replace(text, []byte("\n  namespace: \"\"\n"), []byte("\n"), 1), err
}
