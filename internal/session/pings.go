package session

import (
	"sync/atomic"
	"time"

	"github.com/gochat-dev/gochat/internal/wire"
)

// pings counts what a client is asked and what it answers. Frames keep their order both ways: who has answered a ping
// has heard all that was pushed before it.
type pings struct {
	pushed   atomic.Int64
	answered atomic.Int64
	at       atomic.Int64 // by Server.clock: when the last one was answered
}

var ping = wire.Ping()

// Ask implements relay.Origin. The writer writes it: a lock of the relay may be held.
func (s *Session) Ask() int64 {
	n := s.pings.pushed.Add(1)
	s.out.putAlways(ping)
	return n
}

// Answered implements relay.Origin.
func (s *Session) Answered(question int64) time.Time {
	if s.pings.answered.Load() < question {
		return time.Time{}
	}
	return s.srv.made.Add(time.Duration(s.pings.at.Load()))
}

// pong notes an answer; one to nothing that was asked counts for nothing. Called by the reader.
func (s *Session) pong() {
	if s.pings.answered.Load() < s.pings.pushed.Load() {
		s.pings.at.Store(s.srv.clock())
		s.pings.answered.Add(1)
	}
}
