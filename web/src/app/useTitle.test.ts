import { expect, test } from 'vitest'
import { titleOf } from './useTitle'

test.each([
  [0, undefined, 'GoChat'],
  [3, undefined, '(3) GoChat'],
  [0, 'Harbour walk', 'Harbour walk · GoChat'],
  [100, undefined, '(99+) GoChat'],
  [12, 'Harbour walk', '(12) Harbour walk · GoChat'],
])('%i unread in %s: %s', (unread, place, title) => {
  expect(titleOf(unread, place)).toBe(title)
})
