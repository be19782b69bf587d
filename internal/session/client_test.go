package session_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/session"
	"github.com/gochat-dev/gochat/internal/wire"
)

// client is the far end of a connection, and the socket to it. It takes everything at once unless it is frozen.
type client struct {
	*stage
	in      chan []byte   // messages on their way to the server
	gone    chan struct{} // closed: the client is not there any more
	ended   chan struct{} // closed: the server has finished
	hurried chan struct{} // closed: a Write that waits is to fail

	mu      sync.Mutex
	thaw    chan struct{} // not nil: the client reads nothing until it is closed
	got     []object
	writes  int // calls of Write
	largest int // bytes in one
	code    int // the close code
	once    struct{ ended, hurried sync.Once }
	welcome object
	id      int
}

// object is any object that a server sends.
type object struct {
	Type    string          `json:"type"`
	ID      int             `json:"id"`
	RoomID  string          `json:"room_id"`
	Seq     int64           `json:"seq"`
	PrevSeq *int64          `json:"prev_seq"`
	Kind    chat.Kind       `json:"kind"`
	Body    string          `json:"body"`
	Client  string          `json:"client_id"`
	Message string          `json:"message_id"`
	Error   wire.Problem    `json:"error"`
	Entries []wire.Entry    `json:"entries"`
	Users   json.RawMessage `json:"users"`
	User    wire.User       `json:"user"`
	Room    wire.Room       `json:"room"`
	Rooms   []wire.Room     `json:"rooms"`
	HasMore bool            `json:"has_more"`

	Recovered    *bool                 `json:"recovered"`
	HeadSeq      int64                 `json:"head_seq"`
	Reason       string                `json:"reason"`
	UserID       string                `json:"user_id"`
	On           bool                  `json:"on"`
	Reads        []wire.Read           `json:"reads"`
	Changes      []chat.PresenceChange `json:"changes"`
	Presence     json.RawMessage       `json:"presence"`
	Typing       []string              `json:"typing"`
	LastRead     int64                 `json:"last_read_seq"`
	Unread       int                   `json:"unread_count"`
	Expires      string                `json:"expires_at"`
	Within       int64                 `json:"within_ms"`
	Connection   string                `json:"connection_id"`
	Epoch        string                `json:"epoch"`
	ServerTime   string                `json:"server_time"`
	PingInterval int64                 `json:"ping_interval_ms"`
	Next         string                `json:"rooms_next"`
}

// describe says in a few words what an object says.
func (o object) describe() string {
	switch o.Type {
	case "entry":
		if o.Kind == chat.KindText {
			return fmt.Sprint(o.Seq)
		}
		return fmt.Sprint(o.Seq, " ", o.Kind)
	case "resumed":
		return fmt.Sprintf("resumed %v %d", *o.Recovered, o.HeadSeq)
	case "room_added", "room_updated":
		return fmt.Sprintf("%s %s %s", o.Type, o.Room.Name, o.Room.Role)
	case "room_removed":
		return "room_removed " + o.Reason
	case "typing":
		return fmt.Sprint("typing ", o.On)
	case "read":
		return fmt.Sprint("read ", o.Reads[0].Seq)
	case "error":
		return fmt.Sprintf("error %d %s", o.ID, o.Error.Code)
	case "reply":
		return fmt.Sprint("reply ", o.ID)
	case "reconnect":
		return fmt.Sprint("reconnect ", o.Within)
	default:
		return o.Type
	}
}

// Read implements session.Socket.
func (c *client) Read() ([]byte, error) {
	select {
	case m := <-c.in:
		switch string(m) {
		case "too large":
			return nil, session.ErrTooLarge
		case "binary":
			return nil, session.ErrNotText
		}
		return m, nil
	case <-c.gone:
	case <-c.ended:
	}
	return nil, io.EOF
}

