import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Entry, type Timeline, addOutgoing, append, apply, discard, join, leave, prepend, reset, start, visit } from '../../model/timeline'
import { type Row, newRows, rowAt } from './rows'

const ME = 'me'

/** The rows as they are without anything remembered. */
const rowsOf = (...args: Parameters<ReturnType<typeof newRows>>): Row[] => newRows()(...args)

function entry(seq: number, more: Partial<Entry> = {}): Entry {
  return {
    room_id: 'r',
    seq,
    kind: 'text',
    message_id: `m${seq}`,
    sender_id: 'bob',
    at: new Date(2026, 0, 5, 12, 0, seq).toISOString(),
    body: `body ${seq}`,
    ...more,
  }
}

const holding = (...entries: Entry[]): Timeline => apply(start(ME, { seq: 0 }), entries)
const at = (day: number, hour: number, minute: number) => new Date(2026, 0, day, hour, minute).toISOString()

/** The rows in short: their types, and for messages the text, with a mark where a group starts. */
const short = (timeline: Timeline, unreadAfter?: number) =>
  rowsOf(ME, timeline, true, unreadAfter).map((row) =>
    row.type === 'message' ? `${row.message.leads ? '>' : ' '}${row.message.body}` : row.type,
  )

test('an empty room has its beginning, and nobody who has seen anything', () => {
  expect(short(holding())).toEqual(['start', 'seen'])
})

test('the beginning is only shown where it is known', () => {
  const timeline = holding(entry(1))
  expect(rowsOf(ME, { ...timeline, hasMore: true }, true, undefined)[0]?.type).toBe('day')
  expect(rowsOf(ME, timeline, false, undefined)[0]?.type).toBe('day')
})

describe('messages are grouped', () => {
  test('by author and by time', () => {
    const timeline = holding(
      entry(1, { at: at(5, 12, 0) }),
      entry(2, { at: at(5, 12, 2) }),
      entry(3, { at: at(5, 12, 4) }),
      entry(4, { at: at(5, 12, 4), sender_id: 'zoe' }),
    )
    expect(short(timeline)).toEqual(['start', 'day', '>body 1', ' body 2', '>body 3', '>body 4', 'seen'])
  })

  test('anew after a note, and on another day', () => {
    const timeline = holding(
      entry(1, { at: at(5, 23, 59) }),
      entry(2, { at: at(5, 23, 59), kind: 'member_joined' }),
      entry(3, { at: at(5, 23, 59) }),
      entry(4, { at: at(6, 0, 0) }),
    )
    expect(short(timeline)).toEqual(['start', 'day', '>body 1', 'note', '>body 3', 'day', '>body 4', 'seen'])
  })

  test('kinds that are not known are not shown', () => {
    expect(short(holding(entry(1), entry(2, { kind: 'reaction' }), entry(3)))).toEqual([
      'start', 'day', '>body 1', ' body 3', 'seen',
    ])
  })
})

describe('the "new" line', () => {
  test('stands before the first message of somebody else that is not read', () => {
    const timeline = holding(entry(1), entry(2, { sender_id: ME }), entry(3), entry(4))
    expect(short(timeline, 1)).toEqual(['start', 'day', '>body 1', '>body 2', 'new', '>body 3', ' body 4', 'seen'])
  })

  test('waits until the first unread message is held', () => {
    const held = apply(start(ME, { seq: 4 }), [entry(5), entry(6)])
    expect([short(held, 3), short(held, 4)]).toMatchObject([['day', '>body 5', ' body 6', 'seen'], ['day', 'new', '>body 5', ' body 6', 'seen']])
  })

  test('is not drawn when all is read', () => {
    expect(short(holding(entry(1), entry(2)), 2)).not.toContain('new')
  })
})

test("one's own message keeps its key from the optimistic copy to the entry", () => {
  const mine = { client_id: 'c1', body: 'hi', at: at(5, 12, 0), state: 'sending' as const }
  const written = addOutgoing(holding(), mine)
  const sent = apply(written, [entry(1, { sender_id: ME, client_id: 'c1' })])
  const keys = [written, sent].map((timeline) => rowsOf(ME, timeline, true, undefined)[2]?.key)
  expect(keys).toEqual(['c1', 'c1'])
})

test('keys are unique, whatever the clocks say', () => {
  const times = fc.array(fc.integer({ min: 0, max: 5 * 86_400_000 }), { maxLength: 30 })
  fc.assert(
    fc.property(times, fc.nat(30), (offsets, unreadAfter) => {
      const entries = offsets.map((offset, index) =>
        entry(index + 1, { at: new Date(1_767_000_000_000 + offset).toISOString() }),
      )
      const keys = rowsOf(ME, holding(...entries), true, unreadAfter).map(({ key }) => key)
      expect(new Set(keys).size).toBe(keys.length)
    }),
  )
})

