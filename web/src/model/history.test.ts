import { describe, expect, test } from 'vitest'
import type { Commands, Entry, Room, User } from '../net/frames'
import { type Call, History } from './history'
import { CommandError } from '../net/link'
import { People } from './people'
import { Replica } from './replica'
import { aboveOf } from './roomStore'
import { Store } from './store'

const me: User = { id: 'me', username: 'me', display_name: 'Me', guest: false, admin: false }
const log = Array.from({ length: 300 }, (_, at): Entry => {
  const seq = at + 1
  return { room_id: 'r', seq, kind: 'text', message_id: `m${seq}`, sender_id: 'bob', at: '', body: `body ${seq}` }
})

/** A server with a room of 300 messages, all of which are read up to the given number; and a client that opens it. */
function setUp(readUpTo: number) {
  const asked: object[] = []
  const room: Room = {
    id: 'r', name: 'Room', topic: '', visibility: 'public', created_at: '', member_count: 2, role: 'member',
    head_seq: 300, last_read_seq: readUpTo, unread_count: Math.min(100, 300 - readUpTo), last_entry: log.at(-1),
  }
  const history = ({ before_seq, after_seq, limit = 50 }: Commands['history']['fields']) => {
    const found = log.filter(({ seq }) => seq < (before_seq ?? Infinity) && seq > (after_seq ?? 0))
    const entries = after_seq === undefined ? found.slice(-limit) : found.slice(0, limit)
    return { entries, users: [], has_more: entries.length < found.length }
  }
  let online = true
  let refusal: CommandError | undefined
  const answers: Record<string, (fields: Commands['history']['fields']) => object> = {
    join: () => ({ room, entries: log.slice(-50), users: [], has_more: true, presence: {} }),
    history,
  }
  const call: Call = (name, fields) => {
    asked.push({ name, ...fields })
    if (!online) return Promise.reject(new Error('cut'))
    if (refusal !== undefined) {
      const error = refusal
      refusal = undefined
      return Promise.reject(error)
    }
    return Promise.resolve(answers[name]?.(fields as Commands['history']['fields']) as never)
  }
  const replica = new Replica(new Store(me), new People(() => Promise.resolve([])), {
    call, onRoom: () => undefined, onGone: () => undefined, onConfirmed: () => undefined, onStale: () => undefined,
  })
  replica.addRoom(room)
  const past = () => replica.room('r')?.get().timeline.past?.entries.map(({ seq }) => seq)
  const shown = () => replica.room('r')?.get().timeline.entries.map(({ seq }) => seq)
  const open = async () => {
    replica.open('r')
    await settle()
  }
  /** The next answer is a refusal. */
  const refuse = (retry_after_ms?: number) => {
    refusal = new CommandError({ code: 'rate_limited', message: '', retry_after_ms })
  }
  const above = () => {
    const room = replica.room('r')
    return room === undefined ? undefined : aboveOf(room.get(), online)
  }
  return { replica, history: new History(replica, call), asked, past, shown, open, refuse, above, cut: () => (online = false) }
}

const settle = () => new Promise((done) => setTimeout(done))
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)

describe('a room with more unread than its newest page', () => {
  test('opens at the first unread message, with a little of what comes before', async () => {
    const { replica, open, past, shown } = setUp(100)
    await open()
    expect([past(), shown()]).toEqual([range(76, 150), range(251, 300)])
    expect(replica.room('r')?.get()).toMatchObject({ filled: true, unreadAfter: 100, view: { from: 'unread' } })
  })

  test('where nothing was ever read: at its beginning', async () => {
    const { replica, open, past } = setUp(0)
    await open()
    expect(past()).toEqual(range(1, 50))
    expect(replica.room('r')?.get().timeline.past?.hasMore).toBe(false)
  })

  test('is read on to its end, where it is one with what was held', async () => {
    const { history, open, past, shown } = setUp(100)
    await open()
    await history.loadNewer('r')
    expect(past()).toEqual(range(76, 200))
    await history.loadOlder('r')
    expect(past()).toEqual(range(26, 200))
    await history.loadNewer('r')
    expect([past(), shown()]).toEqual([undefined, range(26, 300)])
    await history.loadNewer('r')
    expect(shown()).toEqual(range(26, 300))
  })

  test('is left for its end', async () => {
    const { replica, history, open, past, shown } = setUp(100)
    await open()
    history.toLatest('r')
    expect([past(), shown()]).toEqual([undefined, range(251, 300)])
    expect(replica.room('r')?.get().view.from).toBe('end')
    const view = replica.room('r')?.get().view
    history.toLatest('r')
    expect(replica.room('r')?.get().view).toBe(view)
  })
})

