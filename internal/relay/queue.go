package relay

import (
	"maps"
	"sync"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// committer commits the drafts of the rooms that hash to it. While one batch is under way, what arrives waits
// together and goes with the next one.
type committer struct {
	relay *Relay
	wake  chan struct{}

	mu     sync.Mutex
	queue  []post
	held   map[lane]*hold
	closed bool
}

// lane is what keeps its order: the drafts of one connection for one room. After one that could not be stored, those are
// refused that were sent before its sender had heard of it, so that they do not overtake it (SEQ7).
type lane struct {
	from   Origin
	roomID string
}

// hold is what a lane waits for: that the draft that was refused comes again from somebody who has heard of it. The same
// draft may have been sent twice before.
type hold struct {
	clientID string    // of the first draft that was refused
	refused  time.Time // when it was
	question int64     // asked after its sender was told; 0: not yet
	heard    time.Time // when the question was seen to be answered
}

const (
	// holdFor is how long a lane may be held at most. While the store is out of reach, a reader may be held up for as long as that.
	holdFor = 2 * time.Minute
	// unheardFor is how long a lane is held for somebody who does not answer.
	unheardFor = 5 * time.Second
)

// told is when the sender of what is read now can be taken to have been told of the refusal at the latest, if it does not
// answer: when it was refused, or as long as the reader was held up.
func (h *hold) told(from Origin) time.Time {
	if held := from.HeldUp(); held.After(h.refused) {
		return held
	}
	return h.refused
}

// knew reports whether what comes now was sent by somebody who had heard of the refusal.
func (h *hold) knew(from Origin, now time.Time) bool {
	if h.heard.IsZero() && h.question != 0 {
		h.heard = from.Answered(h.question)
	}
	return !h.heard.IsZero() || now.Sub(h.told(from)) >= retryAdvice
}

// over reports whether the sender has had the time that it was told to wait, and did not send the draft again.
func (h *hold) over(from Origin, now time.Time) bool {
	switch {
	case now.Sub(h.refused) >= holdFor:
		return true
	case !h.knew(from, now):
		return false
	case !h.heard.IsZero():
		return now.Sub(h.heard) >= retryAdvice
	default:
		return now.Sub(h.told(from)) >= unheardFor
	}
}

func (p *post) lane() lane { return lane{p.from, p.draft.RoomID} }

// add queues a draft. The error is for its sender.
func (c *committer) add(p post) error {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.behind(&p, now) {
		return chat.Unavailable(retryAdvice)
	}
	if c.closed || len(c.queue) >= maxQueued {
		c.hold(&p, now)
		return chat.Unavailable(retryAdvice)
	}
	if h, held := c.held[p.lane()]; held && (h.knew(p.from, now) || h.over(p.from, now)) {
		delete(c.held, p.lane())
	}
	c.queue = append(c.queue, p)
	if len(c.queue) == 1 {
		signal(c.wake)
	}
	return nil
}

// hold holds the lane of a draft that was refused, unless it is held already. The caller holds mu.
func (c *committer) hold(p *post, now time.Time) {
	if p.from == nil || c.behind(p, now) {
		return // REST: each call stands alone
	}
	if c.held == nil {
		c.held = make(map[lane]*hold)
	}
	c.held[p.lane()] = &hold{clientID: p.draft.ClientID, refused: now}
}

// behind reports whether a draft was sent behind one that was refused, and has to wait for it. The caller holds mu.
func (c *committer) behind(p *post, now time.Time) bool {
	h, held := c.held[p.lane()]
	return held && p.draft.ClientID != h.clientID && !h.over(p.from, now)
}

// holdAll holds the lanes of a batch that could not be stored, and returns what was queued behind it in them.
func (c *committer) holdAll(batch []post) []post {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range batch {
		c.hold(&batch[i], now)
	}
	var behind []post
	kept := c.queue[:0]
	for _, p := range c.queue {
		if c.behind(&p, now) {
			behind = append(behind, p)
			continue
		}
		kept = append(kept, p)
	}
	clear(c.queue[len(kept):])
	c.queue = kept
	return behind
}

// ask asks the senders of those for which a lane is held now: they have been told.
func (c *committer) ask(refused ...post) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range refused {
		p := &refused[i]
		if h, held := c.held[p.lane()]; held && h.clientID == p.draft.ClientID && h.question == 0 {
			h.question = p.from.Ask()
		}
	}
}

func signal(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

func (c *committer) run() {
	for {
		select {
		case <-c.wake:
			for batch := c.take(); len(batch) > 0; batch = c.take() {
				c.relay.commit(c, batch)
			}
		case <-c.relay.ctx.Done():
			c.mu.Lock()
			c.closed = true
			c.mu.Unlock()
			for batch := c.take(); len(batch) > 0; batch = c.take() {
				c.relay.commit(c, batch)
			}
			return
		}
	}
}

// take returns the next batch, without what came from connections that have been closed.
func (c *committer) take() []post {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(c.held, func(_ lane, h *hold) bool { return now.Sub(h.refused) >= holdFor })
	batch := make([]post, 0, min(len(c.queue), c.relay.cfg.Batch))
	taken := 0
	for i := range c.queue {
		if len(batch) == c.relay.cfg.Batch {
			break
		}
		taken++
		p := &c.queue[i]
		if p.from != nil && p.from.Closed() {
			c.relay.ended(p, sendAbandoned)
			continue
		}
		batch = append(batch, *p)
	}
	rest := copy(c.queue, c.queue[taken:])
	clear(c.queue[rest:])
	c.queue = c.queue[:rest]
	return batch
}
