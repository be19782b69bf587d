package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// places are the folders that a node is made from.
type places struct {
	repository string
	cache      string // what was built once, for all checkouts
	state      string // what the running node writes; gone when it is
	version    string // of Kubernetes
}

var requirement = regexp.MustCompile(`(?m)^\tk8s\.io/kubernetes (v\S+)$`)

func findPlaces() (places, error) {
	var p places
	var err error
	if p.repository, err = findRepository(); err != nil {
		return p, err
	}
	text, err := os.ReadFile(filepath.Join(p.repository, "tools/kubernetes/go.mod"))
	if err != nil {
		return p, err
	}
	found := requirement.FindSubmatch(text)
	if found == nil {
		return p, errors.New("tools/kubernetes/go.mod names no version of Kubernetes")
	}
	p.version = string(found[1])
	base := os.Getenv("XDG_CACHE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return p, err
		}
		base = filepath.Join(home, ".cache")
	}
	p.cache = filepath.Join(base, "gochat")
	p.state = os.Getenv("GOCHAT_NODE")
	if p.state == "" {
		p.state = filepath.Join(p.repository, "data", "node")
	}
	p.state, err = filepath.Abs(p.state)
	return p, err
}

// findRepository looks for the checkout from the working directory up, then from the program itself up.
func findRepository() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for _, dir := range []string{here, filepath.Dir(self)} {
		for ; dir != "/"; dir = filepath.Dir(dir) {
			if _, err := os.Stat(filepath.Join(dir, "tools/kubernetes/go.mod")); err == nil {
				return dir, nil
			}
		}
	}
	return "", errors.New("this is no checkout of GoChat")
}

// kubernetes is one of the programs of make apiserver.
func (p places) kubernetes(name string) string {
	return filepath.Join(p.cache, "kubernetes", p.version, name)
}

// addon is a program that scripts/addons.sh has built.
func (p places) addon(name string) string { return filepath.Join(p.cache, "addons", name) }

// node is a path in the node's state as the machine sees it. The node sees the same folder as inside.
func (p places) node(name string) string { return filepath.Join(p.state, name) }

// inside is where the node sees its state, wherever that lies: paths are short there, and always the same.
const inside = "/run/gochat"

// name tells nodes of several checkouts apart where they meet: in the cgroups.
func (p places) name() string {
	sum := sha256.Sum256([]byte(p.state))
	return fmt.Sprintf("gochat-node-%x", sum[:4])
}

// running is the node's first process, as the machine counts. It is known by when it began, for ids come back.
func (p places) running() (int, bool) {
	text, err := os.ReadFile(p.node("pid"))
	if err != nil {
		return 0, false
	}
	words := strings.Fields(string(text))
	if len(words) != 2 {
		return 0, false
	}
	pid, err := strconv.Atoi(words[0])
	if err != nil {
		return 0, false
	}
	began, alive := beginningOf(pid)
	return pid, alive && began == words[1]
}

// beginningOf is when a process began, in ticks since the machine did (proc(5)), unless it has ended.
func beginningOf(pid int) (string, bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", false
	}
	_, after, found := strings.Cut(string(text), ") ") // the name before may hold anything
	words := strings.Fields(after)
	if !found || len(words) < 20 || words[0] == "Z" || words[0] == "X" {
		return "", false
	}
	return words[19], true
}
