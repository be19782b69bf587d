//go:build linux

package loadtest

import (
	"errors"
	"fmt"
	"time"
)

// Workload says who connects and what they do. The zero value of a field with a default is not the default:
// the command line sets them.
type Workload struct {
	Connections int           `json:"connections" default:"5000" help:"Connections, each one user by default."`
	RoomSize    int           `json:"room_size" default:"50" help:"Connections in each room."`
	Accounts    int           `json:"accounts,omitempty" help:"Accounts to make; several connections then share one (default: one each)."`
	Rate        float64       `json:"rate" help:"Messages per second over all clients (default: one per connection per minute)."`
	Body        int           `json:"body" default:"100" help:"Bytes of a message."`
	Duration    time.Duration `json:"duration_ns" default:"60s" help:"How long is measured."`
	Warmup      time.Duration `json:"warmup_ns" default:"10s" help:"How long the same load runs before."`
	OneCPU      bool          `json:"one_cpu" name:"one-cpu" help:"Hold the server, and the floor, to one CPU and 1 GB."`
	SlowPercent float64       `json:"slow_percent,omitempty" help:"Measure once more with this share of the clients frozen: connected, never reading."`
	Storm       int           `json:"storm,omitempty" help:"In the end drop all connections at once, have each miss this many entries, and resume."`
	Idle        bool          `json:"idle,omitempty" help:"Nobody writes: what do connections cost?"`
	ClosedLoop  bool          `json:"closed_loop,omitempty" help:"Every client sends its next message when the last is acknowledged (no floor, no rate)."`
	Seed        uint64        `json:"seed" default:"1" help:"Seed of the schedule."`
}

// complete fills in what follows from the rest, and refuses what can't be run.
func (w *Workload) complete() error {
	var faults []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	refuse(w.Connections < 1, "connections: %d is not a crowd", w.Connections)
	refuse(w.Connections > 19_500, "connections: %d are more than a process may open files", w.Connections)
	refuse(w.RoomSize < 1, "room-size: %d", w.RoomSize)
	refuse(w.Rate < 0, "rate: %g", w.Rate)
	refuse(w.Body < stampLength || w.Body > 8000, "body: %d, from %d to 8000 it may be", w.Body, stampLength)
	refuse(w.Duration < time.Second, "duration: %v is less than a second", w.Duration)
	refuse(w.SlowPercent < 0 || w.SlowPercent > 50, "slow-percent: %g, from 0 to 50 it may be", w.SlowPercent)
	refuse(w.Storm < 0 || w.Storm > 500, "storm: %d, up to 500 entries are replayed", w.Storm)
	refuse(w.Idle && (w.ClosedLoop || w.Rate > 0), "idle: nobody writes, so there is no rate and no closed loop")
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	w.RoomSize = min(w.RoomSize, w.Connections)
	if w.Rate == 0 && !w.Idle && !w.ClosedLoop {
		w.Rate = float64(w.Connections) / 60
	}
	return nil
}

func (w Workload) rooms() int { return (w.Connections + w.RoomSize - 1) / w.RoomSize }

func (w Workload) accounts() int {
	if w.Accounts == 0 {
		return w.Connections
	}
	return min(w.Accounts, w.Connections)
}

// crowd makes the clients and rooms of one phase; a share of slowPercent of the clients freezes once connected,
// spread evenly over the rooms.
func (w Workload) crowd(p *population, slowPercent float64) ([]*client, []*room) {
	rooms := make([]*room, w.rooms())
	for i := range rooms {
		rooms[i] = &room{id: p.rooms[i]}
	}
	clients := make([]*client, w.Connections)
	slow := 0.0
	for i := range clients {
		index := i / w.RoomSize
		c := &client{index: i, room: rooms[index], fd: -1}
		if len(p.accounts) > 0 {
			c.account = p.accounts[index*p.perRoom+i%w.RoomSize%p.perRoom]
		}
		if slow += slowPercent / 100; slow >= 1 {
			slow--
			c.slow = true
		} else {
			rooms[index].readers++
		}
		clients[i] = c
	}
	return clients, rooms
}
