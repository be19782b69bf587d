package httpapi

import (
	"log/slog"
	"net/http"
	"time"
)

// NewServer makes the HTTP server of the public or the admin address, with the time-outs that keep slow or silent
// clients from holding on to it. They end at the upgrade to a WebSocket, which has its own.
func NewServer(addr string, h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      90 * time.Second, // longer than a CPU profile of the default 30 s
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10, // the resume positions of 50 rooms and two tokens fit
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