// Write implements session.Socket.
func (c *client) Write(frames []*wire.Frame) error {
	c.mu.Lock()
	thaw := c.thaw
	c.mu.Unlock()
	if thaw != nil && len(frames) > 0 {
		select {
		case <-thaw:
		case <-c.gone:
			return io.ErrClosedPipe
		case <-c.hurried:
			return context.DeadlineExceeded
		case <-c.ended:
			return io.ErrClosedPipe
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	size := 0
	for _, f := range frames {
		var o object
		if err := json.Unmarshal(f.Payload(), &o); err != nil {
			panic(fmt.Sprintf("%v: %s", err, f.Payload()))
		}
		c.got = append(c.got, o)
		size += f.Len()
	}
	c.writes++
	c.largest = max(c.largest, size)
	return nil
}

// Finish implements session.Socket.
func (c *client) Finish(code int, _ string) {
	c.mu.Lock()
	c.code = code
	c.mu.Unlock()
	c.Close()
}

// Hurry implements session.Socket.
func (c *client) Hurry(within time.Duration) {
	time.AfterFunc(within, func() { c.once.hurried.Do(func() { close(c.hurried) }) })
}

// Close implements session.Socket.
func (c *client) Close() { c.once.ended.Do(func() { close(c.ended) }) }

func (c *client) freeze() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.thaw = make(chan struct{})
}

func (c *client) unfreeze() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.thaw)
	c.thaw = nil
}

// hang closes the client's end without a word.
func (c *client) hang() {
	close(c.gone)
	synctest.Wait()
}

// say sends a message as it is.
func (c *client) say(message string) {
	c.in <- []byte(message)
	synctest.Wait()
}

// put sends a command without waiting for anything, and returns its id.
func (c *client) put(kind string, fields map[string]any) int {
	c.id++
	command := map[string]any{"type": kind, "id": c.id}
	maps.Copy(command, fields)
	b, err := json.Marshal(command)
	c.no(err)
	c.in <- b
	return c.id
}

// ask sends a command and returns its answer, of which there must be exactly one by now.
func (c *client) ask(kind string, fields map[string]any) object {
	c.Helper()
	id := c.put(kind, fields)
	synctest.Wait()
	return c.answer(id)
}

func (c *client) answer(id int) object {
	c.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var answers []object
	c.got = slices.DeleteFunc(c.got, func(o object) bool {
		mine := o.ID == id && (o.Type == "reply" || o.Type == "error")
		if mine {
			answers = append(answers, o)
		}
		return mine
	})
	if len(answers) != 1 {
		c.Fatalf("command %d was answered %d times", id, len(answers))
	}
	return answers[0]
}

// done wants a command to succeed.
func (c *client) done(kind string, fields map[string]any) object {
	c.Helper()
	o := c.ask(kind, fields)
	if o.Type != "reply" {
		c.Fatalf("%s was refused: %v", kind, o.Error)
	}
	return o
}

// refused wants a command to fail with a code.
func (c *client) refused(code chat.Code, kind string, fields map[string]any) object {
	c.Helper()
	o := c.ask(kind, fields)
	if o.Type != "error" || o.Error.Code != code || o.Error.Message == "" {
		c.Fatalf("%s %v: got %s %+v, want the error %s", kind, fields, o.Type, o.Error, code)
	}
	return o
}

// take returns what came since it was last called.
func (c *client) take() []object {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.got
	c.got = nil
	return got
}

func (c *client) describe() []string {
	var out []string
	for _, o := range c.take() {
		if o.Type != "presence" && o.Type != "ping" { // those have tests of their own
			out = append(out, o.describe())
		}
	}
	return out
}

// gets wants exactly this to have come since it was last asked, pings and presence aside.
func (c *client) gets(want ...string) {
	c.Helper()
	if got := c.describe(); !slices.Equal(got, want) {
		c.Fatalf("got %q, want %q", got, want)
	}
}

// getsAll wants exactly this to have come since it was last asked, in any order.
func (c *client) getsAll(want ...string) {
	c.Helper()
	got := c.describe()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		c.Fatalf("got %q, want %q", got, want)
	}
}

// closed wants the connection to have been closed with a code by now.
func (c *client) closed(code int) {
	c.Helper()
	synctest.Wait()
	select {
	case <-c.ended:
	default:
		c.Fatalf("the connection is open, want it closed with %d", code)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.code != code {
		c.Fatalf("closed with %d, want %d", c.code, code)
	}
}

func (c *client) open() {
	c.Helper()
	synctest.Wait()
	select {
	case <-c.ended:
		c.Fatalf("the connection was closed with %d", c.code)
	default:
	}
}
