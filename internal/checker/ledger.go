package checker

import (
	"context"
	"sync"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// Database is the durable part of a run: a store that can be put back to an earlier moment.
type Database interface {
	// Store is the store as it is now. It is another one after Restore.
	Store() chat.Store
	// Backup keeps a copy of the store; nothing is written meanwhile.
	Backup(ctx context.Context) error
	// Restore puts the store back to the last Backup.
	Restore(ctx context.Context) error
	Close() error
}

// Ledger is the database that all nodes share, with a witness beside it that keeps what was committed and when.
type Ledger struct {
	history *History

	mu      sync.Mutex // held while a commit is under way: whoever asks about an entry waits until it is noted
	db      Database
	commits map[string]*commit // by message id
	heads   map[string]chat.Position
	keys    map[chat.Key]string // message ids of this history
	moves   []move
	refused map[chat.Key]bool // drafts that were refused at least once
	kept    map[string]bool   // message ids at the last backup
}

type commit struct {
	chat.Entry
	at   time.Time
	lost bool // a restore took it away
}

// move is a change of somebody's membership of a room.
type move struct {
	*commit
	userID string
	in     bool
}

// NewLedger puts a witness beside a database.
func NewLedger(db Database, h *History) *Ledger {
	return &Ledger{
		history: h, db: db, commits: make(map[string]*commit), heads: make(map[string]chat.Position),
		keys: make(map[chat.Key]string), refused: make(map[chat.Key]bool),
	}
}

// Store is the store as it is now.
func (l *Ledger) Store() chat.Store {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.db.Store()
}

// Append commits a batch and notes what it did before anybody can hear of it.
func (l *Ledger) Append(ctx context.Context, drafts []chat.Draft, firsts map[string]int64) ([]chat.Outcome, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	outcomes, err := l.db.Store().Append(ctx, drafts, firsts)
	if err != nil {
		return nil, err
	}
	for i, o := range outcomes {
		switch {
		case o.Err != nil:
			l.refused[drafts[i].Key()] = true
		case !o.Duplicate:
			l.committed(o.Entry)
		}
	}
	return outcomes, nil
}

// committed notes an entry, and that it stands where an entry may stand. The caller holds mu.
func (l *Ledger) committed(e chat.Entry) {
	c := &commit{Entry: e, at: time.Now()}
	if head := l.heads[e.RoomID]; e.Prev() != head || e.Seq <= head.Seq {
		l.history.violate("SEQ1", "", e.RoomID, "%d after %d was committed when the head was %d", e.Seq, e.PrevSeq, head.Seq)
	}
	key := chat.Key{RoomID: e.RoomID, SenderID: e.SenderID, ClientID: e.ClientID}
	if _, twice := l.keys[key]; twice {
		l.history.violate("SEQ2", "", e.RoomID, "client id %s was committed twice", short(e.ClientID))
	}
	l.commits[e.MessageID] = c
	l.heads[e.RoomID] = e.Position()
	l.keys[key] = e.MessageID
	if subject := e.Subject(); subject != "" && e.Kind != chat.KindRoleChanged {
		l.moves = append(l.moves, move{c, subject, e.Kind == chat.KindMemberJoined})
	}
	l.history.note("", e.RoomID, "commit %d after %d %s %s", e.Seq, e.PrevSeq, e.Kind, short(e.MessageID))
}

// find is the commit of a message id.
func (l *Ledger) find(messageID string) (commit, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.commits[messageID]
	if !ok {
		return commit{}, false
	}
	return *c, true
}

// standing is the commit of a draft in this history.
func (l *Ledger) standing(key chat.Key) (commit, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id, ok := l.keys[key]
	if !ok {
		return commit{}, false
	}
	return *l.commits[id], true
}

// removedBefore is the removal of a user that an entry must not come after, if there is one (HUB7): with a number below
// the entry's, and no return of the user until it was seen.
func (l *Ledger) removedBefore(userID string, e commit, seen time.Time) (commit, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out *commit
	for _, m := range l.moves {
		switch {
		case m.userID != userID || m.RoomID != e.RoomID || m.lost:
		case m.in && (m.Seq <= e.Seq || !m.At.After(seen)): // who is back may read what was said meanwhile
			out = nil
		case m.in:
		case m.Seq < e.Seq:
			out = m.commit
		}
	}
	if out == nil {
		return commit{}, false
	}
	return *out, true
}

// Backup keeps the store as it is.
func (l *Ledger) Backup(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.db.Backup(ctx); err != nil {
		return err
	}
	l.kept = make(map[string]bool, len(l.commits))
	for id, c := range l.commits {
		if !c.lost {
			l.kept[id] = true
		}
	}
	l.history.note("", "", "BACKUP")
	return nil
}

// Restore puts the store back to the last backup.
func (l *Ledger) Restore(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.db.Restore(ctx); err != nil {
		return err
	}
	lost := 0
	clear(l.heads)
	clear(l.keys)
	for id, c := range l.commits {
		if c.lost = !l.kept[id]; c.lost {
			lost++
			continue
		}
		l.keys[chat.Key{RoomID: c.RoomID, SenderID: c.SenderID, ClientID: c.ClientID}] = id
		if c.Seq > l.heads[c.RoomID].Seq {
			l.heads[c.RoomID] = c.Position()
		}
	}
	l.history.Restored()
	l.history.note("", "", "RESTORE: %d entries are lost", lost)
	return nil
}

// lose notes an entry that was committed, and that a restore has taken away since.
func (l *Ledger) lose(e chat.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.commits[e.MessageID] = &commit{Entry: e, lost: true}
}

// forgive takes what a client has said in rooms that it has left, or was removed from, for refused at least once:
// nobody saw whether it was.
func (l *Ledger) forgive(c *Client) {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := make(map[string]bool)
	for _, m := range l.moves {
		if m.userID == c.userID && !m.in {
			left[m.RoomID] = true
		}
	}
	for _, it := range c.sent {
		if left[it.roomID] {
			l.refused[chat.Key{RoomID: it.roomID, SenderID: c.userID, ClientID: it.clientID}] = true
		}
	}
}

// wasRefused reports whether a draft was refused at least once: when it was sent again, others may have been before it.
func (l *Ledger) wasRefused(key chat.Key) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refused[key]
}
