package faults

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// mutant is a protection taken out of the product: pieces of files, each of which must be there exactly once, replaced.
// Paths are below internal.
type mutant struct {
	row   string // the test that must fail
	what  string // what is taken out
	edits []edit
}

type edit struct{ file, old, new string }

// noComparison takes out the comparison of what is live with the store.
var noComparison = []edit{{"relay/check.go", `r.hub.Judge(room, at, c.Heads[room])`, `_, _ = room, at`}}

// noNotice lets a changed history go unnoticed.
var noNotice = []edit{{"hub/room.go", `if !c.run.Known && c.last == r.last {
		s.reload(r)
		return
	}`, `if !c.run.Known {
		return
	}`}}

// noReplay takes out what a connection has missed.
var noReplay = []edit{{"hub/shard.go", `for _, it := range run.items {
		c.conn.Push(it.frame)
	}`, ``}}

// otherIDs tries an unknown outcome again as something new.
var otherIDs = []edit{{"relay/commit.go", `wait(context.WithoutCancel(r.ctx), retryEvery)`, `wait(context.WithoutCancel(r.ctx), retryEvery)
		for i := range drafts {
			drafts[i].ClientID = chat.NewID()
		}`}}

// longWaits has sends wait for Redis.
var longWaits = []edit{
	{"relay/commit.go", `numberTimeout = 500 * time.Millisecond`, `numberTimeout = 8 * time.Second`},
	{"redis/client.go", `ioTimeout   = time.Second`, `ioTimeout   = 10 * time.Second`},
}

// unheardSilence has nobody hurry for a node that can't publish.
var unheardSilence = []edit{{"relay/check.go", `r.checker.anySilent.Store(c.Silent)`, ``}}

// alwaysReady has readiness not look at the store.
var alwaysReady = []edit{{"httpapi/health.go", `err := a.store.Ping(ctx); err != nil`, `err := ctx.Err(); err != nil`}}

// noEpoch lets a new epoch pass unnoticed by those who are connected.
var noEpoch = []edit{{"relay/check.go", `r.hub.Reset()
`, ``}}

var protections = []mutant{
	{
		"instance_killed_between_number_and_commit_[SEQ6][HUB5]", "an entry points back at the number before its own, used or not",
		[]edit{{"postgres/migrations/0003_append_by_key.sql", `CASE WHEN n.leads THEN n.head_seq ELSE n.seq - 1 END AS prev_seq`, `n.seq - 1 AS prev_seq`}},
	},
	{"instance_killed_between_commit_and_publish_[SEQ3][HUB5]", "rooms are not compared with the store", noComparison},
	{"instance_killed_while_it_publishes_[SEQ3][HUB5]", "rooms are not compared with the store", noComparison},
	{"instance_killed_again_and_again_under_load_[SEQ3][RES2]", "who resumes is not sent what was missed", noReplay},
	{
		"instance_frozen_and_back_[SEQ3][SEQ7]", "texts go in an explicit transaction, which the server does not end",
		[]edit{
			{"postgres/append.go", `if changes {`, `if changes = true; changes {`},
			{"postgres/pool.go", `idleTimeout      = 3 * time.Second`, `idleTimeout      = 59 * time.Second`},
		},
	},
	{
		"instance_frozen_while_it_holds_a_room_s_lock_[SEQ3][SEQ7]", "the server does not end the transaction of a node that is silent in it",
		[]edit{{"postgres/pool.go", `idleTimeout      = 3 * time.Second`, `idleTimeout      = 59 * time.Second`}},
	},
	{"answer_of_a_commit_lost_[SEQ2][SEQ3]", "what may be stored is tried again under other client ids", otherIDs},
	{
		"answer_of_a_change_s_commit_lost_[SEQ2][SEQ3]", "a lost answer to COMMIT is taken for a failure",
		[]edit{{"postgres/tx.go", `err = tx.Commit(ctx)
		open = !definite(err)`, `err = tx.Commit(ctx)`}},
	},
	{
		"redis_killed_and_restarted_empty_[SEQ4][SEQ5][HUB5][HUB6][PRS2]", "the comparison does not hurry while the bus is down",
		[]edit{{"relay/check.go", `return c.busDown.Load() || c.silent.Load() || c.anySilent.Load()`, `return false`}},
	},
	{
		"redis_killed_and_restarted_empty_[SEQ4][SEQ5][HUB5][HUB6][PRS2]", "counters that are behind are not raised",
		[]edit{{"redis/publish.go", `pipe.Eval(ctx, raise, []string{counterKey(room)}, head)`, `_, _ = room, head`}},
	},
	{
		"redis_killed_and_restarted_empty_[SEQ4][SEQ5][HUB5][HUB6][PRS2]", "presence is not written again",
		[]edit{
			{"relay/relay.go", `l.presences.Rebuild()`, ``},
			{"presence/presence.go", `case <-beat.C:
			s.beat(ctx)`, `case <-beat.C:`},
		},
	},
	{
		"redis_FLUSHALL_while_sending_[SEQ4]", "the store takes the number that was generated, whatever its head",
		[]edit{{"postgres/migrations/0003_append_by_key.sql", `greatest(j.first, j.head_seq + 1)`, `CASE WHEN j.first > 0 THEN j.first ELSE j.head_seq + 1 END`}},
	},
	{"redis_paused_[SEQ5][HUB5]", "a send waits for Redis as long as it takes", longWaits},
	{"redis_frozen_[SEQ5][HUB5]", "a send waits for Redis as long as it takes", longWaits},
	{"redis_cut_off_from_one_instance_[SEQ5][HUB6]", "nobody hurries for a node that can't publish", unheardSilence},
	{"redis_silent_to_one_instance_[SEQ5][HUB6]", "nobody hurries for a node that can't publish", unheardSilence},
	{
		"bus_loses_repeats_and_reorders_[HUB1][HUB5]", "an entry is delivered over a gap",
		[]edit{{"hub/shard.go", `case d.Entry.Prev() == r.last:`, `case d.Entry.Seq > r.last.Seq:`}},
	},
	{
		"postgres_restarted_under_load_[SEQ3]", "a commit is acknowledged before it is on the disk",
		[]edit{{"postgres/pool.go", `"jit":                                 "off",`, `"jit": "off", "synchronous_commit": "off",`}},
	},
	{"postgres_unreachable_[SEQ3]", "readiness does not look at the store", alwaysReady},
	{
		"postgres_silent_[SEQ3][SEQ7]", "a lane is held for a second, whatever comes",
		[]edit{{"relay/queue.go", `case now.Sub(h.refused) >= holdFor:`, `case now.Sub(h.refused) >= retryAdvice:`}},
	},
	{"postgres_unreachable_from_one_instance_[SEQ3][RES2]", "readiness does not look at the store", alwaysReady},
	{
		"postgres_disk_full_[SEQ3]", "readiness does not write",
		[]edit{{"postgres/upkeep.go", `err := s.tryWriting(ctx, full); err != nil`, `err := ctx.Err(); err != nil && full`}},
	},
	{"postgres_restored_with_redis_alive_[HUB1][RES3]", "a position that the store does not know is no reason to reset a room", noNotice},
	{"postgres_restored_with_redis_empty_[HUB1][RES3]", "a position that the store does not know is no reason to reset a room", noNotice},
	{"postgres_restored_with_redis_alive_and_a_new_epoch_[HUB1][RES3]", "a new epoch is no reason to reset the rooms", noEpoch},
	{"postgres_restored_with_redis_empty_and_a_new_epoch_[HUB1][RES3]", "a new epoch is no reason to reset the rooms", noEpoch},
	{
		"client_frozen_[HUB4]", "an outbox that is full holds up whoever fills it",
		[]edit{{"session/outbox.go", `if o.bytes+f.Len() > o.limit {
			return false
		}`, `for o.bytes+f.Len() > o.limit && !o.closing {
			o.drained.Wait()
		}`}},
	},
	{
		"client_floods_[SEQ3]", "there is no allowance",
		[]edit{{"relay/relay.go", `if r.cfg.SendRate == 0 {`, `if r.cfg.SendRate >= 0 {`}},
	},
	{"mass_drop_[RES2][RES4]", "who resumes is not sent what was missed", noReplay},
}

