//go:build linux

package loadtest

// verdict is what the chain check says of one entry.
type verdict int

const (
	inOrder   verdict = iota // points back at the last one held
	gap                      // points back at one that was never received: a piece is missing before it
	late                     // fills a piece that was missing: received, but out of order
	duplicate                // received before
	fork                     // newer than the last, but points back behind it: two histories
)

// span is the run of numbers (after, upTo] in which at least one entry is missing.
type span struct{ after, upTo int64 }

// chain follows one room's entries as one client receives them: every entry names the number before it,
// so whoever holds the log up to last can tell the next one from a gap, a repeat and a wrong order.
type chain struct {
	last    int64
	missing []span
}

// accept judges the entry seq whose predecessor is prev, and takes it into the chain.
func (c *chain) accept(seq, prev int64) verdict {
	if seq <= c.last {
		return c.fill(seq, prev)
	}
	v := inOrder
	switch {
	case prev > c.last:
		c.missing = append(c.missing, span{c.last, prev})
		v = gap
	case prev < c.last:
		v = fork
	}
	c.last = seq
	return v
}

// fill takes an entry at or below last: it closes a part of a gap, or it is a duplicate.
// Numbers between prev and seq do not exist, so the entry covers all of (prev, seq].
func (c *chain) fill(seq, prev int64) verdict {
	for i, s := range c.missing {
		if seq <= s.after || seq > s.upTo {
			continue
		}
		var rest []span
		if prev > s.after {
			rest = append(rest, span{s.after, prev})
		}
		if seq < s.upTo {
			rest = append(rest, span{seq, s.upTo})
		}
		c.missing = append(c.missing[:i:i], append(rest, c.missing[i+1:]...)...)
		return late
	}
	return duplicate
}
