package relay

import (
	"context"
	"errors"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// Origin is the connection that a draft came from.
type Origin interface {
	// Closed reports whether the connection has been closed: what it had queued is dropped then.
	Closed() bool
	// GiveUp closes the connection, because the outcome of a draft of its stays unknown. The client sends again (SEQ3).
	GiveUp()
	// Ask asks the client for an answer, and returns the number of the question. It must not wait.
	Ask() int64
	// Answered is when a question, and maybe later ones, had been answered, or zero: not yet. The client has heard then all
	// that it was told before, and what was sent before it had heard has been read.
	Answered(question int64) time.Time
	// HeldUp is when its reader was last kept from reading for a while, or zero: what it reads right after that may have
	// been sent long before.
	HeldUp() time.Time
}

// post is a draft on its way. done is called once, from the committer; it must not wait.
type post struct {
	draft chat.Draft
	from  Origin // nil: from REST
	done  func(chat.Outcome)
}

const (
	maxQueued     = 10000                  // drafts that may wait for one committer
	numberTimeout = 500 * time.Millisecond // a send waits no longer than this for the backplane
	appendTimeout = 10 * time.Second
	retryEvery    = 100 * time.Millisecond
	retryAdvice   = time.Second // what a sender is told to wait when the store is away
)

// Post queues a draft behind all earlier ones of its room. done is called when it is committed or refused;
// it must not wait.
func (r *Relay) Post(d chat.Draft, from Origin, done func(chat.Outcome)) {
	c := r.committers[r.shardOf(d.RoomID, len(r.committers))]
	p := post{d, from, done}
	r.waiting.Add(1)
	if err := c.add(p); err != nil {
		r.answer(&p, chat.Outcome{Err: err})
		c.ask(p)
	}
}

// Do commits a draft and waits for it. Texts count against the sender's allowance. It returns an *chat.Error,
// or chat.ErrAlreadyDone where there is nothing to change.
func (r *Relay) Do(ctx context.Context, d chat.Draft) (chat.Entry, error) {
	if d.Kind == chat.KindText {
		if err := r.Allow(d.SenderID); err != nil {
			return chat.Entry{}, err
		}
		if err := d.CheckText(); err != nil {
			return chat.Entry{}, err
		}
	} else if err := d.CheckClientID(); err != nil {
		return chat.Entry{}, err
	}
	if d.At.IsZero() {
		d.At = time.Now()
	}
	result := make(chan chat.Outcome, 1)
	r.Post(d, nil, func(o chat.Outcome) { result <- o })
	select {
	case o := <-result:
		return o.Entry, o.Err
	case <-ctx.Done():
		return chat.Entry{}, chat.Unavailable(retryAdvice)
	}
}

// commit takes a batch through number, commit, deliver and publish (SEQ1 to SEQ7), and answers every draft of it.
func (r *Relay) commit(c *committer, batch []post) {
	began := time.Now()
	drafts := make([]chat.Draft, len(batch))
	for i, p := range batch {
		drafts[i] = p.draft
	}
	outcomes, err := r.append(drafts)
	r.noteStore(err)
	if err != nil {
		r.refuse(c, batch, err)
		return
	}
	r.announce(outcomes, began)
	for i := range batch {
		r.answer(&batch[i], outcomes[i])
	}
}

// refuse answers a batch that was not stored, or of which it is not known whether it was: then the connections are
// closed, and what they had queued is dropped (SEQ3).
func (r *Relay) refuse(c *committer, batch []post, err error) {
	unknown := errors.Is(err, chat.ErrUnknownOutcome)
	r.log.Error("a batch could not be committed", "drafts", len(batch), "err", err)
	if !unknown {
		batch = append(batch, c.holdAll(batch)...)
	}
	for i := range batch {
		if p := &batch[i]; unknown && p.from != nil {
			p.from.GiveUp()
		}
		r.answer(&batch[i], chat.Outcome{Err: chat.Unavailable(retryAdvice)})
	}
	c.ask(batch...)
}

// append commits drafts, duplicates aside. It tries again while the outcome is unknown; what the store refuses
// for its data is split, the first half first (SEQ3, SEQ7).
func (r *Relay) append(drafts []chat.Draft) ([]chat.Outcome, error) {
	if r.cfg.Alone { // no number is generated that a duplicate could use up: the store takes them out by itself
		return r.appendFresh(drafts, nil)
	}
	outcomes := make([]chat.Outcome, len(drafts))
	rest, err := r.knownAside(drafts, outcomes)
	if err != nil || len(rest) == 0 {
		return outcomes, err
	}
	fresh := make([]chat.Draft, len(rest))
	for i, at := range rest {
		fresh[i] = drafts[at]
	}
	done, err := r.appendFresh(fresh, r.number(fresh))
	if err != nil {
		return nil, err
	}
	for i, at := range rest {
		outcomes[at] = done[i]
	}
	return outcomes, nil
}

// knownAside answers the drafts that stand already, so that they use up no number (SEQ2), and returns the indexes of the others.
func (r *Relay) knownAside(drafts []chat.Draft, outcomes []chat.Outcome) ([]int, error) {
	rest := make([]int, 0, len(drafts))
	keys := make([]chat.Key, 0, len(drafts))
	for i := range drafts {
		if drafts[i].Kind == chat.KindText {
			keys = append(keys, drafts[i].Key())
		}
	}
	var known map[chat.Key]chat.Entry
	if len(keys) > 0 {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), appendTimeout)
		defer cancel()
		var err error
		if known, err = r.cfg.Store.Find(ctx, keys); err != nil {
			return nil, err
		}
	}
	for i := range drafts {
		if e, ok := known[drafts[i].Key()]; ok {
			outcomes[i] = chat.Outcome{Entry: e, Duplicate: true}
			continue
		}
		rest = append(rest, i)
	}
	return rest, nil
}

