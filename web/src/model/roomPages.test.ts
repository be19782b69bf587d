import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ApiError, type Page } from '../net/api'
import type { Room } from '../net/frames'
import { Unreachable } from '../net/tokens'
import { takePages } from './roomPages'

const room = (id: string) => ({ id }) as Room
const PAGES: Partial<Record<string, Page<Room>>> = {
  c1: { items: [room('a'), room('b')], next_cursor: 'c2' },
  c2: { items: [room('c')], next_cursor: null },
}

/** A server whose first answers are those failures, one for each time that it is asked; then it gives what is there. */
function setUp(...failures: (Error | undefined)[]) {
  const asked: string[] = []
  const taken: string[] = []
  let wanted = true
  const answer = takePages(
    'c1',
    async (cursor) => {
      asked.push(cursor)
      const failure = failures.shift()
      if (failure !== undefined) throw failure
      return await Promise.resolve(PAGES[cursor] ?? { items: [], next_cursor: null })
    },
    (rooms) => taken.push(...rooms.map(({ id }) => id)),
    () => wanted,
  )
  return { asked, taken, answer, leave: () => (wanted = false) }
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
})
afterEach(() => {
  vi.useRealTimers()
})

test('every page is taken', async () => {
  const { asked, taken, answer } = setUp()
  await expect(answer).resolves.toBe(true)
  expect([asked, taken]).toEqual([['c1', 'c2'], ['a', 'b', 'c']])
})

test('a page that does not come is asked for again, after longer each time', async () => {
  const { asked, taken, answer } = setUp(undefined, new Unreachable('no answer'), new ApiError(500, {}), new ApiError(500, {}))
  await vi.advanceTimersByTimeAsync(249)
  expect(asked).toEqual(['c1', 'c2'])
  await vi.advanceTimersByTimeAsync(1 + 500)
  expect(asked).toEqual(['c1', 'c2', 'c2', 'c2'])
  await vi.advanceTimersByTimeAsync(1_000)
  await expect(answer).resolves.toBe(true)
  expect(taken).toEqual(['a', 'b', 'c'])
})

test('not before the server has said, and not at all where it refuses', async () => {
  const { asked, answer } = setUp(new ApiError(429, { retry_after_ms: 9_000 }), new ApiError(400, {}))
  await vi.advanceTimersByTimeAsync(8_999)
  expect(asked).toEqual(['c1'])
  await vi.advanceTimersByTimeAsync(1)
  await expect(answer).resolves.toBe(false)
  expect(asked).toEqual(['c1', 'c1'])
})

test('a later welcome ends it', async () => {
  const { asked, taken, answer, leave } = setUp(undefined, new Unreachable('no answer'))
  await vi.advanceTimersByTimeAsync(0)
  leave()
  await vi.advanceTimersByTimeAsync(60_000)
  await expect(answer).resolves.toBe(false)
  expect([asked, taken]).toEqual([['c1', 'c2'], ['a', 'b']])
})
