package main

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"
)

// trimFirst and trimEvery are when memory that is not in use goes back to the system.
const (
	trimFirst = 15 * time.Second
	trimEvery = 45 * time.Second
)

// trimmer gives memory back: the free heap, again and again, and once, a minute after the start, the pages of the program itself that only
// its start has needed. Those that are used come back from its file. On a node of 1 GB that is worth a moment of the garbage collector's
// time (OP11).
type trimmer struct{ log *slog.Logger }

// Start implements manager.Runnable.
func (t trimmer) Start(ctx context.Context) error {
	timer := time.NewTimer(trimFirst)
	defer timer.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		debug.FreeOSMemory()
		if n == 1 { // more often would have them read again from the disk, where memory is scarce
			if err := dropProgramPages(); err != nil {
				t.log.Warn("pages of the program stay in memory", "error", err)
			}
		}
		timer.Reset(trimEvery)
	}
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: who only stands by should be small as well.
func (trimmer) NeedLeaderElection() bool { return false }
