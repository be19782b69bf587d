import { expect, test } from 'vitest'
import { initialsOf } from './Avatar'

test.each([
  ['Ada Lovelace', 'AL'],
  ['ada', 'A'],
  ['Ada von und zu', 'AZ'],
  ['👨‍👩‍👧', '👨‍👩‍👧'],
  ['🇫🇮 team', '🇫🇮T'],
  ['محمد (Boss)', 'مB'],
  ['\u200b\u202eada', 'A'],
  ['Ada !', 'A'],
  ['???', '?'],
  ['', ''],
])('the initials of %j are %j', (name, initials) => {
  expect(initialsOf(name)).toBe(initials)
})
