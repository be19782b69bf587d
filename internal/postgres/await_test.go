package postgres

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/pgtest"
)

func TestAwait(t *testing.T) {
	server := breakable(t, pgtest.Config{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	never := func(err error) { t.Error("it waits, after", err) }
	if err := Await(ctx, server.URL("postgres"), never); err != nil {
		t.Error("a database that is there:", err)
	}
	if err := Await(ctx, server.URL("nobody_made_it"), never); err == nil || !strings.Contains(err.Error(), "does not exist") || ctx.Err() != nil {
		t.Error("a database that will not come by itself:", err)
	}
	withTLS := strings.Replace(server.URL("postgres"), "sslmode=disable", "sslmode=require", 1)
	if err := Await(ctx, withTLS, never); err == nil || !strings.Contains(err.Error(), "server refused TLS connection") || ctx.Err() != nil {
		t.Error("a database that speaks no TLS:", err)
	}
	if err := server.End(pgtest.Fast); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if err := Await(short, server.URL("postgres"), func(error) {}); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Error("a database that does not come in time:", err) // the reason is why it can't be reached
	}
	came, waits := make(chan error, 1), make(chan error, 1)
	go func() {
		came <- Await(ctx, server.URL("postgres"), func(err error) {
			select {
			case waits <- err:
			default:
			}
		})
	}()
	if err := <-waits; err == nil {
		t.Error("it waits for no reason")
	}
	if err := server.Launch(); err != nil {
		t.Fatal(err)
	}
	if err := <-came; err != nil {
		t.Error("a database that comes:", err)
	}
}
