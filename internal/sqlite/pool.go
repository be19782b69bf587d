package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
)

// conn is one connection with the statements prepared on it. It has one owner at a time: whoever took it from
// its pool. Its statements run to their end whatever becomes of the caller's context: they are short, and
// an interrupted one costs more than it saves.
type conn struct {
	sql    *sql.Conn
	stmts  map[string]*sql.Stmt
	broken bool // in a state that nobody knows: to be replaced
}

// stmt prepares a query at its first use. Queries are constants, so there are only so many.
func (c *conn) stmt(query string) (*sql.Stmt, error) {
	if st, ok := c.stmts[query]; ok {
		return st, nil
	}
	st, err := c.sql.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	c.stmts[query] = st
	return st, nil
}

// exec runs a statement and returns how many rows it changed.
func (c *conn) exec(query string, args ...any) (int64, error) {
	st, err := c.stmt(query)
	if err != nil {
		return 0, err
	}
	res, err := st.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// row reads the only row of a query into dest. It reports false where there is none.
func (c *conn) row(query string, args []any, dest ...any) (bool, error) {
	st, err := c.stmt(query)
	if err != nil {
		return false, err
	}
	err = st.QueryRowContext(context.Background(), args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// each calls scan for every row of a query.
func (c *conn) each(query string, args []any, scan func(*sql.Rows) error) error {
	st, err := c.stmt(query)
	if err != nil {
		return err
	}
	rows, err := st.QueryContext(context.Background(), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (c *conn) close() error {
	var err error
	for _, st := range c.stmts {
		err = errors.Join(err, st.Close())
	}
	if c.broken {
		// database/sql throws away a connection that says so of itself
		_ = c.sql.Raw(func(any) error { return driver.ErrBadConn })
	}
	if e := c.sql.Close(); e != nil && !errors.Is(e, sql.ErrConnDone) {
		err = errors.Join(err, e)
	}
	return err
}

// pool hands out a fixed number of connections, first come, first served. They are opened at their first use.
type pool struct {
	db     *sql.DB
	free   chan *conn // nil: one that is to be opened
	closed <-chan struct{}
}

func newPool(db *sql.DB, size int, closed <-chan struct{}) *pool {
	db.SetMaxIdleConns(size)
	p := &pool{db: db, free: make(chan *conn, size), closed: closed}
	for range size {
		p.free <- nil
	}
	return p
}

var errClosed = errors.New("the store is closed")

// take waits for a connection until ctx ends. The caller gives it back with put.
func (p *pool) take(ctx context.Context) (*conn, error) {
	select {
	case <-p.closed:
		return nil, errClosed
	default:
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-p.closed:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	case c := <-p.free:
		if c != nil {
			return c, nil
		}
		raw, err := p.db.Conn(context.WithoutCancel(ctx))
		if err != nil {
			p.free <- nil
			return nil, fmt.Errorf("connect: %w", err)
		}
		return &conn{sql: raw, stmts: make(map[string]*sql.Stmt)}, nil
	}
}

func (p *pool) put(c *conn) {
	if c.broken {
		_ = c.close() // it is thrown away because it failed; the failure itself has been reported
		c = nil
	}
	p.free <- c
}

// close waits until every connection has come back, and closes it.
func (p *pool) close() error {
	var err error
	for range cap(p.free) {
		if c := <-p.free; c != nil {
			err = errors.Join(err, c.close())
		}
	}
	return err
}
