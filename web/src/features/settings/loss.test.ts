import { expect, test } from 'vitest'
import { lossOf } from './loss'

test.each([
  [0, 0, false, undefined],
  [1, 0, false, 'You lose a message that was not sent.'],
  [2, 1, false, 'You lose 2 messages that were not sent and a draft.'],
  [0, 3, false, 'You lose 3 drafts.'],
  [0, 0, true, 'You cannot come back as this guest. To come back another day, close the window instead.'],
  [0, 1, true, 'You cannot come back as this guest. To come back another day, close the window instead. You lose a draft.'],
])('%i unsent and %i drafts, as a guest: %s', (messages, drafts, guest, said) => {
  expect(lossOf({ messages, drafts }, guest)).toBe(said)
})
