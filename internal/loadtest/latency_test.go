//go:build linux

package loadtest

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestQuantile(t *testing.T) {
	thousand := make([]time.Duration, 1000)
	for i := range thousand {
		thousand[i] = time.Duration(1000-i) * time.Millisecond // slowest first: recording need not be in order
	}
	tests := []struct {
		name    string
		samples []time.Duration
		q       float64
		want    time.Duration
	}{
		{"no sample", nil, 0.99, 0},
		{"one sample is every quantile", []time.Duration{time.Second}, 0.01, time.Second},
		{"median of two is the lower", []time.Duration{2 * time.Second, time.Second}, 0.5, time.Second},
		{"p50 of 1..1000 ms", thousand, 0.50, 500 * time.Millisecond},
		{"p99 of 1..1000 ms", thousand, 0.99, 990 * time.Millisecond},
		{"p99.9 of 1..1000 ms", thousand, 0.999, 999 * time.Millisecond},
		{"max of 1..1000 ms", thousand, 1, time.Second},
		{"a negative latency counts as 0", []time.Duration{-time.Second}, 1, 0},
		{"a latency beyond 32 bits is held at the limit", []time.Duration{2 * time.Hour}, 1, math.MaxUint32 * time.Microsecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var l latencies
			for _, s := range tt.samples {
				l.record(s)
			}
			if got := l.quantile(tt.q); got != tt.want {
				t.Errorf("quantile(%v) = %v, want %v", tt.q, got, tt.want)
			}
		})
	}
}

// The nearest-rank quantile q is a sample, and the smallest that at least a share q of the samples does not exceed.
func TestQuantileIsNearestRank(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		micros := rapid.SliceOfN(rapid.Int64Range(0, 50), 1, 200).Draw(t, "micros")
		perMille := rapid.IntRange(1, 1000).Draw(t, "q in per mille")
		var l latencies
		for _, m := range micros {
			l.record(time.Duration(m) * time.Microsecond)
		}
		got := l.quantile(float64(perMille) / 1000).Microseconds()
		if !slices.Contains(micros, got) {
			t.Fatalf("%d is no sample", got)
		}
		below, upTo := 0, 0
		for _, m := range micros {
			if m < got {
				below++
			}
			if m <= got {
				upTo++
			}
		}
		if upTo*1000 < perMille*len(micros) || below*1000 >= perMille*len(micros) {
			t.Fatalf("%d of %d samples are below %d, %d up to it: not the %d ‰ quantile", below, len(micros), got, upTo, perMille)
		}
	})
}

func TestSummaryAfterMoreSamples(t *testing.T) {
	var l latencies
	l.record(time.Millisecond)
	if got := l.summary(); got.Max != 1 || got.Samples != 1 {
		t.Errorf("summary of one sample: %+v", got)
	}
	l.record(3 * time.Millisecond)
	l.record(2 * time.Millisecond)
	if got := l.summary(); got.Max != 3 || got.P50 != 2 || got.Samples != 3 {
		t.Errorf("summary of 1, 2, 3 ms: %+v", got)
	}
}
