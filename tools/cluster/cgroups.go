package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// cgroupRoot is where every Linux has its cgroups.
const cgroupRoot = "/sys/fs/cgroup"

// hierarchy is one tree of cgroups: the only one (version 2), or one of several, each with some controllers (version 1).
type hierarchy struct {
	controllers string // of version 1, as in the mount's options: "memory", "cpu,cpuacct", "name=systemd"
	mount       string // where the machine has it
	own         string // the cgroup of this process, below mount
}

func (h hierarchy) second() bool { return h.controllers == "" }

// hierarchies lists those that a node takes part in: version 2 if that is all there is, else all of version 1.
func hierarchies() ([]hierarchy, error) {
	var first, second []hierarchy
	membership, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(membership)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		mount, root, err := cgroupMount(fields[1])
		if err != nil {
			return nil, err
		}
		if mount == "" { // no part of this machine's, or of this container's
			continue
		}
		h := hierarchy{controllers: fields[1], mount: mount, own: strings.TrimPrefix(fields[2], strings.TrimSuffix(root, "/"))}
		if h.second() {
			second = append(second, h)
		} else {
			first = append(first, h)
		}
	}
	switch {
	case len(first) > 0:
		return first, nil
	case len(second) > 0:
		return second, nil
	default:
		return nil, errors.New("no cgroups below " + cgroupRoot)
	}
}

// cgroupMount looks for where controllers are mounted (proc_pid_mountinfo(5)), and what of their tree is.
func cgroupMount(controllers string) (mount, root string, err error) {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return "", "", err
	}
	defer file.Close()
	want := strings.Split(controllers, ",")
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		before, after, _ := strings.Cut(lines.Text(), " - ")
		at, what := strings.Fields(before), strings.Fields(after)
		if len(at) < 5 || len(what) < 3 {
			continue
		}
		options := strings.Split(what[2], ",")
		matches := what[0] == "cgroup2" && controllers == ""
		if what[0] == "cgroup" && controllers != "" {
			matches = !slices.ContainsFunc(want, func(c string) bool { return !slices.Contains(options, c) })
		}
		if matches {
			return at[4], at[3], nil
		}
	}
	return "", "", lines.Err()
}

// joinCgroups puts this process into new cgroups, in which the node will be, and returns the way back.
func joinCgroups(name string) (all []hierarchy, back func() error, err error) {
	all, err = hierarchies()
	if err != nil {
		return nil, nil, err
	}
	back = func() error {
		var errs []error
		for _, h := range all {
			errs = append(errs, moveHere(filepath.Join(h.mount, h.own)))
		}
		return errors.Join(errs...)
	}
	for _, h := range all {
		parent := filepath.Join(h.mount, h.own)
		if h.second() {
			// A cgroup that hands controllers on has no processes of its own, so the node can't be below this one.
			parent = h.mount
		}
		dir := filepath.Join(parent, name)
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, nil, errors.Join(err, back())
		}
		if err := inherit(parent, dir); err != nil {
			return nil, nil, errors.Join(err, back())
		}
		if err := moveHere(dir); err != nil {
			return nil, nil, errors.Join(err, back())
		}
	}
	return all, back, nil
}

// inherit fills in what a new cpuset must have before a process may enter.
func inherit(parent, dir string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := os.ReadFile(filepath.Join(parent, file))
		if errors.Is(err, fs.ErrNotExist) || len(strings.TrimSpace(string(value))) == 0 {
			continue
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, file), value, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func moveHere(dir string) error {
	return os.WriteFile(filepath.Join(dir, "cgroup.procs"), fmt.Append(nil, os.Getpid()), 0o600)
}

// removeCgroups removes the node's, with all below. Their processes have been killed; they may take a moment to be gone.
func removeCgroups(name string) error {
	all, err := hierarchies()
	if err != nil {
		return err
	}
	for _, h := range all {
		dir := filepath.Join(h.mount, h.own, name)
		if h.second() {
			dir = filepath.Join(h.mount, name)
		}
		deadline := time.Now().Add(10 * time.Second)
		for {
			err := removeTree(dir)
			if err == nil {
				break
			}
			if time.Now().After(deadline) {
				return err
			}
			time.Sleep(20 * time.Millisecond) // between two looks; nothing depends on how long
		}
	}
	return nil
}

func removeTree(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			if err := removeTree(filepath.Join(dir, entry.Name())); err != nil {
				return err
			}
		}
	}
	return os.Remove(dir)
}
