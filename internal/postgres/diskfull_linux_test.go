package postgres

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/pgtest"
)

// TestFullDisk fills a small file system of its own, which takes the right to mount one.
func TestFullDisk(t *testing.T) {
	server := breakable(t, pgtest.Config{})
	dir := server.SmallDisk(t, "small", "16m")
	ctx := context.Background()
	if err := server.Exec(ctx, "postgres", "CREATE DATABASE gochat OWNER gochat TABLESPACE small"); err != nil {
		t.Fatal(err)
	}
	url := server.URL("gochat")
	if err := prepare(ctx, url); err != nil {
		t.Fatal(err)
	}
	w := buildAt(t, url, 2, 1)
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := w.Ping(ctx); err != nil { // leaves a row, which a later ping could write where it is
		t.Fatal(err)
	}
	acknowledged := fill(t, w)
	check := func(what string) {
		t.Helper()
		log := logOf(t, w.Store, w.rooms[0])[2:] // who joined
		if len(log) != len(acknowledged) {
			t.Fatalf("%s: %d entries, %d acknowledged", what, len(log), len(acknowledged))
		}
		for i := range log {
			if log[i].Position() != acknowledged[i] {
				t.Fatalf("%s: %v acknowledged, %v found", what, acknowledged[i], log[i].Position())
			}
		}
	}
	if len(acknowledged) == 0 {
		t.Fatal("nothing was acknowledged before it was full")
	}
	for range 3 {
		unavailable(t, "a ping while it is full", w.Ping(ctx))
	}
	check("full")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := w.Ping(ctx); err != nil {
		t.Fatalf("a ping after room was made: %v", err)
	}
	for _, o := range w.append(t, w.long(), w.text(0, 1)) {
		acknowledged = append(acknowledged, o.Entry.Position())
	}
	check("after room was made")
}

// fill appends long texts, then short ones, until the server takes no more, and returns what it acknowledged.
func fill(t *testing.T, w world) []chat.Position {
	t.Helper()
	var acknowledged []chat.Position
	for _, batch := range []func() []chat.Draft{
		func() []chat.Draft { return []chat.Draft{w.long(), w.long(), w.long()} },
		func() []chat.Draft { return []chat.Draft{w.text(0, 0)} },
	} {
		for full := false; !full; {
			out, err := w.Append(context.Background(), batch(), nil)
			full = err != nil
			if full && (!errors.Is(err, chat.ErrUnavailable) || errors.Is(err, chat.ErrUnknownOutcome) || code(err) != "53100") {
				t.Fatalf("a full disk gives %v", err)
			}
			for _, o := range out {
				acknowledged = append(acknowledged, o.Entry.Position())
			}
		}
	}
	return acknowledged
}
