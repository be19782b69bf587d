import { expect, test } from 'vitest'
import { initialsOf } from './Avatar'

test.each([
  ['Ada Lovelace', 'AL'],
  ['ada', 'A'],
  ['Ada von und zu', 'AZ'],
  ['👨‍👩‍👧', '👨‍👩‍👧'],
  ['🇫🇮 team', '🇫🇮T'],
  ['', ''],
])('the initials of %j are %j', (name, initials) => {
  expect(initialsOf(name)).toBe(initials)
})
