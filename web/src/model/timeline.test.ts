import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Entry,
  type Outgoing,
  type Timeline,
  addOutgoing,
  apply,
  confirm,
  discard,
  expect as expectNumber,
  isMissing,
  join,
  prepend,
  refuse,
  reset,
  retry,
  start,
  waiting,
} from './timeline'

const ME = 'me'

function entry(seq: number, prev: number, more: Partial<Entry> = {}): Entry {
  return {
    room_id: 'r',
    seq,
    ...(prev === seq - 1 ? {} : { prev_seq: prev }),
    kind: 'text',
    message_id: `m${seq}`,
    sender_id: 'other',
    at: '2026-01-01T00:00:00.000Z',
    body: `body ${seq}`,
    ...more,
  }
}

/** A log whose numbers grow by the given steps: steps above 1 are numbers that were generated and never used (SEQ6). */
function logOf(steps: number[]): Entry[] {
  let seq = 0
  return steps.map((step) => {
    const prev = seq
    seq += step
    return entry(seq, prev)
  })
}

const logs = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 40 }).map(logOf)

/** Any part of the log, in any order, with repetitions, in packets of any size. */
const deliveries = logs.chain((log) =>
  fc.record({
    log: fc.constant(log),
    packets: fc.array(fc.array(fc.constantFrom(...log), { maxLength: 6 }), { maxLength: 40 }),
  }),
)

const empty = start(ME, { seq: 0 })
const applyAll = (timeline: Timeline, packets: Entry[][]) => packets.reduce(apply, timeline)
const seqs = (timeline: Timeline) => timeline.entries.map(({ seq }) => seq)
const picture = (timeline: Timeline) => ({
  shown: seqs(timeline),
  waiting: waiting(timeline).map(({ seq }) => seq),
  last: timeline.last,
  missing: isMissing(timeline),
})

/** What must be seen, said another way: the log from its start to the first entry that has not come; the rest waits. */
function expected(log: Entry[], came: Entry[]): { shown: number[]; waiting: number[] } {
  const have = new Set(came.map(({ seq }) => seq))
  const hole = log.findIndex(({ seq }) => !have.has(seq))
  const end = hole < 0 ? log.length : hole
  return {
    shown: log.slice(0, end).map(({ seq }) => seq),
    waiting: log.slice(end).filter(({ seq }) => have.has(seq)).map(({ seq }) => seq),
  }
}

describe('[RES5] the timeline renders by number', () => {
  test('[RES5] any order, any duplicates, any holes give the same picture', () => {
    fc.assert(
      fc.property(deliveries, ({ log, packets }) => {
        const timeline = applyAll(empty, packets)
        expect(picture(timeline)).toMatchObject(expected(log, packets.flat()))
        const tidy = log.filter((one) => packets.flat().includes(one))
        expect(picture(timeline)).toEqual(picture(apply(empty, tidy)))
      }),
    )
  })

  test('[RES5] whatever came before, the missing entries complete it', () => {
    fc.assert(
      fc.property(deliveries, ({ log, packets }) => {
        const timeline = applyAll(empty, packets)
        const answer = log.filter(({ seq }) => seq > timeline.last.seq)
        expect(picture(apply(timeline, answer))).toEqual({
          shown: log.map(({ seq }) => seq),
          waiting: [],
          last: { seq: log.at(-1)?.seq, id: log.at(-1)?.message_id },
          missing: false,
        })
      }),
    )
  })

  test('[RES5] an entry that came early waits, and is known to miss something', () => {
    const timeline = apply(apply(empty, [entry(1, 0)]), [entry(3, 2)])
    expect(picture(timeline)).toMatchObject({ shown: [1], waiting: [3], missing: true })
    expect(picture(apply(timeline, [entry(2, 1)]))).toMatchObject({ shown: [1, 2, 3], missing: false })
  })

  test('[SEQ6] a number that was never used is nothing to wait for', () => {
    expect(picture(apply(empty, [entry(2, 0), entry(7, 2)]))).toMatchObject({ shown: [2, 7], missing: false })
  })

  test('nothing new leaves the very same timeline', () => {
    const timeline = apply(empty, [entry(1, 0), entry(2, 1)])
    expect(apply(timeline, [entry(1, 0), entry(2, 1)])).toBe(timeline)
  })
})