describe('a message by its number', () => {
  test('far back: the log around it is shown, and nothing else is asked', async () => {
    const { replica, history, open, past, asked } = setUp(300)
    await open()
    await expect(history.goTo('r', 120)).resolves.toBe('there')
    expect(past()).toEqual(range(95, 169))
    expect(replica.room('r')?.get().view).toMatchObject({ from: 'place', at: 120 })
    expect(asked).toHaveLength(3)
    await expect(history.goTo('r', 100)).resolves.toBe('there')
    expect([asked.length, replica.room('r')?.get().view.at]).toEqual([3, 100])
  })

  test('among the newest: nothing is asked, and what was read elsewhere is left', async () => {
    const { replica, history, open, past, asked } = setUp(300)
    await open()
    await history.goTo('r', 120)
    await expect(history.goTo('r', 260)).resolves.toBe('there')
    expect([past(), asked.length]).toEqual([undefined, 3])
    expect(replica.room('r')?.get().view).toMatchObject({ from: 'place', at: 260 })
  })

  test.each([[1], [0], [-4]])('%d: the beginning', async (seq) => {
    const { history, open, past } = setUp(300)
    await open()
    await expect(history.goTo('r', seq)).resolves.toBe('there')
    expect(past()).toEqual(range(1, 50))
  })

  test('that nobody has written yet: the end', async () => {
    const { history, open, past, asked } = setUp(300)
    await open()
    await expect(history.goTo('r', 301)).resolves.toBe('nowhere')
    expect([past(), asked.length]).toEqual([undefined, 1])
  })

  test('before the room is there, or without a connection: not yet', async () => {
    const { history, open, past, cut } = setUp(300)
    await expect(history.goTo('r', 120)).resolves.toBe('early')
    await open()
    cut()
    await expect(history.goTo('r', 120)).resolves.toBe('early')
    expect(past()).toBeUndefined()
  })
})

test('beyond the end of a copy there may be more by now: that is not told before it is known', async () => {
  const { replica, history, open } = setUp(300)
  await open()
  replica.room('r')?.patch({ joined: 'no' })
  await expect(history.goTo('r', 301)).resolves.toBe('early')
  await expect(history.goTo('r', 290)).resolves.toBe('there')
  await open()
  await expect(history.goTo('r', 301)).resolves.toBe('nowhere')
})

test('where the newest page reaches back far enough nothing more is asked', async () => {
  const { asked, open, past } = setUp(255)
  await open()
  expect([past(), asked.length]).toEqual([undefined, 1])
})

test('a page that can not be had leaves everything as it was, and can be asked for again', async () => {
  const { replica, history, open, shown, cut } = setUp(300)
  await open()
  cut()
  await history.loadOlder('r')
  expect(shown()).toEqual(range(251, 300))
  expect(replica.room('r')?.get()).toMatchObject({ loading: undefined, refused: false })
})

describe('what is said above what is held', () => {
  test('a room that was never opened says that more is coming, or why not', async () => {
    const { above, cut, open, replica } = setUp(300)
    replica.open('r')
    expect(above()).toBe('coming')
    await settle()
    expect(above()).toBe('nothing')
    const other = setUp(300)
    other.cut()
    await other.open()
    expect(other.above()).toBe('away')
    cut()
    await open()
    expect(above()).toBe('away')
  })

  test('an earlier page is coming, until the beginning is there', async () => {
    const { above, history, open } = setUp(300)
    await open()
    for (let page = 0; page < 5; page++) {
      const loaded = history.loadOlder('r')
      expect(above()).toBe('coming')
      await loaded
      expect(above()).toBe('nothing')
    }
    await history.loadOlder('r')
    expect(above()).toBe('nothing')
  })

  test('the newest page that is refused is asked for again by hand', async () => {
    const { above, asked, history, open, refuse } = setUp(300)
    refuse()
    await open()
    expect([above(), asked.length]).toEqual(['refused', 1])
    history.again('r')
    expect(above()).toBe('coming')
    await settle()
    expect([above(), asked.length]).toEqual(['nothing', 2])
  })

  test('an earlier page that is refused is asked for again by hand, however one scrolls', async () => {
    const { above, asked, history, open, refuse, shown } = setUp(300)
    await open()
    refuse()
    await history.loadOlder('r')
    await history.loadOlder('r')
    expect([above(), asked.length]).toEqual(['refused', 2])
    history.again('r')
    await settle()
    expect([above(), shown()]).toEqual(['nothing', range(201, 300)])
  })

  test('a page for which one has to wait comes by itself', async () => {
    const { above, history, open, refuse, shown } = setUp(300)
    await open()
    refuse(20)
    const loaded = history.loadOlder('r')
    await settle()
    expect(above()).toBe('coming')
    await loaded
    expect([above(), shown()]).toEqual(['nothing', range(201, 300)])
  })
})

test('one page at a time', async () => {
  const { history, open, asked, shown } = setUp(300)
  await open()
  await Promise.all([history.loadOlder('r'), history.loadOlder('r')])
  expect([asked.length, shown()]).toEqual([2, range(201, 300)])
})
