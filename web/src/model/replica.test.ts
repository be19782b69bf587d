import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Entry, JoinReply, Room, User, Welcome } from '../net/frames'
import { Disconnected } from '../net/link'
import { People } from './people'
import { Replica } from './replica'
import { Store } from './store'

const me: User = { id: 'me', username: 'me', display_name: 'Me', guest: false, admin: false }

function entry(seq: number, more: Partial<Entry> = {}): Entry {
  return {
    room_id: 'r',
    seq,
    kind: 'text',
    message_id: `m${seq}`,
    sender_id: 'bob',
    at: `2026-01-01T00:00:${String(seq % 60).padStart(2, '0')}.000Z`,
    body: `body ${seq}`,
    ...more,
  }
}

function room(head_seq: number, more: Partial<Room> = {}): Room {
  return {
    id: 'r',
    name: 'Room',
    topic: '',
    visibility: 'public',
    created_at: '2026-01-01T00:00:00.000Z',
    member_count: 2,
    head_seq,
    role: 'member',
    last_read_seq: head_seq,
    unread_count: 0,
    last_entry: entry(head_seq),
    ...more,
  }
}

const welcome = (rooms: Room[], epoch = 'e1'): Welcome => ({
  type: 'welcome',
  connection_id: 'c',
  epoch,
  user: me,
  server_time: '',
  ping_interval_ms: 25_000,
  rooms,
})

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => entry(from + at))
const joinReply = (head: number, entries: Entry[], more: Partial<JoinReply> = {}): JoinReply => ({
  room: room(head),
  entries,
  users: [],
  has_more: false,
  ...more,
})

function setUp() {
  const calls: { name: string; fields: Record<string, unknown>; resolve: (reply: unknown) => void; reject: (error: Error) => void }[] = []
  const fetchUsers = vi.fn((ids: string[]) => Promise.resolve(ids.map((id) => ({ ...me, id, display_name: id }))))
  const onRoom = vi.fn()
  const onConfirmed = vi.fn()
  const onStale = vi.fn()
  const replica = new Replica(new Store(me), new People(fetchUsers), {
    call: (name, fields) =>
      new Promise((resolve, reject) => {
        calls.push({ name, fields: { ...fields }, resolve: resolve as (reply: unknown) => void, reject })
      }),
    onRoom,
    onGone: () => undefined,
    onConfirmed,
    onStale,
  })
  const held = (id = 'r') => {
    const found = replica.room(id)
    if (found === undefined) throw new Error(`no room ${id}`)
    return found
  }
  const shown = (id = 'r') => held(id).get().timeline.entries.map(({ seq }) => seq)
  const answer = async (at: number, reply: unknown) => {
    calls[at]?.resolve(reply)
    await settle()
  }
  const push = (...entries: Entry[]) => {
    for (const one of entries) replica.onPush({ type: 'entry', ...one })
  }
  return { replica, calls, fetchUsers, onRoom, onConfirmed, onStale, held, shown, answer, push }
}

const settle = () => vi.advanceTimersByTimeAsync(0)
const NONE = new Set<string>()
const ALL = new Set(['r'])

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('more rooms than a welcome has place for', () => {
  const ids = (replica: Replica) => replica.rooms.get()?.map(({ id }) => id).sort()
  const more = { rooms_next: 'cursor' }

  test('nobody loses a room before all pages are there, and then those that are listed nowhere', () => {
    const { replica } = setUp()
    replica.onWelcome(welcome([room(3), room(3, { id: 'left' }), room(3, { id: 'later' })]), NONE)
    replica.onWelcome({ ...welcome([room(3)]), ...more }, NONE)
    expect(ids(replica)).toEqual(['later', 'left', 'r'])
    replica.onPush({ type: 'room_added', room: room(1, { id: 'new' }) })
    replica.addRoom(room(3, { id: 'later' }))
    replica.endList()
    expect(ids(replica)).toEqual(['later', 'new', 'r'])
  })

  test('a room that is listed later is asked for anew when it is opened, as its states are of the last connection', async () => {
    const { replica, answer, calls } = setUp()
    replica.onWelcome(welcome([room(3)]), NONE)
    replica.open('r')
    await answer(0, joinReply(3, range(1, 3)))
    replica.close('r')
    replica.onWelcome({ ...welcome([]), ...more }, ALL)
    replica.open('r')
    expect(calls[1]).toMatchObject({ name: 'join' })
  })
})

