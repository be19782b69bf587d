//go:build linux

package loadtest

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// A fixed key is enough: it keeps caches from answering an upgrade, and there are none on the way.
// Its answer is computed in RFC 6455, section 1.3.
const (
	websocketKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	websocketAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// clientsPerSource keeps well below the 28,000 ephemeral ports of one loopback address, those in TIME_WAIT included.
const clientsPerSource = 10_000

// firstBackoff and lastBackoff bound the full-jitter backoff that protocol.md asks of a client.
const (
	firstBackoff = 500 * time.Millisecond
	lastBackoff  = 30 * time.Second
)

// appointment is a dial at a time.
type appointment struct {
	at     time.Duration
	client *client
}

// appointments is a heap, the earliest first.
type appointments []appointment

func (a appointments) Len() int           { return len(a) }
func (a appointments) Less(i, j int) bool { return a[i].at < a[j].at }
func (a appointments) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *appointments) Push(x any) {
	if one, ok := x.(appointment); ok { // nothing else is pushed
		*a = append(*a, one)
	}
}

func (a *appointments) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// dialDue starts the dials that are due, at most dialLimit of them under way at once (0: no limit).
func (f *fleet) dialDue(now time.Duration) {
	for len(f.dials) > 0 && f.dials[0].at <= now && (f.dialLimit == 0 || f.tally.Dialing < f.dialLimit) {
		c := f.dials[0].client
		heap.Pop(&f.dials)
		if err := f.dial(c); err != nil {
			f.retry(c, err.Error(), 0)
		}
	}
}

// dial opens a non-blocking socket; the poll tells when it is connected.
func (f *fleet) dial(c *client) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	f.tally.Dialing++
	c.fd, c.state = fd, connecting
	c.generation++
	if err := f.connect(c); err != nil {
		return err
	}
	return f.poll(c, unix.EPOLL_CTL_ADD, unix.EPOLLOUT)
}

func (f *fleet) connect(c *client) error {
	if err := unix.SetsockoptInt(c.fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return fmt.Errorf("TCP_NODELAY: %w", err)
	}
	if c.slow {
		// The smallest window there is, so that the server feels the frozen client soon.
		if err := unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1); err != nil {
			return fmt.Errorf("SO_RCVBUF: %w", err)
		}
	}
	at := f.target.nodes[c.node]
	if at.ip[0] == 127 {
		// The port is chosen at connect, so that one port serves several destinations.
		if err := unix.SetsockoptInt(c.fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
			return fmt.Errorf("IP_BIND_ADDRESS_NO_PORT: %w", err)
		}
		source := [4]byte{127, 0, 0, byte(1 + c.index/clientsPerSource)}
		if err := unix.Bind(c.fd, &unix.SockaddrInet4{Addr: source}); err != nil {
			return fmt.Errorf("bind: %w", err)
		}
	}
	err := unix.Connect(c.fd, &unix.SockaddrInet4{Addr: at.ip, Port: at.port})
	if err != nil && err != unix.EINPROGRESS {
		return fmt.Errorf("connect: %w", err)
	}
	return nil
}

// connected asks for the upgrade.
func (f *fleet) connected(c *client) {
	if code, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || code != 0 {
		f.retry(c, "connect: "+unix.Errno(code).Error(), 0)
		return
	}
	c.state = upgrading
	if err := f.poll(c, unix.EPOLL_CTL_MOD, unix.EPOLLIN); err != nil {
		f.retry(c, err.Error(), 0)
		return
	}
	f.write(c, f.target.upgradeRequest(c, f.epoch))
}

