package checker

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// mutant is a fault planted in the product: a piece of a file, which must be in it exactly once, replaced.
type mutant struct {
	name, file, old, new string
}

// mutants are what the checker must find. Paths are below internal.
var mutants = []mutant{
	{
		"[HUB5] no periodic check of the rooms", "relay/check.go",
		`r.hub.Judge(room, at, c.Heads[room])`, `_, _ = room, at`,
	},
	{
		"[HUB5] no check of the rooms versions", "relay/check.go",
		`r.sessions.Judge(c.Versions)`, ``,
	},
	{
		"[HUB1] an entry is delivered over a gap", "hub/shard.go",
		`case d.Entry.Prev() == r.last:`, `case d.Entry.Seq > r.last.Seq:`,
	},
	{
		"[HUB1] an entry is delivered that follows by number alone", "hub/shard.go",
		`case d.Entry.Prev() == r.last:`, `case d.Entry.PrevSeq == r.last.Seq:`,
	},
	{
		"[HUB1] what a mend brings is delivered over a newer position", "hub/room.go",
		`if d.Entry.Seq > r.last.Seq && d.Entry.Prev() == r.last {`, `if d.Entry.Seq > 0 {`,
	},
	{
		"[SEQ3] an entry is delivered before it is committed", "relay/commit.go",
		`outcomes, err := r.cfg.Store.Append(ctx, drafts, firsts)`,
		`for i := range drafts {
			d := &drafts[i]
			if at, live := r.hub.Positions()[d.RoomID]; live && d.Kind == chat.KindText {
				r.deliver(&chat.Entry{
					RoomID: d.RoomID, Seq: max(firsts[d.RoomID], at.Seq+1), PrevSeq: at.Seq, PrevID: at.ID, MessageID: chat.NewID(),
					ClientID: d.ClientID, SenderID: d.SenderID, Kind: d.Kind, Body: d.Body, At: d.At,
				})
			}
		}
		outcomes, err := r.cfg.Store.Append(ctx, drafts, firsts)`,
	},
	{
		"[SEQ3] an unknown outcome is tried again with new client ids", "relay/commit.go",
		`wait(context.WithoutCancel(r.ctx), retryEvery)`,
		`wait(context.WithoutCancel(r.ctx), retryEvery)
		for i := range drafts {
			drafts[i].ClientID = chat.NewID()
		}`,
	},
	{
		"[SEQ2] a duplicate uses up a number", "relay/commit.go",
		`if e, ok := known[drafts[i].Key()]; ok {`, `if e, ok := known[drafts[i].Key()]; ok && e.Seq < 0 {`,
	},
	{
		"[SEQ7] what follows a send that failed does not wait with it", "relay/commit.go",
		`batch = append(batch, c.holdAll(batch)...)`, ``,
	},
	{
		"[RES1] a connection enters beside the hub's position", "hub/shard.go",
		`for _, it := range run.items {
		c.conn.Push(it.frame)
	}`, ``,
	},
	{
		"[HUB1] a changed history is not noticed", "hub/room.go",
		`if !c.run.Known && c.last == r.last {
		s.reload(r)
		return
	}`, `if !c.run.Known {
		return
	}`,
	},
	{
		"[HUB1] a room that was reset does not tell its connections", "hub/room.go",
		`st.conn.Push(frame)
			st.tell(Changed)`, `_ = frame
			st.tell(Changed)`,
	},
	{
		"[HUB1] a mend that failed is not tried again", "hub/room.go",
		`r.retryAt = time.Now().Add(retryAfter) // still mending: the tick asks again`, ``,
	},
	{
		"[RES3] the ring resumes from a number whatever its id", "hub/ring.go",
		`ok && r.items[i].at.Matches(at)`, `ok`,
	},
	{
		"[HUB7] a removal does not drop the connections", "hub/shard.go",
		`s.removed(r, d.Entry)`, `s.removeMember(r, d.Entry.Subject())`,
	},
	{
		"[RES4] the ring serves somebody who has left meanwhile", "hub/shard.go",
		`if !ok || !r.ring.memberSince(c.conn.UserID(), c.MemberSeq) {`, `if !ok {`,
	},
	{
		"[HUB7] a run from the store is sent to somebody whom it removes", "session/replay.go",
		`case parting(run.Entries, s.userID, p.memberSeq) != "":`, `case false:`,
	},
	{
		endless, "session/replay.go",
		`case !run.Known || run.Epoch != s.epoch || len(run.Entries) > chat.MaxReplay:`, `case len(run.Entries) > chat.MaxReplay:`,
	},
	{
		"[HUB4] an outbox that overflows loses entries", "session/session.go",
		`s.close(CloseTooSlow, "too slow: the outbox overflowed")`, ``,
	},
}

// endless is a mutant that may go on for ever before it is wrong: where nothing follows a position that is not in the log,
// it asks hub and store in turn, and no time passes in the bubble.
const endless = "[RES3] a run after a position that is not in the log is sent"

var finding = regexp.MustCompile(`VIOLATION \[([A-Z]+[0-9]+)\] .*`)

// TestMutants plants faults in the product and wants the checker to find each.
func TestMutants(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the checker once for every mutant")
	}
	internal, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			dir := t.TempDir()
			binary := m.build(t, internal, dir)
			cmd := exec.CommandContext(t.Context(), binary, "-test.run=^TestHistories$", "-test.timeout=2m", "-seeds=300", "-first")
			cmd.Dir = filepath.Join(internal, "checker")
			out, err := cmd.CombinedOutput()
			found := finding.FindSubmatch(out)
			switch {
			case err == nil:
				t.Fatal("the checker did not find it")
			case found == nil && m.name == endless && bytes.Contains(out, []byte("panic: test timed out")):
				t.Log("found: it never ends")
				return
			case found == nil || string(found[1]) == "HARNESS":
				t.Fatalf("the checker failed without naming a rule: %v\n%s", err, out[:min(len(out), 4000)])
			}
			t.Logf("found: %s", found[0])
		})
	}
}

// build compiles the checker with the mutant in place of the original.
func (m mutant) build(t *testing.T, internal, dir string) string {
	t.Helper()
	original := filepath.Join(internal, filepath.FromSlash(m.file))
	source, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), m.old); n != 1 {
		t.Fatalf("%s has the text to be replaced %d times, not once: the table of mutants must follow it", m.file, n)
	}
	mutated, overlay, binary := filepath.Join(dir, "mutated.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "checker.test")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {original: mutated}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		mutated: []byte(strings.Replace(string(source), m.old, m.new, 1)), overlay: replace,
	} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-overlay="+overlay, "-o", binary, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("the mutant does not compile: %v\n%s", err, out)
	}
	return binary
}
