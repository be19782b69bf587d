import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Entry, type Timeline, addOutgoing, apply, start } from '../../model/timeline'
import { rowAt, rowsOf } from './rows'

const ME = 'me'

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
