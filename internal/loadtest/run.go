//go:build linux

package loadtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Server says which server to measure: one started here, or one that is running.
type Server struct {
	Path    string   `name:"server" default:"bin/server" help:"Server to start, in a temporary directory, on free ports." type:"path"`
	Env     []string `help:"More settings for that server, NAME=VALUE." sep:"none"`
	Profile string   `name:"cpu-profile" help:"Write a CPU profile of that server, taken over the measured window (it costs a few percent)." type:"path"`
	URL     string   `name:"url" help:"Measure this running server instead, http://ADDRESS:PORT."`
	PID     int      `name:"pid" help:"Its process, for CPU and memory."`
	Admin   string   `help:"Its admin address, for allocations."`
}

// Floor measures the floor alone.
func Floor(ctx context.Context, w Workload) (*Report, error) {
	r, err := newReport(&w)
	if err != nil {
		return nil, err
	}
	if err := r.floor(ctx, "floor"); err != nil {
		return nil, err
	}
	r.finish()
	return r, nil
}

// Run measures floor, server and floor again, in this order.
func Run(ctx context.Context, w Workload, s Server) (*Report, error) {
	r, err := newReport(&w)
	if err != nil {
		return nil, err
	}
	if !w.ClosedLoop {
		if err := r.floor(ctx, "floor before"); err != nil {
			return nil, err
		}
	}
	if s.URL != "" {
		err = r.running(ctx, s)
	} else {
		err = r.started(ctx, s)
	}
	if err != nil {
		return nil, err
	}
	if !w.ClosedLoop {
		if err := r.floor(ctx, "floor after"); err != nil {
			return nil, err
		}
	}
	r.finish()
	return r, nil
}

func newReport(w *Workload) (*Report, error) {
	if err := w.complete(); err != nil {
		return nil, err
	}
	r := &Report{Started: time.Now().UTC(), CPUs: runtime.NumCPU(), Go: runtime.Version(), Workload: *w}
	if w.OneCPU {
		return r, leaveFirstCPU()
	}
	return r, nil
}

// floor starts this program again as the floor and measures it.
func (r *Report) floor(ctx context.Context, name string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("floor: %w", err)
	}
	addr, admin, err := freeAddresses()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "floor-server", "--listen", addr, "--admin-listen", admin,
		"--rooms", strconv.Itoa(r.Workload.rooms()), "--body", strconv.Itoa(r.Workload.Body))
	child, err := startProcess(ctx, cmd, addr, admin, r.Workload.OneCPU)
	if err != nil {
		return err
	}
	p := &population{rooms: make([]string, r.Workload.rooms())}
	for i := range p.rooms {
		p.rooms[i] = floorRoomID(i)
	}
	to, err := targetAt(addr)
	if err != nil {
		return errors.Join(err, child.stop())
	}
	roomSize := r.Workload.RoomSize
	to.path = func(c *client) string { return "/floor/" + strconv.Itoa(c.index/roomSize) }
	err = r.phase(ctx, subject{name: name, pid: child.cmd.Process.Pid, admin: admin, target: to}, p, 0, nil)
	return errors.Join(err, child.stop())
}

// phase measures one subject and adds the outcome to the report; with api, it ends with the storm, if one is asked for.
func (r *Report) phase(ctx context.Context, s subject, p *population, slowPercent float64, api *rest) (err error) {
	slog.InfoContext(ctx, "measuring", "phase", s.name)
	m, err := measure(ctx, s, r.Workload, p, slowPercent)
	if m == nil {
		return err
	}
	defer func() {
		// When the loop ended by itself, err says so already.
		if closeErr := m.fleet.Close(); err == nil {
			err = closeErr
		}
	}()
	if err == nil && api != nil && r.Workload.Storm > 0 {
		err = m.storm(ctx, api, p)
	}
	if err != nil {
		return err
	}
	if err := m.check(); err != nil {
		return err
	}
	r.Phases = append(r.Phases, m.phase)
	return nil
}

