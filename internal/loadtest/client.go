//go:build linux

package loadtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// state is where a client is between two sockets.
type state int

const (
	idle       state = iota // no socket
	connecting              // TCP handshake under way
	upgrading               // HTTP upgrade asked for
	greeting                // upgraded; waiting for welcome, or for the end of the replay
	live                    // in its room
	dead                    // refused for good
)

// account is one user of the server under test.
type account struct{ id, token string }

// room is what the generator knows of one room.
type room struct {
	id        string
	readers   int // clients that read, so: deliveries that one entry makes
	committed int // entries that every reader must receive
}

// pendingSend is a command without an answer yet; it is sent again, unchanged, after a reconnect.
type pendingSend struct {
	id      int64
	command []byte
}

// client is one connection and what its user would remember across reconnects. Owned by the loop.
type client struct {
	index   int
	account account
	room    *room
	node    int  // where it connects to
	slow    bool // freezes once it is live: never reads again

	state      state
	fd         int
	generation int32  // tells an event of this socket from one of its predecessor
	in         []byte // a frame that has not arrived whole
	fragments  []byte // a message that has not arrived whole
	out        []byte // what the socket would not take yet
	attempts   int    // dials since it was last live

	chain    chain
	lastID   []byte // message id at chain.last, empty while unknown
	resumes  bool   // has been live before, so it names its position
	received int    // entries of the workload, each counted once
	nextID   int64
	pending  []pendingSend
	liveAt   time.Duration // when it was last live
}

// readable takes what the socket holds; one read per event, because the poll is level-triggered.
func (f *fleet) readable(c *client) {
	n, err := unix.Read(c.fd, f.buf)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return
	case err != nil:
		f.disconnected(c, err.Error())
		return
	case n == 0:
		f.disconnected(c, "1006")
		return
	}
	f.tally.Bytes += int64(n)
	data := f.buf[:n]
	if len(c.in) > 0 {
		c.in = append(c.in, data...)
		data = c.in
	}
	if c.state == upgrading {
		used, ok := f.upgraded(c, data)
		if !ok {
			return
		}
		data = data[used:]
	}
	generation := c.generation
	now := f.now()
	for len(data) > 0 {
		frame, used, err := parseFrame(data)
		if err != nil {
			f.disconnected(c, err.Error())
			return
		}
		if used == 0 {
			break
		}
		f.frame(c, frame, now)
		if c.generation != generation {
			return // closed by what it received
		}
		data = data[used:]
	}
	c.keep(data)
}

// keep holds back the bytes of a frame that has not arrived whole.
func (c *client) keep(rest []byte) {
	if len(rest) == 0 {
		c.in = nil
		return
	}
	c.in = append(c.in[:0], rest...)
}

func (f *fleet) frame(c *client, fr frame, now time.Duration) {
	f.tally.Frames++
	switch fr.opcode {
	case opPing:
		f.write(c, appendFrame(nil, opPong, f.random.Uint32(), fr.payload))
	case opClose:
		f.disconnected(c, strconv.Itoa(closeCode(fr.payload)))
	case opText, opContinuation:
		f.message(c, fr, now)
	case opBinary:
		f.disconnected(c, "binary frame")
	}
}

// message joins fragments and hands each object of a whole message on.
func (f *fleet) message(c *client, fr frame, now time.Duration) {
	started := c.fragments != nil
	if started != (fr.opcode == opContinuation) {
		f.disconnected(c, errContinuation.Error())
		return
	}
	text := fr.payload
	if started || !fr.fin {
		if len(c.fragments)+len(text) > maxPayload {
			f.disconnected(c, errFrameTooLarge.Error())
			return
		}
		if c.fragments = append(c.fragments, text...); c.fragments == nil {
			c.fragments = []byte{}
		}
		if !fr.fin {
			return
		}
		text, c.fragments = c.fragments, nil
	}
	generation := c.generation
	for len(text) > 0 && c.generation == generation {
		object := text
		if end := bytes.IndexByte(text, '\n'); end >= 0 {
			object, text = text[:end], text[end+1:]
		} else {
			text = nil
		}
		if len(object) > 0 {
			f.object(c, object, now)
		}
	}
}

