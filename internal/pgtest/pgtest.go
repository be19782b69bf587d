// Package pgtest runs a real Postgres for tests, on a free port and in a directory of its own.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Config says what kind of server to start. The zero value is a fast one that may lose everything in a crash of
// the machine.
type Config struct {
	Dir     string            // for the data; default: a temporary one. It is removed by Stop
	Durable bool              // fsync, as in earnest: for tests of faults
	Params  map[string]string // settings of postgresql.conf
	TLS     TLS               // where it is set, nobody gets in without
}

// TLS names the PEM files of a server's certificate and key. The server gets copies.
type TLS struct{ Cert, Key string }

// Server is a Postgres server. Its methods are for one goroutine, but for URL.
type Server struct {
	bin, dir string
	port     int
	params   []string
	owner    *syscall.Credential // who it runs as; nil: as the test does
	process  *exec.Cmd           // nil while it is stopped
	log      *os.File
	tls      bool // nobody gets in over TCP without
}

// startTimeout is how long a server may take to answer: initdb and recovery write a good deal.
const startTimeout = 60 * time.Second

// Start makes a cluster and starts a server for it. The caller stops it.
func Start(cfg Config) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin}
	if s.owner, err = Owner(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp(cfg.Dir, "pgtest-"); err != nil {
		return nil, err
	}
	if err := s.prepare(cfg); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	if err := s.launch(); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	if err := s.Exec(context.Background(), "postgres", "CREATE ROLE "+tester+" LOGIN"); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// prepare makes the cluster.
func (s *Server) prepare(cfg Config) error {
	if err := s.give(s.dir); err != nil {
		return err
	}
	var err error
	if s.log, err = os.Create(filepath.Join(s.dir, "log")); err != nil {
		return err
	}
	if s.port, err = freePort(); err != nil {
		return err
	}
	s.params = settings(cfg, s.dir, s.port)
	init := s.command("initdb", "--pgdata", s.data(), "--username", superuser, "--auth", "trust",
		"--encoding", "UTF8", "--locale", "C", "--no-sync")
	if err := init.Run(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, s.Log())
	}
	return s.secure(cfg.TLS)
}

// secure gives the server its certificate, and has it refuse who connects over TCP without TLS. The tests' own
// connections go through its Unix socket.
func (s *Server) secure(files TLS) error {
	if files == (TLS{}) {
		return nil
	}
	for name, from := range map[string]string{"server.crt": files.Cert, "server.key": files.Key} {
		content, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := s.write(name, content); err != nil {
			return err
		}
	}
	s.params, s.tls = append(s.params, "-c", "ssl=on"), true
	return s.write("pg_hba.conf", []byte("local all all trust\nhostssl all all 127.0.0.1/32 trust\n"))
}

// write writes a file into the server's data.
func (s *Server) write(name string, content []byte) error {
	path := filepath.Join(s.data(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return err
	}
	return s.give(path)
}

func settings(cfg Config, dir string, port int) []string {
	all := map[string]string{
		"port": fmt.Sprint(port), "listen_addresses": "127.0.0.1", "unix_socket_directories": dir,
		"max_connections": "200", "shared_buffers": "128MB", "autovacuum_naptime": "5s", "log_min_messages": "warning",
	}
	if !cfg.Durable {
		all["fsync"], all["full_page_writes"] = "off", "off"
	}
	maps.Copy(all, cfg.Params)
	var args []string
	for name, value := range all {
		args = append(args, "-c", name+"="+value)
	}
	return args
}

// freePort is one that nobody listens on at this moment.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// give makes a file or folder the server's own.
func (s *Server) give(path string) error {
	if s.owner == nil {
		return nil
	}
	return os.Chown(path, int(s.owner.Uid), int(s.owner.Gid))
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// command runs one of Postgres' programs, as its owner and in its directory.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, s.log, s.log
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner}
	return cmd
}

// launch starts the server process and waits until it answers.
func (s *Server) launch() error {
	cmd := s.command("postgres", append([]string{"-D", s.data()}, s.params...)...)
	cmd.SysProcAttr.Setpgid = true // an interrupt at the terminal is the test's affair
	endWithParent(cmd.SysProcAttr) // and a killed test leaves nothing behind
	if err := cmd.Start(); err != nil {
		return err
	}
	s.process = cmd
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.url(superuser, "postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("postgres does not answer: %w\n%s", err, s.Log())
		}
		time.Sleep(20 * time.Millisecond) // between two looks; nothing depends on how long
	}
}

// Who connects to the server: what is under test has no more rights than it needs.
const (
	superuser = "postgres"
	tester    = "gochat"
)

// URL is where a database of the server is found, whether it runs or not.
func (s *Server) URL(database string) string { return s.url(tester, database) }

