package redistest

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

func TestServer(t *testing.T) {
	s, err := Start(Config{Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	set := func() {
		t.Helper()
		if _, err := s.Do(ctx, "SET", "kept", "1"); err != nil {
			t.Fatal(err)
		}
	}
	keys := func(want int64) {
		t.Helper()
		if n, err := s.Do(ctx, "DBSIZE"); err != nil || n != want {
			t.Fatalf("%v keys (%v), want %d", n, err, want)
		}
	}
	set()
	keys(1)
	if err := s.Launch(); err == nil {
		t.Error("it was started twice")
	}
	if err := errors.Join(s.Kill(), s.Launch()); err != nil {
		t.Fatal(err)
	}
	keys(0)
	set()
	if err := s.Pause(); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	client := s.client()
	client.Options().ContextTimeoutEnabled = true
	if err := client.Ping(short).Err(); err == nil {
		t.Error("a frozen server answers")
	}
	if err := errors.Join(client.Close(), s.Resume()); err != nil {
		t.Fatal(err)
	}
	keys(1)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something is left in %s: %v", s.dir, err)
	}
	if err := s.Pause(); err == nil {
		t.Error("a stopped server was paused")
	}
}

func TestCluster(t *testing.T) {
	c, err := StartCluster(3)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(c.URL(), "127.0.0.1") != 3 {
		t.Errorf("URL %s does not name 3 masters", c.URL())
	}
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
}

func TestNotInstalled(t *testing.T) {
	t.Setenv("REDIS_SERVER", "/nowhere/redis-server")
	if _, err := Start(Config{}); err == nil || !strings.Contains(err.Error(), "apt-get install redis-server") {
		t.Fatalf("without Redis: %v", err)
	}
}
