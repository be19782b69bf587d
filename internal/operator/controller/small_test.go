package controller

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"sigs.k8s.io/yaml"

	"github.com/gochat-dev/gochat/internal/kubetest"
)

func TestSmall(t *testing.T) {
	t.Run("[OP11] at most 40 MB with 50 ChatClusters and 400 Secrets of strangers", func(t *testing.T) {
		const chats, strangers, most = 50, 400, 40 << 10 // KiB
		s := newStage(t)
		for i := range strangers {
			secret := &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("stranger-", i), Namespace: s.namespace},
				Data:       map[string][]byte{"blob": []byte(strings.Repeat("x", 64<<10))},
			}
			if err := s.Create(t.Context(), secret); err != nil {
				t.Fatal(err)
			}
		}
		for i := range chats {
			s.create(fmt.Sprint("chat-", i))
		}
		limit, goLimit := shippedLimits(t)
		if limit != most<<10 {
			t.Errorf("the limit that is shipped is %d bytes, not %d KiB", limit, most)
		}
		within := limited(t, limit)
		pid := s.program(within.start, goLimit)
		for i := range chats {
			s.ready(fmt.Sprint("chat-", i))
		}
		s.eventually("the operator gets small", func() error { // it gives memory back once a minute
			rss, peak := memoryOf(t, pid)
			if rss > most {
				return fmt.Errorf("it holds %d KiB, more than %d KiB", rss, most)
			}
			t.Logf("the operator holds %d KiB, and held %d KiB at most", rss, peak)
			return nil
		})
		within.check(t)
	})
}

// shippedLimits are the container's limit of memory, and Go's.
func shippedLimits(t *testing.T) (bytes int64, goLimit string) {
	t.Helper()
	text, err := os.ReadFile("../../../config/manager/deployment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var d appsv1.Deployment
	if err := yaml.UnmarshalStrict(text, &d); err != nil {
		t.Fatal(err)
	}
	c := d.Spec.Template.Spec.Containers[0]
	for _, variable := range c.Env {
		if variable.Name == "GOMEMLIMIT" {
			goLimit = variable.Value
		}
	}
	return c.Resources.Limits.Memory().Value(), goLimit
}

// program starts the operator's program, as it is shipped, for the namespace. It ends with the test.
func (s *stage) program(start func(file string, args ...string) *exec.Cmd, goLimit string) int {
	s.Helper()
	sources, err := filepath.Glob("../../../cmd/operator/*.go")
	if err != nil {
		s.Fatal(err)
	}
	for _, source := range sources { // so that go test runs it again when they change
		if _, err := os.Stat(source); err != nil {
			s.Fatal(err)
		}
	}
	dir := s.TempDir()
	file := filepath.Join(dir, "operator")
	build := exec.CommandContext(s.Context(), "go", "build", "-tags=small", "-trimpath", "-ldflags=-s -w -X main.version=1.0.0", "-o", file, "../../../cmd/operator")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		s.Fatalf("%v: %s", err, out)
	}
	forget(s.T, file)
	run := start(file, "--namespace="+s.namespace, "--no-leader-election",
		"--metrics-listen=127.0.0.1:0", "--health-listen=0")
	run.Env = append(os.Environ(), "KUBECONFIG="+kubetest.Kubeconfig(s.T, s.cfg), "GOMEMLIMIT="+goLimit)
	run.Stderr = testLog{s.T}
	run.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := run.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		if err := run.Process.Signal(syscall.SIGTERM); err != nil {
			s.Error(err)
		}
		if err := run.Wait(); err != nil {
			s.Errorf("the operator ended with %v", err)
		}
	})
	return run.Process.Pid
}

// forget takes a file out of the system's cache, so that its pages count for who reads it first, as those of an image that was just
// pulled do.
func forget(t *testing.T, file string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		t.Fatal(err)
	}
}

var memoryLine = regexp.MustCompile(`(?m)^(VmRSS|VmHWM):\s+(\d+) kB$`)

// memoryOf is what a process holds now, and what it held at most, in KiB.
func memoryOf(t *testing.T, pid int) (now, peak int) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range memoryLine.FindAllStringSubmatch(string(text), -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			t.Fatal(err)
		}
		if m[1] == "VmRSS" {
			now = n
		} else {
			peak = n
		}
	}
	return now, peak
}
