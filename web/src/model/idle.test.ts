import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watchIdle } from './idle'

const MINUTE_MS = 60_000

/** A page that can be hidden, and what is done to it. */
class Page extends EventTarget {
  hidden = false
}

let page: Page
let told: string[]
let stop: () => void

beforeEach(() => {
  vi.useFakeTimers()
  page = new Page()
  vi.stubGlobal('document', page)
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page))
  vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page))
  told = []
  stop = watchIdle((state) => told.push(state))
})

afterEach(() => {
  stop()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

const input = (name = 'keydown') => page.dispatchEvent(new Event(name))

test('away after five minutes without input, and back at the first', () => {
  vi.advanceTimersByTime(5 * MINUTE_MS - 1)
  expect(told).toEqual([])
  vi.advanceTimersByTime(1)
  expect(told).toEqual(['away'])
  input('pointermove')
  expect(told).toEqual(['away', 'online'])
  vi.advanceTimersByTime(5 * MINUTE_MS)
  expect(told).toEqual(['away', 'online', 'away'])
})

test('input puts it off, and says nothing', () => {
  for (let at = 0; at < 10; at++) {
    vi.advanceTimersByTime(4 * MINUTE_MS)
    input('wheel')
  }
  expect(told).toEqual([])
})

test('hidden for five minutes is away, whatever moves meanwhile', () => {
  page.hidden = true
  for (let at = 0; at < 5; at++) {
    vi.advanceTimersByTime(MINUTE_MS)
    input('pointermove')
  }
  expect(told).toEqual(['away'])
  input()
  expect(told).toEqual(['away'])
  page.hidden = false
  input()
  expect(told).toEqual(['away', 'online'])
})

test('afterwards nothing is told any more', () => {
  stop()
  vi.advanceTimersByTime(60 * MINUTE_MS)
  input()
  expect(told).toEqual([])
})
