package main

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"syscall"
	"testing"

	"github.com/gochat-dev/gochat/internal/pgtest"
	"github.com/gochat-dev/gochat/internal/postgres"
)

// TestWaitsForDatabase: after a power cut, or when a chat wakes, Postgres takes longer to start than a server does.
func TestWaitsForDatabase(t *testing.T) {
	server, err := started(pgtest.Start(pgtest.Config{}))
	if err != nil {
		t.Fatal(err)
	}
	url, err := server.Create(t.Context(), "late")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := postgres.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	const waits = "the database can't be reached yet: waiting for it"
	for _, c := range []struct {
		what  string
		meets func(*exec.Cmd) error
		says  string
	}{
		{"it serves when the database is there", func(*exec.Cmd) error { return server.Launch() }, "serving"},
		{"told to stop, it stops", func(cmd *exec.Cmd) error { return cmd.Process.Signal(syscall.SIGTERM) }, "stopped before it served"},
	} {
		t.Run(c.what, func(t *testing.T) {
			if err := server.End(pgtest.Fast); err != nil {
				t.Fatal(err)
			}
			cmd, _ := command(t, url)
			cmd.Stderr = nil
			log, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd.Env = append(cmd.Env, "GOCHAT_LOG_FORMAT=json")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			waited, said := false, false
			for lines := bufio.NewScanner(log); lines.Scan(); {
				var line struct{ Msg string }
				if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
					t.Errorf("it says %s", lines.Text())
					continue
				}
				switch {
				case line.Msg == waits && !waited:
					waited = true
					if err := c.meets(cmd); err != nil {
						t.Error(err)
					}
				case line.Msg == c.says:
					said = true
					if line.Msg != "serving" {
						continue // it ends by itself
					}
					if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
						t.Error(err)
					}
				}
			}
			if err := cmd.Wait(); err != nil || !waited || !said {
				t.Errorf("it waited: %t; it said %q: %t; it ended with %v", waited, c.says, said, err)
			}
		})
	}
}
