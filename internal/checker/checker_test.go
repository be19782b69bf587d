package checker

import (
	"flag"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
)

var (
	seeds = flag.Int("seeds", 300, "how many histories are checked")
	seed  = flag.Uint64("seed", 0, "replay the history of this seed alone")
	once  = flag.Bool("first", false, "stop at the first history that is wrong")
)

// wrong says that a history was.
var wrong atomic.Bool

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// onFile says which seeds run over SQLite, in a bubble too: it is slower by far, with the race detector most of all.
func onFile(seed uint64) bool { return seed%50 == 7 }

func TestHistories(t *testing.T) {
	t.Run("[SEQ1][SEQ2][SEQ3][SEQ4][SEQ5][SEQ6][SEQ7][SEQ8][HUB1][HUB4][HUB5][HUB6][HUB7][RES1][RES2][RES3] "+
		"what clients saw of nodes that were broken on purpose agrees with the store", func(t *testing.T) {
		first, last := uint64(1), uint64(*seeds)
		if *seed != 0 {
			first, last = *seed, *seed
		}
		for s := first; s <= last; s++ {
			t.Run(fmt.Sprint(s), func(t *testing.T) {
				t.Parallel()
				if *once && wrong.Load() {
					t.Skip("another one was wrong")
				}
				synctest.Test(t, func(t *testing.T) { check(t, s) })
			})
		}
	})
}

// check makes the history of a seed and reports what is wrong with it.
func check(t *testing.T, s uint64) {
	db := OpenMemory()
	if onFile(s) {
		var err error
		if db, err = OpenSQLite(t.Context(), quickDir(t)); err != nil {
			t.Fatal(err)
		}
	}
	h, err := Run(t.Context(), Config{Seed: s, Database: db})
	if closing := db.Close(); err == nil {
		err = closing
	}
	if err != nil {
		t.Fatalf("seed %d: %v", s, err)
	}
	v := h.Violations()
	for i := range v[:min(len(v), 5)] {
		t.Errorf("seed %d: %s", s, v[i])
	}
	if len(v) > 0 {
		wrong.Store(true)
		t.Logf("what led to it (replay it with: go test ./internal/checker -run Histories -seed %d):\n%s", s, h.Excerpt())
	}
}

// quickDir is a directory in memory where there is one.
func quickDir(t *testing.T) string {
	const shm = "/dev/shm"
	if _, err := os.Stat(shm); err != nil {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(shm, "gochat-checker") //nolint:usetesting // in memory, which t.TempDir is not
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}
