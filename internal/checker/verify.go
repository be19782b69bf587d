package checker

import (
	"context"
	"fmt"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

// verify compares the record with the store, after healing and when the clients have stopped.
func (r *run) verify(ctx context.Context) {
	logs := make(map[string][]chat.Entry, len(r.rooms))
	for _, room := range r.rooms {
		log, err := readLog(ctx, r.ledger.Store(), room)
		if err != nil {
			r.history.violate("HARNESS", "", room, "reading the log: %v", err)
			return
		}
		logs[room] = log
		r.checkLog(room, log)
	}
	for _, c := range r.clients {
		r.checkAcknowledged(c, logs)
		r.checkOrder(c)
		r.checkSettled(c)
		r.checkCopies(ctx, c, logs)
	}
	for _, o := range r.ops {
		if c, ok := r.ledger.find(o.entry.MessageID); !ok || !c.lost && !stands(logs[o.draft.RoomID], o.entry) {
			r.history.violate("SEQ3", "", o.draft.RoomID, "%s was acknowledged at %d, but is not in the store", o.draft.Kind, o.entry.Seq)
		}
	}
}

// readLog reads a room's whole log.
func readLog(ctx context.Context, s chat.Store, room string) ([]chat.Entry, error) {
	var log []chat.Entry
	at := chat.Position{}
	for {
		run, err := s.After(ctx, room, at, 1000)
		if err != nil {
			return nil, err
		}
		if !run.Known {
			return nil, fmt.Errorf("the log does not know %v", at)
		}
		if len(run.Entries) == 0 {
			return log, nil
		}
		log = append(log, run.Entries...)
		at = log[len(log)-1].Position()
	}
}

// checkLog checks that the log is one chain without doubles, and without holes where nothing was broken.
func (r *run) checkLog(room string, log []chat.Entry) {
	prev := chat.Position{}
	keys := make(map[chat.Key]int64)
	for i := range log {
		e := &log[i]
		if e.Prev() != prev {
			r.history.violate("SEQ1", "", room, "in the store %d points back at %d, but %d stands before it", e.Seq, e.PrevSeq, prev.Seq)
		}
		if r.plan.calm && r.plan.nodes == 1 && e.Seq != prev.Seq+1 {
			r.history.violate("SEQ2", "", room, "nothing was broken, but between %d and %d numbers were used up", prev.Seq, e.Seq)
		}
		key := chat.Key{RoomID: room, SenderID: e.SenderID, ClientID: e.ClientID}
		if first, twice := keys[key]; twice {
			r.history.violate("SEQ2", "", room, "%d and %d are the same message", first, e.Seq)
		}
		keys[key] = e.Seq
		prev = e.Position()
	}
}

func stands(log []chat.Entry, e chat.Entry) bool {
	for i := range log {
		if log[i].Seq == e.Seq {
			return log[i].MessageID == e.MessageID && log[i].ClientID == e.ClientID && log[i].Body == e.Body
		}
	}
	return false
}

// checkAcknowledged: every acknowledged entry is in the store, once, unless a restore took it away.
func (r *run) checkAcknowledged(c *Client, logs map[string][]chat.Entry) {
	for _, it := range c.sent {
		if it.acked.IsZero() {
			continue
		}
		want := chat.Entry{Seq: it.seq, MessageID: it.messageID, ClientID: it.clientID, Body: it.body}
		known, ok := r.ledger.find(it.messageID)
		if !ok || !known.lost && !stands(logs[it.roomID], want) {
			r.history.violate("SEQ3", c.name, it.roomID, "%d was acknowledged, but is not in the store", it.seq)
		}
	}
}

// checkOrder: what a client said in a room stands in the order in which it was said (SEQ7).
func (r *run) checkOrder(c *Client) {
	if r.history.restored() {
		return
	}
	last := make(map[string]*item)
	for _, it := range c.sent {
		known, ok := r.ledger.find(it.messageID)
		if !ok || known.lost || r.ledger.wasRefused(chat.Key{RoomID: it.roomID, SenderID: c.userID, ClientID: it.clientID}) {
			continue
		}
		if before := last[it.roomID]; before != nil && before.seq >= it.seq {
			r.history.violate("SEQ7", c.name, it.roomID, "%q was said before %q, but %d stands after %d",
				before.body[:min(len(before.body), 12)], it.body[:min(len(it.body), 12)], before.seq, it.seq)
		}
		last[it.roomID] = it
	}
}

// checkSettled: after healing nothing is open any more.
func (r *run) checkSettled(c *Client) {
	if c.lastLine == nil || !c.lastLine.welcomed {
		r.history.violate("HUB4", c.name, "", "is not connected after healing")
		return
	}
	for _, it := range c.outbox {
		r.history.violate("SEQ3", c.name, it.roomID, "%s is not acknowledged after healing", short(it.clientID))
	}
	for room := range c.lastLine.resuming {
		r.history.violate("RES2", c.name, room, "was named, but never resumed")
	}
	for _, q := range c.lastLine.pending {
		r.history.violate("WS", c.name, q.roomID, "a %s was never answered", q.kind)
	}
}

// checkCopies: every member's copy of every room equals the store's, and nobody else has one.
func (r *run) checkCopies(ctx context.Context, c *Client, logs map[string][]chat.Entry) {
	for _, roomID := range r.rooms {
		m, err := r.ledger.Store().Member(ctx, roomID, c.userID)
		if err != nil {
			r.history.violate("HARNESS", c.name, roomID, "reading the member: %v", err)
			continue
		}
		room := c.rooms[roomID]
		switch {
		case m.Role == "" && room == nil:
		case m.Role == "":
			r.history.violate("HUB5", c.name, roomID, "has a room that it is not a member of")
		case room == nil:
			r.history.violate("HUB5", c.name, roomID, "does not know that it is a member")
		case !room.joined:
			r.history.violate("RES1", c.name, roomID, "never joined")
		default:
			r.compare(c, roomID, room, logs[roomID])
		}
	}
}

func (r *run) compare(c *Client, roomID string, room *roomCopy, log []chat.Entry) {
	if !room.whole {
		r.history.violate("RES1", c.name, roomID, "could not read back beyond %d", room.start)
	}
	from := 0
	for from < len(log) && log[from].Seq <= room.start {
		from++
	}
	log = log[from:]
	for i := range min(len(log), len(room.entries)) {
		if !equal(&room.entries[i], &log[i]) {
			r.history.violate("HUB1", c.name, roomID, "has %d %s where the store has %d %s",
				room.entries[i].Seq, short(room.entries[i].MessageID), log[i].Seq, short(log[i].MessageID))
			return
		}
	}
	if len(log) != len(room.entries) {
		head := int64(0)
		if len(log) > 0 {
			head = log[len(log)-1].Seq
		}
		r.history.violate("HUB5", c.name, roomID, "has entries up to %d, the store up to %d (%d and %d of them)",
			room.last().seq, head, len(room.entries), len(log))
	}
}

func equal(a *wire.Entry, b *chat.Entry) bool {
	return a.Seq == b.Seq && a.MessageID == b.MessageID && a.Body == b.Body && a.SenderID == b.SenderID && prevOf(a) == b.PrevSeq
}
