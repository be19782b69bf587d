package sqlite

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestFullDisk fills a small file system of its own, which takes the right to mount one.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
		t.Skipf("no tmpfs can be mounted here (%v): run as root", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	path := filepath.Join(dir, "gochat.db")
	w := buildAt(t, path, 2, 1)
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	checkFull(t, w, fill(t, w), func() {
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
	})
}
