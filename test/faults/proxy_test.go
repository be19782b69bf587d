package faults

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/url"
	"slices"
	"sync"
)

// proxy stands between one node and Postgres or Redis. It can cut the wire, or let nothing through, and it has a trap
// for a moment that only the wire shows.
type proxy struct {
	listener net.Listener
	target   string
	wg       sync.WaitGroup

	mu     sync.Mutex
	cut    bool
	open   chan struct{}  // closed while bytes pass
	trap   *trap          // nil: none
	mangle func() mangler // of what a connection's server says; nil: nothing is changed
	conns  map[net.Conn]bool
}

// trap springs once: when the node has sent what holds the mark, or, where until is set, when the server has
// answered that. Then the connection ends, unless keep is set; what was last sent goes no further.
type trap struct {
	mark   string
	until  string // in the server's answer
	keep   bool
	spring func()
	sprung chan struct{} // closed when spring has returned
}

// What Postgres says when a statement is done: outside a transaction, and inside one (ReadyForQuery).
const (
	idle     = "Z\x00\x00\x00\x05I"
	inside   = "Z\x00\x00\x00\x05T"
	atOnce   = ""
	longMark = 128 // a mark is shorter
)

// mangler takes a piece of a stream and returns what becomes of it.
type mangler func(piece []byte) []byte

func newProxy(target string) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, target: target, open: make(chan struct{}), conns: make(map[net.Conn]bool)}
	close(p.open)
	p.wg.Go(p.accept)
	return p, nil
}

func (p *proxy) close() error {
	p.setCut(true)
	p.setStalled(false)
	err := p.listener.Close()
	p.wg.Wait()
	return err
}

// before returns a URL that leads through the proxy.
func (p *proxy) before(target string) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", err
	}
	u.Host = p.listener.Addr().String()
	return u.String(), nil
}

// setCut ends all connections and refuses new ones, or no longer.
func (p *proxy) setCut(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	if cut {
		for c := range p.conns {
			_ = c.Close() // its goroutines see it
		}
		clear(p.conns)
	}
}

// setStalled lets connections stand and nothing through, as a network that drops packets does; or no longer.
func (p *proxy) setStalled(stalled bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
		if stalled {
			p.open = make(chan struct{})
		}
	default:
		if !stalled {
			close(p.open)
		}
	}
}

// wait returns when bytes pass.
func (p *proxy) wait() {
	p.mu.Lock()
	open := p.open
	p.mu.Unlock()
	<-open
}

// set sets a trap and returns it.
func (p *proxy) set(t trap) *trap {
	t.sprung = make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trap = &t
	return &t
}

// disarm takes the trap away.
func (p *proxy) disarm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trap = nil
}

// caught takes the trap whose mark was seen.
func (p *proxy) caught(sent []byte) *trap {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.trap
	if t == nil || !bytes.Contains(sent, []byte(t.mark)) {
		return nil
	}
	p.trap = nil
	return t
}

func (t *trap) fire() {
	t.spring()
	close(t.sprung)
}

func (p *proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.serve(near) })
	}
}

func (p *proxy) serve(near net.Conn) {
	defer func() { _ = near.Close() }() // either way it is over
	p.wait()
	far, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer func() { _ = far.Close() }() // likewise
	l := &link{proxy: p, near: near, far: far}
	if !p.keep(l) {
		return
	}
	var both sync.WaitGroup
	both.Go(l.ask)
	both.Go(l.answer)
	both.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, near)
	delete(p.conns, far)
}

// keep notes a link, unless the wire is cut.
func (p *proxy) keep(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut {
		return false
	}
	p.conns[l.near], p.conns[l.far] = true, true
	if p.mangle != nil {
		l.mangle = p.mangle()
	}
	return true
}

// setMangle changes what servers say, on connections made from now on.
func (p *proxy) setMangle(mangle func() mangler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mangle = mangle
}

// link is one connection through a proxy.
type link struct {
	proxy     *proxy
	near, far net.Conn
	mangle    mangler

	mu    sync.Mutex
	armed *trap // waits for the server's answer
}

func (l *link) arm(t *trap) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed = t
}

func (l *link) waiting() *trap {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.armed
}

// ask passes on what the node sends.
func (l *link) ask() {
	defer func() { _ = errors.Join(l.near.Close(), l.far.Close()) }() // the other direction sees it
	var tail []byte
	buf := make([]byte, 64<<10)
	for {
		n, err := l.near.Read(buf)
		if err != nil {
			return
		}
		l.proxy.wait()
		sent := slices.Concat(tail, buf[:n])
		if t := l.proxy.caught(sent); t != nil && t.until != atOnce {
			l.arm(t) // before the server has it, and so before its answer
		} else if t != nil {
			t.fire()
			if !t.keep {
				return
			}
		}
		tail = sent[max(0, len(sent)-longMark):]
		if _, err := l.far.Write(buf[:n]); err != nil {
			return
		}
	}
}

// answer passes on what the server sends.
func (l *link) answer() {
	defer func() { _ = errors.Join(l.near.Close(), l.far.Close()) }() // the other direction sees it
	var tail []byte
	buf := make([]byte, 64<<10)
	for {
		n, err := l.far.Read(buf)
		if err != nil {
			return
		}
		l.proxy.wait()
		piece := buf[:n]
		if t := l.waiting(); t != nil {
			got := slices.Concat(tail, piece)
			if bytes.Contains(got, []byte(t.until)) {
				l.arm(nil)
				t.fire()
				if !t.keep {
					return
				}
			} else {
				tail = got[max(0, len(got)-longMark):]
				if !t.keep {
					continue
				}
			}
		}
		if l.mangle != nil {
			piece = l.mangle(piece)
		}
		if _, err := io.Copy(l.near, bytes.NewReader(piece)); err != nil {
			return
		}
	}
}