describe('joining', () => {
  test('[RES1] pages of older entries join the run exactly where it starts', () => {
    fc.assert(
      fc.property(logs, fc.nat(), fc.integer({ min: 1, max: 7 }), (log, at, size) => {
        const cut = at % log.length
        let timeline = apply(start(ME, { seq: log[cut - 1]?.seq ?? 0 }), log.slice(cut))
        for (let end = cut; end > 0; end -= size) {
          const from = Math.max(0, end - size)
          timeline = prepend(timeline, log.slice(from, end), from > 0)
        }
        expect(seqs(timeline)).toEqual(log.map(({ seq }) => seq))
        if (cut > 0) expect(timeline.hasMore).toBe(false)
      }),
    )
  })

  test('a page that does not end where the run starts is left out', () => {
    const timeline = apply(start(ME, { seq: 9 }), [entry(10, 9)])
    expect(prepend(timeline, [entry(6, 5), entry(7, 6)], true)).toBe(timeline)
  })

  test('the answer to join keeps what was pushed while it was on its way', () => {
    fc.assert(
      fc.property(logs, fc.nat(), fc.nat(), (log, a, b) => {
        const cut = a % log.length
        const upTo = cut + (b % (log.length - cut)) + 1
        const pushed = apply(start(ME, { seq: log[cut]?.seq ?? 0 }, log[cut]), log.slice(cut + 1))
        const joined = join(pushed, log.slice(0, upTo), false)
        expect(seqs(joined)).toEqual(log.map(({ seq }) => seq))
      }),
    )
  })

  test('an answer that starts beyond the run takes its place', () => {
    const old = apply(empty, [entry(1, 0), entry(2, 1)])
    const joined = join(apply(old, [entry(12, 11)]), [entry(10, 9), entry(11, 10)], true)
    expect(picture(joined)).toMatchObject({ shown: [10, 11, 12], missing: false })
    expect(joined.hasMore).toBe(true)
  })

  test('a welcome that tells the newest entry starts the run with it', () => {
    expect(start(ME, { seq: 5 }, entry(5, 4)).last).toEqual({ seq: 5, id: 'm5' })
    expect(start(ME, { seq: 6 }, entry(5, 4))).toMatchObject({ entries: [], last: { seq: 6 } })
  })
})

describe("one's own messages", () => {
  const mine: Outgoing = { client_id: 'c1', body: 'hello', at: '2026-01-01T00:00:00.000Z', state: 'sending' }
  const own = (seq: number, client_id: string) => entry(seq, seq - 1, { sender_id: ME, client_id })
  const written = addOutgoing(empty, mine)

  test('[RES5] the optimistic copy gives way to the entry with its client_id', () => {
    expect(apply(written, [own(1, 'c1')])).toMatchObject({ outgoing: [], entries: [{ client_id: 'c1' }] })
  })

  test("somebody else's entry with the same client_id confirms nothing", () => {
    expect(apply(written, [entry(1, 0, { client_id: 'c1' })]).outgoing).toEqual([mine])
  })

  test('[SEQ3] the reply marks it sent and moves no position; the entry is then expected', () => {
    const told = confirm(written, 'c1', 1)
    expect(told).toMatchObject({ outgoing: [{ state: 'sent' }], last: { seq: 0 } })
    expect(isMissing(told)).toBe(true)
    expect(isMissing(apply(told, [own(1, 'c1')]))).toBe(false)
  })

  test('[SEQ2] a reply with a number already held, to a resend after a reload, removes the copy', () => {
    const reloaded = addOutgoing(apply(empty, [own(1, 'c1')]), mine)
    expect(confirm(reloaded, 'c1', 1).outgoing).toEqual([])
  })

  test('history that holds it removes the copy too', () => {
    const reloaded = addOutgoing(start(ME, { seq: 2 }, entry(2, 1)), mine)
    expect(prepend(reloaded, [own(1, 'c1')], false).outgoing).toEqual([])
  })

  test('a refused one waits for the user: again, or not at all', () => {
    const refused = refuse(written, 'c1', 'too_long')
    expect(refused.outgoing).toMatchObject([{ state: 'failed', why: 'too_long' }])
    expect(retry(refused, 'c1').outgoing).toEqual([{ ...mine, why: undefined }])
    expect(discard(refused, 'c1').outgoing).toEqual([])
  })

  test('[RES5] one whose entry is held is not added: it came from disk after its entry', () => {
    const held = apply(empty, [own(1, 'c1')])
    expect(addOutgoing(held, mine)).toMatchObject({ entries: [{ client_id: 'c1' }], outgoing: [] })
  })

  test('[RES5] an entry that a new start is told of takes the place of its copy', () => {
    expect(reset(written, { seq: 1 }, own(1, 'c1'))).toMatchObject({ entries: [{ client_id: 'c1' }], outgoing: [] })
  })

  test('it is added once', () => {
    expect(addOutgoing(written, mine).outgoing).toHaveLength(1)
  })

  test('[RES3] a dropped copy keeps what is unconfirmed, and sends again what was thought committed', () => {
    const timeline = confirm(addOutgoing(apply(empty, [entry(1, 0)]), mine), 'c1', 2)
    const afresh = reset(apply(timeline, [entry(9, 8)]), { seq: 4 })
    expect(afresh).toMatchObject({ entries: [], last: { seq: 4 }, early: null, outgoing: [{ state: 'sending' }] })
    expect(isMissing(afresh)).toBe(false)
  })
})

test('a number told by the server is missing until it is held', () => {
  expect(isMissing(expectNumber(empty, 1))).toBe(true)
  expect(isMissing(apply(expectNumber(empty, 1), [entry(1, 0)]))).toBe(false)
  expect(expectNumber(empty, 0)).toBe(empty)
})