// finding is the first thing that a test complains about.
var finding = regexp.MustCompile(`(?m)^ +[a-z]+_test\.go:[0-9]+: +(.*(?:VIOLATION|want|not within|waited|went from|were stored|was stored|answered|lost meanwhile|gone|no number|on the other nodes).*)$`)

// TestProtections takes each protection out of the product, and wants the test of the fault to fail.
func TestProtections(t *testing.T) {
	if !*mutants {
		t.Skip("builds the server once for every protection: make faults-protections")
	}
	internal, err := filepath.Abs("../../internal")
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range protections {
		t.Run(m.row+": "+m.what, func(t *testing.T) {
			binary := m.build(t, internal)
			cmd := exec.CommandContext(t.Context(), self, "-test.v", "-test.run=^TestFaults$/^"+regexp.QuoteMeta(m.row)+"$", "-test.timeout=3m")
			cmd.Env = append(os.Environ(), "GOCHAT_FAULTS_SERVER="+binary)
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatalf("the test does not notice\n%s", out[max(0, len(out)-3000):])
			}
			found := finding.FindSubmatch(out)
			if found == nil {
				t.Fatalf("the test failed without a finding: %v\n%s", err, out[:min(len(out), 6000)])
			}
			t.Logf("found: %s", found[1])
		})
	}
}

// build compiles the server without the protection.
func (m mutant) build(t *testing.T, internal string) string {
	t.Helper()
	dir := t.TempDir()
	changed := make(map[string]string)
	for _, e := range m.edits {
		path := filepath.Join(internal, filepath.FromSlash(e.file))
		source, edited := changed[path]
		if !edited {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			source = string(text)
		}
		if n := strings.Count(source, e.old); n != 1 {
			t.Fatalf("%s has what is to be taken out %d times, not once: the table must follow it", e.file, n)
		}
		changed[path] = strings.Replace(source, e.old, e.new, 1)
	}
	replace := make(map[string]string)
	for path, text := range changed {
		mutated := filepath.Join(dir, strings.ReplaceAll(strings.TrimPrefix(path, internal+"/"), "/", "-"))
		if err := os.WriteFile(mutated, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[path] = mutated
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file, binary := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "server")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay="+file, "-o", binary, "../../cmd/server").CombinedOutput()
	if err != nil {
		t.Fatalf("without the protection it does not compile: %v\n%s", err, out)
	}
	return binary
}
