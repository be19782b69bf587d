package main

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

//go:embed addons
var manifests embed.FS

// furnish waits for a node that has started, and gives it DNS, volumes and metrics.
func (p places) furnish() error {
	archives, err := p.ownImages()
	if err != nil {
		return err
	}
	if err := p.load(archives); err != nil {
		return err
	}
	entries, err := manifests.ReadDir("addons")
	if err != nil {
		return err
	}
	var all strings.Builder
	for _, entry := range entries {
		text, err := manifests.ReadFile("addons/" + entry.Name())
		if err != nil {
			return err
		}
		all.WriteString("---\n" + string(text))
	}
	text := strings.NewReplacer("$DNS", dnsIP, "$DOMAIN", domain, "$IMAGES/", images, "$VOLUMES", inside+"/volumes").Replace(all.String())
	apply := p.kubectl("apply", "--filename=-")
	apply.Stdin, apply.Stdout = strings.NewReader(text), nil
	if err := apply.Run(); err != nil {
		return err
	}
	wait := func(what ...string) error {
		cmd := p.kubectl(append([]string{"wait", "--timeout=180s"}, what...)...)
		cmd.Stdout = nil
		return cmd.Run()
	}
	return errors.Join(
		wait("--for=create", "node/"+nodeName),
		wait("--for=condition=Ready", "node/"+nodeName),
		wait("--for=condition=Available", "--namespace=kube-system", "deployment", "--all"))
}

// ownImages writes the images that the node itself needs, unless they are there and as new as what is in them.
func (p places) ownImages() ([]string, error) {
	var archives []string
	for _, name := range []string{"pause", "coredns", "local-path-provisioner", "metrics-server", "shell"} {
		archive := filepath.Join(p.cache, "addons", name+".tar")
		archives = append(archives, archive)
		made, err := os.Stat(archive)
		source, sourceErr := os.Stat(p.addon("made-of"))
		if err == nil && sourceErr == nil && made.ModTime().After(source.ModTime()) {
			continue
		}
		content, how := ofStatic(name, p.addon(name))
		if name == "shell" {
			if content, how, err = ofShell(); err != nil {
				return nil, err
			}
		}
		if err := writeImage(archive, images+name+":1", content, how); err != nil {
			return nil, err
		}
	}
	return archives, nil
}

// load gives the node images.
func (p places) load(archives []string) error {
	errs := make([]error, len(archives))
	var all sync.WaitGroup
	for i, archive := range archives {
		all.Go(func() {
			file, err := os.Open(archive)
			if err != nil {
				errs[i] = err
				return
			}
			defer file.Close()
			ctr := p.inNode("ctr", "--address="+containerd, "--namespace=k8s.io", "images", "import", "-")
			ctr.Stdin, ctr.Stdout, ctr.Stderr = file, nil, nil
			if out, err := ctr.CombinedOutput(); err != nil {
				errs[i] = fmt.Errorf("loading %s: %w: %s", archive, err, out)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
