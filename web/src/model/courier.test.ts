import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { memoryOutbox } from '../../test/memoryOutbox'
import { CommandError, Disconnected } from '../net/link'
import { Courier } from './courier'
import type { Outgoing } from './timeline'

interface Sent {
  client_id: string
  resolve: (seq: number) => void
  reject: (error: Error) => void
}

function setUp() {
  const sent: Sent[] = []
  const { outbox, messages } = memoryOutbox()
  const onSent = vi.fn()
  const onRefused = vi.fn()
  const courier = new Courier(outbox, {
    send: ({ room_id, client_id }) =>
      new Promise((resolve, reject) => {
        sent.push({
          client_id,
          resolve: (seq) => resolve({ room_id, seq, message_id: `m${seq}`, at: '' }),
          reject,
        })
      }),
    onSent,
    onRefused,
  })
  const ids = () => sent.map(({ client_id }) => client_id)
  return { courier, sent, ids, messages, onSent, onRefused }
}

const message = (client_id: string): Outgoing => ({ client_id, body: client_id, at: '', state: 'sending' })
const settle = () => vi.advanceTimersByTimeAsync(0)

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('[SEQ7] one at a time in a room, in the order of writing; other rooms do not wait', async () => {
  const { courier, sent, ids, onSent } = setUp()
  courier.setLive(true)
  courier.enqueue('r', message('a'))
  courier.enqueue('r', message('b'))
  courier.enqueue('s', message('c'))
  expect(ids()).toEqual(['a', 'c'])
  sent[0]?.resolve(1)
  await settle()
  expect(ids()).toEqual(['a', 'c', 'b'])
  expect(onSent).toHaveBeenCalledExactlyOnceWith('r', 'a', 1)
})

test('[RES5] waits for a connection, and resends with the same client_id after a cut', async () => {
  const { courier, sent, ids, messages } = setUp()
  courier.enqueue('r', message('a'))
  courier.enqueue('r', message('b'))
  expect([ids(), [...messages.keys()]]).toEqual([[], ['a', 'b']])
  courier.setLive(true)
  courier.setLive(false)
  sent[0]?.reject(new Disconnected('cut'))
  await settle()
  courier.setLive(true)
  expect(ids()).toEqual(['a', 'a'])
  sent[1]?.resolve(5)
  await settle()
  sent[2]?.resolve(6)
  await settle()
  expect([ids(), messages.size]).toEqual([['a', 'a', 'b'], 0])
})

test('[DRN1] what was under way when the connection moved is sent again on the new one', async () => {
  const { courier, sent, ids } = setUp()
  courier.setLive(true)
  courier.enqueue('r', message('a'))
  courier.setLive(true)
  sent[0]?.reject(new Disconnected('moved'))
  await vi.advanceTimersByTimeAsync(50)
  expect(ids()).toEqual(['a', 'a'])
})

test.each(['rate_limited', 'unavailable'])('%s passes: it waits as told, in its place', async (code) => {
  const { courier, sent, ids, onRefused } = setUp()
  courier.setLive(true)
  courier.enqueue('r', message('a'))
  courier.enqueue('r', message('b'))
  sent[0]?.reject(new CommandError({ code, message: '', retry_after_ms: 3_000 }))
  await vi.advanceTimersByTimeAsync(2_999)
  expect(ids()).toEqual(['a'])
  await vi.advanceTimersByTimeAsync(1)
  expect(ids()).toEqual(['a', 'a'])
  expect(onRefused).not.toHaveBeenCalled()
})

test('[SEQ7] a refusal for good fails alone, and is kept for the user', async () => {
  const { courier, sent, ids, messages, onRefused } = setUp()
  courier.setLive(true)
  courier.enqueue('r', message('a'))
  courier.enqueue('r', message('b'))
  sent[0]?.reject(new CommandError({ code: 'too_long', message: '' }))
  await settle()
  expect(onRefused).toHaveBeenCalledExactlyOnceWith('r', 'a', 'too_long')
  expect(messages.get('a')).toMatchObject({ state: 'failed', why: 'too_long' })
  expect(ids()).toEqual(['a', 'b'])
})

test('what is dropped is not sent any more', async () => {
  const { courier, ids, messages } = setUp()
  courier.enqueue('r', message('a'))
  courier.enqueue('r', message('b'))
  courier.drop('r', 'a')
  courier.setLive(true)
  await settle()
  expect([ids(), [...messages.keys()]]).toEqual([['b'], ['b']])
})