// upgradeRequest is the HTTP request that opens the WebSocket, and names the position to resume from.
func (t target) upgradeRequest(c *client, epoch string) []byte {
	path := t.path(c)
	if t.replies && c.resumes {
		position := c.room.id + ":" + strconv.FormatInt(c.chain.last, 10)
		if len(c.lastID) > 0 {
			position += ":" + string(c.lastID)
		}
		query := url.Values{"last_received_seq": {position}}
		if epoch != "" {
			query.Set("epoch", epoch)
		}
		path += "?" + query.Encode()
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n", path, t.nodes[c.node].host)
	fmt.Fprintf(&b, "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n", websocketKey)
	if c.account.token != "" {
		fmt.Fprintf(&b, "Sec-WebSocket-Protocol: gochat.v1\r\nAuthorization: Bearer %s\r\n", c.account.token)
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// upgraded reads the answer to the upgrade; ok is false while it has not arrived whole, and when it is a refusal.
// used is the number of bytes of data that belong to it.
func (f *fleet) upgraded(c *client, data []byte) (used int, ok bool) {
	end := bytes.Index(data, []byte("\r\n\r\n"))
	if end < 0 {
		c.keep(data)
		return 0, false
	}
	used = end + 4
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(data)), nil)
	switch {
	case err != nil:
		f.retry(c, "upgrade: "+err.Error(), 0)
		return used, false
	case response.StatusCode == http.StatusSwitchingProtocols:
	case response.StatusCode == http.StatusServiceUnavailable || response.StatusCode == http.StatusTooManyRequests:
		f.retry(c, response.Status, retryAfter(response))
		return used, false
	default:
		body, _ := io.ReadAll(response.Body)
		f.fail(fmt.Errorf("upgrade refused: %s %s", response.Status, body))
		return used, false
	}
	if response.Header.Get("Sec-WebSocket-Accept") != websocketAccept {
		f.fail(fmt.Errorf("upgrade: wrong Sec-WebSocket-Accept %q", response.Header.Get("Sec-WebSocket-Accept")))
		return used, false
	}
	c.in = nil
	c.state = greeting
	if !f.target.replies {
		c.chain = chain{last: floorFirstSeq - 1}
		f.becameLive(c)
	}
	return used, true
}

// retryAfter is how long a refusal asks to wait: retry_after_ms of the problem, or else Retry-After in seconds.
func retryAfter(response *http.Response) time.Duration {
	var problem struct {
		RetryAfterMs int `json:"retry_after_ms"`
	}
	// A body that has not arrived or is no JSON says nothing; the header then counts.
	_ = json.NewDecoder(response.Body).Decode(&problem)
	if problem.RetryAfterMs > 0 {
		return time.Duration(problem.RetryAfterMs) * time.Millisecond
	}
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// retry gives a dial up and makes an appointment for the next one.
func (f *fleet) retry(c *client, reason string, wait time.Duration) {
	f.retries[reason]++
	f.hangUp(c)
	f.appoint(c, wait)
}

// appoint makes an appointment for a dial after wait, plus full-jitter backoff.
func (f *fleet) appoint(c *client, wait time.Duration) {
	backoff := min(firstBackoff<<min(c.attempts, 10), lastBackoff)
	c.attempts++
	jitter := time.Duration(f.random.Int64N(int64(backoff)))
	heap.Push(&f.dials, appointment{f.now() + wait + jitter, c})
}

// disconnected is the end of a socket that the generator did not close. The close code says whether to come back.
func (f *fleet) disconnected(c *client, reason string) {
	if c.state != live && c.state != greeting {
		f.retry(c, reason, 0)
		return
	}
	if c.slow {
		reason = "frozen client: " + reason
	}
	f.disconnects[reason]++
	f.hangUp(c)
	code, err := strconv.Atoi(reason)
	if c.slow || err == nil && (code == 1009 || code >= 4100 && code < 4200) {
		c.state = dead
		return
	}
	f.appoint(c, 0)
}

// hangUp closes the socket and forgets what belongs to it; what the user would remember stays.
func (f *fleet) hangUp(c *client) {
	switch c.state {
	case live:
		f.tally.Live--
	case connecting, upgrading, greeting:
		f.tally.Dialing--
	case idle, dead:
		return
	}
	// Closing also takes it out of the poll; there is nothing to do about an error.
	_ = unix.Close(c.fd)
	c.state = idle
	c.generation++
	c.in, c.fragments, c.out = nil, nil, nil
}
