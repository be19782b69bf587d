import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { User } from '../net/frames'
import type { ChatClient } from './chatClient'
import { type Kept, openKept } from './kept'
import { openOutbox } from './outbox'
import { Session, type SessionState } from './session'

const ann: User = { id: 'ann', username: 'ann', display_name: 'Ann', guest: false, admin: false }
const kept: Kept = {
  user: ann,
  epoch: 'e1',
  users: [ann],
  rooms: [
    {
      room: {
        id: 'r', name: 'Garden', topic: '', visibility: 'public', created_at: '2026-01-01T00:00:00.000Z', member_count: 1, head_seq: 1,
        role: 'member', last_read_seq: 1, unread_count: 0,
      },
      entries: [
        { room_id: 'r', seq: 1, kind: 'text', message_id: 'm1', sender_id: 'ann', at: '2026-01-01T00:00:00.000Z', body: 'hello' },
      ],
      hasMore: false,
      filled: true,
    },
  ],
}

/** A browser in which the server's answers are given by hand. */
function setUp() {
  const asked: { path: string; answer: (response: Response | TypeError) => void }[] = []
  vi.stubGlobal('fetch', (what: Request | URL) => {
    const { pathname: path } = new URL(what instanceof Request ? what.url : what)
    return new Promise((resolve, reject) => {
      asked.push({ path, answer: (response) => (response instanceof Response ? resolve(response) : reject(response)) })
    })
  })
  const session = new Session('http://chat.example', () => undefined)
  const states: string[] = []
  session.state.subscribe(() => states.push(session.state.get().status))
  return { asked, session, states }
}

const chatOf = (state: SessionState): ChatClient => {
  if (state.status !== 'in') throw new Error(`the session is ${state.status}`)
  return state.chat
}

const textsOf = (chat: ChatClient) => chat.replica.room('r')?.get().timeline.entries.map(({ body }) => body)

beforeEach(async () => {
  vi.stubGlobal('indexedDB', new IDBFactory())
  const { rooms, ...about } = kept
  await (await openKept()).save(about, rooms, 'others')
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

test('what was kept is shown before the server has answered, and one request asks who this is', async () => {
  const { asked, session, states } = setUp()
  await session.start()
  const chat = chatOf(session.state.get())
  expect([textsOf(chat), chat.connection.get()]).toEqual([['hello'], { phase: 'connecting' }])
  chat.people.want(['bob']) // whoever asks for more meanwhile waits for the token
  await vi.waitFor(() => expect(asked.map(({ path }) => path)).toEqual(['/api/v1/auth/refresh']))
  expect(states).toEqual(['in'])
  await chat.end()
})

test('a session that is over by then leads out, with what is unsent kept for later', async () => {
  const { asked, session, states } = setUp()
  await session.start()
  const chat = chatOf(session.state.get())
  chat.send('r', 'half said')
  await vi.waitFor(() => expect(asked).toHaveLength(1))
  asked[0]?.answer(Response.json({ code: 'no_session' }, { status: 401 }))
  await vi.waitFor(() => expect(session.state.get()).toEqual({ status: 'out', why: 'ended', behind: false }))
  expect(states).toEqual(['in', 'out'])
  await vi.waitFor(async () => expect(await (await openKept()).load()).toBeUndefined())
  const unsent = await (await openOutbox('ann')).load()
  expect(unsent.map(({ body }) => body)).toEqual(['half said'])
})

test('a server that does not answer is waited for, with the chat there', async () => {
  const { asked, session, states } = setUp()
  await session.start()
  const chat = chatOf(session.state.get())
  await vi.waitFor(() => expect(asked).toHaveLength(1))
  asked[0]?.answer(new TypeError('no network'))
  await vi.waitFor(() => expect(chat.connection.get()).toMatchObject({ trouble: 'lost' }))
  expect([states, textsOf(chat)]).toEqual([['in'], ['hello']])
  await chat.end()
})

/** From now on the databases of this browser are there, and can't be used: one of a damaged profile, say. */
async function breakDatabases() {
  await openOutbox('ann') // else it would not even be made
  vi.spyOn(IDBTransaction.prototype, 'objectStore').mockImplementation(() => {
    throw new DOMException('damaged', 'UnknownError')
  })
}

test('a copy that can’t be read is none: the server is asked, and one comes in', async () => {
  await breakDatabases()
  const { asked, session } = setUp()
  void session.start()
  await vi.waitFor(() => expect(asked).toHaveLength(1))
  asked[0]?.answer(Response.json({ access_token: 't', expires_in: 900 }))
  await vi.waitFor(() => expect(asked.at(-1)?.path).toBe('/api/v1/users/me'))
  asked.at(-1)?.answer(Response.json(ann))
  await vi.waitFor(() => expect(session.state.get().status).toBe('in'))
  const chat = chatOf(session.state.get())
  expect(chat.outbox.lasting.get()).toBe(false)
  await expect(chat.wipe()).rejects.toThrow('damaged')
})

test('a logout is one even where the browser does not let go of what it kept, and says so', async () => {
  const { asked, session } = setUp()
  await session.start()
  await vi.waitFor(() => expect(asked).toHaveLength(1))
  asked[0]?.answer(Response.json({ access_token: 't', expires_in: 900 }))
  await breakDatabases()
  const out = session.logOut()
  await vi.waitFor(() => expect(asked.at(-1)?.path).toBe('/api/v1/auth/logout'))
  asked.at(-1)?.answer(new Response(null, { status: 204 }))
  await out
  expect(session.state.get()).toEqual({ status: 'out', why: 'left', behind: true })
})
