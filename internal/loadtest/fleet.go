//go:build linux

// Package loadtest drives a chat server with thousands of real connections and measures it against a bare floor.
package loadtest

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// target is where the clients connect to: those of each room are spread over the nodes.
type target struct {
	nodes   []address
	path    func(c *client) string
	replies bool // speaks gochat.v1; the floor does not
}

// address is what a raw socket needs of one node.
type address struct {
	ip   [4]byte
	port int
	host string
}

// tally is what the loop counts. A delivery is one entry of the workload received by one client.
type tally struct {
	Live, Dialing                              int
	Sent, Committed, Refused, Unanswered       int64
	Expected, Received, Duplicated, OutOfOrder int64
	Gaps, Foreign, Resets, StrayAnswers        int64
	Bytes, Frames, Signals                     int64
}

// fleet is every client of a run. One goroutine, the loop, owns all of it: it waits on one epoll for every
// socket, so that 5,000 clients cost one thread and no stacks, and the server gets the rest of the machine.
// Other goroutines reach it by do and until only.
type fleet struct {
	target  target
	clients []*client
	rooms   []*room

	epoll, wake int // descriptors; written to wake: there is something to do
	base        time.Time
	random      *rand.Rand
	buf         []byte
	scratch     []byte
	pong        []byte

	mu      sync.Mutex
	posted  []func()
	stopped chan struct{} // closed when the loop has ended
	err     error         // why it ended; read after stopped is closed

	// Owned by the loop.
	tally       tally
	disconnects map[string]int
	retries     map[string]int
	refusals    map[string]int
	latencies   latencies
	across      latencies // those of them that were sent on one node and received on another
	epoch       string
	dials       appointments
	dialLimit   int
	waiters     []waiter
	closing     bool
	failure     error

	rate        float64 // messages per second; 0: silence
	closedLoop  bool
	bodySize    int
	nextSend    time.Duration
	sendLag     time.Duration // how far the schedule was behind, at worst
	turn        []*client
	windowStart time.Duration // latencies of messages sent in the window are recorded
	windowEnd   time.Duration
}

// waiter is told when its condition holds; the condition runs on the loop after each round.
type waiter struct {
	holds func() bool
	done  chan struct{}
}

// newFleet makes the clients of a run ready to connect and starts the loop; Close ends it.
func newFleet(t target, clients []*client, rooms []*room, w Workload) (*fleet, error) {
	f := &fleet{
		target: t, clients: clients, rooms: rooms,
		base:        time.Now(),
		random:      rand.New(rand.NewPCG(w.Seed, 0)),
		buf:         make([]byte, 64<<10),
		stopped:     make(chan struct{}),
		disconnects: map[string]int{}, retries: map[string]int{}, refusals: map[string]int{},
		bodySize:    w.Body,
		windowStart: math.MaxInt64, windowEnd: math.MaxInt64,
	}
	for _, c := range clients {
		// One on each node in turn; the rooms begin at different ones.
		c.node = (c.index%w.RoomSize + c.index/w.RoomSize) % len(t.nodes)
	}
	f.pong = appendFrame(nil, opText, f.random.Uint32(), []byte(`{"type":"pong"}`))
	var err error
	if f.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	if f.wake, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		return nil, errors.Join(fmt.Errorf("eventfd: %w", err), unix.Close(f.epoll))
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: -1}
	if err := unix.EpollCtl(f.epoll, unix.EPOLL_CTL_ADD, f.wake, &event); err != nil {
		return nil, errors.Join(fmt.Errorf("epoll: %w", err), unix.Close(f.epoll), unix.Close(f.wake))
	}
	go f.loop()
	return f, nil
}

// now is the one clock of a run, in nanoseconds since its start.
func (f *fleet) now() time.Duration { return time.Since(f.base) }

func (f *fleet) loop() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	events := make([]unix.EpollEvent, 512)
	for !f.closing && f.failure == nil {
		n, err := unix.EpollWait(f.epoll, events, f.timeout())
		if err != nil && err != unix.EINTR {
			f.fail(fmt.Errorf("epoll: %w", err))
		}
		for _, event := range events[:max(n, 0)] {
			f.event(event)
		}
		now := f.now()
		f.sendDue(now)
		f.dialDue(now)
		f.tellWaiters()
	}
	for _, c := range f.clients {
		f.hangUp(c)
	}
	// Under the lock, so that nobody writes to a descriptor that is closed.
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = errors.Join(f.failure, unix.Close(f.epoll), unix.Close(f.wake))
	close(f.stopped)
}

