package controller

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
		pid := s.program()
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
	})
}

// program starts the operator's program, as it is shipped, for the namespace. It ends with the test.
func (s *stage) program() int {
	s.Helper()
	dir := s.TempDir()
	file := filepath.Join(dir, "operator")
	build := exec.CommandContext(s.Context(), "go", "build", "-trimpath", "-ldflags=-s -w -X main.version=1.0.0", "-o", file, "../../../cmd/operator")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		s.Fatalf("%v: %s", err, out)
	}
	run := exec.CommandContext(context.Background(), file, "--namespace="+s.namespace, "--no-leader-election",
		"--metrics-listen=127.0.0.1:0", "--health-listen=0")
	run.Env = append(os.Environ(), "KUBECONFIG="+kubetest.Kubeconfig(s.T, s.cfg), "GOMEMLIMIT=34MiB")
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