test('[RES2] of more rooms than a connection resumes, the one on screen is the first', () => {
  const { replica } = setUp()
  const old = room(1, { id: 'old', last_entry: undefined })
  replica.onWelcome(welcome([room(3), old]), NONE)
  expect(replica.resumeFrom().positions.map(({ room_id }) => room_id)).toEqual(['r', 'old'])
  replica.open('old')
  expect(replica.resumeFrom().positions.map(({ room_id }) => room_id)).toEqual(['old', 'r'])
})

describe('[RES5] what is missing is asked for after 1 s', () => {
  test('[RES5] not before, and what then comes completes the room', async () => {
    const { replica, calls, answer, push, shown } = setUp()
    replica.onWelcome(welcome([room(3)]), NONE)
    push(entry(5))
    await vi.advanceTimersByTimeAsync(999)
    expect([calls.length, shown()]).toEqual([0, [3]])
    await vi.advanceTimersByTimeAsync(1)
    expect(calls[0]).toMatchObject({ name: 'history', fields: { room_id: 'r', after_seq: 3 } })
    await answer(0, { entries: range(4, 5), users: [], has_more: false })
    expect(shown()).toEqual([3, 4, 5])
    await vi.advanceTimersByTimeAsync(5_000)
    expect(calls).toHaveLength(1)
  })

  test('[RES5] nothing is asked when it comes by itself', async () => {
    const { replica, calls, push, shown } = setUp()
    replica.onWelcome(welcome([room(3)]), NONE)
    push(entry(5), entry(4))
    await vi.advanceTimersByTimeAsync(5_000)
    expect([calls.length, shown()]).toEqual([0, [3, 4, 5]])
  })

  test('[RES5] it is asked for until it is there: page by page, and again after a cut', async () => {
    const { replica, calls, answer, push, shown } = setUp()
    replica.onWelcome(welcome([room(3)]), NONE)
    push(entry(8))
    await vi.advanceTimersByTimeAsync(1_000)
    calls[0]?.reject(new Disconnected('cut'))
    await vi.advanceTimersByTimeAsync(1_000)
    await answer(1, { entries: range(4, 5), users: [], has_more: true })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(calls[2]?.fields).toMatchObject({ after_seq: 5 })
    await answer(2, { entries: range(6, 8), users: [], has_more: false })
    expect(shown()).toEqual([3, 4, 5, 6, 7, 8])
  })

  test('[RES3] an answer that does not follow what is held: the history changed, and the copy is dropped', async () => {
    const { replica, answer, push, shown } = setUp()
    replica.onWelcome(welcome([room(9)]), NONE)
    push(entry(12))
    await vi.advanceTimersByTimeAsync(1_000)
    await answer(0, { entries: [entry(11, { prev_seq: 7 })], users: [], has_more: false })
    expect(shown()).toEqual([])
  })
})

describe('[RES3] a copy that can not be continued', () => {
  test('[RES3] resumed recovered:false drops it; the room on screen is joined afresh', async () => {
    const { replica, calls, answer, shown } = setUp()
    replica.onWelcome(welcome([room(3)]), NONE)
    replica.open('r')
    await answer(0, joinReply(3, range(1, 3)))
    replica.onPush({ type: 'resumed', room_id: 'r', recovered: false, head_seq: 900 })
    expect([shown(), calls[1]]).toMatchObject([[], { name: 'join', fields: { room_id: 'r' } }])
    expect(calls[1]?.fields).not.toHaveProperty('last_received_seq')
    await answer(1, joinReply(900, range(851, 900), { has_more: true }))
    expect(shown()).toEqual(range(851, 900).map(({ seq }) => seq))
  })

  test('[RES3] so does another epoch, for rooms that were not resumed', () => {
    const { replica, held } = setUp()
    replica.onWelcome(welcome([room(3)]), NONE)
    replica.onWelcome(welcome([room(3, { last_entry: entry(3, { message_id: 'other' }) })], 'e2'), NONE)
    expect(held().get().timeline.last).toEqual({ seq: 3, id: 'other' })
  })

  test('[RES3] join may say so too, and brings the fresh copy along', async () => {
    const { replica, calls, answer, shown } = setUp()
    replica.onWelcome(welcome([room(3)]), NONE)
    replica.open('r')
    await answer(0, joinReply(3, range(1, 3)))
    replica.onWelcome(welcome([room(3)]), ALL)
    expect(calls[1]?.fields).toMatchObject({ last_received_seq: 3, last_received_id: 'm3' })
    await answer(1, joinReply(700, range(651, 700), { recovered: false }))
    expect(shown()).toEqual(range(651, 700).map(({ seq }) => seq))
  })
})

