//go:build linux

package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gochat-dev/gochat/internal/loadtest"
)

// TestFigureP6 spreads the office's 5,000 connections over one node, two and three that share a Postgres and a Redis.
func TestFigureP6(t *testing.T) {
	const most, within = 1.3, 20.0
	server, generator := programs(t)
	s := startShared(t, server)
	apart := fmt.Sprintf("--apart=postgres=%d;redis=%d", s.pg.PID(), s.rd.PID())
	report := measure(t, generator, server, s.settings(), "--nodes=1,2,3", apart, "--warmup=5s", "--duration=20s")
	logText(t, report)
	for _, ratio := range report.Ratios {
		if ratio.CPUOfOneNode > most {
			t.Errorf("%s: CPU of all together %.2f times that of one, want %g at most", ratio.Name, ratio.CPUOfOneNode, most)
		}
	}
	for _, p := range report.Phases {
		if p.Across != nil && p.Across.P99 > within {
			t.Errorf("%s: from node to node the p99 is %.1f ms, want %g at most", p.Name, p.Across.P99, within)
		}
	}
}

// TestFigureP7 has one client of a hundred stop reading: what do the others notice?
func TestFigureP7(t *testing.T) {
	const most = 1.2
	server, generator := programs(t)
	slow := []string{"--slow-percent=1", "--warmup=5s", "--duration=20s"}
	for _, store := range []string{"SQLite", "Postgres and Redis"} {
		t.Run(store, func(t *testing.T) {
			var env []string
			if store != "SQLite" {
				env = startShared(t, server).settings()
			}
			report := measure(t, generator, server, env, slow...)
			logText(t, report)
			all, others := report.Phases[1].Latency, report.Phases[2].Latency
			t.Logf("P7 %s: p99 %.2f ms, with 1 %% frozen %.2f ms: × %.2f", store, all.P99, others.P99, others.P99/all.P99)
			if others.P99 > most*all.P99 {
				t.Errorf("the others' p99 is %.2f times what it was, want %g at most", others.P99/all.P99, most)
			}
		})
	}
}

func logText(t *testing.T, report *loadtest.Report) {
	t.Helper()
	var text strings.Builder
	must(t, report.WriteText(&text))
	t.Log("\n" + text.String())
}
