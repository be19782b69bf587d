package session

import (
	"time"

	"github.com/gochat-dev/gochat/internal/wire"
)

// sweep pings, and closes what is silent or expired.
func (srv *Server) sweep() {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	ping := wire.Ping()
	for {
		select {
		case <-srv.ctx.Done():
			return
		case now := <-ticker.C:
			for _, s := range srv.all("") {
				srv.look(s, now.UnixNano(), ping)
			}
		}
	}
}

func (srv *Server) look(s *Session, now int64, ping *wire.Frame) {
	if !s.live.Load() {
		return
	}
	expires := s.expires.Load()
	every := int64(srv.cfg.PingEvery)
	heard, sent := s.heard.Load(), s.sent.Load()
	switch {
	case now > expires:
		s.close(CloseExpired, "the access token has expired: refresh it and reconnect")
	case now-heard > 2*every:
		s.close(CloseNoPong, "no pong")
	case now-heard >= every && now-s.pinged >= every, now-sent >= every:
		s.pinged = now
		s.sent.Store(now)
		s.Push(ping)
	}
	s.retryLater()
}
