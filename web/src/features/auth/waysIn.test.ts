import { expect, test } from 'vitest'
import { waysIn, whyClosed } from './waysIn'

test.each([
  ['as long as nothing is known', undefined, undefined, ['login', 'register'], undefined],
  ['open', { registration: 'open', guests: false }, undefined, ['login', 'register'], undefined],
  ['open, with guests', { registration: 'open', guests: true }, undefined, ['login', 'register', 'guest'], undefined],
  ['by invite, without one', { registration: 'invite', guests: false }, undefined, ['login'], 'invite link'],
  ['by invite, with one', { registration: 'invite', guests: false }, 'code', ['login', 'register'], undefined],
  ['closed', { registration: 'closed', guests: false }, 'code', ['login'], 'whoever runs this chat'],
  ['closed, but for guests', { registration: 'closed', guests: true }, undefined, ['login', 'guest'], 'whoever runs this chat'],
] as const)('%s', (_, instance, code, ways, why) => {
  expect(waysIn(instance, code)).toEqual(ways)
  const said = whyClosed(instance, code)
  if (why === undefined) expect(said).toBeUndefined()
  else expect(said).toContain(why)
})
