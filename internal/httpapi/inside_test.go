package httpapi

import (
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

func FuzzSessionCursor(f *testing.F) {
	f.Add(sessionCursor(chat.Session{ID: chat.NewID(), LastSeenAt: time.UnixMilli(1700000000123)}))
	f.Add("MTox")
	f.Add("x")
	f.Fuzz(func(t *testing.T, cursor string) {
		s, err := parseSessionCursor(cursor)
		if err == nil && cursor != "" && sessionCursor(s) != cursor {
			t.Errorf("%q was read as %+v", cursor, s)
		}
	})
}

func FuzzResumes(f *testing.F) {
	f.Add("room:7:id", "room:0")
	f.Add("", ":::")
	f.Fuzz(func(t *testing.T, a, b string) {
		resumes, err := parseResumes([]string{a, b})
		if err != nil {
			return
		}
		for _, r := range resumes {
			if r.RoomID == "" || r.At.Seq < 0 {
				t.Errorf("%q, %q were read as %+v", a, b, resumes)
			}
		}
	})
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "gzip, deflate, br": true, "br, GZIP;q=0.5": true, "*": true, "identity": false, "br": false,
		"gzip;q=0": false, "gzip; q=0.000": false, "gzip;q=0.001": true, "gzip;q=1.0": true, "xgzip": false,
	} {
		if got := acceptsGzip(header); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}
