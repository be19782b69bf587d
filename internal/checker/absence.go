package checker

import (
	"fmt"
	"slices"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// absence is what a client has noticed of being without a connection, and of others being so. Owned by its goroutine.
type absence struct {
	since   time.Time       // when the last connection ended; zero while there is one
	gaps    []time.Duration // until the next one was welcomed
	offline []string        // whom it was told to be offline
}

func (a *absence) begin() {
	if a.since.IsZero() {
		a.since = time.Now()
	}
}

func (a *absence) end() {
	if !a.since.IsZero() {
		a.gaps = append(a.gaps, time.Since(a.since))
		a.since = time.Time{}
	}
}

func (a *absence) hear(who string, changes []chat.PresenceChange) {
	for _, change := range changes {
		if change.State == chat.Offline {
			a.offline = append(a.offline, fmt.Sprintf("%s was told that %s is offline", who, short(change.UserID)))
		}
	}
}

// Gaps returns how long clients were without a connection, once for each time that one ended and the next came, the
// shortest first. A client that is without one right now counts too.
func (c *Crowd) Gaps() []time.Duration {
	var all []time.Duration
	for _, client := range c.clients {
		all = append(all, inside(client, func() []time.Duration {
			gaps := slices.Clone(client.absence.gaps)
			if !client.absence.since.IsZero() {
				gaps = append(gaps, time.Since(client.absence.since))
			}
			return gaps
		})...)
	}
	slices.Sort(all)
	return all
}

// Offline returns who was told that somebody is offline. Where nobody ever leaves, that is a flicker.
func (c *Crowd) Offline() []string {
	var all []string
	for _, client := range c.clients {
		all = append(all, inside(client, func() []string { return slices.Clone(client.absence.offline) })...)
	}
	return all
}
