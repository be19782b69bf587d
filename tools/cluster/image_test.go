package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestImage reads an image as a runtime does: by its manifest, with the layer's sum, and what the layer holds.
func TestImage(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "binary")
	if err := os.WriteFile(binary, []byte("a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	content, how, err := ofOurs("gochat-server", binary)
	if err != nil {
		t.Fatal(err)
	}
	var archives [2][]byte
	for i := range archives {
		out := filepath.Join(dir, fmt.Sprint(i, ".tar"))
		if err := writeImage(out, "example.org/server:1", content, how); err != nil {
			t.Fatal(err)
		}
		if archives[i], err = os.ReadFile(out); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("the same files make two images")
	}
	image := entries(t, archives[0])
	var manifest []struct {
		Config           string
		RepoTags, Layers []string
	}
	var config struct {
		Config settings `json:"config"`
		Rootfs struct {
			DiffIDs []string `json:"diff_ids"`
		} `json:"rootfs"`
	}
	if err := json.Unmarshal(image["manifest.json"], &manifest); err != nil || len(manifest) != 1 {
		t.Fatalf("manifest %s: %v", image["manifest.json"], err)
	}
	if err := json.Unmarshal(image[manifest[0].Config], &config); err != nil {
		t.Fatal(err)
	}
	layer := image[manifest[0].Layers[0]]
	if want := fmt.Sprintf("sha256:%x", sha256.Sum256(layer)); !slices.Equal(config.Rootfs.DiffIDs, []string{want}) {
		t.Errorf("the layer is called %v, and is %s", config.Rootfs.DiffIDs, want)
	}
	if config.Config.User != ourUser || !slices.Equal(config.Config.Entrypoint, []string{"/gochat-server"}) {
		t.Errorf("it starts as %+v", config.Config)
	}
	files := entries(t, layer)
	if string(files["gochat-server"]) != "a program" || len(files["etc/passwd"]) == 0 {
		t.Errorf("the layer lacks something of ours: %d files", len(files))
	}
	if _, there := files["var/lib/gochat/"]; !there {
		t.Error("there is no folder for data")
	}
}

// entries are the files of an archive, and its folders, whose names end with a slash.
func entries(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	all := make(map[string][]byte)
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if all[header.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestClean(t *testing.T) {
	for name, want := range map[string]string{"/bin/sh": "usr/bin/sh", "/lib64/ld.so": "usr/lib64/ld.so", "/etc/passwd": "etc/passwd", "/bin": "bin"} {
		if got := clean(name); got != want {
			t.Errorf("%s is put at %s, want %s", name, got, want)
		}
	}
}
