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
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// images is where the node's own are named as if they came from; they come from no registry.
const images = "localhost/gochat/"

// settings are what an image says about the process that is started from it (the fields of the OCI's configuration).
type settings struct {
	User       string   `json:",omitempty"`
	Env        []string `json:",omitempty"`
	Entrypoint []string `json:",omitempty"`
	Cmd        []string `json:",omitempty"`
	WorkingDir string   `json:",omitempty"`
}

// files are what is in an image, by path.
type files map[string]file

// file is a file of the machine, or one with the text, or a link, or a folder.
type file struct {
	from, text, link string
	mode             int64 // of a folder; 0 for what is none
}

// add puts a file of the machine at a path, and the folders above it.
func (f files) add(name string, what file) {
	name = clean(name)
	f[name] = what
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if _, there := f[dir]; there {
			return
		}
		f[dir] = file{mode: 0o755}
	}
}

// linked are the folders of the old layout, which are links into /usr today. Images here are made of the new one.
var linked = []string{"bin", "sbin", "lib", "lib64"}

func clean(name string) string {
	name = strings.TrimPrefix(path.Clean(name), "/")
	if first, _, below := strings.Cut(name, "/"); below && slices.Contains(linked, first) {
		return "usr/" + name
	}
	return name
}

// writeImage writes an archive as docker save does, with one layer: containerd and every other runtime import it.
func writeImage(out, name string, content files, how settings) error {
	layer, err := content.layer()
	if err != nil {
		return err
	}
	sum := fmt.Sprintf("sha256:%x", sha256.Sum256(layer))
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "config": how,
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{sum}},
	})
	if err != nil {
		return err
	}
	manifest, err := json.Marshal([]map[string]any{{"Config": "config.json", "RepoTags": []string{name}, "Layers": []string{"layer.tar"}}})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(out), ".image-")
	if err != nil {
		return err
	}
	archive := tar.NewWriter(part)
	for _, entry := range []struct {
		name    string
		content []byte
	}{{"manifest.json", manifest}, {"config.json", config}, {"layer.tar", layer}} {
		if err == nil {
			err = archive.WriteHeader(&tar.Header{Name: entry.name, Mode: 0o644, Size: int64(len(entry.content))})
		}
		if err == nil {
			_, err = archive.Write(entry.content)
		}
	}
	if err := errors.Join(err, archive.Close(), part.Close()); err != nil {
		return errors.Join(err, os.Remove(part.Name()))
	}
	return os.Rename(part.Name(), out)
}

// layer is the files as a tar archive, the same for the same files.
func (f files) layer() ([]byte, error) {
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	var names []string
	for name := range f {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := f[name].write(archive, name); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), archive.Close()
}

func (f file) write(archive *tar.Writer, name string) error {
	switch {
	case f.mode != 0:
		return archive.WriteHeader(&tar.Header{Name: name + "/", Typeflag: tar.TypeDir, Mode: f.mode})
	case f.link != "":
		return archive.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: f.link, Mode: 0o777})
	case f.from == "":
		if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(f.text))}); err != nil {
			return err
		}
		_, err := io.WriteString(archive, f.text)
		return err
	}
	from, err := os.Open(f.from)
	if err != nil {
		return err
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return err
	}
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: int64(info.Mode().Perm()), Size: info.Size()}); err != nil {
		return err
	}
	_, err = io.Copy(archive, from)
	return err
}
