import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { FakeSocket } from '../../test/fakeSocket'
import { Connection, type ConnectionState, type HeldPosition, resumeUrl } from './connection'
import { type Grant, SessionOver, Tokens, Unreachable } from './tokens'

const HOUR_S = 3600

function setUp() {
  const sockets: FakeSocket[] = []
  const states: string[] = []
  let latest: ConnectionState | undefined
  const positions: HeldPosition[] = []
  let nextToken = 0
  const refresh = vi.fn<() => Promise<Grant>>(() =>
    Promise.resolve({ access_token: `t${++nextToken}`, expires_in: HOUR_S }),
  )
  const onWelcome = vi.fn()
  const onPush = vi.fn()
  const connection = new Connection({
    origin: 'http://chat.example',
    tokens: new Tokens(refresh),
    openSocket: (url, protocols) => {
      const socket = new FakeSocket(url, protocols)
      sockets.push(socket)
      return socket
    },
    handlers: {
      resumeFrom: () => ({ positions, epoch: sockets.length > 1 ? 'e1' : undefined }),
      onWelcome,
      onPush,
      onState: (state) => {
        latest = state
        states.push(state.phase)
      },
    },
  })
  const socketAt = (index: number) => {
    const socket = sockets[index]
    if (socket === undefined) throw new Error(`there is no socket ${index}`)
    return socket
  }
  return { connection, sockets, socketAt, states, state: () => latest, positions, refresh, onWelcome, onPush }
}

const settle = () => vi.advanceTimersByTimeAsync(0)

async function live() {
  const all = setUp()
  all.connection.start()
  await settle()
  all.socketAt(0).welcome()
  return all
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
})
afterEach(() => {
  vi.useRealTimers()
})

test('the token is offered as a second subprotocol, never in the URL', async () => {
  const { connection, socketAt, states } = setUp()
  connection.start()
  await settle()
  expect(socketAt(0).protocols).toEqual(['gochat.v1', 'gochat.bearer.t1'])
  expect(socketAt(0).url).toBe('ws://chat.example/api/v1/ws')
  socketAt(0).welcome()
  expect(states).toEqual(['connecting', 'live'])
})

describe('[RES2] resuming', () => {
  test('[RES2] names, per room, the last number and its id, and the epoch', () => {
    const url = new URL(resumeUrl('https://chat.example', [{ room_id: 'a', seq: 7, id: 'm7' }, { room_id: 'b', seq: 0 }], 'e9'))
    expect(url.protocol).toBe('wss:')
    expect(url.searchParams.getAll('last_received_seq')).toEqual(['a:7:m7', 'b:0'])
    expect(url.searchParams.get('epoch')).toBe('e9')
  })

  test('[RES2] names 50 rooms at most, and tells which', async () => {
    const { connection, positions, socketAt, onWelcome } = setUp()
    for (let at = 0; at < 60; at++) positions.push({ room_id: `r${at}`, seq: at })
    connection.start()
    await settle()
    expect(new URL(socketAt(0).url).searchParams.getAll('last_received_seq')).toHaveLength(50)
    socketAt(0).welcome()
    const resumed = onWelcome.mock.calls[0]?.[1] as Set<string>
    expect([resumed.has('r49'), resumed.has('r50')]).toEqual([true, false])
  })

  test('[RES2] a dropped connection comes back after the backoff', async () => {
    const { socketAt, sockets, state } = await live()
    socketAt(0).drop(1006)
    expect(state()).toMatchObject({ phase: 'waiting' })
    await vi.advanceTimersByTimeAsync(249)
    expect(sockets).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(sockets).toHaveLength(2)
    socketAt(1).welcome()
    expect(state()).toEqual({ phase: 'live' })
  })
})

describe('backing off', () => {
  test('waits longer each time, and starts anew after a steady while', async () => {
    const { socketAt, state } = await live()
    const waits: number[] = []
    for (let at = 0; at < 4; at++) {
      socketAt(at).drop(1011)
      const waiting = state()
      const wait = waiting?.phase === 'waiting' ? waiting.retryAt - Date.now() : -1
      waits.push(wait)
      await vi.advanceTimersByTimeAsync(wait)
      socketAt(at + 1).welcome()
    }
    expect(waits).toEqual([250, 500, 1000, 2000])
    for (let at = 0; at < 5; at++) {
      await vi.advanceTimersByTimeAsync(2_500)
      socketAt(4).push({ type: 'ping' })
    }
    socketAt(4).drop(1011)
    expect(state()).toMatchObject({ retryAt: Date.now() + 250 })
  })

  test('waits as long as the server asks', async () => {
    const { connection, refresh, sockets, state } = setUp()
    refresh.mockRejectedValueOnce(new Unreachable('busy', 9_000))
    connection.start()
    await settle()
    expect(state()).toMatchObject({ phase: 'waiting', retryAt: Date.now() + 9_000 })
    await vi.advanceTimersByTimeAsync(9_000)
    expect(sockets).toHaveLength(1)
  })

  test('a nudge does not wait, and probes what seems to live', async () => {
    const { connection, socketAt, sockets } = await live()
    connection.nudge()
    expect(socketAt(0).command('ping').fields).toMatchObject({ type: 'ping' })
    await vi.advanceTimersByTimeAsync(2_000)
    expect(socketAt(0).closedBy).toBe('client')
    connection.nudge()
    await settle()
    expect(sockets).toHaveLength(2)
  })
})

