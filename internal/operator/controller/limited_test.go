package controller

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// memoryLimit is a cgroup with a limit of memory, as a container has one, of either version. Its folder is "" where none can be made.
type memoryLimit struct {
	folder string
	kills  string // the file that tells how often a process was killed for want of memory
}

// limited makes a cgroup for the test, where that can be: it takes root, and a tree of cgroups that has the controller of memory.
func limited(t *testing.T, bytes int64) memoryLimit {
	t.Helper()
	for _, c := range []memoryLimit{
		{"/sys/fs/cgroup/memory", "memory.oom_control"}, // version 1
		{"/sys/fs/cgroup", "memory.events"},             // version 2
	} {
		folder := filepath.Join(c.folder, fmt.Sprintf("gochat-test-%d", os.Getpid()))
		if err := os.Mkdir(folder, 0o755); err != nil {
			continue
		}
		t.Cleanup(func() {
			if err := os.Remove(folder); err != nil {
				t.Error(err)
			}
		})
		limit := map[string]string{"memory.oom_control": "memory.limit_in_bytes", "memory.events": "memory.max"}[c.kills]
		if err := os.WriteFile(filepath.Join(folder, limit), []byte(strconv.FormatInt(bytes, 10)), 0o600); err != nil {
			continue // the controller is not there
		}
		return memoryLimit{folder, c.kills}
	}
	t.Log("no cgroup can be made here: the limit is not enforced")
	return memoryLimit{}
}

// start is a command that runs within the limit.
func (l memoryLimit) start(file string, args ...string) *exec.Cmd {
	if l.folder == "" {
		return exec.CommandContext(context.Background(), file, args...)
	}
	join := `echo $$ > "$0/cgroup.procs" && exec "$@"`
	return exec.CommandContext(context.Background(), "sh", append([]string{"-c", join, l.folder, file}, args...)...)
}

// check fails if something was killed.
func (l memoryLimit) check(t *testing.T) {
	t.Helper()
	if l.folder == "" {
		return
	}
	f, err := os.Open(filepath.Join(l.folder, l.kills))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if n, is := strings.CutPrefix(lines.Text(), "oom_kill "); is {
			if n != "0" {
				t.Errorf("killed for want of memory: %s times", n)
			}
			return
		}
	}
	t.Error(fmt.Errorf("%s says nothing of kills", l.kills))
}
