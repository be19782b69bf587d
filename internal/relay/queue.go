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
	held   map[lane]hold
	closed bool
}

// lane is what keeps its order: the drafts of one connection for one room. After one that could not be stored, those are
// refused that were sent before its sender can have heard of it, so that they do not overtake it (SEQ7).
type lane struct {
	from   Origin
	roomID string
}

// hold is what a lane waits for.
type hold struct {
	clientID string    // of the first draft that was refused
	refused  time.Time // when it was
}

// holdFor is how long a lane may be held at most. While the store is out of reach, a reader may be held up for as long as that.
const holdFor = 2 * time.Minute

// until is when what is read has been sent later than the sender heard of the refusal: after as long as the sender was
// told to wait, since then or since the reader was held up.
func (h hold) until(from Origin) time.Time {
	since := h.refused
	if held := from.HeldUp(); held.After(since) {
		since = held
	}
	if latest := h.refused.Add(holdFor - retryAdvice); since.After(latest) {
		since = latest
	}
	return since.Add(retryAdvice)
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
	delete(c.held, p.lane())
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
		c.held = make(map[lane]hold)
	}
	c.held[p.lane()] = hold{clientID: p.draft.ClientID, refused: now}
}

// behind reports whether a draft was sent behind one that was refused, and has to wait for it. The caller holds mu.
func (c *committer) behind(p *post, now time.Time) bool {
	h, held := c.held[p.lane()]
	return held && p.draft.ClientID != h.clientID && now.Before(h.until(p.from))
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
	maps.DeleteFunc(c.held, func(_ lane, h hold) bool { return now.Sub(h.refused) >= holdFor })
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
