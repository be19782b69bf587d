package relay

import (
	"context"
	"maps"
	"math"
	"sync"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// reads are the read positions that are not saved yet: written at most once a second per user and room (SIG2).
type reads struct {
	kick chan struct{}

	mu     sync.Mutex
	ofUser positions // by user, then room; whoever comes back is asked about
	ofRoom positions // the same by room, then user
}

// positions are read positions by two keys.
type positions map[string]map[string]int64

func (p positions) set(of, at string, seq int64) {
	if p[of] == nil {
		p[of] = make(map[string]int64)
	}
	p[of][at] = seq
}

func (p positions) forget(of, at string) {
	if delete(p[of], at); len(p[of]) == 0 {
		delete(p, of)
	}
}

const saveReadsEvery = time.Second

// Read moves a member's read position forward and relays it. It returns where it stands and how many are unread.
func (r *Relay) Read(ctx context.Context, roomID, userID string, seq int64) (int64, int, error) {
	view, err := r.UpToDate(r.cfg.Store).Room(ctx, roomID, userID)
	if err != nil {
		return 0, 0, chat.MembersOnly(err)
	}
	if view.Role == "" {
		return 0, 0, chat.ErrNotAMember
	}
	last := max(view.LastReadSeq, min(seq, view.Head.Seq))
	last = r.reads.move(roomID, userID, last, view.LastReadSeq)
	if last > view.LastReadSeq {
		r.hub.Read(chat.Read{RoomID: roomID, UserID: userID, Seq: last})
	}
	if last >= view.Head.Seq {
		return last, 0, nil
	}
	unread, err := r.cfg.Store.Unread(ctx, roomID, userID, last, math.MaxInt64)
	return last, unread, err
}

// move notes a position and returns the furthest one known. What is saved already need not be noted.
func (q *reads) move(roomID, userID string, seq, saved int64) int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	seq = max(seq, q.ofUser[userID][roomID])
	if seq > saved {
		q.ofUser.set(userID, roomID, seq)
		q.ofRoom.set(roomID, userID, seq)
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
	batch := make([]chat.Read, 0, len(q.ofUser))
	for userID, rooms := range q.ofUser {
		for roomID, seq := range rooms {
			batch = append(batch, chat.Read{RoomID: roomID, UserID: userID, Seq: seq})
		}
	}
	return batch
}

// saved forgets what has been written, where nothing further was read since.
func (q *reads) saved(batch []chat.Read) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range batch {
		if q.ofUser[r.UserID][r.RoomID] == r.Seq {
			q.ofUser.forget(r.UserID, r.RoomID)
			q.ofRoom.forget(r.RoomID, r.UserID)
		}
	}
}

// user returns the positions of a user that are not saved yet, by room.
func (q *reads) user(userID string) map[string]int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return maps.Clone(q.ofUser[userID])
}

// room returns the positions in a room that are not saved yet, by user.
func (q *reads) room(roomID string) map[string]int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return maps.Clone(q.ofRoom[roomID])
}
