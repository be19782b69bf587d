package wire

import (
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// Who is told to wait is never told to wait too short, or not at all.
func TestAdviceToWaitIsRoundedUp(t *testing.T) {
	for wait, want := range map[time.Duration]int64{
		0: 0, time.Nanosecond: 1, time.Millisecond: 1, time.Millisecond + 1: 2, 90500 * time.Microsecond: 91, time.Minute: 60_000,
	} {
		if got := FromError(&chat.Error{Code: chat.CodeRateLimited, RetryAfter: wait}).RetryAfterMS; got != want {
			t.Errorf("%v is told as %d ms, want %d", wait, got, want)
		}
	}
}
