package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestJoinedWakeUps(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may read the timer slack of another process")
	}
	p := start(t, t.TempDir())
	id := strconv.Itoa(p.cmd.Process.Pid)
	threads, err := filepath.Glob(filepath.Join("/proc", id, "task", "*"))
	if err != nil || len(threads) < 2 {
		t.Fatalf("threads: %v, %v", threads, err)
	}
	for _, thread := range threads {
		slack, err := os.ReadFile(filepath.Join("/proc", filepath.Base(thread), "timerslack_ns"))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(string(slack)); got != "1000000" {
			t.Errorf("%s sleeps %s ns longer at most, want a millisecond", thread, got)
		}
	}
	name, err := os.ReadFile(filepath.Join("/proc", id, "comm"))
	if err != nil || string(name) != "server\n" {
		t.Errorf("the process is called %q, %v", name, err)
	}
	if token := p.someone("/auth/register"); token == "" {
		t.Error("it does not serve")
	}
}
