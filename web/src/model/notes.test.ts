import { expect, test } from 'vitest'
import type { Entry } from '../net/frames'
import { describe as inOneLine, describeOutgoing, note } from './notes'

const entry = (kind: string, more: Partial<Entry> = {}): Entry => ({
  room_id: 'r', seq: 1, kind, message_id: 'm', sender_id: 'ann', at: '', ...more,
})
const nameOf = (id: string) => id.toUpperCase()

test.each([
  ['member_joined', { user_id: 'ann', via: 'create' }, 'ANN made this room'],
  ['member_joined', { user_id: 'bob', via: 'join' }, 'BOB joined'],
  ['member_joined', { user_id: 'bob', via: 'invite', by: 'ann' }, 'BOB joined, invited by ANN'],
  ['member_left', { user_id: 'bob' }, 'BOB left'],
  ['member_left', { user_id: 'bob', by: 'ann' }, 'ANN removed BOB'],
  ['role_changed', { user_id: 'bob', role: 'admin', by: 'ann' }, 'ANN made BOB an admin'],
  ['role_changed', { user_id: 'bob', role: 'member', by: 'ann' }, 'ANN made BOB a member'],
  ['room_changed', { name: 'Garden' }, 'ANN named the room “Garden”'],
  ['room_changed', { topic: 'Seeds' }, 'ANN set the topic: Seeds'],
  ['room_changed', { topic: '' }, 'ANN removed the topic'],
  ['room_changed', { visibility: 'public' }, 'ANN made the room public'],
  ['room_changed', { name: 'Garden', topic: '' }, 'ANN named the room “Garden” and removed the topic'],
  [
    'room_changed', { name: 'Garden', visibility: 'private', topic: 'Seeds' },
    'ANN named the room “Garden”, made the room private and set the topic: Seeds',
  ],
  ['from_the_future', {}, undefined],
])('%s %o: %s', (kind, data, said) => {
  expect(note(entry(kind, { data }), nameOf)).toBe(said)
  expect(inOneLine(entry(kind, { data }), 'me', nameOf)).toBe(said ?? '')
})

test("in a list one's own message is by “You”", () => {
  expect(inOneLine(entry('text', { body: 'hi' }), 'bob', nameOf)).toBe('ANN: hi')
  expect(inOneLine(entry('text', { body: 'hi' }), 'ann', nameOf)).toBe('You: hi')
})

test.each([
  ['**bold**, ~~gone~~ and `code`', 'bold, gone and code'],
  ['```go\nx := 1\n```', 'x := 1'],
  ['> said\n- one', 'said\none'],
  ['see [the plan](https://example.com) and ![a cat](https://example.com/cat.png)!', 'see the plan and a cat!'],
  ['[todo] (later), a![b]', '[todo] (later), a![b]'],
  ['2 ** 3 ** 4, a_b_c, ~5', '2 ** 3 ** 4, a_b_c, ~5'],
])('in a list the marks of Markdown are left out: %j', (body, said) => {
  expect(inOneLine(entry('text', { body }), 'bob', nameOf)).toBe(`ANN: ${said}`)
})

test('in a list what was refused says that it is not sent; what is on its way is as if it were', () => {
  expect(describeOutgoing({ body: '**hi**', state: 'failed' })).toBe('Not sent: hi')
  expect(describeOutgoing({ body: '**hi**', state: 'sending' })).toBe('You: hi')
})