describe('[RES2] coming back', () => {
  test('[RES2] names what is held, and continues it without a gap', async () => {
    const { replica, calls, push, shown } = setUp()
    replica.onWelcome(welcome([room(3)]), NONE)
    push(entry(4))
    expect(replica.resumeFrom()).toEqual({ positions: [{ room_id: 'r', seq: 4, id: 'm4' }], epoch: 'e1' })
    replica.onWelcome(welcome([room(6)]), ALL)
    push(entry(5), entry(6))
    replica.onPush({ type: 'resumed', room_id: 'r', recovered: true, head_seq: 6 })
    await vi.advanceTimersByTimeAsync(5_000)
    expect([shown(), calls.length]).toEqual([[3, 4, 5, 6], 0])
  })

  test('a room that was not resumed starts at the head of the welcome', () => {
    const { replica, shown } = setUp()
    replica.onWelcome(welcome([room(3)]), NONE)
    replica.onWelcome(welcome([room(6)]), NONE)
    expect(shown()).toEqual([6])
  })

  test('rooms that are gone go', () => {
    const { replica } = setUp()
    replica.onWelcome(welcome([room(3), room(3, { id: 's' })]), NONE)
    replica.onWelcome(welcome([room(3, { id: 's' })]), new Set(['s']))
    expect(replica.rooms.get()?.map(({ id }) => id)).toEqual(['s'])
  })
})

describe('rooms', () => {
  test('are sorted by activity', () => {
    const { replica, push } = setUp()
    const other = room(1, { id: 's', last_entry: entry(1, { room_id: 's' }) })
    replica.onWelcome(welcome([room(3), other]), NONE)
    const order = () => replica.rooms.get()?.map(({ id }) => id)
    expect(order()).toEqual(['r', 's'])
    push(entry(2, { room_id: 's', at: '2026-02-01T00:00:00.000Z' }))
    expect(order()).toEqual(['s', 'r'])
  })

  test('[SIG3] count as unread what is text, not own, and after the last one read', () => {
    const { replica, held, push } = setUp()
    replica.onWelcome(welcome([room(3, { unread_count: 1, last_read_seq: 2 })]), NONE)
    push(entry(4), entry(5, { sender_id: 'me' }), entry(6, { kind: 'member_joined', data: { user_id: 'zoe' } }), entry(6))
    expect(held().get().room).toMatchObject({ unread_count: 2, member_count: 3, head_seq: 6 })
    replica.onPush({ type: 'read', room_id: 'r', reads: [{ user_id: 'me', seq: 3 }, { user_id: 'bob', seq: 6 }] })
    expect(held().get()).toMatchObject({ room: { unread_count: 1, last_read_seq: 3 } })
    expect([...held().get().reads]).toEqual([['bob', 6]])
  })

  test('[SIG2] what was pushed of the reading of others is not set back by an answer from before it', async () => {
    const { replica, held, answer } = setUp()
    replica.onWelcome(welcome([room(4)]), NONE)
    replica.open('r')
    replica.onPush({ type: 'read', room_id: 'r', reads: [{ user_id: 'bob', seq: 4 }] })
    await answer(0, joinReply(4, range(1, 4), { reads: [{ user_id: 'bob', seq: 2 }, { user_id: 'zoe', seq: 3 }] }))
    expect([...held().get().reads]).toEqual([['bob', 4], ['zoe', 3]])
    replica.onPush({ type: 'resumed', room_id: 'r', recovered: false, head_seq: 2 })
    await answer(1, joinReply(2, range(1, 2), { reads: [{ user_id: 'bob', seq: 1 }] }))
    expect([...held().get().reads]).toEqual([['bob', 1]])
  })

  test('come and go by push', () => {
    const { replica, onRoom } = setUp()
    replica.onWelcome(welcome([]), NONE)
    replica.onPush({ type: 'room_added', room: room(1) })
    expect(onRoom).toHaveBeenCalledOnce()
    replica.onPush({ type: 'room_updated', room: room(1, { name: 'Renamed' }) })
    expect(replica.room('r')?.get().room.name).toBe('Renamed')
    replica.onPush({ type: 'room_removed', room_id: 'r', reason: 'removed' })
    expect(replica.rooms.get()).toEqual([])
  })

  test('an answer from before what was pushed sets no count back', async () => {
    const { replica, held, answer, push } = setUp()
    replica.onWelcome(welcome([room(3)]), NONE)
    replica.open('r')
    push(entry(4))
    await answer(0, joinReply(3, range(1, 3)))
    expect(held().get().room).toMatchObject({ head_seq: 4, unread_count: 1 })
  })
})