// started measures a server of our own: populated once, then a fresh process for each phase, so that
// memory and allocations are those of the connections and not of the set-up.
func (r *Report) started(ctx context.Context, s Server) (err error) {
	dir, err := os.MkdirTemp("", "gochat-loadtest-")
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var p *population
	err = r.withServer(ctx, s, dir, func(server *process) error {
		start := time.Now()
		var err error
		p, err = newREST("http://"+server.addr).populate(ctx, r.Workload)
		if err != nil {
			return fmt.Errorf("set-up: %w", err)
		}
		r.SetUp = SetUp{Accounts: len(p.accounts) + 1, Rooms: len(p.rooms), Seconds: time.Since(start).Seconds()}
		return nil
	})
	if err != nil {
		return err
	}
	for _, slow := range r.slowShares() {
		err := r.withServer(ctx, s, dir, func(server *process) error {
			under := subject{pid: server.cmd.Process.Pid, admin: server.admin, beside: r.profile(s, server.admin)}
			return r.server(ctx, server.addr, under, p, slow)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// slowShares is 0, and then the share of frozen clients where one is asked for.
func (r *Report) slowShares() []float64 {
	if r.Workload.SlowPercent > 0 {
		return []float64{0, r.Workload.SlowPercent}
	}
	return []float64{0}
}

// server measures one server phase: the process under test, listening on addr.
func (r *Report) server(ctx context.Context, addr string, under subject, p *population, slow float64) error {
	var err error
	if under.target, err = targetAt(addr); err != nil {
		return err
	}
	under.target.replies = true
	under.target.path = func(*client) string { return "/api/v1/ws" }
	if slow > 0 {
		under.name = fmt.Sprintf("server, %g %% frozen", slow)
		return r.phase(ctx, under, p, slow, nil)
	}
	under.name = "server"
	return r.phase(ctx, under, p, 0, newREST("http://"+addr))
}

// running measures a server that somebody else has started.
func (r *Report) running(ctx context.Context, s Server) error {
	parsed, err := url.Parse(s.URL)
	if err != nil || parsed.Scheme != "http" || parsed.Port() == "" {
		return fmt.Errorf("url: %q is not http://ADDRESS:PORT", s.URL)
	}
	start := time.Now()
	p, err := newREST("http://"+parsed.Host).populate(ctx, r.Workload)
	if err != nil {
		return fmt.Errorf("set-up: %w", err)
	}
	r.SetUp = SetUp{Accounts: len(p.accounts) + 1, Rooms: len(p.rooms), Seconds: time.Since(start).Seconds()}
	for _, slow := range r.slowShares() {
		if err := r.server(ctx, parsed.Host, subject{pid: s.PID, admin: s.Admin}, p, slow); err != nil {
			return err
		}
	}
	return nil
}

// withServer runs fn against a fresh server process on the data in dir.
func (r *Report) withServer(ctx context.Context, s Server, dir string, fn func(*process) error) error {
	addr, admin, err := freeAddresses()
	if err != nil {
		return err
	}
	cmd := exec.Command(s.Path)
	cmd.Dir = dir
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GOCHAT_") })
	cmd.Env = append(cmd.Env,
		"GOCHAT_LISTEN="+addr, "GOCHAT_ADMIN_LISTEN="+admin, "GOCHAT_DATA_DIR="+filepath.Join(dir, "data"),
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
	return errors.Join(fn(server), server.stop())
}

// profile takes a CPU profile of the server over the measured window, if one is asked for.
func (r *Report) profile(s Server, admin string) func(context.Context) error {
	if s.Profile == "" {
		return nil
	}
	return func(ctx context.Context) error {
		seconds := int(r.Workload.Duration.Seconds())
		profile, err := get(ctx, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", admin, seconds))
		if err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		return os.WriteFile(s.Profile, profile, 0o644)
	}
}

func freeAddresses() (addr, admin string, err error) {
	if addr, err = freeAddress(); err != nil {
		return "", "", err
	}
	admin, err = freeAddress()
	return addr, admin, err
}

// targetAt resolves host:port to what a raw socket needs.
func targetAt(hostport string) (target, error) {
	addr, err := net.ResolveTCPAddr("tcp4", hostport)
	if err != nil {
		return target{}, fmt.Errorf("target: %w", err)
	}
	return target{ip: [4]byte(addr.IP.To4()), port: addr.Port, host: hostport}, nil
}
