import { expect, test } from 'vitest'
import { changesOf } from './changes'

const now = { name: 'Garden', topic: 'Beds', visibility: 'private' } as const

test.each([
  ['nothing', {}, {}],
  ['blanks around it only', { name: ' Garden ', topic: 'Beds  ' }, {}],
  ['the name', { name: 'Orchard' }, { name: 'Orchard' }],
  ['a topic that goes', { topic: ' ' }, { topic: '' }],
  ['who may join', { visibility: 'public' as const }, { visibility: 'public' }],
])('%s', (_what, wanted, changes) => {
  expect(changesOf(now, { ...now, ...wanted })).toEqual(changes)
})
