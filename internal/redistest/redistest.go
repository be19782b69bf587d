// Package redistest runs a real Redis for tests, on a free port, that keeps nothing.
package redistest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
)

// Config says what kind of server to start. The zero value is a single one that lets everybody in.
type Config struct {
	Password string
	Args     []string // settings, as on redis-server's command line
	Sentinel string   // not a server, but a Sentinel with these settings, as in its file
	TLS      TLS      // where it is set, nobody gets in without
}

// TLS names the PEM files of a server's certificate and key, and of the authority that vouches for it.
type TLS struct{ Cert, Key, CA string }

// Server is a Redis server. Its methods are for one goroutine, but for URL and Addr.
type Server struct {
	dir     string
	port    int
	cfg     Config
	program string
	process *exec.Cmd // nil while it is stopped
	log     *os.File
	roots   *x509.CertPool // whom the tests' own connections trust
}

// startTimeout is how long a server may take to answer.
const startTimeout = 20 * time.Second

// Start starts a server. The caller stops it.
func Start(cfg Config) (*Server, error) {
	program, err := find()
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, program: program}
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "redistest-"); err != nil {
		return nil, err
	}
	if s.log, err = os.Create(filepath.Join(s.dir, "log")); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	if cfg.TLS != (TLS{}) {
		ca, err := os.ReadFile(cfg.TLS.CA)
		if err != nil {
			return nil, errors.Join(err, s.Stop())
		}
		s.roots = x509.NewCertPool()
		s.roots.AppendCertsFromPEM(ca)
	}
	if err := s.Launch(); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// find is the path of the server: the one named, Redis, or Valkey.
func find() (string, error) {
	names := []string{"redis-server", "valkey-server"}
	if named := os.Getenv("REDIS_SERVER"); named != "" {
		names = []string{named}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New(`these tests need a real Redis (6.2 or newer; 7 for the Cluster): run "apt-get install redis-server", ` +
		`or name redis-server or valkey-server in REDIS_SERVER`)
}

// freePort is one that nobody listens on at this moment.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// Launch starts a server that was killed, on the same port and empty, and waits until it answers.
func (s *Server) Launch() error {
	if s.process != nil {
		return errors.New("it runs")
	}
	args := []string{"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", s.dir}
	if files := s.cfg.TLS; files != (TLS{}) {
		args[1] = "0"
		args = append(args, "--tls-port", strconv.Itoa(s.port), "--tls-cert-file", files.Cert, "--tls-key-file", files.Key,
			"--tls-ca-cert-file", files.CA, "--tls-auth-clients", "no")
	}
	if s.cfg.Sentinel == "" {
		args = append(args, "--save", "", "--appendonly", "no")
	} else {
		file := filepath.Join(s.dir, "sentinel.conf")
		if err := os.WriteFile(file, []byte(s.cfg.Sentinel), 0o600); err != nil {
			return err
		}
		args = append([]string{file, "--sentinel"}, args...)
	}
	if s.cfg.Password != "" {
		args = append(args, "--requirepass", s.cfg.Password)
	}
	cmd := exec.Command(s.program, append(args, s.cfg.Args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, s.log, s.log
	cmd.SysProcAttr = attributes()
	if err := cmd.Start(); err != nil {
		return err
	}
	s.process = cmd
	redis.SetLogger(&logging.VoidLogger{}) // that nobody listens yet is no news
	client := s.client()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		err := client.Ping(ctx).Err()
		if err == nil {
			return client.Close()
		}
		if ctx.Err() != nil {
			return errors.Join(fmt.Errorf("redis does not answer: %w\n%s", err, s.Log()), client.Close())
		}
		time.Sleep(5 * time.Millisecond) // between two looks; nothing depends on how long
	}
}

// client is a connection of the tests' own, past everything that is under test.
func (s *Server) client() *redis.Client {
	o := &redis.Options{
		Addr: s.Addr(), Password: s.cfg.Password, Protocol: 2, DialerRetries: 1, PoolSize: 1000, DisableIdentity: true,
	}
	if s.cfg.TLS != (TLS{}) {
		o.TLSConfig = &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12}
	}
	return redis.NewClient(o)
}

// URL is where the server is found, whether it runs or not.
func (s *Server) URL() string {
	u := url.URL{Scheme: "redis", Host: s.Addr(), Path: "/0"}
	if s.cfg.TLS != (TLS{}) {
		u.Scheme = "rediss"
	}
	if s.cfg.Password != "" {
		u.User = url.UserPassword("", s.cfg.Password)
	}
	return u.String()
}

// Addr is where the server listens: for a proxy before it.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// PID is that of the process, while it runs.
func (s *Server) PID() int { return s.process.Process.Pid }

// Log is what the server has written so far.
func (s *Server) Log() string {
	text, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Do runs a command, such as FLUSHALL or CLIENT PAUSE, and returns what the server answers.
func (s *Server) Do(ctx context.Context, args ...any) (any, error) {
	client := s.client()
	answer, err := client.Do(ctx, args...).Result()
	return answer, errors.Join(err, client.Close())
}

// Kill ends the server without a warning (SIGKILL). All that it held is lost.
func (s *Server) Kill() error {
	if s.process == nil {
		return nil
	}
	if err := s.process.Process.Kill(); err != nil {
		return err
	}
	err := s.process.Wait()
	s.process = nil
	if _, ended := errors.AsType[*exec.ExitError](err); ended { // by a signal
		return nil
	}
	return err
}

// Pause freezes the server (SIGSTOP): it takes connections and bytes, and answers nothing. Resume ends it.
func (s *Server) Pause() error { return s.signal(syscall.SIGSTOP) }

// Resume lets a frozen server go on.
func (s *Server) Resume() error { return s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) error {
	if s.process == nil {
		return errors.New("it does not run")
	}
	return s.process.Process.Signal(sig)
}

// Stop ends the server and removes its folder.
func (s *Server) Stop() error {
	return errors.Join(s.Kill(), s.log.Close(), os.RemoveAll(s.dir))
}
