package session

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/gochat-dev/gochat/internal/wire"
)

// Drain asks everybody to go elsewhere within half of the window, and closes those who stay, spread over most of the
// other half (DRN1). It returns when nobody is left, or ctx ends.
func (srv *Server) Drain(ctx context.Context, window time.Duration) {
	srv.mu.Lock()
	srv.draining = true
	if len(srv.sessions) == 0 {
		srv.closeIdle()
	}
	srv.mu.Unlock()
	srv.leaving.Store(wire.Reconnect(window / 2))
	for _, s := range srv.all("") {
		if s.live.Load() {
			s.askToLeave()
		}
	}
	srv.waitIdle(ctx, window/2)
	left := srv.all("")
	rand.Shuffle(len(left), func(i, j int) { left[i], left[j] = left[j], left[i] })
	for i, s := range left {
		s.close(CloseGoingAway, "this server is leaving")
		if (i+1)%100 == 0 {
			srv.waitIdle(ctx, window/4*100/time.Duration(len(left)))
		}
	}
	srv.waitIdle(ctx, window/4)
}

// askToLeave asks the client of a live connection to go elsewhere, once: Drain may find it live while it finds out by itself that
// the server leaves.
func (s *Session) askToLeave() {
	if asked := s.srv.leaving.Load(); asked != nil && s.asked.CompareAndSwap(false, true) {
		s.out.putAlways(asked)
	}
}

func (srv *Server) waitIdle(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-srv.idle:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// closeIdle says that nobody is left. The caller holds mu.
func (srv *Server) closeIdle() {
	select {
	case <-srv.idle:
	default:
		close(srv.idle)
	}
}
