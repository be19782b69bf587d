package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// admin runs an admin command on a data directory, and returns its exit status and what it said.
func admin(t *testing.T, dir, stdin string, args ...string) (status int, said string) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, append([]string{"admin"}, args...)...)
	cmd.Env = append(os.Environ(), "GOCHAT_DATA_DIR="+dir)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func TestAdminCommands(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, "GOCHAT_REGISTRATION=closed") // the commands work beside it
	for _, c := range []struct {
		what, stdin string
		args        []string
		status      int
		said        string // a code would be for machines
	}{
		{"create", "correct horse battery\n", []string{"create", "--username=root"}, 0, "made the administrator root\n"},
		{"again", "correct horse battery\n", []string{"create", "--username=root"}, 1, "server: this user name is taken: choose another\n"},
		{"short password", "short\n", []string{"create", "--username=other"}, 1, "server: password must have at least 10 characters\n"},
		{"bad name", "correct horse battery\n", []string{"create", "--username=A B"}, 1, "server: username must be"},
		{"no password", "", []string{"create", "--username=other"}, 1, "server: no password on standard input"},
		{"reset", "another horse battery", []string{"reset-password", "--username=root"}, 0, "set the password of root and ended its sessions\n"},
		{"reset of nobody", "another horse battery\n", []string{"reset-password", "--username=nobody"}, 1, "server: there is no account of this name\n"},
		{"create if there is none, and there is", "", []string{"create", "--username=other", "--if-none"}, 0, "there is an administrator already\n"},
		{"new epoch", "", []string{"new-epoch"}, 0, "began the epoch "},
	} {
		status, said := admin(t, dir, c.stdin, c.args...)
		if status != c.status || !strings.HasPrefix(said, c.said) {
			t.Errorf("%s: it exits %d and says %q, want %d and %q", c.what, status, said, c.status, c.said)
		}
	}
	var grant struct {
		User struct{ Admin bool } `json:"user"`
	}
	p.call("", "POST", "/auth/login", map[string]string{"username": "root", "password": "another horse battery"}, &grant)
	if !grant.User.Admin {
		t.Error("who was made an administrator is none")
	}
}

// A job makes the administrator of a new database, and can be run again.
func TestAdminIfNone(t *testing.T) {
	dir := t.TempDir()
	file, empty := filepath.Join(dir, "password"), filepath.Join(dir, "empty")
	for path, content := range map[string]string{file: "correct horse battery\n", empty: ""} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args   []string
		status int
		said   string
	}{
		{[]string{"--password-file=" + filepath.Join(dir, "none")}, 1, "no such file"},
		{[]string{"--password-file=" + empty}, 1, "holds no password"},
		{[]string{"--password-file=" + file, "--if-none"}, 0, "made the administrator root"},
		{[]string{"--password-file=" + file, "--if-none"}, 0, "there is an administrator already"},
		{[]string{"--password-file=" + file}, 1, "this user name is taken"},
	} {
		status, said := admin(t, dir, "", append([]string{"create", "--username=root"}, c.args...)...)
		if status != c.status || !strings.Contains(said, c.said) {
			t.Errorf("%v: it exits %d and says %q, want %d and %q", c.args, status, said, c.status, c.said)
		}
	}
	var grant struct{}
	start(t, dir).call("", "POST", "/auth/login", map[string]string{"username": "root", "password": "correct horse battery"}, &grant)
}

// What is wrong with a command line stands in a few lines, not below a page of settings.
func TestCommandLine(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		good bool
		said string
	}{
		{[]string{"--version"}, true, "gochat dev\n"},
		{[]string{"version"}, true, "gochat dev\n"},
		{[]string{"--nope"}, false, "unknown flag --nope"},
		{[]string{"admin", "create"}, false, "missing flags: --username=NAME"},
		{[]string{"dance"}, false, "unexpected argument dance"},
	} {
		out, err := exec.CommandContext(t.Context(), path, c.args...).CombinedOutput()
		if said := string(out); (err == nil) != c.good || !strings.Contains(said, c.said) || strings.Count(said, "\n") > 6 {
			t.Errorf("%v: %v, %q", c.args, err, said)
		}
	}
}

func TestLogIsReadable(t *testing.T) {
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{ReplaceAttr: readable})).
		Info("x", "took", 1500*time.Millisecond+2*time.Nanosecond, slog.Group("g", "within", time.Minute), "n", 7)
	var line struct {
		Took string
		G    struct{ Within string }
		N    int
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line.Took != "1.5s" || line.G.Within != "1m0s" || line.N != 7 {
		t.Errorf("%v: %s", err, &out)
	}
}