test('[SIG1] typing ends after 6 s, or with the message', async () => {
  const { replica, held, push } = setUp()
  replica.onWelcome(welcome([room(3)]), NONE)
  const typing = (user_id: string) => replica.onPush({ type: 'typing', room_id: 'r', user_id, on: true })
  typing('bob')
  typing('zoe')
  typing('me')
  expect([...held().get().typing]).toEqual(['bob', 'zoe'])
  push(entry(4))
  expect([...held().get().typing]).toEqual(['zoe'])
  typing('eve')
  push(entry(5, { sender_id: 'bob', kind: 'member_left', data: { user_id: 'eve', by: 'bob' } }))
  expect([...held().get().typing]).toEqual(['zoe'])
  await vi.advanceTimersByTimeAsync(6_000)
  expect(held().get().typing.size).toBe(0)
})

test('names that are not known are asked for once, together', async () => {
  const { replica, fetchUsers, push } = setUp()
  replica.onWelcome(welcome([room(3)]), NONE)
  push(entry(4, { sender_id: 'zoe' }), entry(5, { sender_id: 'zoe' }), entry(6, { kind: 'member_joined', data: { by: 'eve' } }))
  await settle()
  expect(fetchUsers).toHaveBeenCalledExactlyOnceWith(['bob', 'zoe', 'eve'])
})

test('on a new connection names are asked for again: whoever took another one meanwhile told nobody here', async () => {
  const { replica, fetchUsers } = setUp()
  replica.onWelcome(welcome([room(3)]), NONE)
  await settle()
  fetchUsers.mockClear()
  fetchUsers.mockImplementation((ids) => Promise.resolve(ids.map((id) => ({ ...me, id, display_name: 'Renamed' }))))
  replica.onWelcome(welcome([room(3)]), NONE)
  expect(replica.people.users.get().get('bob')?.display_name).toBe('bob')
  await settle()
  expect(fetchUsers).toHaveBeenCalledExactlyOnceWith(['bob'])
  expect(replica.people.users.get().get('bob')?.display_name).toBe('Renamed')
})

test("one's own entry confirms the message, and a member entry makes lists of members stale", () => {
  const { replica, onConfirmed, onStale, push } = setUp()
  replica.onWelcome(welcome([room(3)]), NONE)
  push(entry(4, { sender_id: 'me', client_id: 'c1' }), entry(5, { kind: 'role_changed' }))
  expect(onConfirmed).toHaveBeenCalledExactlyOnceWith('r', 'c1')
  expect(onStale).toHaveBeenCalledExactlyOnceWith({ what: 'members', roomId: 'r' })
})

test('who went offline while there was no connection is not shown as here', async () => {
  const { replica, answer } = setUp()
  const present = () => [...replica.people.presence.get()]
  replica.onWelcome(welcome([room(3)]), NONE)
  replica.open('r')
  await answer(0, joinReply(3, range(1, 3), { presence: { me: 'online', bob: 'online' } }))
  replica.onWelcome(welcome([room(3)]), ALL)
  await answer(1, joinReply(3, [], { recovered: true, presence: { me: 'online' } }))
  expect(present()).toEqual([['me', 'online']])
  replica.people.fillPresence([{ user_id: 'me', state: 'offline' }, { user_id: 'zoe', state: 'away' }])
  expect(present()).toEqual([['me', 'online'], ['zoe', 'away']])
})

test('[PRS5] presence comes as changes, or as a count', () => {
  const { replica, held } = setUp()
  replica.onWelcome(welcome([room(3)]), NONE)
  replica.onPush({ type: 'presence', room_id: 'r', changes: [{ user_id: 'bob', state: 'away' }] })
  expect(replica.people.presence.get().get('bob')).toBe('away')
  replica.onPush({ type: 'presence', room_id: 'r', online_count: 412 })
  expect(held().get().onlineCount).toBe(412)
})

test('[PRS5] who of a room is there is known from its answer on, by each change, and by who joins and leaves', async () => {
  const { replica, answer, held, push } = setUp()
  const here = () => [...(held().get().here ?? [])].sort()
  replica.onWelcome(welcome([room(3)]), NONE)
  replica.open('r')
  await answer(0, joinReply(3, range(1, 3), { presence: { me: 'online', bob: 'away' } }))
  expect(here()).toEqual(['bob', 'me'])
  replica.onPush({ type: 'presence', room_id: 'r', changes: [{ user_id: 'bob', state: 'offline' }, { user_id: 'zoe', state: 'online' }] })
  expect(here()).toEqual(['me', 'zoe'])
  push(entry(4, { kind: 'member_joined', data: { user_id: 'kim' } }), entry(5, { kind: 'member_left', data: { user_id: 'zoe' } }))
  expect(here()).toEqual(['kim', 'me'])
})
