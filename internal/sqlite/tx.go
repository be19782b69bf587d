package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/gochat-dev/gochat/internal/chat"
)

// read runs f on one snapshot of the database. what names the doing in an error.
func (s *Store) read(ctx context.Context, what string, f func(*conn) error) error {
	c, err := s.readers.take(ctx)
	if err != nil {
		return classify(what, err)
	}
	defer s.readers.put(c)
	if _, err := c.exec("BEGIN DEFERRED"); err != nil {
		c.rollback()
		return classify(what, err)
	}
	defer c.rollback() // there is nothing to commit; also after a panic
	return classify(what, f(c))
}

// write runs f in a transaction that nobody else writes beside, and commits what it did unless it fails or
// ctx has ended meanwhile.
func (s *Store) write(ctx context.Context, what string, f func(*conn) error) error {
	err := s.transact(ctx, what, f)
	if errors.Is(err, chat.ErrUnavailable) || errors.Is(err, chat.ErrUnknownOutcome) {
		s.pinged.set(time.Time{})
	}
	return err
}

func (s *Store) transact(ctx context.Context, what string, f func(*conn) error) error {
	c, err := s.writer.take(ctx)
	if err != nil {
		return classify(what, err)
	}
	defer s.writer.put(c)
	open := true
	defer func() {
		if open { // f failed, or panicked
			c.rollback()
		}
	}()
	if _, err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return classify(what, err)
	}
	if err := f(c); err != nil {
		return classify(what, err)
	}
	if err := ctx.Err(); err != nil {
		return classify(what, err)
	}
	open = false
	return c.commit(what)
}

// commit ends the transaction. SQLite itself rolls back a commit for which there is no room; after any
// other failure nobody knows what a crash would leave in the file.
func (c *conn) commit(what string) error {
	_, err := c.exec("COMMIT")
	if err == nil {
		return nil
	}
	undone := c.rollback()
	switch primaryCode(err) {
	case sqlite3.SQLITE_FULL:
		return classify(what, err)
	case sqlite3.SQLITE_BUSY:
		if undone {
			return classify(what, err)
		}
	}
	return fmt.Errorf("%s: commit: %w: %w", what, chat.ErrUnknownOutcome, err)
}

// rollback leaves the connection outside any transaction, or marks it as broken. It reports whether there was
// a transaction to undo.
func (c *conn) rollback() bool {
	_, err := c.exec("ROLLBACK")
	switch {
	case err == nil:
		return true
	case primaryCode(err) == sqlite3.SQLITE_ERROR: // no transaction is active: SQLite has ended it already
		return false
	default:
		c.broken = true
		return false
	}
}

// primaryCode is SQLite's result code of an error without its details, or -1 where the error is not SQLite's.
func primaryCode(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return -1
	}
	return e.Code() & 0xff
}

// classify says in the contract's terms what a failure before the commit means. A refusal passes as it is.
func classify(what string, err error) error {
	if err == nil {
		return nil
	}
	var refusal *chat.Error
	if errors.As(err, &refusal) || errors.Is(err, chat.ErrAlreadyDone) {
		return err
	}
	switch primaryCode(err) {
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE:
		return fmt.Errorf("%s: %w: %w", what, chat.ErrBadData, err)
	default: // busy, full, read-only, broken disk or file, closed, out of time: nothing was stored
		return fmt.Errorf("%s: %w: %w", what, chat.ErrUnavailable, err)
	}
}
