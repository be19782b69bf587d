package pgtest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
)

// Databases hands out fresh databases of one server, which starts at the first call: a test binary has one in a
// variable and stops it in TestMain.
type Databases struct {
	Config  Config
	Prepare func(ctx context.Context, url string) error // fills the template that each database is copied from

	start  sync.Once
	server *Server
	err    error
	made   atomic.Int64
}

const template = "gochat_template"

// Server is the server, running.
func (d *Databases) Server(tb testing.TB) *Server {
	tb.Helper()
	d.start.Do(func() {
		if d.server, d.err = Start(d.Config); d.err != nil {
			return
		}
		ctx := context.Background()
		var url string
		if url, d.err = d.server.Create(ctx, template); d.err != nil || d.Prepare == nil {
			return
		}
		d.err = d.Prepare(ctx, url)
	})
	if d.err != nil {
		tb.Fatal(d.err)
	}
	return d.server
}

// New makes a database and returns its URL. It is dropped when the test ends.
func (d *Databases) New(tb testing.TB) string {
	tb.Helper()
	s := d.Server(tb)
	name := fmt.Sprintf("test_%d_%d", os.Getpid(), d.made.Add(1))
	ctx := context.Background()
	if err := s.Exec(ctx, "postgres", "CREATE DATABASE "+name+" TEMPLATE "+template+" OWNER "+tester); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Drop(ctx, name); err != nil {
			tb.Error(err)
		}
	})
	return s.URL(name)
}

// Stop stops the server, if it was started.
func (d *Databases) Stop() error {
	if d.server == nil {
		return nil
	}
	return d.server.Stop()
}
