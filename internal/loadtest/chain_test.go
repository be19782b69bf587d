//go:build linux

package loadtest

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestChain(t *testing.T) {
	type link struct{ seq, prev int64 }
	tests := []struct {
		name    string
		last    int64
		links   []link
		want    []verdict
		missing []span
	}{
		{"a run without gaps", 0, []link{{1, 0}, {2, 1}, {3, 2}}, []verdict{inOrder, inOrder, inOrder}, nil},
		{"a skipped number is no gap when the entry points over it", 4, []link{{5, 4}, {9, 5}}, []verdict{inOrder, inOrder}, nil},
		{"a gap stays open", 4, []link{{5, 4}, {7, 6}}, []verdict{inOrder, gap}, []span{{5, 6}}},
		{"a repeat of the last", 4, []link{{5, 4}, {5, 4}}, []verdict{inOrder, duplicate}, nil},
		{"a repeat of an older one", 4, []link{{5, 4}, {6, 5}, {5, 4}}, []verdict{inOrder, inOrder, duplicate}, nil},
		{"an entry of before the start", 4, []link{{3, 2}}, []verdict{duplicate}, nil},
		{"two exchanged", 4, []link{{6, 5}, {5, 4}}, []verdict{gap, late}, nil},
		{"a late one that comes twice", 4, []link{{6, 5}, {5, 4}, {5, 4}}, []verdict{gap, late, duplicate}, nil},
		{"three backwards", 0, []link{{3, 2}, {2, 1}, {1, 0}}, []verdict{gap, late, late}, nil},
		{"the middle of a gap", 0, []link{{4, 3}, {2, 1}}, []verdict{gap, late}, []span{{0, 1}, {2, 3}}},
		{"a late one that points over a skipped number", 0, []link{{9, 7}, {7, 0}}, []verdict{gap, late}, nil},
		{"another history", 5, []link{{7, 3}}, []verdict{fork}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := chain{last: tt.last}
			for i, l := range tt.links {
				if got := c.accept(l.seq, l.prev); got != tt.want[i] {
					t.Errorf("link %d %+v: verdict %d, want %d", i, l, got, tt.want[i])
				}
			}
			if !slices.Equal(c.missing, tt.missing) {
				t.Errorf("missing %v, want %v", c.missing, tt.missing)
			}
		})
	}
}

// Whatever the order and the repeats: each entry is accepted exactly once, and in the end nothing is missing
// but what was never delivered.
func TestChainOfAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := rapid.SliceOfN(rapid.Int64Range(1, 3), 1, 30).Draw(t, "steps")
		type link struct{ seq, prev int64 }
		var links []link
		last := int64(0)
		for _, step := range steps {
			links = append(links, link{last + step, last})
			last += step
		}
		lost := rapid.IntRange(-1, len(links)-2).Draw(t, "lost") // the last one's loss can't be seen in a chain
		seed := rapid.Uint64().Draw(t, "seed")
		random := rand.New(rand.NewPCG(seed, 0))
		deliveries := append(slices.Clone(links), links...)
		random.Shuffle(len(deliveries), func(i, j int) { deliveries[i], deliveries[j] = deliveries[j], deliveries[i] })
		var c chain
		accepted := map[int64]int{}
		for _, l := range deliveries {
			if lost >= 0 && l == links[lost] {
				continue
			}
			if c.accept(l.seq, l.prev) != duplicate {
				accepted[l.seq]++
			}
		}
		for i, l := range links {
			want := 1
			if i == lost {
				want = 0
			}
			if accepted[l.seq] != want {
				t.Fatalf("entry %+v accepted %d times, want %d", l, accepted[l.seq], want)
			}
		}
		if (lost >= 0) != (len(c.missing) > 0) {
			t.Fatalf("lost %d, but missing is %v", lost, c.missing)
		}
	})
}