// event handles one readiness; Fd holds the client's index, Pad the generation of its socket.
func (f *fleet) event(event unix.EpollEvent) {
	if event.Fd < 0 {
		f.runPosted()
		return
	}
	c := f.clients[event.Fd]
	if c.generation != event.Pad {
		return
	}
	switch {
	case c.state == connecting:
		f.connected(c)
	case c.slow && c.state == live:
		f.disconnected(c, "1006")
	case event.Events&unix.EPOLLOUT != 0 && len(c.out) > 0:
		f.writable(c)
	default:
		f.readable(c)
	}
}

// poll registers what to wait for on a client's socket. A failure ends the run; whoever can do something else about it
// is told too.
func (f *fleet) poll(c *client, operation int, events uint32) error {
	event := unix.EpollEvent{Events: events, Fd: int32(c.index), Pad: c.generation}
	if err := unix.EpollCtl(f.epoll, operation, c.fd, &event); err != nil {
		f.fail(fmt.Errorf("epoll: %w", err))
		return err
	}
	return nil
}

// timeout is how long the poll may wait, in milliseconds: to the next send or dial.
func (f *fleet) timeout() int {
	next := time.Duration(math.MaxInt64)
	if f.rate > 0 {
		next = f.nextSend
	}
	if len(f.dials) > 0 && (f.dialLimit == 0 || f.tally.Dialing < f.dialLimit) {
		next = min(next, f.dials[0].at)
	}
	if next == math.MaxInt64 {
		return -1
	}
	wait := (next - f.now() + time.Millisecond - 1) / time.Millisecond
	return int(min(max(wait, 0), 1000))
}

// fail ends the loop for a reason that no retry mends.
func (f *fleet) fail(err error) {
	if f.failure == nil {
		f.failure = err
	}
}

// do runs fn on the loop and returns when it has.
func (f *fleet) do(fn func()) error {
	done := make(chan struct{})
	if err := f.post(func() { fn(); close(done) }); err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-f.stopped:
		return f.ended()
	}
}

// until returns when holds, a quick check that runs on the loop, is true.
func (f *fleet) until(ctx context.Context, holds func() bool) error {
	w := waiter{holds, make(chan struct{})}
	if err := f.post(func() { f.waiters = append(f.waiters, w) }); err != nil {
		return err
	}
	select {
	case <-w.done:
		return nil
	case <-f.stopped:
		return f.ended()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (f *fleet) ended() error {
	if f.err != nil {
		return f.err
	}
	return errors.New("the clients have been closed")
}

func (f *fleet) post(fn func()) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.stopped:
		return f.ended()
	default:
	}
	f.posted = append(f.posted, fn)
	_, err := unix.Write(f.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	if err != nil && err != unix.EAGAIN {
		return fmt.Errorf("wake: %w", err)
	}
	return nil
}

func (f *fleet) runPosted() {
	var counter [8]byte
	if _, err := unix.Read(f.wake, counter[:]); err != nil && err != unix.EAGAIN {
		f.fail(fmt.Errorf("wake: %w", err))
	}
	f.mu.Lock()
	posted := f.posted
	f.posted = nil
	f.mu.Unlock()
	for _, fn := range posted {
		fn()
	}
}

func (f *fleet) tellWaiters() {
	kept := f.waiters[:0]
	for _, w := range f.waiters {
		if w.holds() {
			close(w.done)
			continue
		}
		kept = append(kept, w)
	}
	f.waiters = kept
}

// dialAll has every client that has no socket dial, spread evenly at random over the given time.
func (f *fleet) dialAll(spread time.Duration, limit int) error {
	return f.do(func() {
		f.dialLimit = limit
		for _, c := range f.clients {
			if c.state != idle {
				continue
			}
			at := f.now()
			if spread > 0 {
				at += time.Duration(f.random.Int64N(int64(spread)))
			}
			heap.Push(&f.dials, appointment{at, c})
		}
	})
}

// Close hangs up every client, ends the loop and returns why it ended, if it was not by Close.
func (f *fleet) Close() error {
	err := f.post(func() { f.closing = true })
	<-f.stopped
	if err != nil {
		return err
	}
	return f.err
}
