package auth

import (
	"math"
	"runtime"
	"sync"
	"testing"
)

func TestHashesFitIntoTheMemory(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		what  string
		limit int64
		cpus  int
		n     int
		tight bool
	}{
		{"no limit", math.MaxInt64, 8, 8, false},
		{"the smallest profile", 102 * mib, 2, 1, true},
		{"half a gigabyte, two CPUs", 435 * mib, 2, 2, false},
		{"half a gigabyte, eight CPUs", 435 * mib, 8, 2, true},
		{"many gigabytes", 8 << 30, 4, 4, false},
	} {
		if n, tight := hashesAtOnce(c.limit, c.cpus, HashParams{}.withDefaults()); n != c.n || tight != c.tight {
			t.Errorf("%s: %d at once, tight %v; want %d, %v", c.what, n, tight, c.n, c.tight)
		}
	}
}

// TestAHashBeginsWithoutTheGarbageOfOthers: however many people log in, where memory is tight there is one block at a time.
func TestAHashBeginsWithoutTheGarbageOfOthers(t *testing.T) {
	const block = 8 << 20
	h := newHasher(HashParams{MemoryKiB: block >> 10, Passes: 1, Lanes: 1})
	h.slots, h.tight = make(chan struct{}, 1), true
	inUse := func() uint64 {
		var now runtime.MemStats
		runtime.ReadMemStats(&now)
		return now.HeapAlloc
	}
	runtime.GC()
	before, most := inUse(), uint64(0)
	derive := h.derive
	h.derive = func(password, salt []byte, passes, memory uint32, lanes uint8, keyLen uint32) []byte {
		most = max(most, inUse()) // there is one slot
		return derive(password, salt, passes, memory, lanes, keyLen)
	}
	var people sync.WaitGroup
	for range 4 {
		people.Go(func() {
			for range 4 {
				if _, err := h.hash(t.Context(), "x"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	people.Wait()
	if most > before+block/2 {
		t.Errorf("%d bytes before the first, and up to %d before another: blocks of %d are left over", before, most, block)
	}
}
