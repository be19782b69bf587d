package session

import "time"

// sweep pings, and closes what is silent or expired.
func (srv *Server) sweep() {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-srv.ctx.Done():
			return
		case now := <-ticker.C:
			for _, s := range srv.all("") {
				srv.look(s, now)
			}
		}
	}
}

// clock counts nanoseconds since the server was made, however the wall clock is set meanwhile.
func (srv *Server) clock() int64 { return int64(time.Since(srv.made)) }

func (srv *Server) look(s *Session, wall time.Time) {
	if !s.live.Load() {
		return
	}
	// Who is told nothing is pinged every interval. Who is told much, but says nothing, is asked only in time to answer
	// before the second interval ends: most have said something by then.
	now, every := srv.clock(), int64(srv.cfg.PingEvery)
	heard, sent := s.heard.Load(), s.sent.Load()
	switch {
	case wall.UnixNano() > s.expires.Load():
		s.close(CloseExpired, "the access token has expired: refresh it and reconnect")
	case now-heard > 2*every:
		s.close(CloseNoPong, "no pong")
	case now-heard >= every+every/2 && now-s.pinged >= every, now-sent >= every:
		s.pinged = now
		s.sent.Store(now)
		s.pings.pushed.Add(1)
		s.Push(ping)
	}
	s.retryLater()
}
