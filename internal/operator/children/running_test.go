package children

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/pgtest"
)

// shells are those that images have: Debian's, and that of Alpine.
var shells = []string{"dash", "busybox"}

// pod is a place where a script runs as in its container: with its files, and no other programs than those it says it needs.
type pod struct {
	*testing.T
	config, data, programs string
	owner                  *syscall.Credential
	port                   int
}

// newPod makes the place. The files that listen on every address and on a port of their own listen on a free one of this machine.
func newPod(t *testing.T, shell string, files map[string]string, programs ...string) *pod {
	t.Helper()
	if shell == "busybox" && runtime.GOOS != "linux" {
		t.Skip("BusyBox is for Linux")
	}
	owner, err := pgtest.Owner()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // others have to get in
		t.Fatal(err)
	}
	p := &pod{T: t, owner: owner, port: freePort(t)}
	for _, at := range []struct {
		name string
		path *string
	}{{"", &dir}, {"config", &p.config}, {"data", &p.data}, {"programs", &p.programs}} {
		*at.path = filepath.Join(dir, at.name)
		p.no(os.MkdirAll(*at.path, 0o700))
		p.give(*at.path)
	}
	for _, name := range programs {
		path, err := exec.LookPath(name)
		if name == "sh" || name == "rm" || name == "id" {
			path, err = exec.LookPath(map[string]string{"dash": name, "busybox": "busybox"}[shell])
			if name == "sh" && shell == "dash" {
				path, err = exec.LookPath("dash")
			}
		} else if err != nil || name == "postgres" || name == "initdb" {
			path, err = pgtest.Program(name)
		}
		p.no(err)
		p.no(os.Symlink(path, filepath.Join(p.programs, name)))
	}
	for name, text := range files {
		text = strings.NewReplacer(
			"'/tmp'", "'"+p.data+"'", "dir /tmp", "dir "+p.data, // sockets, and what Redis might write
			"bind * -::*", fmt.Sprintf("bind 127.0.0.1\nport %d", p.port),
		).Replace(text)
		file := filepath.Join(p.config, name)
		p.no(os.WriteFile(file, []byte(text), 0o600))
		p.give(file)
	}
	return p
}

func (p *pod) no(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *pod) give(path string) {
	p.Helper()
	if p.owner != nil {
		p.no(os.Chown(path, int(p.owner.Uid), int(p.owner.Gid)))
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// process is a script that runs.
type process struct {
	*exec.Cmd
	p    *pod
	log  *lockedBuffer
	done chan struct{} // closed when it has ended
	err  error         // how; read after done
}

// lockedBuffer is written by a process while a test reads it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (p *pod) start(script string, env ...string) *process {
	p.Helper()
	r := &process{
		Cmd: exec.Command(filepath.Join(p.programs, "sh"), filepath.Join(p.config, script)),
		p:   p, log: &lockedBuffer{}, done: make(chan struct{}),
	}
	r.Dir = p.data
	r.Env = append([]string{"PATH=" + p.programs, "DATA_DIR=" + p.data}, env...)
	r.Stdout, r.Stderr = r.log, r.log
	r.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: p.owner}
	p.no(r.Cmd.Start())
	go func() {
		defer close(r.done)
		r.err = r.Cmd.Wait()
	}()
	p.Cleanup(func() {
		select {
		case <-r.done:
		default:
			r.signal(syscall.SIGTERM)
			<-r.done
		}
	})
	return r
}

func (r *process) signal(sig syscall.Signal) {
	r.p.Helper()
	r.p.no(r.Cmd.Process.Signal(sig))
}

// status waits for the end.
func (r *process) status() int {
	r.p.Helper()
	select {
	case <-r.done:
	case <-time.After(2 * time.Minute):
		r.p.Fatalf("it does not end:\n%s", r.log)
	}
	if exit, exited := errors.AsType[*exec.ExitError](r.err); exited {
		return exit.ExitCode()
	}
	r.p.no(r.err)
	return 0
}

// fails waits for the end of a script that can't do what it should, and says why last.
func (r *process) fails(words string) {
	r.p.Helper()
	status := r.status()
	lines := strings.Split(strings.TrimSpace(r.log.String()), "\n")
	if last := lines[len(lines)-1]; status == 0 || !strings.Contains(last, words) {
		r.p.Errorf("it exits %d and says last %q, want %q. All of it:\n%s", status, last, words, r.log)
	}
}

// minimal is the part of a minimal ChatCluster.
func minimal(c Component) part {
	return part{cluster: Defaulted(&v1alpha1.ChatCluster{}), Component: c}
}
