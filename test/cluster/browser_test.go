package cluster

import (
	"os"
	"os/exec"
	"testing"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// TestBrowser has two people in two browsers go through the story of test/e2e, on the chat's Service.
func TestBrowser(t *testing.T) {
	needLong(t)
	if *browser == "" {
		t.Skip("no -browser")
	}
	c := newChat(t, v1alpha1.ChatClusterSpec{})
	story := exec.CommandContext(t.Context(), "node", "--test", "story.test.mjs")
	story.Dir = "../e2e"
	story.Env = append(os.Environ(), "GOCHAT_E2E_URL=http://"+string(c.address), "GOCHAT_CHROMIUM="+*browser)
	out, err := story.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
