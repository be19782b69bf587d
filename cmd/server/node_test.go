package main

import (
	"math"
	"testing"
)

func TestMaxWaiting(t *testing.T) {
	for memory, want := range map[int64]int{math.MaxInt64: 0, 110 << 20: 1005, 1 << 30: 9362, 1 << 20: 100} {
		if got := maxWaiting(memory); got != want {
			t.Errorf("with %d bytes %d may wait, want %d", memory, got, want)
		}
	}
}