describe('where a number is drawn', () => {
  const rows = rowsOf(ME, holding(entry(1), entry(2, { kind: 'something_new' }), entry(3, { kind: 'member_joined' }), entry(4)), true, undefined)
  const drawn = (seq?: number) => {
    const row = rows[rowAt(rows, seq)]
    return row?.type === 'message' ? row.message.seq : row?.type === 'note' ? row.entry.seq : row?.type
  }
  test.each([
    [1, 1],
    [2, 3],
    [3, 3],
    [4, 4],
    [0, 1],
    [undefined, 1],
    [5, 'seen'],
  ])('%s', (seq, at) => {
    expect(drawn(seq)).toBe(at)
  })
})

test('what was there keeps its rows, whatever comes after or before it', () => {
  const [first, second, third] = [entry(1, { at: at(5, 12, 0) }), entry(2, { at: at(5, 12, 9) }), entry(3, { at: at(6, 12, 0) })]
  const before = rowsOf(ME, holding(first, second), true, undefined)
  const after = rowsOf(ME, holding(first, second, third), true, undefined)
  for (const [index, row] of before.slice(0, -1).entries()) expect(after[index]).toBe(row)
})

test('a message that no longer leads is another row, and leads again as before', () => {
  const [earlier, later] = [entry(1, { at: at(5, 12, 0) }), entry(2, { at: at(5, 12, 1) })]
  const alone: Timeline = { ...start(ME, { seq: 1 }), entries: [later], last: { seq: 2 }, known: 2 }
  expect(short(alone)).toEqual(['day', '>body 2', 'seen'])
  expect(short(holding(earlier, later)).slice(-2)).toEqual([' body 2', 'seen'])
  expect(short(alone)).toEqual(['day', '>body 2', 'seen'])
})

describe('what is remembered from one drawing to the next', () => {
  const LOG = 30
  const someone = fc.constantFrom(ME, 'bob', 'zoe')
  const kinds = fc.constantFrom('text', 'text', 'text', 'member_joined', 'something_new')
  const log = fc
    .array(fc.record({ sender_id: someone, kind: kinds, minutes: fc.constantFrom(0, 1, 5, 700) }), { minLength: LOG, maxLength: LOG })
    .map((entries) => {
      let time = at(5, 0, 0)
      return entries.map(({ minutes, ...more }, index) => {
        time = new Date(Date.parse(time) + minutes * 60_000).toISOString()
        return entry(index + 1, { ...more, at: time, client_id: more.sender_id === ME ? `c${index + 1}` : undefined })
      })
    })
  const page = fc.record({ from: fc.nat(LOG), length: fc.nat(12) })
  const change = fc.oneof(
    fc.record({ do: fc.constantFrom('apply', 'join', 'prepend', 'visit', 'append'), page, hasMore: fc.boolean() }),
    fc.record({ do: fc.constantFrom('write', 'discard', 'reset', 'leave', 'read', 'fill'), seq: fc.integer({ min: 1, max: LOG }) }),
  )

  test('the rows are the same as without it, whatever happens to the timeline', () => {
    fc.assert(
      fc.property(log, fc.array(change, { maxLength: 25 }), fc.nat(LOG), (entries, changes, cut) => {
        const remembering = newRows()
        let timeline = start(ME, { seq: cut }, entries[cut - 1])
        let [filled, unreadAfter] = [false, undefined as number | undefined]
        for (const each of changes) {
          if ('page' in each) {
            const some = entries.slice(each.page.from, each.page.from + each.page.length)
            if (each.do === 'apply') timeline = apply(timeline, some)
            else if (each.do === 'join') timeline = join(timeline, some, each.hasMore)
            else if (each.do === 'prepend') timeline = prepend(timeline, some, each.hasMore)
            else if (each.do === 'visit') timeline = visit(timeline, some, each.hasMore)
            else timeline = append(timeline, some)
          } else if (each.do === 'write') {
            const mine = { client_id: `c${each.seq}`, body: 'mine', at: at(5, 12, each.seq), state: 'sending' as const }
            timeline = addOutgoing(timeline, mine)
          } else if (each.do === 'discard') timeline = discard(timeline, `c${each.seq}`)
          else if (each.do === 'reset') timeline = reset(timeline, { seq: each.seq }, entries[each.seq - 1])
          else if (each.do === 'leave') timeline = leave(timeline)
          else if (each.do === 'read') unreadAfter = each.seq % 4 === 0 ? undefined : each.seq
          else filled = !filled
          expect(remembering(ME, timeline, filled, unreadAfter)).toEqual(rowsOf(ME, timeline, filled, unreadAfter))
        }
      }),
      { numRuns: 500 },
    )
  })

  test('no entry is looked at again for one that comes after it', () => {
    let looks = 0
    const watched = (seq: number) => Object.defineProperty(entry(seq), 'kind', { get: () => (looks++, 'text') })
    const remembering = newRows()
    const before = holding(...Array.from({ length: 100 }, (_, index) => watched(index + 1)))
    remembering(ME, before, true, undefined)
    const after = apply(before, [watched(101)])
    looks = 0
    expect(remembering(ME, after, true, undefined)).toHaveLength(1 + 1 + 101 + 1)
    expect(looks).toBeLessThanOrEqual(1)
  })
})
