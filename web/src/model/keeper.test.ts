import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Entry, Room, User, Welcome } from '../net/frames'
import { Keeper } from './keeper'
import { openKept } from './kept'
import { People } from './people'
import { Replica } from './replica'
import { Store } from './store'

const me: User = { id: 'me', username: 'me', display_name: 'Me', guest: false, admin: false }
const bob: User = { ...me, id: 'bob', display_name: 'Bob' }

const entry = (room_id: string, seq: number): Entry => ({
  room_id, seq, kind: 'text', message_id: `m${seq}`, sender_id: 'bob', at: '2026-01-01T00:00:00.000Z', body: `body ${seq}`,
})
const room = (id: string, head_seq: number): Room => ({
  id, name: id, topic: '', visibility: 'public', created_at: '2026-01-01T00:00:00.000Z', member_count: 2, head_seq, role: 'member',
  last_read_seq: head_seq, unread_count: 0, last_entry: entry(id, head_seq),
})
const welcome = (...rooms: Room[]): Welcome => ({
  type: 'welcome', connection_id: 'c', epoch: 'e1', user: me, server_time: '', ping_interval_ms: 25_000, rooms,
})

function newReplica() {
  return new Replica(new Store(me), new People(() => Promise.resolve([])), {
    call: () => new Promise(() => undefined),
    onRoom: () => undefined,
    onGone: () => undefined,
    onConfirmed: () => undefined,
    onStale: () => undefined,
  })
}

async function keeping(known = false) {
  const replica = newReplica()
  const keeper = new Keeper(replica, await openKept(), known)
  keeper.start()
  return { replica, keeper }
}

/** What a page finds that opens without a network. */
async function found() {
  const kept = await (await openKept()).load()
  if (kept === undefined) return undefined
  const replica = newReplica()
  replica.restore(kept)
  const rooms = (replica.rooms.get() ?? []).map((each) => [each.id, each.get().timeline.entries.map(({ seq }) => seq)])
  return { rooms: Object.fromEntries(rooms) as Record<string, number[]>, resume: replica.resumeFrom(), user: kept.user, people: replica.people }
}

beforeEach(() => {
  vi.stubGlobal('indexedDB', new IDBFactory())
})
afterEach(() => {
  vi.unstubAllGlobals()
})

test('what is held is there for a page that opens without a network, which resumes from there', async () => {
  const { replica, keeper } = await keeping()
  replica.people.learn([bob])
  replica.onWelcome(welcome(room('r', 2), room('s', 7)), new Set())
  replica.onPush({ type: 'entry', ...entry('r', 3) })
  await keeper.write()
  const copy = await found()
  expect(copy?.rooms).toEqual({ r: [2, 3], s: [7] })
  expect(copy?.user).toEqual(me)
  expect(copy?.people.users.get().get('bob')).toEqual(bob)
  expect(copy?.resume).toEqual({
    epoch: 'e1',
    positions: expect.arrayContaining([{ room_id: 'r', seq: 3, id: 'm3' }, { room_id: 's', seq: 7, id: 'm7' }]) as unknown,
  })
})

test('of a long room the newest are kept, and that there are older ones', async () => {
  const { replica, keeper } = await keeping()
  replica.onWelcome(welcome(room('r', 1)), new Set())
  for (let seq = 2; seq <= 150; seq++) replica.onPush({ type: 'entry', ...entry('r', seq) })
  await keeper.write()
  expect((await found())?.rooms.r).toEqual(Array.from({ length: 100 }, (_, at) => at + 51))
  expect((await (await openKept()).load())?.rooms[0]).toMatchObject({ hasMore: true, filled: false })
})

test('rooms that end are gone from it; what was there before one came in is too', async () => {
  const first = await keeping()
  first.replica.onWelcome(welcome(room('r', 1), room('s', 1), room('old', 1)), new Set())
  await first.keeper.write()
  const { replica, keeper } = await keeping()
  replica.onWelcome(welcome(room('r', 1), room('s', 1)), new Set())
  await keeper.write()
  expect(Object.keys((await found())?.rooms ?? {})).toEqual(['r', 's'])
  replica.onPush({ type: 'room_removed', room_id: 's', reason: 'left' })
  await keeper.write()
  expect(Object.keys((await found())?.rooms ?? {})).toEqual(['r'])
})

test('a page that was restored from it takes nothing out until it is told', async () => {
  const first = await keeping()
  first.replica.onWelcome(welcome(room('r', 1), room('s', 1)), new Set())
  await first.keeper.write()
  const { replica, keeper } = await keeping(true)
  const kept = await (await openKept()).load()
  if (kept === undefined) throw new Error('nothing was kept')
  replica.restore(kept)
  replica.onPush({ type: 'entry', ...entry('r', 2) })
  await keeper.write()
  expect((await found())?.rooms).toEqual({ r: [1, 2], s: [1] })
})

test('it is written by itself, and not after the end', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { replica, keeper } = await keeping()
  const write = vi.spyOn(keeper, 'write')
  replica.onWelcome(welcome(room('r', 1)), new Set())
  await vi.advanceTimersByTimeAsync(2_000)
  expect(write).toHaveBeenCalledOnce()
  replica.onPush({ type: 'entry', ...entry('r', 2) })
  keeper.dispose()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(write).toHaveBeenCalledOnce()
  vi.useRealTimers()
})

test('wiped, it holds nothing', async () => {
  const { replica, keeper } = await keeping()
  replica.onWelcome(welcome(room('r', 1)), new Set())
  await keeper.write()
  await (await openKept()).wipe()
  expect(await found()).toBeUndefined()
})
