//go:build linux

package loadtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"
)

// maxNodes is what a stamp has room for.
const maxNodes = 1<<(63-stampNode) - 1

// complete refuses what can't be started.
func (s Server) complete() error {
	var faults []error
	if len(s.Nodes) == 0 {
		return nil
	}
	for _, n := range s.Nodes {
		if n < 1 || n > maxNodes {
			faults = append(faults, fmt.Errorf("nodes: %d, from 1 to %d it may be", n, maxNodes))
		}
	}
	if s.URL != "" {
		faults = append(faults, errors.New("nodes: they are started here, so there is no --url"))
	}
	for _, name := range []string{"GOCHAT_POSTGRES_URL", "GOCHAT_REDIS_URL"} {
		if !slices.ContainsFunc(s.Env, func(v string) bool { return strings.HasPrefix(v, name+"=") }) {
			faults = append(faults, fmt.Errorf("nodes: they have nothing in common without --env=%s=…", name))
		}
	}
	return errors.Join(faults...)
}

// counts are the numbers of nodes to measure.
func (s Server) counts() []int {
	if len(s.Nodes) == 0 {
		return []int{1}
	}
	return s.Nodes
}

// phaseName is what the phase of so many nodes is called.
func (s Server) phaseName(count int) string {
	switch {
	case len(s.Nodes) == 0:
		return "server"
	case count == 1:
		return "1 node"
	}
	return fmt.Sprintf("%d nodes", count)
}

// withServers runs fn against fresh server processes, each on its own data in dir.
func (r *Report) withServers(ctx context.Context, s Server, dir string, count int, fn func([]*process) error) (err error) {
	var servers []*process
	defer func() {
		for _, server := range servers {
			err = errors.Join(err, server.stop())
		}
	}()
	for i := range count {
		addr, admin, err := freeAddresses()
		if err != nil {
			return err
		}
		cmd := exec.Command(s.Path)
		cmd.Dir = dir
		cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GOCHAT_") })
		cmd.Env = append(cmd.Env,
			"GOCHAT_LISTEN="+addr, "GOCHAT_ADMIN_LISTEN="+admin, "GOCHAT_DATA_DIR="+filepath.Join(dir, "data"+strconv.Itoa(i+1)),
			"GOCHAT_AUTH_RATE=0", "GOCHAT_SEND_RATE=0", "GOCHAT_GUESTS=true", "GOCHAT_ACCESS_TOKEN_TTL=24h",
			"GOCHAT_LOG_LEVEL=warn", "GOCHAT_DRAIN=2s")
		if s.Profile != "" {
			cmd.Env = append(cmd.Env, "GOCHAT_PPROF=true")
		}
		cmd.Env = append(cmd.Env, s.Env...)
		server, err := startProcess(ctx, cmd, addr, admin, r.Workload.OneCPU)
		if err != nil {
			return err
		}
		servers = append(servers, server)
	}
	return fn(servers)
}

// profile takes a CPU profile of each server over the measured window, if one is asked for.
func (r *Report) profile(s Server, servers []*process) func(context.Context) error {
	if s.Profile == "" {
		return nil
	}
	return func(ctx context.Context) error {
		group, ctx := errgroup.WithContext(ctx)
		for i, server := range servers {
			file := s.Profile
			if i > 0 {
				file += "." + strconv.Itoa(i+1)
			}
			group.Go(func() error {
				seconds := int(r.Workload.Duration.Seconds())
				profile, err := get(ctx, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", server.admin, seconds))
				if err != nil {
					return fmt.Errorf("profile: %w", err)
				}
				return os.WriteFile(file, profile, 0o644)
			})
		}
		return group.Wait()
	}
}

func (p *process) served() served { return served{p.cmd.Process.Pid, p.admin} }
