package relay

import (
	"context"
	"sync"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// publisher sends notices in the order they came, as many as wait in one trip.
type publisher struct {
	wake chan struct{}
	stop chan struct{}
	wg   sync.WaitGroup

	mu      sync.Mutex
	notices []chat.Notice
	heads   map[string]int64
}

const (
	maxUnpublished = 50000 // notices that may wait; beyond it they are dropped: bells may be lost (HUB5)
	publishTimeout = time.Second
)

func (p *publisher) add(notices []chat.Notice, heads map[string]int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.notices) < maxUnpublished {
		p.notices = append(p.notices, notices...)
	}
	p.raise(heads)
	signal(p.wake)
}

// keep puts back numbers that could not be told, to go with what is published next.
func (p *publisher) keep(heads map[string]int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.raise(heads)
}

// raise notes the highest number of each room. The caller holds mu.
func (p *publisher) raise(heads map[string]int64) {
	if p.heads == nil {
		p.heads = make(map[string]int64)
	}
	for room, seq := range heads {
		p.heads[room] = max(p.heads[room], seq)
	}
}

func (p *publisher) take() ([]chat.Notice, map[string]int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	notices, heads := p.notices, p.heads
	p.notices, p.heads = nil, nil
	return notices, heads
}

// Publish implements hub.Source: it queues a notice for the other nodes.
func (r *Relay) Publish(n chat.Notice) {
	if !r.cfg.Alone {
		r.publisher.add([]chat.Notice{n}, nil)
	}
}

func (r *Relay) publish() {
	for {
		select {
		case <-r.publisher.wake:
			r.publishWaiting()
		case <-r.publisher.stop:
			r.publishWaiting()
			return
		}
	}
}

// publishWaiting rings the bells that wait. Where it can't, the node is silent until it can again (HUB6): the bells are
// lost, the numbers are tried again with the next comparison (SEQ4).
func (r *Relay) publishWaiting() {
	notices, heads := r.publisher.take()
	if len(notices) == 0 && len(heads) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), publishTimeout)
	defer cancel()
	err := r.cfg.Backplane.Publish(ctx, notices, heads)
	if err != nil {
		r.log.Warn("publishing to the other nodes failed", "notices", len(notices), "err", err)
		r.publisher.keep(heads)
	}
	if err == nil || len(heads) > 0 {
		r.checker.silence(err != nil)
	}
}
