package relay

import (
	"context"
	"sync"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// reads are the read positions that are not saved yet: written at most once a second per user and room (SIG2).
type reads struct {
	kick chan struct{}

	mu      sync.Mutex
	pending map[readKey]int64
}

type readKey struct{ roomID, userID string }

const saveReadsEvery = time.Second

// Read moves a member's read position forward and relays it. It returns where it stands and how many are unread.
func (r *Relay) Read(ctx context.Context, roomID, userID string, seq int64) (int64, int, error) {
	view, err := r.cfg.Store.Room(ctx, roomID, userID)
	if err != nil {
		return 0, 0, chat.MembersOnly(err)
	}
	if view.Role == "" {
		return 0, 0, chat.ErrNotAMember
	}
	last := max(view.LastReadSeq, min(seq, view.Head.Seq))
	last = r.reads.move(readKey{roomID, userID}, last, view.LastReadSeq)
	if last > view.LastReadSeq {
		r.hub.Read(chat.Read{RoomID: roomID, UserID: userID, Seq: last})
	}
	if last >= view.Head.Seq {
		return last, 0, nil
	}
	unread, err := r.cfg.Store.Unread(ctx, roomID, userID, last)
	return last, unread, err
}

// move notes a position and returns the furthest one known.
func (q *reads) move(key readKey, seq, saved int64) int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	if p, ok := q.pending[key]; ok {
		seq = max(seq, p)
	}
	if seq > saved {
		if q.pending == nil {
			q.pending = make(map[readKey]int64)
		}
		q.pending[key] = seq
	}
	return seq
}

// SaveReads has what is pending written now: a connection has ended.
func (r *Relay) SaveReads() { signal(r.reads.kick) }

func (r *Relay) saveReads() {
	ticker := time.NewTicker(saveReadsEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-r.reads.kick:
		case <-r.ctx.Done():
			r.savePending()
			return
		}
		r.savePending()
	}
}

// savePending writes what is pending. It stays pending until it is written, so that nobody's position goes back meanwhile.
func (r *Relay) savePending() {
	batch := r.reads.batch()
	if len(batch) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), readTimeout)
	defer cancel()
	if err := r.cfg.Store.SaveReads(ctx, batch); err != nil {
		r.log.Warn("saving read positions failed: trying again", "reads", len(batch), "err", err)
		return
	}
	r.reads.saved(batch)
}

func (q *reads) batch() []chat.Read {
	q.mu.Lock()
	defer q.mu.Unlock()
	batch := make([]chat.Read, 0, len(q.pending))
	for key, seq := range q.pending {
		batch = append(batch, chat.Read{RoomID: key.roomID, UserID: key.userID, Seq: seq})
	}
	return batch
}

// saved forgets what has been written, where nothing further was read since.
func (q *reads) saved(batch []chat.Read) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range batch {
		if key := (readKey{r.RoomID, r.UserID}); q.pending[key] == r.Seq {
			delete(q.pending, key)
		}
	}
}
