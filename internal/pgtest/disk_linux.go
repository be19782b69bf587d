package pgtest

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
)

func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGQUIT }

// SmallDisk makes a tablespace on a file system of its own, of size bytes as mount(8) writes them ("24m"), and returns
// its folder. What the server logs ahead (WAL) stays where it was. It skips the test where it may not mount.
func (s *Server) SmallDisk(tb testing.TB, tablespace, size string) (dir string) {
	tb.Helper()
	dir, err := os.MkdirTemp("", "pgtest-disk-") //nolint:usetesting // the server could not enter the test's own
	if err != nil {
		tb.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		tb.Skipf("no tmpfs can be mounted here (%v, %v): run as root", err, os.Remove(dir))
	}
	tb.Cleanup(func() {
		if err := errors.Join(s.End(Immediate), syscall.Unmount(dir, 0), os.Remove(dir)); err != nil {
			tb.Error(err)
		}
	})
	if err := s.give(dir); err != nil {
		tb.Fatal(err)
	}
	if err := s.Exec(context.Background(), "postgres", "CREATE TABLESPACE "+tablespace+" LOCATION '"+dir+"'"); err != nil {
		tb.Fatal(err)
	}
	return dir
}
