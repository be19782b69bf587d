package checker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// plan is what a seed says about a run: how large it is and what is broken in it.
type plan struct {
	nodes, users, clients, rooms int
	size                         Sizes
	latency, upgrade             time.Duration
	lossyBus                     bool
	calm                         bool // nothing is broken at all: numbers have no holes
	stable                       bool // nobody joins or leaves
	churn                        bool // people come and go all the time, connections too
	faults                       []string
}

// faultKinds are what can be broken, each for a while.
var faultKinds = map[string]func(*run, *fault){
	"cut-one":        (*run).cutOne,
	"cut-all":        (*run).cutAll,
	"numbers-fail":   (*run).numbersFail,
	"forget":         (*run).forget,
	"commits-lost":   (*run).commitsLost,
	"store-down":     (*run).storeDown,
	"store-flaky":    (*run).storeFlaky,
	"store-slow":     (*run).storeSlow,
	"kill":           (*run).kill,
	"kill-before":    (*run).killBefore,
	"kill-after":     (*run).killAfter,
	"leave":          (*run).leave,
	"drop-clients":   (*run).dropClients,
	"freeze":         (*run).freeze,
	"flood":          (*run).flood,
	"restore":        (*run).restore,
	"restore-epoch":  (*run).restoreEpoch,
	"restore-forget": (*run).restoreForget,
}

// newPlan draws a plan.
func newPlan(seed uint64) plan {
	r := rand.New(rand.NewPCG(seed, 2))
	p := plan{
		nodes: 1 + r.IntN(4), users: 3 + r.IntN(3), rooms: 1 + r.IntN(3),
		size: Sizes{
			RingEntries: []int{4, 16, 128}[r.IntN(3)],
			OutboxBytes: []int{4 << 10, 16 << 10, 1 << 20}[r.IntN(3)],
			Batch:       []int{2, 16, 256}[r.IntN(3)],
		},
		latency:  []time.Duration{0, 3 * time.Millisecond, 40 * time.Millisecond}[r.IntN(3)],
		lossyBus: r.IntN(5) > 0,
	}
	p.clients = p.users + r.IntN(3)
	if p.latency > 10*time.Millisecond {
		p.size.Batch = max(p.size.Batch, 16) // or the queue grows faster than it is worked off
	}
	if seed%10 == 0 {
		p.calm, p.stable, p.lossyBus, p.nodes = true, true, false, 1+int(seed/10%2)
		return p
	}
	if p.stable = r.IntN(5) == 0; !p.stable && r.IntN(3) == 0 {
		p.churn, p.upgrade = true, 600*time.Millisecond
	}
	names := make([]string, 0, len(faultKinds))
	for name := range faultKinds {
		names = append(names, name)
	}
	slices.Sort(names)
	restored := false
	for range r.IntN(7) {
		name := names[r.IntN(len(names))]
		if strings.HasPrefix(name, "restore") {
			if restored {
				continue
			}
			restored = true
		}
		p.faults = append(p.faults, name)
	}
	return p
}

// healthy is what a store is like that nothing is wrong with.
func (p plan) healthy() StoreFaults { return StoreFaults{Latency: p.latency, Upgrade: p.upgrade} }

func (p plan) String() string {
	return fmt.Sprintf("%d nodes, %d users, %d clients, %d rooms, %+v, latency %s, lossy bus %v, calm %v, stable %v, churn %v, faults %v",
		p.nodes, p.users, p.clients, p.rooms, p.size, p.latency, p.lossyBus, p.calm, p.stable, p.churn, p.faults)
}

// fault is one thing that is broken for a while, at moments drawn from the seed.
type fault struct {
	*rand.Rand
	slot int           // of the node
	span time.Duration // how long it lasts
}
