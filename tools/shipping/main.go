// Command shipping writes what a release for Kubernetes consists of beside its images: one manifest with everything, made
// from config/ by kustomize.
//
//	go run . ../.. 1.4.0 > ../../dist/install.yaml
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "shipping:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: shipping REPOSITORY VERSION")
	}
	manifest, err := install(args[0], args[1])
	if err != nil {
		return err
	}
	_, err = fmt.Print(manifest)
	return err
}

// image is the operator's, as config/manager has it.
const image = "image: ghcr.io/gochat-dev/operator:"

// tag is what a version has to look like to be the tag of an image.
var tag = regexp.MustCompile(`^[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}$`)

// install is the one manifest of a release: the operator for the whole cluster.
func install(repository, version string) (string, error) {
	if !tag.MatchString(version) {
		return "", fmt.Errorf("version %q can't be the tag of an image", version)
	}
	manifest, err := build(filepath.Join(repository, "config", "default"))
	if err != nil {
		return "", err
	}
	if n := strings.Count(manifest, image+"dev\n"); n != 1 {
		return "", fmt.Errorf("the operator's image stands %d times in config/default", n)
	}
	manifest = strings.Replace(manifest, image+"dev\n", image+version+"\n", 1)
	return "# GoChat " + version + ": the operator and the definition of ChatCluster.\n" +
		"# kubectl apply --server-side -f install.yaml\n---\n" + manifest, nil
}

// build is what kubectl kustomize prints of a folder.
func build(folder string) (string, error) {
	objects, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return "", fmt.Errorf("%s: %w", folder, err)
	}
	manifest, err := objects.AsYaml()
	return string(manifest), err
}
