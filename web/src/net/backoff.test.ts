import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fullJitter } from './backoff'

test('doubles from 500 ms to 30 s, and is spread over all of it', () => {
  const most = [0, 1, 2, 3, 4, 5, 6, 7, 1000].map((attempt) => Math.round(fullJitter(attempt, () => 0.999999)))
  expect(most).toEqual([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000])
  expect(fullJitter(5, () => 0)).toBe(0)
})

test('is never below 0 nor above 30 s', () => {
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, chance) => {
      const delay = fullJitter(attempt, () => chance)
      expect(delay).toBeGreaterThanOrEqual(0)
      expect(delay).toBeLessThanOrEqual(30_000)
    }),
  )
})
