package relay

import (
	"errors"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// The ways in which a send ends, as metrics name them.
const (
	sendCommitted   = "committed"
	sendDuplicate   = "duplicate"   // it stood already (SEQ2)
	sendRefused     = "refused"     // its sender may not, or it says nothing
	sendUnavailable = "unavailable" // it could not be stored, or is not known to be: the sender is told to try again
	sendAbandoned   = "abandoned"   // its connection was closed while it waited
)

// answer ends a send: its sender is told, and it is counted.
func (r *Relay) answer(p *post, o chat.Outcome) {
	p.done(o)
	r.ended(p, resultOf(o))
}

// ended counts a send that waits no longer.
func (r *Relay) ended(p *post, result string) {
	r.waiting.Add(-1)
	r.cfg.Observe.SendEnded(result, time.Since(p.draft.At))
}

func resultOf(o chat.Outcome) string {
	refusal, ok := errors.AsType[*chat.Error](o.Err)
	switch {
	case o.Err == nil && o.Duplicate:
		return sendDuplicate
	case o.Err == nil:
		return sendCommitted
	case ok && refusal.Code == chat.CodeUnavailable:
		return sendUnavailable
	default:
		return sendRefused
	}
}

// Waiting is how many sends have been taken in and not been answered yet.
func (r *Relay) Waiting() int { return int(r.waiting.Load()) }