func (s *Server) url(user, database string) string {
	if s.tls && user == superuser {
		return fmt.Sprintf("host=%s port=%d user=%s dbname=%s", s.dir, s.port, user, database)
	}
	return (&url.URL{
		Scheme: "postgres", User: url.User(user), Host: s.Addr(), Path: "/" + database, RawQuery: "sslmode=disable",
	}).String()
}

// Addr is where the server listens: for a proxy before it.
func (s *Server) Addr() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

// PID is the postmaster's: the others are its children.
func (s *Server) PID() int { return s.process.Process.Pid }

// Log is what the server has written so far.
func (s *Server) Log() string {
	text, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Connect is a connection with all rights, past everything that is under test. The caller closes it.
func (s *Server) Connect(ctx context.Context, database string) (*pgx.Conn, error) {
	return pgx.Connect(ctx, s.url(superuser, database))
}

// Exec runs SQL with all rights in a database.
func (s *Server) Exec(ctx context.Context, database, sql string) error {
	conn, err := s.Connect(ctx, database)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

// Create makes a database, and returns its URL.
func (s *Server) Create(ctx context.Context, database string) (string, error) {
	return s.URL(database), s.Exec(ctx, "postgres", "CREATE DATABASE "+database+" OWNER "+tester)
}

// The ways to end a server (pg_ctl's modes, as signals to the postmaster).
const (
	Fast      = syscall.SIGINT  // sessions are ended, what they did is rolled back, all is written
	Immediate = syscall.SIGQUIT // all processes stop where they are: the next start recovers
)

// End ends the server in one of these ways and waits until it is gone.
func (s *Server) End(mode syscall.Signal) error {
	if s.process == nil {
		return nil
	}
	if err := s.process.Process.Signal(mode); err != nil {
		return err
	}
	err := s.process.Wait()
	s.process = nil
	if _, exited := errors.AsType[*exec.ExitError](err); exited { // by SIGQUIT or SIGKILL it does not exit with 0
		return nil
	}
	return err
}

// Kill ends the server without a warning (SIGKILL to every process of it), as if the machine's power had failed.
func (s *Server) Kill() error {
	if s.process == nil {
		return nil
	}
	backends := children(s.process.Process.Pid)
	err := s.End(syscall.SIGKILL)
	for _, pid := range backends {
		if e := syscall.Kill(pid, syscall.SIGKILL); e != nil && !errors.Is(e, syscall.ESRCH) {
			err = errors.Join(err, e)
		}
	}
	for _, pid := range backends { // the next server must not meet them
		for running(pid) {
			time.Sleep(time.Millisecond)
		}
	}
	return err
}

// running reports whether a process is there and no zombie (proc(5)).
func running(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, found := strings.Cut(string(text), ") ")
	return found && !strings.HasPrefix(state, "Z") && !strings.HasPrefix(state, "X")
}

// Launch starts a server again that was ended or killed.
func (s *Server) Launch() error {
	if s.process != nil {
		return errors.New("it runs")
	}
	// What a killed postmaster leaves: the next one would take another process of that id for it.
	if err := os.Remove(filepath.Join(s.data(), "postmaster.pid")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return s.launch()
}

// Restart ends the server and starts it again.
func (s *Server) Restart(mode syscall.Signal) error {
	if err := s.End(mode); err != nil {
		return err
	}
	return s.Launch()
}

// Demote starts the server again as what a failover leaves of a primary: it can be read, and not written to.
func (s *Server) Demote() error {
	if err := s.write("standby.signal", nil); err != nil { // it removes the file when it is promoted
		return err
	}
	return s.Restart(Fast)
}

// Promote makes a primary of it again.
func (s *Server) Promote(ctx context.Context) error {
	return s.Exec(ctx, "postgres", "SELECT pg_promote()")
}

// Signal sends a signal to every process of the server: SIGSTOP freezes it, SIGCONT lets it go on.
func (s *Server) Signal(sig syscall.Signal) error {
	if s.process == nil {
		return errors.New("it does not run")
	}
	pid := s.process.Process.Pid
	err := syscall.Kill(pid, sig) // the postmaster first: it starts no more of them
	for _, child := range children(pid) {
		if e := syscall.Kill(child, sig); e != nil && !errors.Is(e, syscall.ESRCH) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// children are the processes that a process has started (proc(5)).
func children(pid int) []int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil
	}
	var pids []int
	for field := range strings.FieldsSeq(string(text)) {
		var child int
		if _, err := fmt.Sscan(field, &child); err == nil {
			pids = append(pids, child)
		}
	}
	return pids
}

// Stop ends the server and removes its data.
func (s *Server) Stop() error {
	err := s.End(Immediate)
	return errors.Join(err, s.log.Close(), os.RemoveAll(s.dir))
}
