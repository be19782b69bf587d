package controller

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// wire is what an operator says to the API server: its writes are counted, and can be made to fail.
type wire struct {
	mu     sync.Mutex
	writes []string
	fail   func(nth int, write string) bool // asked before each write
	deaf   bool                             // what is read fails too, but for what is watched
	lost   string                           // the resource that nobody knows, though it is said to be served
	missed int                              // how often that was asked for
}

var errCut = errors.New("the wire is cut")

func (w *wire) around(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodGet && r.URL.Query().Get("watch") == "" && w.isDeaf() {
			return nil, errCut
		}
		if w.hasLost(r.URL.Path) {
			return &http.Response{StatusCode: http.StatusNotFound, Body: io.NopCloser(strings.NewReader("404 page not found\n")), Request: r}, nil
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

// lose has the API server not know a resource any more, which it still tells of; "" finds it again.
func (w *wire) lose(resource string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = resource
}

func (w *wire) hasLost(path string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	lost := w.lost != "" && slices.Contains(strings.Split(path, "/"), w.lost)
	if lost {
		w.missed++
	}
	return lost
}

func (w *wire) misses() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.missed
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
