package checker

import (
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

// take handles one object of the node.
func (c *Client) take(ln *line, o *object) {
	if !ln.welcomed && o.Type != "welcome" {
		c.history.violate("WS", c.name, "", "the first object is %s, not welcome", o.Type)
		return
	}
	switch o.Type {
	case "welcome":
		c.welcome(ln, o)
	case "entry":
		c.pushed(ln, &o.Entry)
	case "resumed":
		c.resumed(ln, o)
	case "room_added":
		c.added(ln, o.Room)
	case "room_removed":
		c.history.note(c.name, o.RoomID, "room_removed (%s)", o.Reason)
		c.removed(ln, o.RoomID)
	case "reply", "error":
		c.answered(ln, o)
	case "presence":
		c.absence.hear(c.name, o.Changes)
	case "ping":
		ln.command(map[string]any{"type": "pong"}, nil)
	case "reconnect":
		c.history.note(c.name, "", "reconnect within %d ms", o.WithinMS)
		if c.stays {
			return
		}
		ln.movingAt = time.Now().Add(time.Duration(c.rand.Int64N(o.WithinMS+1)) * time.Millisecond)
	}
}

func (c *Client) welcome(ln *line, o *object) {
	ln.welcomed, c.epoch, c.failed = true, o.Epoch, 0
	c.absence.end()
	c.history.note(c.name, "", "welcome: %d rooms", len(o.Rooms))
	for _, room := range c.rooms { // what was asked on another connection is not answered any more
		room.gen++
		room.asking, room.back = false, false
	}
	mine := make(map[string]bool, len(o.Rooms))
	for i := range o.Rooms {
		r := &o.Rooms[i]
		mine[r.ID] = true
		if !ln.resuming[r.ID] {
			ln.feed[r.ID] = headOf(r)
			c.history.note(c.name, r.ID, "live from %d", r.HeadSeq)
			c.open(r.ID)
		}
	}
	for id := range c.rooms {
		if !mine[id] && !ln.resuming[id] { // those that were named are answered with room_removed
			delete(c.rooms, id)
		}
	}
	for id := range mine {
		c.retransmit(id)
	}
	for _, it := range c.outbox { // also to rooms that are not one's own any more: the answer says so
		c.transmit(it.roomID)
	}
}

// headOf is where a room starts that is not resumed. The id is known where the last entry is shown.
func headOf(r *wire.Room) place {
	p := place{seq: r.HeadSeq}
	if r.LastEntry != nil && r.LastEntry.Seq == r.HeadSeq {
		p.id = r.LastEntry.MessageID
	}
	return p
}

// open asks for a room's latest entries.
func (c *Client) open(roomID string) {
	room := c.rooms[roomID]
	if room == nil {
		room = &roomCopy{}
		c.rooms[roomID] = room
	}
	c.ask(roomID, room)
}

func (c *Client) added(ln *line, r *wire.Room) {
	c.history.note(c.name, r.ID, "room_added at %d", r.HeadSeq)
	if _, twice := ln.feed[r.ID]; twice {
		c.history.violate("WS", c.name, r.ID, "room_added for a room that is there")
	}
	ln.feed[r.ID] = headOf(r)
	c.dropRoom(r.ID)
	c.open(r.ID)
	c.retransmit(r.ID)
}

func (c *Client) removed(ln *line, roomID string) {
	delete(ln.feed, roomID)
	delete(ln.resuming, roomID)
	delete(c.rooms, roomID)
}

func (c *Client) dropRoom(roomID string) {
	if room := c.rooms[roomID]; room != nil {
		room.drop()
	}
}

// resumed ends a replay, or says that the copy is to be dropped.
func (c *Client) resumed(ln *line, o *object) {
	at, live := ln.feed[o.RoomID]
	wasResuming := ln.resuming[o.RoomID]
	delete(ln.resuming, o.RoomID)
	recovered := o.Recovered != nil && *o.Recovered
	c.history.note(c.name, o.RoomID, "resumed recovered=%v head %d", recovered, o.HeadSeq)
	switch {
	case !live:
		c.history.violate("RES2", c.name, o.RoomID, "resumed for a room that is not live")
	case recovered && !wasResuming:
		c.history.violate("RES2", c.name, o.RoomID, "resumed without having been asked")
	case recovered && at.seq != o.HeadSeq:
		c.history.violate("RES2", c.name, o.RoomID, "resumed at %d, but was pushed up to %d", o.HeadSeq, at.seq)
	case !recovered:
		ln.feed[o.RoomID] = place{seq: o.HeadSeq}
		c.dropRoom(o.RoomID)
		c.open(o.RoomID)
	}
}

// pushed takes an entry: it must follow what this connection was pushed before.
func (c *Client) pushed(ln *line, e *wire.Entry) {
	at, live := ln.feed[e.RoomID]
	c.history.note(c.name, e.RoomID, "entry %d after %d %s", e.Seq, prevOf(e), short(e.MessageID))
	known := c.look(sighting{entry: *e, push: true, after: at, at: time.Now()})
	switch {
	case !live:
		c.history.violate("HUB7", c.name, e.RoomID, "entry %d of a room that is not one's own", e.Seq)
		return
	case e.Seq <= at.seq:
		c.history.violate("HUB1", c.name, e.RoomID, "entry %d was pushed at %d", e.Seq, at.seq)
		return
	case prevOf(e) != at.seq:
		c.history.violate("HUB1", c.name, e.RoomID, "entry %d points back at %d, but %d was pushed last", e.Seq, prevOf(e), at.seq)
	default:
		c.checkFollows(e, at, known)
	}
	ln.feed[e.RoomID] = place{e.Seq, e.MessageID}
	if room := c.rooms[e.RoomID]; room != nil {
		room.accept(*e)
	}
	if e.SenderID == c.userID {
		c.confirm(e.ClientID, e.Seq, e.MessageID)
	}
}

// checkFollows checks that a push follows the very entry that was pushed before it.
func (c *Client) checkFollows(e *wire.Entry, at place, known commit) {
	if at.id != "" && known.MessageID != "" && prevOf(e) == at.seq && known.PrevID != at.id {
		c.history.violate("RES3", c.name, e.RoomID, "entry %d follows %s, but %s was pushed last: two histories are mixed",
			e.Seq, short(known.PrevID), short(at.id))
	}
}

// look compares an entry that was seen with what was committed, or keeps it for later. A push must also not come after
// the removal of the client's user.
func (c *Client) look(s sighting) commit {
	e := &s.entry
	if c.ledger == nil {
		c.seen = append(c.seen, s)
		return commit{}
	}
	known, ok := c.ledger.find(e.MessageID)
	if !ok {
		c.history.violate("SEQ3", c.name, e.RoomID, "a ghost: entry %d %s was seen, but is not committed", e.Seq, short(e.MessageID))
		return commit{}
	}
	if known.RoomID != e.RoomID || known.Seq != e.Seq || known.PrevSeq != prevOf(e) || known.Body != e.Body ||
		known.SenderID != e.SenderID || known.ClientID != e.ClientID || known.Kind != e.Kind {
		c.history.violate("SEQ1", c.name, e.RoomID, "entry %d differs from what was committed as %d", e.Seq, known.Seq)
	}
	if s.push && !known.lost {
		if out, removed := c.ledger.removedBefore(c.userID, known, s.at); removed {
			c.history.violate("HUB7", c.name, e.RoomID, "entry %d reaches a person who was removed at %d", e.Seq, out.Seq)
		}
	}
	return known
}

// confirm takes a message out of the outbox.
func (c *Client) confirm(clientID string, seq int64, messageID string) {
	for i, it := range c.outbox {
		if it.clientID != clientID {
			continue
		}
		it.seq, it.messageID, it.acked = seq, messageID, time.Now()
		c.outbox = append(c.outbox[:i:i], c.outbox[i+1:]...)
		return
	}
}

// answered takes a reply or an error.
func (c *Client) answered(ln *line, o *object) {
	if o.ID == nil {
		c.history.violate("WS", c.name, "", "an answer without id: %+v", o.Error)
		return
	}
	r := ln.pending[*o.ID]
	if r == nil {
		c.history.violate("WS", c.name, "", "command %d was answered twice", *o.ID)
		return
	}
	delete(ln.pending, *o.ID)
	switch r.kind {
	case "send":
		c.sendAnswered(r, o)
	case "join":
		c.joinAnswered(r, o)
	case "history":
		c.historyAnswered(r, o)
	}
}

func (c *Client) sendAnswered(r *request, o *object) {
	it := r.item
	if o.Error != nil {
		c.history.note(c.name, it.roomID, "send %s failed: %s, again after %d ms", short(it.clientID), o.Error.Code, o.Error.RetryAfterMS)
		switch o.Error.Code {
		case chat.CodeUnavailable, chat.CodeRateLimited:
			if it.acked.IsZero() {
				c.pause[it.roomID] = time.Now().Add(time.Duration(o.Error.RetryAfterMS) * time.Millisecond)
			}
		default:
			if it.acked.IsZero() {
				it.refused = true
				c.forget(it)
			}
		}
		return
	}
	c.history.note(c.name, it.roomID, "send %s acknowledged at %d", short(it.clientID), o.Seq)
	again := !it.acked.IsZero()
	if !again {
		c.confirm(it.clientID, o.Seq, o.MessageID)
	}
	c.checkAnswer(answer{item: it, seq: o.Seq, messageID: o.MessageID, again: again})
}

// checkAnswer compares the answer to a send with what was committed, and with earlier answers, or keeps it for later.
func (c *Client) checkAnswer(a answer) {
	if c.ledger == nil {
		c.answers = append(c.answers, a)
		return
	}
	it := a.item
	known, ok := c.ledger.find(a.messageID)
	switch {
	case !ok:
		c.history.violate("SEQ3", c.name, it.roomID, "%d was acknowledged, but is not committed", a.seq)
	case known.Seq != a.seq || known.ClientID != it.clientID || known.Body != it.body || known.RoomID != it.roomID:
		c.history.violate("SEQ2", c.name, it.roomID, "%d was acknowledged, but %d is committed", a.seq, known.Seq)
	case a.again && it.seq != a.seq && !c.lost(it):
		c.history.violate("SEQ2", c.name, it.roomID, "a resend of %d was answered with %d", it.seq, a.seq)
	}
}

// lost reports whether a restore took a message away.
func (c *Client) lost(it *item) bool {
	known, ok := c.ledger.find(it.messageID)
	return ok && known.lost
}

// forget takes a refused message out of the outbox.
func (c *Client) forget(it *item) {
	for i := range c.outbox {
		if c.outbox[i] == it {
			c.outbox = append(c.outbox[:i:i], c.outbox[i+1:]...)
			return
		}
	}
}

func (c *Client) joinAnswered(r *request, o *object) {
	room := c.rooms[r.roomID]
	if room == nil || room.gen != r.gen {
		return
	}
	room.asking = false
	if o.Error != nil {
		c.history.note(c.name, r.roomID, "join failed: %s", o.Error.Code)
		if o.Error.Code == chat.CodeUnavailable || o.Error.Code == chat.CodeRateLimited || o.Error.Code == chat.CodeNotAMember {
			room.gapSince = time.Now() // asked again after a while, if it is still there
		}
		return
	}
	c.history.note(c.name, r.roomID, "joined: %d entries, head %d", len(o.Entries), o.Room.HeadSeq)
	c.checkRun(r.roomID, o.Entries)
	if r.full || o.Recovered != nil && !*o.Recovered {
		room.replace(o.Entries, o.Room.HeadSeq)
		room.gen++ // a page of the copy that was there is not wanted any more
		room.back = false
		return
	}
	for i := range o.Entries {
		room.accept(o.Entries[i])
	}
	room.settle()
	if len(room.early) > 0 {
		room.gapSince = time.Now()
	}
}

// checkRun checks that what an answer holds is committed and a chain.
func (c *Client) checkRun(roomID string, entries []wire.Entry) {
	for i := range entries {
		c.look(sighting{entry: entries[i], at: time.Now()})
		if i > 0 && prevOf(&entries[i]) != entries[i-1].Seq {
			c.history.violate("SEQ1", c.name, roomID, "in an answer %d points back at %d, but %d stands before it",
				entries[i].Seq, prevOf(&entries[i]), entries[i-1].Seq)
		}
	}
}

func (c *Client) historyAnswered(r *request, o *object) {
	room := c.rooms[r.roomID]
	if room == nil || room.gen != r.gen {
		return
	}
	room.back = false
	if o.Error != nil {
		return
	}
	c.checkRun(r.roomID, o.Entries)
	if !room.prepend(o.Entries) {
		if !c.history.restored() { // a copy may be of a history that is no more
			c.history.violate("SEQ1", c.name, r.roomID, "a page of history does not end at %d", room.start)
		}
		return
	}
	room.whole = !o.HasMore
	c.pageBack(r.roomID, room)
}
