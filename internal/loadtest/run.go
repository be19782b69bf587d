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
	"runtime"
	"strconv"
	"time"
)

// Server says which server to measure: one started here, or one that is running.
type Server struct {
	Path    string         `name:"server" default:"bin/server" help:"Server to start, in a temporary directory, on free ports." type:"path"`
	Nodes   []int          `help:"Start so many of that server over one Postgres and one Redis (--env=GOCHAT_POSTGRES_URL=…, --env=GOCHAT_REDIS_URL=…); of 1,2,3 each is measured, one after the other."`
	Apart   map[string]int `help:"Processes whose CPU, with that of their children, is told apart: postgres=PID;redis=PID."`
	Env     []string       `help:"More settings for that server, NAME=VALUE." sep:"none"`
	Profile string         `name:"cpu-profile" help:"Write a CPU profile of that server, taken over the measured window (it costs a few percent); of the second node to FILE.2." type:"path"`
	URL     string         `name:"url" help:"Measure this running server instead, http://ADDRESS:PORT."`
	PID     int            `name:"pid" help:"Its process, for CPU and memory."`
	Admin   string         `help:"Its admin address, for allocations."`
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
	if err := s.complete(); err != nil {
		return nil, err
	}
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
	err = r.phase(ctx, subject{name: name, servers: []served{child.served()}, target: to}, p, 0, nil)
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
	err = r.withServers(ctx, s, dir, 1, func(servers []*process) error {
		start := time.Now()
		var err error
		p, err = newREST("http://"+servers[0].addr).populate(ctx, r.Workload)
		if err != nil {
			return fmt.Errorf("set-up: %w", err)
		}
		r.SetUp = SetUp{Accounts: len(p.accounts) + 1, Rooms: len(p.rooms), Seconds: time.Since(start).Seconds()}
		return nil
	})
	if err != nil {
		return err
	}
	for _, count := range s.counts() {
		for _, slow := range r.slowShares() {
			err := r.withServers(ctx, s, dir, count, func(servers []*process) error {
				under := subject{name: s.phaseName(count), apart: s.Apart, beside: r.profile(s, servers)}
				var addrs []string
				for _, server := range servers {
					under.servers = append(under.servers, server.served())
					addrs = append(addrs, server.addr)
				}
				return r.server(ctx, addrs, under, p, slow)
			})
			if err != nil {
				return err
			}
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

// server measures one server phase: the processes under test, listening on addrs.
func (r *Report) server(ctx context.Context, addrs []string, under subject, p *population, slow float64) error {
	var err error
	if under.target, err = targetAt(addrs...); err != nil {
		return err
	}
	under.target.replies = true
	under.target.path = func(*client) string { return "/api/v1/ws" }
	if slow > 0 {
		under.name += fmt.Sprintf(", %g %% frozen", slow)
		return r.phase(ctx, under, p, slow, nil)
	}
	return r.phase(ctx, under, p, 0, newREST("http://"+addrs[0]))
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
		under := subject{name: s.phaseName(1), servers: []served{{s.PID, s.Admin}}, apart: s.Apart}
		if err := r.server(ctx, []string{parsed.Host}, under, p, slow); err != nil {
			return err
		}
	}
	return nil
}

func freeAddresses() (addr, admin string, err error) {
	if addr, err = freeAddress(); err != nil {
		return "", "", err
	}
	admin, err = freeAddress()
	return addr, admin, err
}

// targetAt resolves the host:port of each node to what a raw socket needs.
func targetAt(hostports ...string) (target, error) {
	var t target
	for _, hostport := range hostports {
		addr, err := net.ResolveTCPAddr("tcp4", hostport)
		if err != nil {
			return target{}, fmt.Errorf("target: %w", err)
		}
		t.nodes = append(t.nodes, address{ip: [4]byte(addr.IP.To4()), port: addr.Port, host: hostport})
	}
	return t, nil
}
