import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Entry, type Timeline, addOutgoing, append, apply, leave, prepend, reset, start, visit } from './timeline'

function entry(seq: number, prev: number): Entry {
  return { room_id: 'r', seq, prev_seq: prev, kind: 'text', message_id: `m${seq}`, sender_id: 'bob', at: '', body: `body ${seq}` }
}

/** Logs with holes in their numbers. */
const logs = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 4, maxLength: 40 }).map((steps) => {
  let seq = 0
  return steps.map((step) => entry((seq += step), seq - step))
})
const seqs = (entries: readonly Entry[] = []) => entries.map(({ seq }) => seq)

/** A log of which only the end is held. */
function holding(log: Entry[], from: number): Timeline {
  return apply(start('me', { seq: log[from - 1]?.seq ?? 0 }), log.slice(from))
}

describe('a stretch of the log away from its end', () => {
  test('pages on both sides make it whole, and where it reaches the run they are one', () => {
    fc.assert(
      fc.property(logs, fc.nat(), fc.nat(), fc.integer({ min: 1, max: 5 }), (log, a, b, size) => {
        const from = 2 + (a % (log.length - 2))
        const at = b % (from - 1)
        let timeline = visit(holding(log, from), log.slice(at, at + 1), at > 0)
        expect(seqs(timeline.past?.entries)).toEqual(seqs(log.slice(at, at + 1)))
        for (let end = at; end > 0; end -= size) {
          timeline = prepend(timeline, log.slice(Math.max(0, end - size), end), end > size)
        }
        for (let next = at + 1; timeline.past !== undefined; next += size) {
          expect(next).toBeLessThan(log.length)
          timeline = append(timeline, log.slice(next, next + size))
        }
        expect(seqs(timeline.entries)).toEqual(seqs(log))
        expect(timeline).toMatchObject({ hasMore: false, last: { seq: log.at(-1)?.seq } })
      }),
    )
  })

  test('that overlaps the run is part of it at once', () => {
    fc.assert(
      fc.property(logs, fc.nat(), fc.nat(), fc.nat(), (log, a, b, c) => {
        const from = 1 + (a % (log.length - 1))
        const at = b % from
        const upTo = from + (c % (log.length - from + 1))
        const timeline = visit(holding(log, from), log.slice(at, upTo), at > 0)
        expect(timeline.past).toBeUndefined()
        expect(seqs(timeline.entries)).toEqual(seqs(log.slice(at)))
        expect(timeline.hasMore).toBe(at > 0)
      }),
    )
  })

  const log = Array.from({ length: 9 }, (_, at) => entry(at + 1, at))
  const away = visit(holding(log, 7), log.slice(1, 3), true)

  test('leaves the run as it is: that goes on with what is pushed', () => {
    const next = apply(away, [entry(10, 9)])
    expect([seqs(next.entries), seqs(next.past?.entries)]).toEqual([[8, 9, 10], [2, 3]])
    expect(seqs(leave(next).entries)).toEqual([8, 9, 10])
    expect(leave(leave(next))).toEqual(leave(next))
  })

  test('takes no page that does not fit', () => {
    expect(append(away, log.slice(4, 6))).toBe(away)
    expect(append(away, log.slice(0, 3))).toBe(away)
    expect(prepend(away, [entry(9, 8)], true)).toBe(away)
    const live = leave(away)
    expect([append(live, log), visit(live, [], false)]).toEqual([live, live])
  })

  test('keeps what is on its way, and ends when the history has changed', () => {
    const mine = { client_id: 'c', body: 'x', at: '', state: 'sending' as const }
    const afresh = reset(addOutgoing(away, mine), { seq: 4 })
    expect(afresh.past).toBeUndefined()
    expect(afresh.outgoing).toEqual([mine])
  })
})
