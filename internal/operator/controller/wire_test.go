package controller

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// wire is what an operator says to the API server: its writes are counted, and can be made to fail.
type wire struct {
	mu     sync.Mutex
	writes []string
	fail   func(nth int, write string) bool // asked before each write
	deaf   bool                             // what is read fails too, but for what is watched
}

var errCut = errors.New("the wire is cut")

func (w *wire) around(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodGet && r.URL.Query().Get("watch") == "" && w.isDeaf() {
			return nil, errCut
		}
		if write, is := writeOf(r); is && w.note(write) {
			return nil, errCut
		}
		return next.RoundTrip(r)
	})
}

// note counts a write and says whether it fails.
func (w *wire) note(write string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes = append(w.writes, write)
	return w.fail != nil && w.fail(len(w.writes), write)
}

// written are the writes since the operator began.
func (w *wire) sent() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.writes...)
}

func (w *wire) isDeaf() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.deaf
}

// deafen has everything fail that is read.
func (w *wire) deafen() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deaf = true
}

func (w *wire) failing(fail func(nth int, write string) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail = fail
}

// writeOf is what a request writes. Leases and events are no writes: the first have a life of their own, the second are counted by
// tests of their own.
func writeOf(r *http.Request) (string, bool) {
	if r.Method == http.MethodGet || strings.Contains(r.URL.Path, "/leases") || strings.Contains(r.URL.Path, "/events") {
		return "", false
	}
	return fmt.Sprint(r.Method, " ", r.URL.Path), true
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