// number asks the backplane for numbers, one trip for the batch (SEQ4). While it can't be reached the store alone decides (SEQ5).
func (r *Relay) number(drafts []chat.Draft) map[string]int64 {
	if until := r.numbersDown.Load(); until != nil && time.Now().Before(*until) {
		return nil
	}
	counts := make(map[string]int)
	seen := make(map[chat.Key]struct{}, len(drafts))
	for i := range drafts {
		if _, twice := seen[drafts[i].Key()]; !twice {
			seen[drafts[i].Key()] = struct{}{}
			counts[drafts[i].RoomID]++
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), numberTimeout)
	defer cancel()
	firsts, err := r.cfg.Backplane.Number(ctx, counts)
	if err != nil {
		until := time.Now().Add(time.Second)
		r.numbersDown.Store(&until)
		r.log.Warn("the backplane gives no numbers: the store alone decides", "err", err)
		return nil
	}
	return firsts
}

func (r *Relay) appendFresh(drafts []chat.Draft, firsts map[string]int64) ([]chat.Outcome, error) {
	deadline := time.Now().Add(r.cfg.GiveUp)
	for {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), appendTimeout)
		outcomes, err := r.cfg.Store.Append(ctx, drafts, firsts)
		cancel()
		switch {
		case err == nil:
			return outcomes, nil
		case errors.Is(err, chat.ErrBadData):
			return r.split(drafts, firsts, err)
		case !errors.Is(err, chat.ErrUnknownOutcome) || time.Now().After(deadline):
			return nil, err
		}
		r.log.Warn("the outcome of a commit is unknown: trying the same batch again", "drafts", len(drafts), "err", err)
		wait(context.WithoutCancel(r.ctx), retryEvery)
	}
}

// split finds the draft that the store refuses for its data: it fails alone.
func (r *Relay) split(drafts []chat.Draft, firsts map[string]int64, cause error) ([]chat.Outcome, error) {
	if len(drafts) == 1 {
		r.log.Warn("the store refuses a draft for its data", "room", drafts[0].RoomID, "err", cause)
		return []chat.Outcome{{Err: chat.Refuse(chat.CodeBadRequest, "the store can't take this text")}}, nil
	}
	half := len(drafts) / 2
	first, err := r.appendFresh(drafts[:half], firsts)
	if err != nil {
		return nil, err
	}
	second, err := r.appendFresh(drafts[half:], firsts)
	if err != nil {
		// The first half stands and will be found when it is sent again (SEQ2).
		return nil, errors.Join(chat.ErrUnknownOutcome, err)
	}
	return append(first, second...), nil
}

// announce delivers what was committed to this node's connections and rings the bell for the others. A duplicate
// rings it again (SEQ2).
func (r *Relay) announce(outcomes []chat.Outcome, began time.Time) {
	var fresh, duplicates int
	for i := range outcomes {
		o := &outcomes[i]
		if o.Err != nil {
			continue
		}
		r.deliver(&o.Entry)
		if o.Duplicate {
			duplicates++
			continue
		}
		fresh++
		r.cfg.Observe.NumbersSkipped(o.Entry.Seq - o.Entry.PrevSeq - 1)
		if subject := o.Entry.Subject(); subject != "" {
			r.sessions.RoomsChanged(subject)
		}
	}
	if !r.cfg.Alone {
		r.ring(outcomes)
	}
	r.cfg.Observe.Committed(fresh, duplicates, time.Since(began))
}

// ring queues the bells of what was committed, and the numbers that the backplane's counters are to be raised to.
func (r *Relay) ring(outcomes []chat.Outcome) {
	notices := make([]chat.Notice, 0, len(outcomes))
	heads := make(map[string]int64, 1)
	for i := range outcomes {
		o := &outcomes[i]
		if o.Err != nil {
			continue
		}
		e := &o.Entry
		notices = append(notices, chat.Notice{RoomID: e.RoomID, Entry: e})
		heads[e.RoomID] = max(heads[e.RoomID], e.Seq)
		if subject := e.Subject(); subject != "" && !o.Duplicate {
			notices = append(notices, chat.Notice{User: &chat.UserNotice{UserID: subject, Kind: chat.RoomsChanged}})
		}
	}
	if len(notices) > 0 {
		r.publisher.add(notices, heads)
	}
}

func (r *Relay) noteStore(err error) {
	down := errors.Is(err, chat.ErrUnavailable) || errors.Is(err, chat.ErrUnknownOutcome)
	if r.storeDown.Swap(down) != down {
		r.cfg.Observe.StoreUp(!down)
	}
}
