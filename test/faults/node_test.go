package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gorilla/websocket"

	"github.com/gochat-dev/gochat/internal/checker"
	"github.com/gochat-dev/gochat/internal/session"
)

// node is the built server, with its own wires to Postgres and Redis, on the same address at every start.
type node struct {
	name           string
	address, admin string
	env            []string
	log            string // file
	postgres       *proxy
	redis          *proxy

	mu   sync.Mutex
	cmd  *exec.Cmd     // nil while it is down
	done chan struct{} // closed when cmd has ended
}

const startTimeout = 30 * time.Second

// taken are the ports that freeAddress has given away.
var taken sync.Map

// freeAddress is one that nobody listens on, and that is given to nobody else: below the ports from which the system
// takes those of outgoing connections.
func freeAddress() (string, error) {
	for range 1000 {
		port := 20000 + rand.IntN(12000)
		if _, before := taken.LoadOrStore(port, true); before {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return l.Addr().String(), l.Close()
		}
	}
	return "", errors.New("no port is free")
}

func newNode(name, dir, postgresURL, redisURL string) (*node, error) {
	n := &node{name: name, log: filepath.Join(dir, name+".log")}
	var err error
	if n.address, err = freeAddress(); err != nil {
		return nil, err
	}
	if n.admin, err = freeAddress(); err != nil {
		return nil, err
	}
	wire := func(target string) (*proxy, string, error) {
		u, err := url.Parse(target)
		if err != nil {
			return nil, "", err
		}
		p, err := newProxy(u.Host)
		if err != nil {
			return nil, "", err
		}
		through, err := p.before(target)
		return p, through, err
	}
	var throughPostgres, throughRedis string
	if n.postgres, throughPostgres, err = wire(postgresURL); err != nil {
		return nil, err
	}
	if n.redis, throughRedis, err = wire(redisURL); err != nil {
		return nil, err
	}
	n.env = []string{
		"GOCHAT_LISTEN=" + n.address, "GOCHAT_ADMIN_LISTEN=" + n.admin, "GOCHAT_POSTGRES_URL=" + throughPostgres,
		"GOCHAT_REDIS_URL=" + throughRedis, "GOCHAT_SEND_RATE=0", "GOCHAT_AUTH_RATE=0", "GOCHAT_LOG_FORMAT=json", "GOCHAT_DRAIN=3s",
	}
	return n, nil
}

// environment is that of the test without settings of a chat, and with these.
func environment(settings ...string) []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GOCHAT_") {
			env = append(env, v)
		}
	}
	return append(env, settings...)
}

// start starts the node and waits until it is ready.
func (n *node) start() error {
	log, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cmd := exec.Command(binary)
	cmd.Env, cmd.Stdout, cmd.Stderr = environment(n.env...), log, log
	cmd.SysProcAttr = attributes()
	if err := errors.Join(cmd.Start(), log.Close()); err != nil {
		return err
	}
	done := make(chan struct{})
	n.mu.Lock()
	n.cmd, n.done = cmd, done
	n.mu.Unlock()
	go func() {
		_ = cmd.Wait() // how it ends is the test's doing; leave looks at it
		close(done)
	}()
	deadline := time.Now().Add(startTimeout)
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !n.ready() {
		select {
		case <-done:
			return fmt.Errorf("%s ended: %s", n.name, n.tail())
		case <-ticker.C:
			if time.Now().After(deadline) {
				return fmt.Errorf("%s is not ready within %v: %s", n.name, startTimeout, n.tail())
			}
		}
	}
	return nil
}

// tail is the end of what the node has logged.
func (n *node) tail() string {
	text, err := os.ReadFile(n.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-3000):])
}

func (n *node) process() (*exec.Cmd, chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cmd, n.done
}

func (n *node) running() bool {
	cmd, _ := n.process()
	return cmd != nil
}

// signal sends the node a signal, if it runs.
func (n *node) signal(s syscall.Signal) {
	if cmd, _ := n.process(); cmd != nil {
		_ = cmd.Process.Signal(s) // it may be gone already
	}
}

// kill ends the node without a word, and waits until it is gone.
func (n *node) kill() {
	cmd, done := n.process()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Kill() // it may be gone already
	<-done
	n.mu.Lock()
	n.cmd = nil
	n.mu.Unlock()
}

// leave asks the node to go, and waits until it has: with exit 0.
func (n *node) leave() error {
	cmd, done := n.process()
	if cmd == nil {
		return nil
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	<-done
	n.mu.Lock()
	n.cmd = nil
	n.mu.Unlock()
	if !cmd.ProcessState.Success() {
		return fmt.Errorf("%s ended with %v, want exit 0: %s", n.name, cmd.ProcessState, n.tail())
	}
	return nil
}

// impatient is a client of HTTP for probes.
var impatient = &http.Client{Timeout: 3 * time.Second}

// ready reports what /readyz says.
func (n *node) ready() bool {
	res, err := impatient.Get("http://" + n.address + "/readyz")
	if err != nil {
		return false
	}
	_ = res.Body.Close() // nothing of it is read
	return res.StatusCode == http.StatusOK
}

// call makes a request and decodes the answer. The status is 0 where there was none.
func (n *node) call(token, method, path string, in, out any) (status int, err error) {
	return checker.Address(n.address).Call(token, method, path, in, out)
}

// dial opens a connection.
func (n *node) dial(ctx context.Context, token, epoch string, resume []session.Resume) (checker.Conn, error) {
	return n.dialBy(ctx, websocket.Dialer{}, token, epoch, resume)
}

func (n *node) dialBy(ctx context.Context, d websocket.Dialer, token, epoch string, resume []session.Resume) (checker.Conn, error) {
	return checker.Address(n.address).Dial(ctx, d, token, epoch, resume)
}

// narrow is a way to a node on which hardly anything can be under way: who does not read holds the node up soon.
func narrow(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if tcp, ok := conn.(*net.TCPConn); ok {
		err = errors.Join(err, tcp.SetReadBuffer(4<<10))
	}
	return conn, err
}

// metric is the value of a series; 0 where there is none yet.
func (n *node) metric(series string) (int, error) {
	res, err := impatient.Get("http://" + n.admin + "/metrics")
	if err != nil {
		return 0, err
	}
	text, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), series+" "); found {
			return strconv.Atoi(value)
		}
	}
	return 0, nil
}

// close ends the node and its wires.
func (n *node) close() error {
	n.kill()
	return errors.Join(n.postgres.close(), n.redis.close())
}
