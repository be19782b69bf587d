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
	if err := Await(ctx, server.URL("postgres")); err != nil {
		t.Error("a database that is there:", err)
	}
	if err := Await(ctx, server.URL("nobody_made_it")); err == nil || !strings.Contains(err.Error(), "does not exist") || ctx.Err() != nil {
		t.Error("a database that will not come by itself:", err)
	}
	if err := server.End(pgtest.Fast); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if err := Await(short, server.URL("postgres")); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Error("a database that does not come in time:", err) // the reason is why it can't be reached
	}
	came := make(chan error, 1)
	go func() { came <- Await(ctx, server.URL("postgres")) }()
	if err := server.Launch(); err != nil {
		t.Fatal(err)
	}
	if err := <-came; err != nil {
		t.Error("a database that comes:", err)
	}
}
