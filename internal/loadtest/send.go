//go:build linux

package loadtest

import (
	"strconv"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"
)

// A body starts with a stamp: a letter, and as hexadecimal digits the sender's node (2) and the time of sending in
// nanoseconds of the generator's own clock (14). Latency is thus one clock's difference, whatever the server does with
// the entry, and whoever receives it knows whether it comes from another node.
const (
	stampTimed  = 'T' // latency counts
	stampSilent = 'S' // written while nobody was connected: counted, not timed
	stampLength = 17
	stampNode   = 56 // the node stands above so many bits of time
)

// stamp is where and when a message was sent.
type stamp struct {
	node int
	at   time.Duration
}

const filler = " The quick brown fox jumps over the lazy dog and goes on to say what everybody in the room was waiting for."

// appendBody appends a body of size bytes (at least a stamp) that was sent there and then.
func appendBody(dst []byte, kind byte, sent stamp, size int) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, kind)
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, digits[(uint64(sent.node)<<stampNode|uint64(sent.at))>>shift&0xF])
	}
	for rest := size - stampLength; rest > 0; rest -= len(filler) {
		dst = append(dst, filler[:min(rest, len(filler))]...)
	}
	return dst
}

// readStamp tells whether a body is the workload's, and where and when it was sent; a silent one was sent before all time.
func readStamp(body []byte) (stamp, bool) {
	if len(body) < stampLength || body[0] != stampTimed && body[0] != stampSilent {
		return stamp{}, false
	}
	n, err := strconv.ParseUint(string(body[1:stampLength]), 16, 63)
	if err != nil {
		return stamp{}, false
	}
	if body[0] == stampSilent {
		return stamp{at: -1}, true
	}
	return stamp{int(n >> stampNode), time.Duration(n & (1<<stampNode - 1))}, true
}

// send has one client send one message now.
func (f *fleet) send(c *client) {
	c.nextID++
	f.tally.Sent++
	b := f.scratch[:0]
	b = append(b, `{"type":"send","id":`...)
	b = strconv.AppendInt(b, c.nextID, 10)
	b = append(b, `,"room_id":"`...)
	b = append(b, c.room.id...)
	b = append(b, `","client_id":"`...)
	b = append(b, uuid.NewString()...)
	b = append(b, `","body":"`...)
	b = appendBody(b, stampTimed, stamp{c.node, f.now()}, f.bodySize)
	b = append(b, `"}`...)
	f.scratch = b
	command := appendFrame(make([]byte, 0, len(b)+8), opText, f.random.Uint32(), b)
	if f.target.replies {
		c.pending = append(c.pending, pendingSend{c.nextID, command})
		f.tally.Unanswered++
	} else {
		f.commit(c.room, 1)
	}
	if c.state == live {
		f.write(c, command)
	}
}

// sendDue sends what the schedule asks for by now: an open loop, which a slow server cannot slow down.
// Gaps are exponential, senders take turns in a shuffled order: everybody writes equally often.
func (f *fleet) sendDue(now time.Duration) {
	for f.rate > 0 && now >= f.nextSend {
		f.sendLag = max(f.sendLag, now-f.nextSend)
		if len(f.turn) == 0 {
			f.turn = f.shuffledSenders()
		}
		c := f.turn[len(f.turn)-1]
		f.turn = f.turn[:len(f.turn)-1]
		f.send(c)
		f.nextSend += time.Duration(f.random.ExpFloat64() / f.rate * float64(time.Second))
	}
}

func (f *fleet) shuffledSenders() []*client {
	senders := make([]*client, 0, len(f.clients))
	for _, c := range f.clients {
		if !c.slow && c.state != dead {
			senders = append(senders, c)
		}
	}
	f.random.Shuffle(len(senders), func(i, j int) { senders[i], senders[j] = senders[j], senders[i] })
	return senders
}

// write hands bytes to the socket, in order; what it does not take waits for EPOLLOUT.
func (f *fleet) write(c *client, b []byte) {
	if len(c.out) > 0 {
		c.out = append(c.out, b...)
		return
	}
	n, err := unix.Write(c.fd, b)
	if err != nil && err != unix.EAGAIN && err != unix.EINTR {
		return // the same error ends the next read, and there the socket is closed
	}
	if n = max(n, 0); n < len(b) {
		c.out = append(c.out, b[n:]...)
		_ = f.poll(c, unix.EPOLL_CTL_MOD, unix.EPOLLIN|unix.EPOLLOUT) // a failure ends the run
	}
}

// writable goes on with what the socket did not take before.
func (f *fleet) writable(c *client) {
	n, err := unix.Write(c.fd, c.out)
	if err != nil && err != unix.EAGAIN && err != unix.EINTR {
		f.disconnected(c, err.Error())
		return
	}
	if c.out = c.out[max(n, 0):]; len(c.out) == 0 {
		c.out = nil
		_ = f.poll(c, unix.EPOLL_CTL_MOD, unix.EPOLLIN) // as above
	}
}

// silentBody is the body of a message that is sent over REST while nobody is connected.
func silentBody(size int) string {
	return string(appendBody(nil, stampSilent, stamp{}, size))
}