func (f *fleet) object(c *client, object []byte, now time.Duration) {
	p, err := parsePush(object)
	if err != nil {
		f.disconnected(c, fmt.Sprintf("unreadable object: %v", err))
		return
	}
	switch p.kind {
	case "entry":
		f.entry(c, p, now)
	case "ping":
		f.write(c, f.pong)
	case "reply":
		f.answered(c, p.id, "")
	case "error":
		f.answered(c, p.id, string(p.errorCode))
	case "welcome":
		f.welcome(c, object)
	case "resumed":
		f.resumed(c, p)
	default:
		f.tally.Signals++
	}
}

// entry checks one entry against the client's chain and takes its latency.
func (f *fleet) entry(c *client, p push, now time.Duration) {
	if string(p.roomID) != c.room.id {
		f.tally.Foreign++
		return
	}
	switch c.chain.accept(p.seq, p.prev) {
	case duplicate:
		f.tally.Duplicated++
		return
	case late, fork:
		f.tally.OutOfOrder++
	case gap:
		f.tally.Gaps++
	}
	if p.seq == c.chain.last {
		c.lastID = append(c.lastID[:0], p.messageID...)
	}
	sent, ours := readStamp(p.body)
	if !ours {
		return
	}
	c.received++
	f.tally.Received++
	if sent.at >= f.windowStart && sent.at < f.windowEnd {
		f.latencies.record(now - sent.at)
		if sent.node != c.node {
			f.across.record(now - sent.at)
		}
	}
}

// answered takes the one answer that each command gets.
func (f *fleet) answered(c *client, id int64, code string) {
	for i, p := range c.pending {
		if p.id != id {
			continue
		}
		c.pending = append(c.pending[:i], c.pending[i+1:]...)
		f.tally.Unanswered--
		if code != "" {
			f.tally.Refused++
			f.refusals[code]++
			return
		}
		f.commit(c.room, 1)
		if f.closedLoop {
			f.send(c)
		}
		return
	}
	f.tally.StrayAnswers++
}

// commit counts n entries that every reader of the room must now receive.
func (f *fleet) commit(r *room, n int) {
	r.committed += n
	f.tally.Committed += int64(n)
	f.tally.Expected += int64(n * r.readers)
}

// welcome is the server's first object: for a client that does not resume, it holds the position to start from.
func (f *fleet) welcome(c *client, object []byte) {
	var w struct {
		Epoch string
		Rooms []struct {
			ID      string
			HeadSeq int64 `json:"head_seq"`
		}
	}
	if err := json.Unmarshal(object, &w); err != nil {
		f.fail(fmt.Errorf("welcome: %w", err))
		return
	}
	f.epoch = w.Epoch
	if c.resumes {
		return // live when the replay has ended
	}
	for _, r := range w.Rooms {
		if r.ID == c.room.id {
			c.chain = chain{last: r.HeadSeq}
			f.becameLive(c)
			return
		}
	}
	f.fail(fmt.Errorf("welcome of %s does not name its room %s", c.account.id, c.room.id))
}

func (f *fleet) resumed(c *client, p push) {
	if string(p.roomID) != c.room.id {
		f.tally.Foreign++
		return
	}
	if !p.recovered {
		f.tally.Resets++
	}
	if c.state == greeting {
		f.becameLive(c)
	}
}

func (f *fleet) becameLive(c *client) {
	c.state, c.attempts, c.resumes, c.liveAt = live, 0, true, f.now()
	f.tally.Live++
	f.tally.Dialing--
	if c.slow {
		_ = f.poll(c, unix.EPOLL_CTL_MOD, 0) // a failure ends the run
		return
	}
	for _, p := range c.pending {
		f.write(c, p.command)
	}
}
