package checker

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/chattest"
)

// breakThings has the clients talk while the plan's faults happen.
func (r *run) breakThings(ctx context.Context) {
	for i, name := range r.plan.faults {
		dice := rand.New(rand.NewPCG(r.cfg.Seed, uint64(1000+i)))
		f := &fault{Rand: dice, slot: dice.IntN(r.plan.nodes), span: time.Second + time.Duration(dice.Int64N(int64(6*time.Second)))}
		at := 2*time.Second + time.Duration(dice.Int64N(int64(breaking-10*time.Second)))
		r.wg.Go(func() {
			time.Sleep(at)
			r.history.note("", "", "FAULT %s n%d for %s", name, f.slot, f.span)
			faultKinds[name](r, f)
		})
	}
	pace := time.Duration(20+r.rand.IntN(150)) * time.Millisecond
	for n := 0; r.since() < breaking; n++ {
		time.Sleep(time.Duration(r.rand.Int64N(int64(2 * pace))))
		r.step(ctx, n)
	}
}

// step does one thing that people do.
func (r *run) step(_ context.Context, n int) {
	c := r.clients[r.rand.IntN(len(r.clients))]
	room := r.rooms[r.rand.IntN(len(r.rooms))]
	switch k := r.rand.IntN(40); {
	case k == 0:
		c.Repeat()
	case k == 1:
		c.Signal(room)
	case k < 5 && !r.plan.stable, k < 16 && r.plan.churn:
		r.membership(room)
	case k == 16 && r.plan.churn:
		c.Hang()
	case k == 5 && !r.plan.calm:
		c.Back()
	case k < 8:
		for i := range 1 + r.rand.IntN(6) {
			c.Send(room, r.body(fmt.Sprintf("%d.%d", n, i)))
		}
	default:
		c.Send(room, r.body(fmt.Sprint(n)))
	}
}

// body is a text, now and then a long one.
func (r *run) body(head string) string {
	if r.rand.IntN(8) == 0 {
		return head + strings.Repeat(" long", 20+r.rand.IntN(100))
	}
	return head
}

// membership has somebody join, leave, be removed, or get another role.
func (r *run) membership(room string) {
	u := r.users[r.rand.IntN(len(r.users))]
	owner := r.users[0]
	d := chat.Draft{RoomID: room, SenderID: owner.id, ClientID: chat.NewID(), At: time.Now()}
	switch r.rand.IntN(6) {
	case 0, 1, 2:
		d = joining(room, u)
	case 3:
		d.Kind, d.SenderID, d.Leave = chat.KindMemberLeft, u.id, &chat.MemberLeft{UserID: u.id}
	case 4:
		d.Kind, d.Leave = chat.KindMemberLeft, &chat.MemberLeft{UserID: u.id, By: owner.id}
	case 5:
		role := []chat.Role{chat.RoleAdmin, chat.RoleMember}[r.rand.IntN(2)]
		d.Kind, d.Role = chat.KindRoleChanged, &chat.RoleChanged{UserID: u.id, Role: role, By: owner.id}
	}
	r.do(d)
}

// heal ends all faults.
func (r *run) heal(ctx context.Context) {
	r.wg.Wait() // every fault ends by itself
	for i, n := range r.nodes {
		if n.dead.Load() {
			r.replace(ctx, i, n, 0)
			continue
		}
		n.restoreHealth(r.plan.healthy())
		if !r.plan.calm {
			n.backplane.SetFaults(chattest.Faults{})
		}
	}
	for _, c := range r.clients {
		c.Thaw()
	}
	r.history.note("", "", "HEALED")
}

func (n *node) restoreHealth(healthy StoreFaults) {
	n.store.set(func(f *StoreFaults) { *f = healthy })
	n.backplane.failNumbers(false)
	n.backplane.Mend()
}

// at is the node of a slot, if it lives.
func (r *run) at(slot int) *node {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.nodes[slot]
	if n == nil || n.dead.Load() {
		return nil
	}
	return n
}

// each calls f for the nodes that live.
func (r *run) each(f func(n *node)) {
	for slot := range r.plan.nodes {
		if n := r.at(slot); n != nil {
			f(n)
		}
	}
}

// replace cleans up after a node and starts another one in its place, unless somebody else does.
func (r *run) replace(ctx context.Context, slot int, n *node, after time.Duration) {
	r.mu.Lock()
	mine := r.nodes[slot] == n
	if mine {
		r.nodes[slot] = nil
	}
	r.mu.Unlock()
	if !mine {
		return
	}
	n.die()
	n.close()
	time.Sleep(after)
	for r.startNode(ctx, slot) != nil { // the store may be away
		time.Sleep(200 * time.Millisecond)
	}
}

func (r *run) cutOne(f *fault) {
	if n := r.at(f.slot); n != nil {
		n.backplane.Cut()
		time.Sleep(f.span)
		n.backplane.Mend()
	}
}

