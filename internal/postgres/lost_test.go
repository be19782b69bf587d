package postgres

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/gochat-dev/gochat/internal/chat"
)

// cutter stands before the server. When the client has sent what holds the mark, the server gets it, but its answer
// ends the connection.
type cutter struct {
	net.Listener
	server string
	wg     sync.WaitGroup

	mu   sync.Mutex
	mark []byte // nil: none; guarded by mu
}

// cutBefore puts a cutter before the server of a database, and returns the URL behind it.
func cutBefore(t *testing.T, database string) (*cutter, string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{Listener: l, server: u.Host}
	u.Host = l.Addr().String()
	c.wg.Go(func() {
		for {
			client, err := c.Accept()
			if err != nil {
				return
			}
			c.wg.Go(func() { c.serve(client) })
		}
	})
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		c.wg.Wait()
	})
	return c, u.String()
}

func (c *cutter) set(mark string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mark = []byte(mark)
}

// due reports whether this is what the cutter waits for, once.
func (c *cutter) due(sent []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.mark) == 0 || !bytes.Contains(sent, c.mark) {
		return false
	}
	c.mark = nil
	return true
}

// idle is what the server says when a transaction is over and it waits for the next one (ReadyForQuery).
var idle = []byte{'Z', 0, 0, 0, 5, 'I'}

func (c *cutter) serve(client net.Conn) {
	server, err := net.Dial("tcp", c.server)
	if err != nil {
		_ = client.Close() // the client sees it
		return
	}
	cut := make(chan struct{})
	var both sync.WaitGroup
	both.Go(func() {
		defer server.Close()
		buf := make([]byte, 64<<10)
		for n, err := client.Read(buf); err == nil; n, err = client.Read(buf) {
			if c.due(buf[:n]) {
				close(cut) // before the server has it, and so before its answer
			}
			if _, err := server.Write(buf[:n]); err != nil {
				return
			}
		}
	})
	both.Go(func() {
		defer client.Close()
		buf := make([]byte, 64<<10)
		for n, err := server.Read(buf); err == nil; n, err = server.Read(buf) {
			select {
			case <-cut:
				if bytes.Contains(buf[:n], idle) {
					return
				}
				continue
			default:
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
		_, _ = io.Copy(io.Discard, server)
	})
	both.Wait()
}

// The answer of a commit is lost: nobody knows, and says so. The same batch again finds what was stored.
func TestLostAnswer(t *testing.T) {
	for _, c := range []struct {
		name, mark string
		draft      func(w world) chat.Draft
	}{
		{"[SEQ3] of texts", "0123456789", func(w world) chat.Draft { return w.text(0, 0) }},
		{"[SEQ3] of a change", "commit", func(w world) chat.Draft { return w.renaming(0, "new") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			direct := build(t, 1, 1)
			proxy, url := cutBefore(t, direct.url)
			w := direct
			w.Store = openAt(t, url)
			before := len(logOf(t, w.Store, w.rooms[0]))
			d := c.draft(w)
			proxy.set(c.mark)
			_, err := w.Append(context.Background(), []chat.Draft{d}, nil)
			if !errors.Is(err, chat.ErrUnknownOutcome) || errors.Is(err, chat.ErrUnavailable) {
				t.Fatalf("it gives %v", err)
			}
			o := w.append(t, d)[0]
			if log := logOf(t, w.Store, w.rooms[0]); !o.Duplicate || len(log) != before+1 || log[before].Position() != o.Entry.Position() {
				t.Fatalf("sent again it becomes %+v, of %d entries", o, len(log))
			}
		})
	}
	t.Run("of a read: it is read again", func(t *testing.T) {
		direct := build(t, 1, 1)
		proxy, url := cutBefore(t, direct.url)
		s := openAt(t, url)
		logOf(t, s, direct.rooms[0])
		proxy.set(direct.rooms[0])
		if _, err := s.Load(context.Background(), direct.rooms[0], 5); err != nil {
			t.Fatal(err)
		}
	})
}
