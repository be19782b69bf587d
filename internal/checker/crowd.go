package checker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

// Crowd is clients of nodes that run as processes. Nobody sees what such nodes commit, so the record is compared with
// the store in the end, and whoever restores the store says what that took away.
type Crowd struct {
	*run

	lost []chat.Entry
}

// Person is somebody with an account, and how they connect.
type Person struct {
	UserID string
	Dial   Dialer
	Stays  bool // until the node closes the connection, whatever it asks before (DRN1)
}

// CrowdConfig sets up a Crowd.
type CrowdConfig struct {
	Seed   uint64
	People []Person
	Rooms  []string // that they are, or may come to be, members of
}

// NewCrowd makes a client for each person. They connect until Stop.
func NewCrowd(cfg CrowdConfig, h *History) *Crowd {
	c := &Crowd{run: &run{history: h, start: time.Now(), rooms: cfg.Rooms}}
	ctx, cancel := context.WithCancel(context.Background())
	c.stop = cancel
	for i, p := range cfg.People {
		client := NewClient(ClientConfig{
			Name: fmt.Sprint("c", i), UserID: p.UserID, Dial: p.Dial, Stays: p.Stays, Seed: cfg.Seed<<8 + uint64(i),
			Silence: 50 * time.Second, // as docs/protocol.md wants it of a server that is set up as usual
		}, h)
		c.users = append(c.users, user{id: p.UserID})
		c.clients = append(c.clients, client)
		c.clientWG.Go(func() { client.Run(ctx) })
	}
	return c
}

// Clients are the clients, one for each person.
func (c *Crowd) Clients() []*Client { return c.clients }

// Stop ends the clients and waits for them.
func (c *Crowd) Stop() {
	c.stop()
	c.clientWG.Wait()
}

// Acknowledged is how many messages were.
func (c *Crowd) Acknowledged() int {
	n := 0
	for _, client := range c.clients {
		n += inside(client, func() int { return len(client.sent) - len(client.outbox) })
	}
	return n
}

// Stored notes that something was acknowledged past the clients, as by REST.
func (c *Crowd) Stored(e chat.Entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ops = append(c.ops, &op{draft: chat.Draft{RoomID: e.RoomID, Kind: e.Kind}, entry: e, at: time.Now()})
}

// Restored notes that the store was put back, and which entries that took away.
func (c *Crowd) Restored(lost []chat.Entry) {
	c.history.note("", "", "RESTORE: %d entries are lost", len(lost))
	c.history.Restored()
	c.lost = append(c.lost, lost...)
}

// Slowest is how long the slowest of the messages waited for its acknowledgement that were said in a span of time. One
// that still waits counts as long as it has.
func (c *Crowd) Slowest(from, to time.Time) (slowest time.Duration, messages int) {
	for _, client := range c.clients {
		wait, n := client.Slowest(from, to)
		slowest = max(slowest, wait)
		messages += n
	}
	return slowest, messages
}

// Delivered returns, for what others said in a span of time, how long after it was said the client had it.
// One clock is behind both, that of this process. What these clients had is left out.
func (c *Crowd) Delivered(from, to time.Time, except ...*Client) []time.Duration {
	said := make(map[string]time.Time) // by client id
	for _, client := range c.clients {
		for _, it := range inside(client, func() []*item { return client.saidIn(from, to) }) {
			said[it.clientID] = it.said
		}
	}
	var out []time.Duration
	for _, client := range c.clients {
		if slices.Contains(except, client) {
			continue
		}
		out = append(out, inside(client, func() (out []time.Duration) {
			for i := range client.seen {
				s := &client.seen[i]
				if at, ok := said[s.entry.ClientID]; ok && s.push {
					out = append(out, s.at.Sub(at))
				}
			}
			return out
		})...)
	}
	return out
}

// Has reports whether the client's copy of a room holds a text.
func (c *Client) Has(roomID, body string) bool {
	return inside(c, func() bool {
		room := c.rooms[roomID]
		if room == nil {
			return false
		}
		return slices.ContainsFunc(room.entries, func(e wire.Entry) bool { return e.Body == body })
	})
}

// Live reports whether the client is connected and welcomed.
func (c *Client) Live() bool { return inside(c, c.live) }

// Settled returns nil when everything that was said is acknowledged, and every client has all of its rooms.
func (c *Crowd) Settled(ctx context.Context, store chat.Store) error {
	now, err := store.Compare(ctx, chat.CompareQuery{Rooms: c.rooms, Node: "checker"})
	if err != nil {
		return err
	}
	for _, client := range c.clients {
		mine := make(map[string]int64)
		for _, room := range c.rooms {
			m, err := store.Member(ctx, room, client.userID)
			if err != nil {
				return err
			}
			if m.Role != "" {
				mine[room] = now.Heads[room].Seq
			}
		}
		client.Back()
		if why := inside(client, func() string { return client.misses(mine) }); why != "" {
			return errors.New(client.name + " " + why)
		}
	}
	return nil
}

// misses says what a client lacks that is to have these rooms, from their start up to these numbers, and no others.
func (c *Client) misses(heads map[string]int64) string {
	switch {
	case !c.live():
		return "is not connected"
	case len(c.outbox) > 0:
		return fmt.Sprintf("has %d messages that are not acknowledged", len(c.outbox))
	case len(c.line.pending) > 0:
		return fmt.Sprintf("waits for %d answers", len(c.line.pending))
	case len(c.rooms) != len(heads):
		return fmt.Sprintf("has %d rooms of %d", len(c.rooms), len(heads))
	}
	for id, head := range heads {
		if room := c.rooms[id]; room == nil || !room.whole || room.last().seq != head {
			return fmt.Sprintf("does not have all of room %s, which is at %d", short(id), head)
		}
	}
	return ""
}

// inside asks a client's goroutine for something.
func inside[T any](c *Client, f func() T) T {
	answer := make(chan T, 1)
	c.Do(func() { answer <- f() })
	return <-answer
}

// Verify checks the record against a store, when the clients have stopped.
func (c *Crowd) Verify(ctx context.Context, store chat.Store) error {
	c.ledger = NewLedger(standing{store}, c.history)
	for i := range c.lost {
		c.ledger.lose(c.lost[i])
	}
	for _, room := range c.rooms {
		log, err := readLog(ctx, store, room)
		if err != nil {
			return fmt.Errorf("reading the log of room %s: %w", room, err)
		}
		for _, e := range log {
			c.ledger.committed(e)
		}
	}
	for _, client := range c.clients {
		c.ledger.forgive(client)
		client.ledger = c.ledger
		for _, s := range client.seen {
			known := client.look(s)
			if s.push {
				client.checkFollows(&s.entry, s.after, known)
			}
		}
		for _, a := range client.answers {
			client.checkAnswer(a)
		}
	}
	c.verify(ctx)
	return nil
}

// Logs reads the rooms' whole logs.
func Logs(ctx context.Context, store chat.Store, rooms []string) ([]chat.Entry, error) {
	var all []chat.Entry
	for _, room := range rooms {
		log, err := readLog(ctx, store, room)
		if err != nil {
			return nil, err
		}
		all = append(all, log...)
	}
	return all, nil
}

// standing is a Database that others look after.
type standing struct{ store chat.Store }

// Store implements Database.
func (d standing) Store() chat.Store { return d.store }

// Backup implements Database.
func (d standing) Backup(context.Context) error { return errors.ErrUnsupported }

// Restore implements Database.
func (d standing) Restore(context.Context) error { return errors.ErrUnsupported }

// Close implements Database.
func (d standing) Close() error { return nil }
