import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test, vi } from 'vitest'
import { openOutbox } from './outbox'
import type { Outgoing } from './timeline'

const message = (client_id: string): Outgoing => ({
  client_id,
  body: `body ${client_id}`,
  at: '2026-01-01T00:00:00.000Z',
  state: 'sending',
})
const ids = async (userId: string) => (await (await openOutbox(userId)).load()).map(({ client_id }) => client_id)

beforeEach(() => {
  vi.stubGlobal('indexedDB', new IDBFactory())
})

test('[RES5] what was not sent is there after a reload, in the order of writing', async () => {
  const outbox = await openOutbox('ann')
  for (const id of ['c', 'a', 'b']) await outbox.put('r', message(id))
  await outbox.put('r', { ...message('c'), state: 'failed', why: 'too_long' })
  await outbox.remove('a')
  const [first, second, ...none] = await (await openOutbox('ann')).load()
  expect([first, second, none]).toMatchObject([
    { client_id: 'c', room_id: 'r', state: 'failed', why: 'too_long' },
    { client_id: 'b', state: 'sending' },
    [],
  ])
})

test('it belongs to one user, and is wiped with the drafts at logout', async () => {
  const ann = await openOutbox('ann')
  const bob = await openOutbox('bob')
  await ann.put('r', message('a'))
  await bob.put('r', message('b'))
  await ann.setDraft('r', 'half a thought')
  await bob.setDraft('r', 'another')
  await ann.wipe()
  expect([await ids('ann'), await ids('bob')]).toEqual([[], ['b']])
  expect([(await openOutbox('ann')).draft('r'), (await openOutbox('bob')).draft('r')]).toEqual(['', 'another'])
})

test('drafts are kept per room, and an empty one is none', async () => {
  const outbox = await openOutbox('ann')
  await outbox.setDraft('r', 'one')
  await outbox.setDraft('s', 'two')
  await outbox.setDraft('s', '')
  const reopened = await openOutbox('ann')
  expect([reopened.draft('r'), reopened.draft('s')]).toEqual(['one', ''])
})

test('[RES5] whoever reloads right after sending finds the message in the outbox and no draft: both are committed before anything is waited for', async () => {
  const outbox = await openOutbox('ann')
  await outbox.setDraft('r', 'half a thought')
  const commit = vi.spyOn(IDBTransaction.prototype, 'commit')
  const written = [outbox.put('r', message('a')), outbox.setDraft('r', '')]
  // A page that is taken away here comes to no second step.
  const stores = commit.mock.contexts.map((tx) => [...(tx as IDBTransaction).objectStoreNames].join())
  expect(stores).toEqual(['outbox', 'drafts'])
  await Promise.all(written)
  const reopened = await openOutbox('ann')
  expect([await ids('ann'), reopened.draft('r')]).toEqual([['a'], ''])
})

test('without IndexedDB everything works, as long as the page lives', async () => {
  vi.stubGlobal('indexedDB', undefined)
  const outbox = await openOutbox('ann')
  await outbox.put('r', message('a'))
  await outbox.setDraft('r', 'text')
  expect([await outbox.load(), outbox.draft('r')]).toEqual([[], 'text'])
  await outbox.wipe()
  expect(outbox.draft('r')).toBe('')
})

test('a full disk is told of, breaks nothing, and is forgotten when there is room again', async () => {
  const outbox = await openOutbox('ann')
  const put = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
    throw new DOMException('full', 'QuotaExceededError')
  })
  await outbox.put('r', message('a'))
  expect(outbox.lasting.get()).toBe(false)
  await outbox.setDraft('r', 'half a thought')
  expect(outbox.draft('r')).toBe('half a thought')
  await outbox.remove('a') // that works on a full disk
  expect(outbox.lasting.get()).toBe(false)
  put.mockRestore()
  await outbox.put('r', message('b'))
  expect([outbox.lasting.get(), await ids('ann')]).toEqual([true, ['b']])
})

test('without a database nothing lasts, and all goes on', async () => {
  vi.stubGlobal('indexedDB', undefined)
  const outbox = await openOutbox('ann')
  await outbox.put('r', message('a'))
  await outbox.setDraft('r', 'half a thought')
  await outbox.remove('a')
  expect([outbox.lasting.get(), outbox.draft('r')]).toEqual([false, 'half a thought'])
})
