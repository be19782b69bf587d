package redis

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gochat-dev/gochat/internal/redistest"
)

func TestURL(t *testing.T) {
	for _, c := range []struct {
		name, url string
		check     func(t *testing.T, to target)
	}{
		{"one server", "redis://chat.example", func(t *testing.T, to target) {
			same(t, to.single.Addr, "chat.example:6379")
			same(t, to.single.TLSConfig == nil, true)
		}},
		{"user, password and database", "redis://chat:secret@chat.example:7000/3", func(t *testing.T, to target) {
			same(t, []string{to.single.Username, to.single.Password, to.single.Addr}, []string{"chat", "secret", "chat.example:7000"})
			same(t, to.db(), 3)
		}},
		{"TLS", "rediss://:secret@chat.example", func(t *testing.T, to target) {
			same(t, to.single.TLSConfig.ServerName, "chat.example")
			same(t, to.single.Password, "secret")
		}},
		{"cluster", "rediss://:secret@a.example:7000?addr=b.example:7001&addr=c.example:7002", func(t *testing.T, to target) {
			same(t, to.cluster.Addrs, []string{"a.example:7000", "b.example:7001", "c.example:7002"})
			same(t, to.cluster.Password, "secret")
			same(t, to.cluster.TLSConfig != nil, true)
			same(t, to.db(), 0)
		}},
		{"sentinels", "redis://:watch@a.example:26379/2?master_name=chat&addr=b.example:26379&password=secret", func(t *testing.T, to target) {
			same(t, to.sentinel.SentinelAddrs, []string{"a.example:26379", "b.example:26379"})
			same(t, []string{to.sentinel.MasterName, to.sentinel.SentinelPassword, to.sentinel.Password}, []string{"chat", "watch", "secret"})
			same(t, to.db(), 2)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			to, err := parse(c.url)
			must(t, err)
			c.check(t, to)
		})
	}
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestURLRefused(t *testing.T) {
	for _, url := range []string{
		"", "chat.example:6379", "http://:secret@chat.example", "redis://:secret@chat.example/database",
		"redis://:secret@chat.example:port", "redis://:secret@chat.example?colour=blue", "redis://:sec%ret@chat.example",
		"redis://:secret@a.example?addr=b", "redis://:secret@a.example/1/2?master_name=chat",
	} {
		b, err := Open(t.Context(), Config{URL: url})
		if err == nil {
			t.Errorf("%q was taken", url)
			must(t, b.Close())
		} else if strings.Contains(err.Error(), "sec") {
			t.Errorf("%q: the error shows the password: %v", url, err)
		}
	}
}

// TestNothingIsRetried: neither a command nor a dial, whatever the URL says; a call ends with its context.
func TestNothingIsRetried(t *testing.T) {
	for _, url := range []string{
		"redis://127.0.0.1:1?max_retries=5", "redis://127.0.0.1:1?max_retries=5&master_name=chat",
		"redis://127.0.0.1:1?max_retries=5&addr=127.0.0.1:2",
	} {
		to, err := parse(url)
		must(t, err)
		client := to.connect()
		var retries int
		switch client := client.(type) {
		case *goredis.Client:
			retries = client.Options().MaxRetries
			same(t, client.Options().ContextTimeoutEnabled, true)
		case *goredis.ClusterClient:
			retries = client.Options().MaxRetries
			same(t, client.Options().ContextTimeoutEnabled, true)
		}
		if retries > 0 {
			t.Errorf("%s: %d retries", url, retries)
		}
		must(t, client.Close())
	}
}

func TestPassword(t *testing.T) {
	s := own(t, redistest.Config{Password: "sesame, open"})
	a := node(t, s.URL(), "a")
	if _, err := a.Number(t.Context(), map[string]int{"lobby": 1}); err != nil {
		t.Error(err)
	}
	must(t, a.Watch(t.Context(), "lobby"))

	stranger := node(t, "redis://:wrong@"+s.Addr(), "stranger")
	unavailableSoon(t, "with a wrong password", stranger)
}

func TestOpenTakesNoLongerThanItsContext(t *testing.T) {
	s := own(t, redistest.Config{})
	must(t, s.Pause())
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	b, err := Open(ctx, Config{URL: s.URL() + "?read_timeout=30s"})
	must(t, err)
	if waited := time.Since(start); waited > 15*time.Second {
		t.Errorf("Open waited %v for a frozen Redis", waited)
	}
	must(t, s.Resume())
	must(t, b.Close())
}
