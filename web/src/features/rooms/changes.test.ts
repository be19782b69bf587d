import { expect, test } from 'vitest'
import { changesOf, touch } from './changes'

const now = { name: 'Garden', topic: 'Beds', visibility: 'private' } as const

test.each([
  ['nothing', {}, {}],
  ['blanks around it only', { name: ' Garden ', topic: 'Beds  ' }, {}],
  ['the name', { name: 'Orchard' }, { name: 'Orchard' }],
  ['a topic that goes', { topic: ' ' }, { topic: '' }],
  ['who may join', { visibility: 'public' as const }, { visibility: 'public' }],
])('%s', (_what, touched, changes) => {
  expect(changesOf(now, touched)).toEqual(changes)
})

test('what somebody else changes meanwhile is no change of one’s own', () => {
  const touched = touch(now, {}, { name: 'Orchard' })
  expect(changesOf({ ...now, topic: 'Trees', visibility: 'public' }, touched)).toEqual({ name: 'Orchard' })
})

test('what is put back is touched no more; what is being typed keeps its blanks', () => {
  const touched = touch(now, { name: 'Orchard' }, { topic: 'Beds ' })
  expect(touched).toEqual({ name: 'Orchard', topic: 'Beds ' })
  expect(touch(now, touched, { name: 'Garden' })).toEqual({ topic: 'Beds ' })
})
