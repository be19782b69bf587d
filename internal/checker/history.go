// Package checker drives clients over nodes that are broken on purpose, records everything that they send and see, and
// checks the record against the store.
package checker

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// History is the record of a run: what was sent, seen and broken, and what was found to be wrong.
type History struct {
	mu         sync.Mutex
	start      time.Time
	events     []event
	violations []violation
	seen       map[string]int // violations by rule and place
	changed    bool           // the store was put back to an earlier moment
}

type event struct {
	at          time.Duration // since the start
	who, roomID string        // empty: nobody's, no room's
	text        string
}

type violation struct {
	event
	after int // how many events came before it
}

// NewHistory starts a record.
func NewHistory() *History { return &History{start: time.Now(), seen: make(map[string]int)} }

// Note records something that nobody of the clients did.
func (h *History) Note(format string, args ...any) { h.note("", "", format, args...) }

func (h *History) note(who, roomID, format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, event{time.Since(h.start), who, roomID, fmt.Sprintf(format, args...)})
}

// Count is how many events of the record hold a text.
func (h *History) Count(text string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, e := range h.events {
		if strings.Contains(e.text, text) {
			n++
		}
	}
	return n
}

// violate records that a rule does not hold. Only the first few of a kind are kept.
func (h *History) violate(rule, who, roomID, format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := rule + who + roomID
	if h.seen[key]++; h.seen[key] > 2 {
		return
	}
	e := event{time.Since(h.start), who, roomID, "VIOLATION [" + rule + "] " + fmt.Sprintf(format, args...)}
	h.events = append(h.events, e)
	h.violations = append(h.violations, violation{e, len(h.events)})
}

// Violations returns what was found to be wrong, each with the rule it breaks in brackets.
func (h *History) Violations() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]string, 0, len(h.violations))
	for _, v := range h.violations {
		out = append(out, v.String())
	}
	return out
}

// Restored notes that the store was put back to an earlier moment.
func (h *History) Restored() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changed = true
}

func (h *History) restored() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.changed
}

const excerptEvents = 70

// Excerpt is the part of the record that led to the first violation: what concerns its room or client, and all faults.
func (h *History) Excerpt() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.violations) == 0 {
		return ""
	}
	v := h.violations[0]
	var lines []string
	for i := v.after - 1; i >= 0 && len(lines) < excerptEvents; i-- {
		e := h.events[i]
		sameRoom := v.roomID == "" || e.roomID == "" || e.roomID == v.roomID
		if e.who == "" || sameRoom && (v.who == "" || e.who == v.who || e.roomID == v.roomID) {
			lines = append(lines, e.String())
		}
	}
	var b strings.Builder
	for _, line := range slices.Backward(lines) {
		b.WriteString(line)
		b.WriteByte('\n')
	}
	return b.String()
}

// String is the whole record.
func (h *History) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var b strings.Builder
	for _, e := range h.events {
		b.WriteString(e.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// Tail is the end of the record.
func (h *History) Tail() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var b strings.Builder
	for _, e := range h.events[max(0, len(h.events)-excerptEvents):] {
		b.WriteString(e.String())
		b.WriteByte('\n')
	}
	return b.String()
}

func (e event) String() string {
	return fmt.Sprintf("%9.3fs %-10s %-6s %s", e.at.Seconds(), e.who, short(e.roomID), e.text)
}

// short is the end of an id: the random part.
func short(id string) string {
	if len(id) > 6 {
		return id[len(id)-6:]
	}
	return id
}
