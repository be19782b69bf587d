package redis

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gochat-dev/gochat/internal/chat"
)

// proxy stands between one node and Redis.
type proxy struct {
	listener net.Listener
	target   string
	swallow  atomic.Value // string: the answer to what holds this is lost, and the connection with it
	wg       sync.WaitGroup

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &proxy{listener: l, target: target, conns: make(map[net.Conn]bool)}
	p.swallow.Store("")
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		must(t, l.Close())
		p.setCut(true)
		p.wg.Wait()
	})
	return p
}

func (p *proxy) url() string {
	return (&url.URL{Scheme: "redis", Host: p.listener.Addr().String()}).String()
}

func (p *proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.target)
		if err != nil || !p.keep(near, far) {
			_ = near.Close()
			continue
		}
		var lost atomic.Bool
		p.wg.Go(func() { p.pass(far, near, &lost, true) })
		p.wg.Go(func() { p.pass(near, far, &lost, false) })
	}
}

// keep notes connections, and refuses them while the node is cut off.
func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if p.cut {
			_ = c.Close()
		} else {
			p.conns[c] = true
		}
	}
	return !p.cut
}

// setCut cuts the node off, or lets it connect again.
func (p *proxy) setCut(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	if cut {
		for c := range p.conns {
			_ = c.Close()
		}
		clear(p.conns)
	}
}

// pass copies bytes. An answer that is to be lost is waited for, so that Redis has done what was asked.
func (p *proxy) pass(to, from net.Conn, lost *atomic.Bool, asking bool) {
	defer func() { _ = errors.Join(to.Close(), from.Close()) }()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if word := p.swallow.Load().(string); asking && word != "" && bytes.Contains(buffer[:n], []byte(word)) {
			lost.Store(true)
		}
		if !asking && lost.Load() {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func TestLostAnswer(t *testing.T) {
	t.Run("[SEQ4] numbers whose answer was lost are not generated again", func(t *testing.T) {
		s := shared(t)
		p := newProxy(t, s.Addr())
		a := node(t, p.url(), "a")
		must(t, firstNumber(a))
		p.swallow.Store("incrby")
		for range 3 {
			if err := firstNumber(a); !errors.Is(err, chat.ErrUnavailable) {
				t.Errorf("Number: %v, want ErrUnavailable", err)
			}
		}
		p.swallow.Store("")
		same(t, do(t, s, "GET", counterKey("lobby")), "4")
	})
}

func firstNumber(b *Backplane) error {
	_, err := b.Number(context.Background(), map[string]int{"lobby": 1})
	return err
}

// TestLostAnswerOfCluster: a Cluster's client has retries of its own, beside those that are switched off.
func TestLostAnswerOfCluster(t *testing.T) {
	c, err := cluster()
	must(t, err)
	for _, s := range c.Nodes {
		do(t, s, "FLUSHALL")
	}
	a := node(t, c.URL(), "a")
	var lose atomic.Bool
	client := a.client.(*goredis.ClusterClient)
	must(t, client.ForEachMaster(t.Context(), func(_ context.Context, master *goredis.Client) error {
		master.AddHook(loser{&lose}) // before the first connection for pipelines is made
		return nil
	}))
	must(t, firstNumber(a))
	lose.Store(true)
	if err := firstNumber(a); !errors.Is(err, chat.ErrUnavailable) {
		t.Errorf("Number: %v, want ErrUnavailable", err)
	}
	lose.Store(false)
	number(t, a, 3)
}

// loser loses the answers to INCRBY, and the connection with them.
type loser struct{ lose *atomic.Bool }

func (l loser) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook { return next }
func (l loser) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return next
}

func (l loser) DialHook(next goredis.DialHook) goredis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := next(ctx, network, addr)
		return &lossy{Conn: conn, lose: l.lose}, err
	}
}

type lossy struct {
	net.Conn

	lose *atomic.Bool
	lost atomic.Bool
}

func (l *lossy) Write(p []byte) (int, error) {
	if l.lose.Load() && bytes.Contains(p, []byte("incrby")) {
		l.lost.Store(true)
	}
	return l.Conn.Write(p)
}

func (l *lossy) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if l.lost.Load() {
		return 0, io.EOF
	}
	return n, err
}

// TestCutOff: Redis is out of reach of one node only. The others go on, and it learns what it has missed: that it has.
func TestCutOff(t *testing.T) {
	s := shared(t)
	p := newProxy(t, s.Addr())
	a, b := node(t, p.url(), "a"), node(t, s.URL(), "b")
	at := listen(t, a)
	at.expect(t, "up")
	must(t, a.Watch(t.Context(), "lobby"))
	p.setCut(true)
	at.expect(t, "down")
	unavailableSoon(t, "while cut off", a)
	well(t, b)
	p.setCut(false)
	at.expect(t, "up")
	well(t, a)
	at.skipTo(t, b, "mended")
	publish(t, b, typing("lobby", "u2"))
	at.expect(t, "lobby u2")
}
