//go:build linux

package loadtest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	readyTimeout = 60 * time.Second
	stopTimeout  = 30 * time.Second
	// clockTick is the unit of the times in /proc/PID/stat, which is 1/100 s on every Linux (USER_HZ).
	clockTick = 10 * time.Millisecond
	// oneCPUMemory is what a process held to one CPU may have, in bytes.
	oneCPUMemory = 1 << 30
)

// process is a server under test that was started here.
type process struct {
	cmd         *exec.Cmd
	addr, admin string
	exited      chan struct{} // closed when it has ended
	err         error         // how; read after exited is closed
}

// startProcess starts a program that will listen on addr and admin, and waits until it is ready.
// With oneCPU it is held to the first CPU and to 1 GB.
func startProcess(ctx context.Context, cmd *exec.Cmd, addr, admin string, oneCPU bool) (*process, error) {
	p := &process{cmd: cmd, addr: addr, admin: admin, exited: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var err error
	if oneCPU {
		cmd.Env = append(cmd.Environ(), fmt.Sprintf("GOMEMLIMIT=%dMiB", oneCPUMemory/(1<<20)*9/10))
		err = startOnFirstCPU(cmd)
	} else {
		err = cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	if err := p.waitReady(ctx); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// startOnFirstCPU starts a program that inherits its CPU from the thread that starts it.
func startOnFirstCPU(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, first unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("affinity: %w", err)
	}
	first.Set(0)
	if err := unix.SchedSetaffinity(0, &first); err != nil {
		return fmt.Errorf("affinity: %w", err)
	}
	startErr := cmd.Start()
	if err := unix.SchedSetaffinity(0, &before); err != nil {
		return errors.Join(startErr, fmt.Errorf("affinity: %w", err))
	}
	if startErr != nil {
		return startErr
	}
	limit := unix.Rlimit{Cur: oneCPUMemory, Max: oneCPUMemory}
	return unix.Prlimit(cmd.Process.Pid, unix.RLIMIT_DATA, &limit, nil)
}

// leaveFirstCPU moves the generator off the first CPU when there is another one.
func leaveFirstCPU() error {
	if runtime.NumCPU() < 2 {
		return nil
	}
	var others unix.CPUSet
	if err := unix.SchedGetaffinity(0, &others); err != nil {
		return fmt.Errorf("affinity: %w", err)
	}
	others.Clear(0)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("affinity: %w", err)
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			continue
		}
		if err := unix.SchedSetaffinity(id, &others); err != nil && err != unix.ESRCH {
			return fmt.Errorf("affinity: %w", err)
		}
	}
	return nil
}

func (p *process) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for {
		_, err := get(ctx, "http://"+p.admin+"/readyz")
		if err == nil {
			return nil
		}
		select {
		case <-every.C:
		case <-p.exited:
			return fmt.Errorf("%s ended before it was ready: %w", p.cmd.Path, p.err)
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w", p.cmd.Path, err)
		}
	}
}

// stop asks the process to end and waits for it; what does not end in time is killed.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.cmd.Path, err)
	}
	select {
	case <-p.exited:
		if p.err != nil {
			return fmt.Errorf("%s: %w", p.cmd.Path, p.err)
		}
		return nil
	case <-time.After(stopTimeout):
		return errors.Join(fmt.Errorf("%s did not end within %v", p.cmd.Path, stopTimeout), p.cmd.Process.Kill())
	}
}

// freeAddress returns a loopback address with a port that nobody listens on.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// get fetches a page; a status other than 200 is an error.
func get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("get: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("get: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("get %s: %s", url, response.Status)
	}
	return body, err
}

// residentSet is the memory that a process holds, in bytes. It reads smaps_rollup: the counters behind
// /proc/PID/statm are summed per CPU and may be megabytes behind.
func residentSet(pid int) (int64, error) {
	return procKilobytes(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Rss:")
}

// peakResidentSet is the most that a process has held so far, in bytes.
func peakResidentSet(pid int) (int64, error) {
	return procKilobytes(fmt.Sprintf("/proc/%d/status", pid), "VmHWM:")
}

func procKilobytes(path, name string) (int64, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("memory: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(content))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) >= 2 && fields[0] == name {
			kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("memory: %s has no %s", path, name)
}
