package controller

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestShortened(t *testing.T) {
	t.Run("[OP8] an event is no longer than the API server takes", func(t *testing.T) {
		for _, note := range []string{"", "short", strings.Repeat("a", noteLimit)} {
			if got := shortened(note); got != note {
				t.Errorf("%d bytes became %d", len(note), len(got))
			}
		}
		for _, note := range []string{strings.Repeat("a", noteLimit+1), strings.Repeat("ü", noteLimit), "a" + strings.Repeat("ü", noteLimit)} {
			got := shortened(note)
			if len(got) > noteLimit || !utf8.ValidString(got) || !strings.HasPrefix(note, strings.TrimSuffix(got, "…")) || len(got) < noteLimit-4 {
				t.Errorf("%d bytes: %q", len(got), got)
			}
		}
	})
}
