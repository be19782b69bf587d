package session

import (
	"context"
	"sync"
)

// work is what waits for a worker: reads of the store for connections, so many at a time (RES4).
type work struct {
	wake chan struct{}

	mu   sync.Mutex
	jobs []job
}

type job struct {
	s  *Session
	do func(*Session)
}

// add queues a job; it never waits.
func (w *work) add(j job) {
	w.mu.Lock()
	w.jobs = append(w.jobs, j)
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *work) next() (job, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.jobs) == 0 {
		return job{}, false
	}
	j := w.jobs[0]
	w.jobs[0] = job{}
	w.jobs = w.jobs[1:]
	return j, true
}

func (w *work) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
			for j, ok := w.next(); ok && ctx.Err() == nil; j, ok = w.next() {
				j.do(j.s)
			}
		}
	}
}
