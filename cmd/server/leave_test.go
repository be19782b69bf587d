package main

import (
	"net/http"
	"syscall"
	"testing"

	"github.com/gochat-dev/gochat/internal/redistest"
)

// status is what a GET is answered with.
func (p *process) status(path string) (int, error) {
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.base+path, nil)
	if err != nil {
		return 0, err
	}
	req.Close = true // each on a connection of its own, as from many
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

// shared starts what nodes share, and returns the settings that name it.
func shared(t *testing.T) []string {
	t.Helper()
	redis, err := redistest.Start(redistest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := redis.Stop(); err != nil {
			t.Error(err)
		}
	})
	return []string{"GOCHAT_POSTGRES_URL=" + databases.New(t), "GOCHAT_REDIS_URL=" + redis.URL()}
}

func TestNoticed(t *testing.T) {
	t.Run("[DRN1] a node that has others, and nobody connected, is seen to be leaving before it is gone, and serves meanwhile", func(t *testing.T) {
		p := start(t, t.TempDir(), append(shared(t), "GOCHAT_DRAIN=9s")...)
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		noticed := 0
		for {
			ready, err := p.status("/readyz")
			if err != nil {
				break
			}
			app, err := p.status("/api/v1/openapi.json")
			if ready == http.StatusServiceUnavailable && err == nil && app == http.StatusOK {
				noticed++
			}
		}
		if noticed < 10 {
			t.Errorf("it was seen %d times to be leaving and to serve", noticed)
		}
		if err := <-p.done; err != nil {
			t.Errorf("it ended with %v, want exit 0", err)
		}
		close(p.done)
	})
}
