import { expect, test } from 'vitest'
import { startOf } from './typed'

test.each([
  ['nothing', {}, { username: '', name: '', guest: '' }],
  ['a username', { username: 'ann' }, { username: 'ann', name: '', guest: 'ann' }],
  ['a username and a name', { username: 'ann', name: 'Ann' }, { username: 'ann', name: 'Ann', guest: 'Ann' }],
  ['a name that was taken out again', { username: 'ann', name: '' }, { username: 'ann', name: '', guest: 'ann' }],
  ['a guest, whose name fits', { guest: ' Ann' }, { username: 'ann', name: ' Ann', guest: ' Ann' }],
  ['a guest, whose name fits no username', { guest: 'Ann of the Garden' }, { username: '', name: 'Ann of the Garden', guest: 'Ann of the Garden' }],
  ['each of its own', { username: 'ann', name: 'Ann', guest: 'Annie' }, { username: 'ann', name: 'Ann', guest: 'Annie' }],
  ['a guest’s name that was taken out again', { username: 'ann', guest: '' }, { username: 'ann', name: '', guest: '' }],
])('%s is there in the other ways in', (_, typed, start) => {
  expect(startOf(typed)).toEqual(start)
})
