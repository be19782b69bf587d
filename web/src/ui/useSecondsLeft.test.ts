import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { everySecond, inWords, secondsLeft } from './useSecondsLeft'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('it counts down each second, to nothing, and then no more', () => {
  const until = Date.now() + 3_400
  const told = [secondsLeft(until)]
  everySecond(until, () => told.push(secondsLeft(until)))
  vi.advanceTimersByTime(399)
  expect(told).toEqual([4])
  vi.advanceTimersByTime(1)
  expect(told).toEqual([4, 3])
  vi.advanceTimersByTime(3_000)
  expect(told).toEqual([4, 3, 2, 1, 0])
  expect(vi.getTimerCount()).toBe(0)
})

test('a machine that slept is told the truth at once', () => {
  const until = Date.now() + 60_000
  const told: number[] = []
  everySecond(until, () => told.push(secondsLeft(until)))
  vi.setSystemTime(Date.now() + 58_000)
  vi.advanceTimersByTime(1_000)
  expect(told).toEqual([1])
})

test('who looks away is told nothing; what is over is not waited for', () => {
  const call = vi.fn()
  everySecond(Date.now() + 5_000, call)()
  everySecond(Date.now(), call)
  vi.advanceTimersByTime(10_000)
  expect(call).not.toHaveBeenCalled()
})

test.each([
  [1, '1 second'],
  [18, '18 seconds'],
  [90, '90 seconds'],
  [91, '2 minutes'],
  [3_600, '60 minutes'],
])('%i in words: %s', (seconds, words) => {
  expect(inWords(seconds)).toBe(words)
})
