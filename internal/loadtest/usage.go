//go:build linux

package loadtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

// served is one server process under test.
type served struct {
	pid   int    // 0 when it is not on this machine
	admin string // host:port with /metrics, or empty
}

// moment is what is read at one point of time.
type moment struct {
	at             time.Duration
	tally          tally
	cpu, ownCPU    time.Duration
	apart          map[string]time.Duration
	mallocs, alloc float64
}

// now reads everything there is to read; the page of metrics is fetched on the outer side of the window.
func (m *measurement) now(ctx context.Context, opening bool) (moment, error) {
	var at moment
	var err error
	if opening {
		if err := m.metrics(ctx, &at); err != nil {
			return at, err
		}
	}
	if at.cpu, err = m.cpu(); err != nil {
		return at, err
	}
	if at.ownCPU, err = cpuTime(os.Getpid()); err != nil {
		return at, err
	}
	at.apart = map[string]time.Duration{}
	for name, pid := range m.subject.apart {
		if at.apart[name], err = familyCPUTime(pid); err != nil {
			return at, err
		}
	}
	f := m.fleet
	if err := f.do(func() { at.at, at.tally = f.now(), f.tally }); err != nil {
		return at, err
	}
	if !opening {
		err = m.metrics(ctx, &at)
	}
	return at, err
}

// cpu is what all servers together have used.
func (m *measurement) cpu() (sum time.Duration, err error) {
	for _, s := range m.subject.servers {
		if s.pid == 0 {
			continue
		}
		used, err := cpuTime(s.pid)
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// memory is what all servers together hold.
func (m *measurement) memory(read func(int) (int64, error)) (sum int64, err error) {
	for _, s := range m.subject.servers {
		if s.pid == 0 {
			continue
		}
		held, err := read(s.pid)
		if err != nil {
			return 0, err
		}
		sum += held
	}
	return sum, nil
}

// metrics adds up the Go runtimes' counters from the admin ports, where there are any.
func (m *measurement) metrics(ctx context.Context, at *moment) error {
	for _, s := range m.subject.servers {
		if s.admin == "" {
			continue
		}
		page, err := get(ctx, "http://"+s.admin+"/metrics")
		if err != nil {
			return err
		}
		at.mallocs += metric(page, "go_memstats_mallocs_total")
		at.alloc += metric(page, "go_memstats_alloc_bytes_total")
	}
	return nil
}

// metric finds a series without labels in the Prometheus text format; 0 when it is not there.
func metric(page []byte, name string) float64 {
	for line := range strings.Lines(string(page)) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			number, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err == nil {
				return number
			}
		}
	}
	return 0
}

// cpuTime is what a process has used of the CPU since it started, in user and kernel mode.
func cpuTime(pid int) (time.Duration, error) {
	used, _, err := cpuTimes(pid)
	return used, err
}

// familyCPUTime is what a process and its children have used, those that have ended included: Postgres has one for each
// connection.
func familyCPUTime(pid int) (time.Duration, error) {
	used, ended, err := cpuTimes(pid)
	if err != nil {
		return 0, err
	}
	sum := used + ended
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0, fmt.Errorf("cpu time: %w", err)
	}
	for field := range strings.FieldsSeq(string(children)) {
		child, err := strconv.Atoi(field)
		if err != nil {
			return 0, fmt.Errorf("cpu time: %w", err)
		}
		used, _, err := cpuTimes(child)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // what has ended since is counted at the next look
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// cpuTimes are what a process has used, and what those of its children have that ended.
func cpuTimes(pid int) (used, ended time.Duration, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, fmt.Errorf("cpu time: %w", err)
	}
	// The second field is the program's name in parentheses and may hold anything; utime, stime, cutime and cstime are
	// fields 14 to 17, so 11 to 14 after it (proc_pid_stat(5)).
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 15 {
		return 0, 0, fmt.Errorf("cpu time: /proc/%d/stat has %d fields", pid, len(fields))
	}
	var times [4]time.Duration
	for i, field := range fields[11:15] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("cpu time: %w", err)
		}
		times[i] = time.Duration(ticks) * clockTick
	}
	return times[0] + times[1], times[2] + times[3], nil
}