describe('the trouble is named until it is over', () => {
  test.each([
    [1001, 'leaving'],
    [1006, 'lost'],
    [1013, 'ailing'],
    [4009, 'slow'],
    [4029, 'flooding'],
  ])('%i: %s', async (code, trouble) => {
    const { socketAt, state } = await live()
    socketAt(0).drop(code)
    expect(state()).toMatchObject({ phase: 'waiting', trouble })
    await vi.advanceTimersByTimeAsync(250)
    expect(state()).toEqual({ phase: 'connecting', trouble })
    socketAt(1).welcome()
    socketAt(1).drop(1006)
    expect(state()).toMatchObject({ phase: 'waiting', trouble: 'lost' })
  })

  test('a server that gives tokens and lets no socket in is full; one that gives none is lost, or asks for patience', async () => {
    const { connection, refresh, socketAt, state } = setUp()
    connection.start()
    await settle()
    socketAt(0).drop(1006)
    expect(state()).toMatchObject({ phase: 'waiting', trouble: 'full' })
    refresh.mockRejectedValueOnce(new Unreachable('no answer'))
    await vi.advanceTimersByTimeAsync(250)
    expect(state()).toMatchObject({ phase: 'waiting', trouble: 'lost' })
    refresh.mockRejectedValueOnce(new Unreachable('HTTP 503', 2_000))
    await vi.advanceTimersByTimeAsync(500)
    expect(state()).toMatchObject({ phase: 'waiting', trouble: 'ailing', retryAt: Date.now() + 2_000 })
  })

  test('a server that said it leaves is restarting for a while, and then it is lost', async () => {
    const { refresh, socketAt, state } = await live()
    refresh.mockRejectedValue(new Unreachable('no answer'))
    socketAt(0).drop(1001)
    await vi.advanceTimersByTimeAsync(250)
    socketAt(1).drop(1006)
    expect(state()).toMatchObject({ phase: 'waiting', trouble: 'leaving' })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(state()).toMatchObject({ trouble: 'lost' })
  })

  test('a token from before says nothing of the server', async () => {
    const { socketAt, state } = await live()
    socketAt(0).drop(1006)
    await vi.advanceTimersByTimeAsync(250)
    socketAt(1).drop(1006)
    expect(state()).toMatchObject({ phase: 'waiting', trouble: 'lost' })
  })
})

describe('who one is', () => {
  test('a failure before open asks for a new token: 401 there means log in', async () => {
    const { connection, refresh, socketAt, sockets, state } = setUp()
    connection.start()
    await settle()
    refresh.mockRejectedValueOnce(new SessionOver('over', true))
    socketAt(0).drop(1006)
    await vi.advanceTimersByTimeAsync(500)
    expect(state()).toEqual({ phase: 'stopped', why: 'login' })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(sockets).toHaveLength(1)
  })

  test('4001 refreshes, then resumes', async () => {
    const { socketAt } = await live()
    socketAt(0).drop(4001)
    await vi.advanceTimersByTimeAsync(500)
    expect(socketAt(1).protocols[1]).toBe('gochat.bearer.t2')
  })

  test.each([
    [4100, 'login'],
    [4110, 'fault'],
    [4120, 'outdated'],
    [1009, 'fault'],
  ])('%i ends it: %s', async (code, why) => {
    const { socketAt, sockets, state } = await live()
    socketAt(0).drop(code)
    expect(state()).toEqual({ phase: 'stopped', why })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(sockets).toHaveLength(1)
  })

  test('the socket outlives its token: a fresh one is handed over before the end', async () => {
    const { socketAt } = await live()
    const beat = setInterval(() => socketAt(0).push({ type: 'ping' }), 20_000)
    await vi.advanceTimersByTimeAsync((HOUR_S - 30) * 1000)
    clearInterval(beat)
    expect(socketAt(0).command('auth').fields).toMatchObject({ token: 't2' })
  })
})

describe('[DRN1] the server asks to move', () => {
  test('[DRN1] the new link is live before the old one is closed, and nothing is said of it', async () => {
    const { socketAt, sockets, states, onPush } = await live()
    socketAt(0).push({ type: 'reconnect', within_ms: 1_000 })
    await vi.advanceTimersByTimeAsync(500)
    expect(sockets).toHaveLength(2)
    socketAt(0).push({ type: 'typing', room_id: 'r', user_id: 'u', on: true })
    expect([onPush.mock.calls.length, socketAt(0).closedBy]).toEqual([1, undefined])
    socketAt(1).welcome()
    expect(socketAt(0).closedBy).toBe('client')
    socketAt(0).drop(1001)
    expect(states).toEqual(['connecting', 'live', 'live'])
  })

  test('[DRN1] when the old one ends first, the new one goes on', async () => {
    const { socketAt, sockets, state } = await live()
    socketAt(0).push({ type: 'reconnect', within_ms: 1_000 })
    await vi.advanceTimersByTimeAsync(500)
    socketAt(0).drop(1006)
    expect(state()).toEqual({ phase: 'connecting', trouble: 'leaving' })
    socketAt(1).welcome()
    await vi.advanceTimersByTimeAsync(10_000)
    expect([sockets.length, state()]).toEqual([2, { phase: 'live' }])
  })
})

test('whoever is disposed of by its welcome is not live', async () => {
  const { connection, onWelcome, socketAt, states } = setUp()
  onWelcome.mockImplementation(() => connection.dispose())
  connection.start()
  await settle()
  socketAt(0).welcome()
  expect(states).toEqual(['connecting'])
})

test('after disposal nothing happens any more', async () => {
  const { connection, socketAt, sockets } = await live()
  connection.dispose()
  socketAt(0).drop(1006)
  connection.nudge()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(sockets).toHaveLength(1)
})
