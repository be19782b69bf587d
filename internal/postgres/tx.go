package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/gochat-dev/gochat/internal/chat"
)

// errAgain makes write try once more: something came in between that no lock had kept out.
var errAgain = errors.New("changed meanwhile")

// SQLSTATEs, and the classes that their first two characters are (PostgreSQL's documentation, appendix A).
const (
	classData            = "22"
	classConstraint      = "23"
	classResources       = "53" // disk full, out of memory, too many connections
	uniqueViolation      = "23505"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
)

// read sends the queries of a batch in one trip, which reads one snapshot, and takes in what they find. A
// connection that turns out to be lost is replaced once: reading twice does no harm. what names the doing in an error.
func (s *Store) read(ctx context.Context, what string, batch *pgx.Batch) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	lost, err := s.trip(ctx, batch)
	if lost && ctx.Err() == nil {
		_, err = s.trip(ctx, anew(batch))
	}
	err = classify(what, err, false)
	if errors.Is(err, chat.ErrBadData) {
		return fmt.Errorf("%w (%w)", errMalformed, err)
	}
	return err
}

var errMalformed = chat.Refuse(chat.CodeBadRequest, "this can't be looked for: it is not valid UTF-8 without U+0000")

// anew is a batch with the same queries. One that was sent holds on to what its connection had prepared.
func anew(batch *pgx.Batch) *pgx.Batch {
	fresh := &pgx.Batch{}
	for _, q := range batch.QueuedQueries {
		fresh.Queue(q.SQL, q.Arguments...).Fn = q.Fn
	}
	return fresh
}

// trip reports whether the connection was lost on the way; then the others are likely to be lost too.
func (s *Store) trip(ctx context.Context, batch *pgx.Batch) (lost bool, err error) {
	c, err := s.readers.Acquire(ctx)
	if err != nil {
		return false, err
	}
	defer c.Release()
	err = c.SendBatch(ctx, batch).Close()
	if lost = c.Conn().IsClosed(); lost {
		s.readers.Reset()
	}
	return lost, err
}

// write runs f in a transaction and commits what it did unless it fails. f runs again after a deadlock, and so
// must begin anew.
func (s *Store) write(ctx context.Context, what string, f func(ctx context.Context, tx pgx.Tx) error) error {
	_, err := s.transact(ctx, f)
	return classify(what, err, false)
}

// transact also reports whether a failure leaves open what was stored: the commit's answer did not come (SEQ3).
func (s *Store) transact(ctx context.Context, f func(ctx context.Context, tx pgx.Tx) error) (open bool, err error) {
	err = s.attempt(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		open = false
		tx, err := c.Begin(ctx)
		if err != nil {
			return err
		}
		defer rollback(tx) // does nothing after the commit; also after a panic
		if err := f(ctx, tx); err != nil {
			return err
		}
		err = tx.Commit(ctx)
		open = !definite(err)
		return err
	})
	return open, err
}

// rollback frees what a transaction has locked. Where it can't, the pool closes the connection, and the server rolls back.
func rollback(tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = tx.Rollback(ctx)
}

// attempt runs f on a connection that writes, again while the server says that trying again may help (a deadlock, a
// transaction that can't be serialized) and there is time.
func (s *Store) attempt(ctx context.Context, f func(ctx context.Context, c *pgxpool.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := s.once(ctx, f)
	for try := 1; again(err) && pause(ctx, try); try++ {
		err = s.once(ctx, f)
	}
	if err != nil && !isRefusal(err) {
		s.noteFailure(err)
	}
	return err
}

func (s *Store) once(ctx context.Context, f func(ctx context.Context, c *pgxpool.Conn) error) error {
	c, err := s.writers.Acquire(ctx)
	if err != nil {
		return &unsent{err}
	}
	defer c.Release()
	err = f(ctx, c)
	if c.Conn().IsClosed() {
		s.writers.Reset() // the others are likely to be lost too
	}
	return err
}

// pause waits a little, so that those who met do not meet again. It reports false when ctx ends before.
func pause(ctx context.Context, try int) bool {
	t := time.NewTimer(rand.N(time.Duration(min(try, 10)) * 10 * time.Millisecond))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// unsent is a failure before anything was sent.
type unsent struct{ error }

func (e *unsent) Unwrap() error { return e.error }

func again(err error) bool {
	c := code(err)
	return c == deadlockDetected || c == serializationFailure || errors.Is(err, errAgain)
}

// code is the SQLSTATE of an error, or "" where the server sent none.
func code(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code
	}
	return ""
}

// definite reports that a statement has certainly come to its end, good or bad: with an ERROR the server goes on, and
// has rolled back. What ends the session (FATAL, a lost connection, the end of ctx) can come on either side of the
// commit. pgconn.SafeToRetry is of no help: it also says yes where the answer to a statement is lost.
func definite(err error) bool {
	var before *unsent
	if err == nil || errors.As(err, &before) || errors.Is(err, pgx.ErrTxCommitRollback) {
		return true
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.SeverityUnlocalized == "ERROR"
}

// isRefusal reports that an error is an answer, and no failure.
func isRefusal(err error) bool {
	var refusal *chat.Error
	return errors.As(err, &refusal)
}

// classify says in the contract's terms what a failure means, where open says that nobody knows what was stored. A
// refusal passes as it is.
func classify(what string, err error, open bool) error {
	if err == nil {
		return nil
	}
	switch {
	case isRefusal(err):
		return err
	case open:
		return fmt.Errorf("%s: %w: %w", what, chat.ErrUnknownOutcome, err)
	case strings.HasPrefix(code(err), classData), strings.HasPrefix(code(err), classConstraint):
		return fmt.Errorf("%s: %w: %w", what, chat.ErrBadData, err)
	default: // not to be reached, starting, full, read-only, out of connections or of time: nothing was stored
		return fmt.Errorf("%s: %w: %w", what, chat.ErrUnavailable, err)
	}
}
