package checker

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// smallDisk is a directory on a file system of its own with little room.
func smallDisk(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can mount a small file system")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m,mode=0700"); err != nil {
		t.Skipf("a small file system can't be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill takes all the room that is left, and returns how to give it back.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "filling")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 4<<10)
	for err == nil {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDiskFull(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the server and runs it for some seconds")
	}
	t.Run("[SEQ3] senders are told unavailable, readiness fails, nothing acknowledged is lost, and all is well when there is room again", func(t *testing.T) {
		p := newProcess(t, smallDisk(t))
		p.start()
		c := newCrowd(t, p, 3, 2)
		talking, quiet := context.WithCancel(t.Context())
		var talk sync.WaitGroup
		talk.Go(func() { c.talk(talking) })
		c.until("something is said", 30*time.Second, func() bool { return c.acknowledged() >= 100 })

		c.history.note("", "", "FAULT the disk is full")
		free := fill(t, p.dir)
		c.until("a sender is told", 60*time.Second, func() bool { return c.history.Count("failed: unavailable") > 0 })
		c.until("readiness fails", 10*time.Second, func() bool { return !p.ready() })
		quiet()
		talk.Wait()
		free()
		c.until("readiness is back", 10*time.Second, p.ready)
		c.settle()
		c.compareWithFile()
		t.Logf("%d messages, all acknowledged in the end", len(c.ledger.commits))
	})
}
