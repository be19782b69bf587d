package redis

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/chattest"
	"github.com/gochat-dev/gochat/internal/redistest"
)

// Servers that the tests share as long as they don't break them.
var (
	server  = sync.OnceValues(func() (*redistest.Server, error) { return started(redistest.Start(redistest.Config{})) })
	cluster = sync.OnceValues(func() (*redistest.Cluster, error) { return started(redistest.StartCluster(3)) })

	stops []func() error
)

// started notes what has to be stopped.
func started[S interface{ Stop() error }](s S, err error) (S, error) {
	if err == nil {
		stops = append(stops, s.Stop)
	}
	return s, err
}

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		for _, stop := range stops {
			if err := stop(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
		os.Exit(code)
	}))
}

// shared is the server of the tests that leave it as it was, empty.
func shared(tb testing.TB) *redistest.Server {
	tb.Helper()
	s, err := server()
	if err != nil {
		tb.Fatal(err)
	}
	do(tb, s, "FLUSHALL")
	return s
}

// own is a server of a test's own.
func own(t *testing.T, cfg redistest.Config) *redistest.Server {
	t.Helper()
	s, err := redistest.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, s.Stop()) })
	return s
}

func do(tb testing.TB, s *redistest.Server, args ...any) any {
	tb.Helper()
	answer, err := s.Do(context.Background(), args...)
	must(tb, err)
	return answer
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func open(tb testing.TB, url, node string) *Backplane {
	tb.Helper()
	log := slog.New(slog.NewTextHandler(tb.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	b, err := Open(context.Background(), Config{URL: url, Node: node, Log: log})
	must(tb, err)
	return b
}

// node is open, and closed with the test.
func node(tb testing.TB, url, name string) *Backplane {
	tb.Helper()
	b := open(tb, url, name)
	tb.Cleanup(func() {
		if err := b.Close(); err != nil {
			tb.Error(err)
		}
	})
	return b
}

// age lets time pass for presence: it takes it from what the nodes have left.
const age = `
for _, node in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  redis.call('ZINCRBY', KEYS[1], '-' .. ARGV[1], node)
end
return redis.status_reply('OK')`

func TestBackplane(t *testing.T) {
	url := shared(t).URL()
	clockwork := node(t, url, "clock")
	chattest.TestBackplane(t, func(t *testing.T) (a, b chat.Backplane) {
		shared(t)
		return open(t, url, "a"), open(t, url, "b")
	}, passing(t, clockwork))
}

func TestBackplaneOnCluster(t *testing.T) {
	c, err := cluster()
	must(t, err)
	clockwork := node(t, c.URL(), "clock")
	chattest.TestBackplane(t, func(t *testing.T) (a, b chat.Backplane) {
		for _, s := range c.Nodes {
			do(t, s, "FLUSHALL")
		}
		return open(t, c.URL(), "a"), open(t, c.URL(), "b")
	}, passing(t, clockwork))
}

// passing is a clock that ages what is in Redis instead of waiting.
func passing(t *testing.T, b *Backplane) chattest.Clock {
	return chattest.Clock{
		Run: func(t *testing.T, test func(t *testing.T)) { test(t) },
		Pass: func(d time.Duration) {
			must(t, b.client.Eval(context.Background(), age, []string{nodesKey}, d.Milliseconds()).Err())
		},
	}
}
