package children

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestRedisScript(t *testing.T) {
	for _, shell := range shells {
		t.Run(shell, func(t *testing.T) {
			p := newPod(t, shell, minimal(Redis).redisFiles(), "sh", "redis-server")
			p.start("redis.sh", "REDISCLI_AUTH=it's").fails("REDISCLI_AUTH may hold only")

			r := p.start("redis.sh", "REDISCLI_AUTH=the-secret")
			address := fmt.Sprintf("127.0.0.1:%d", p.port)
			known := redis.NewClient(&redis.Options{Addr: address, Password: "the-secret", MaxRetries: -1})
			stranger := redis.NewClient(&redis.Options{Addr: address, MaxRetries: -1})
			defer known.Close()
			defer stranger.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for known.Ping(ctx).Err() != nil {
				select {
				case <-r.done:
					t.Fatalf("it has ended:\n%s", r.log)
				case <-ctx.Done():
					t.Fatal(known.Ping(context.WithoutCancel(ctx)), r.log)
				case <-time.After(5 * time.Millisecond): // between two looks; nothing depends on how long
				}
			}
			if err := stranger.Ping(ctx).Err(); err == nil || !strings.Contains(err.Error(), "NOAUTH") {
				t.Error("without a password:", err)
			}
			if err := known.Set(ctx, "counter", 1, 0).Err(); err != nil {
				t.Error(err)
			}
			for name, want := range map[string]string{"maxmemory": "6291456", "maxmemory-policy": "noeviction", "save": "", "appendonly": "no"} {
				if got := known.ConfigGet(ctx, name).Val()[name]; got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if runtime.GOOS == "linux" {
				if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", r.Process.Pid)); err != nil || strings.Contains(string(line), "secret") {
					t.Errorf("%v: the password is in the list of processes: %q", err, line)
				}
			}
			r.signal(syscall.SIGTERM)
			if status := r.status(); status != 0 {
				t.Errorf("after SIGTERM it exits %d:\n%s", status, r.log)
			}
			if files, err := os.ReadDir(p.data); err != nil || len(files) != 0 {
				t.Errorf("%v: it keeps %v", err, files)
			}
		})
	}
}
