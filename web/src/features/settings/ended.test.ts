import { expect, test } from 'vitest'
import { endedInWords } from './ended'

test.each([
  [0, 0, 'You are logged in nowhere else.'],
  [1, 1, 'Logged out in one other place.'],
  [3, 3, 'Logged out in 3 other places.'],
  [2, 3, 'Logged out in 2 of 3 other places.'],
  [0, 3, 'You are still logged in everywhere.'],
])('%i of %i: %s', (ended, of, words) => {
  expect(endedInWords({ ended, of })).toBe(words)
})