func (r *run) cutAll(f *fault) {
	r.each(func(n *node) { n.backplane.Cut() })
	time.Sleep(f.span)
	r.each(func(n *node) { n.backplane.Mend() })
}

func (r *run) numbersFail(f *fault) {
	if n := r.at(f.slot); n != nil {
		n.backplane.failNumbers(true)
		time.Sleep(f.span)
		n.backplane.failNumbers(false)
	}
}

func (r *run) forget(*fault) { r.network.Forget() }

func (r *run) commitsLost(f *fault) {
	if n := r.at(f.slot); n != nil {
		n.store.set(func(s *StoreFaults) { s.LoseBefore, s.LoseAfter = 0.15, 0.25 })
		time.Sleep(f.span)
		n.store.set(func(s *StoreFaults) { s.LoseBefore, s.LoseAfter = 0, 0 })
	}
}

func (r *run) storeDown(f *fault) {
	down := func(down bool) func(*node) {
		return func(n *node) { n.store.set(func(s *StoreFaults) { s.Down = down }) }
	}
	if n := r.at(f.slot); n != nil && f.IntN(2) == 0 {
		down(true)(n)
		time.Sleep(f.span)
		down(false)(n)
		return
	}
	r.each(down(true))
	time.Sleep(f.span)
	r.each(down(false))
}

// storeFlaky has some commits fail and others not.
func (r *run) storeFlaky(f *fault) {
	refuse := func(share float64) func(*node) {
		return func(n *node) { n.store.set(func(s *StoreFaults) { s.Refuse = share }) }
	}
	r.each(refuse(0.2))
	time.Sleep(f.span)
	r.each(refuse(0))
}

func (r *run) storeSlow(f *fault) {
	slow := func(d time.Duration) func(*node) {
		return func(n *node) { n.store.set(func(s *StoreFaults) { s.Latency = d }) }
	}
	r.each(slow(800 * time.Millisecond))
	time.Sleep(f.span)
	r.each(slow(r.plan.latency))
}

func (r *run) kill(f *fault) {
	if n := r.at(f.slot); n != nil {
		n.die()
		r.replace(context.Background(), f.slot, n, f.span)
	}
}

func (r *run) killBefore(f *fault) { r.killAt(f, func(s *StoreFaults) { s.DieBefore = true }) }
func (r *run) killAfter(f *fault)  { r.killAt(f, func(s *StoreFaults) { s.DieAfter = true }) }

// killAt waits for a node to meet a fault point.
func (r *run) killAt(f *fault, arm func(*StoreFaults)) {
	n := r.at(f.slot)
	if n == nil {
		return
	}
	n.store.set(arm)
	select {
	case <-n.gone:
		r.history.note("", "", "FAULT n%d is killed", f.slot)
		r.replace(context.Background(), f.slot, n, f.span)
	case <-time.After(5 * time.Second): // nothing was sent there
		n.store.set(func(s *StoreFaults) { s.DieBefore, s.DieAfter = false, false })
	}
}

func (r *run) leave(f *fault) {
	n := r.at(f.slot)
	if n == nil {
		return
	}
	n.leave(4 * time.Second)
	r.replace(context.Background(), f.slot, n, 0)
}

func (r *run) dropClients(f *fault) {
	if n := r.at(f.slot); n != nil {
		n.cut()
	}
}

func (r *run) freeze(f *fault) {
	c := r.clients[f.IntN(len(r.clients))]
	c.Freeze()
	time.Sleep(f.span * 2)
	c.Thaw()
}

// flood says more in a room than a resume replays.
func (r *run) flood(f *fault) {
	n := r.at(f.slot)
	if n == nil {
		return
	}
	room := r.rooms[f.IntN(len(r.rooms))]
	for i := range chat.MaxReplay + 100 {
		d := chat.Draft{RoomID: room, SenderID: r.users[0].id, ClientID: chat.NewID(), Kind: chat.KindText, Body: fmt.Sprint("flood ", i), At: time.Now()}
		n.relay.Post(d, nil, func(chat.Outcome) {})
	}
}

func (r *run) restore(f *fault)       { r.restoreTo(f, false, false) }
func (r *run) restoreEpoch(f *fault)  { r.restoreTo(f, true, f.IntN(2) == 0) }
func (r *run) restoreForget(f *fault) { r.restoreTo(f, false, true) }

// restoreTo keeps a copy of the store and puts it back after a while.
func (r *run) restoreTo(f *fault, epoch, forget bool) {
	ctx := context.Background()
	if err := r.ledger.Backup(ctx); err != nil {
		r.history.violate("HARNESS", "", "", "backup: %v", err)
		return
	}
	time.Sleep(f.span)
	if err := r.ledger.Restore(ctx); err != nil {
		r.history.violate("HARNESS", "", "", "restore: %v", err)
		return
	}
	if epoch {
		if _, err := r.ledger.Store().NewEpoch(ctx); err != nil {
			r.history.violate("HARNESS", "", "", "new epoch: %v", err)
		}
	}
	if forget {
		r.network.Forget()
	}
}
