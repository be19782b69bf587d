package faults

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// haproxy starts a real HAProxy before the nodes, set up as docs/operations/haproxy.cfg says, but for its addresses.
func haproxy(s *set) *node {
	s.t.Helper()
	program, err := exec.LookPath("haproxy")
	if err != nil {
		program = "/usr/sbin/haproxy" // where Debian puts it, and not everybody's PATH leads
	}
	text, err := os.ReadFile("../../docs/operations/haproxy.cfg")
	s.must(err)
	front := &node{name: "haproxy"}
	front.address, err = freeAddress()
	s.must(err)
	var servers strings.Builder
	for _, n := range s.nodes {
		fmt.Fprintf(&servers, "    server %s %s\n", n.name, n.address)
	}
	config := regexp.MustCompile(`(?m)^    bind .*$`).ReplaceAllLiteralString(string(text), "    bind "+front.address)
	config = regexp.MustCompile(`(?m)(^    server .*\n)+`).ReplaceAllLiteralString(config, servers.String())
	file := filepath.Join(s.t.TempDir(), "haproxy.cfg")
	s.must(os.WriteFile(file, []byte(config), 0o600))
	if out, err := exec.Command(program, "-c", "-f", file).CombinedOutput(); err != nil {
		s.t.Fatalf("this test needs a real HAProxy (apt-get install haproxy): %v\n%s", err, out)
	}
	cmd := exec.Command(program, "-db", "-f", file)
	cmd.SysProcAttr = attributes()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	s.must(cmd.Start())
	s.t.Cleanup(func() {
		s.check(cmd.Process.Kill())
		_ = cmd.Wait() // it was killed
		if s.t.Failed() {
			s.t.Logf("HAProxy said: %s", &said)
		}
	})
	s.until("HAProxy lets people through", 10*time.Second, front.ready)
	return front
}
