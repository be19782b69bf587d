import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { FakeSocket } from '../../test/fakeSocket'
import { Disconnected, Link } from './link'

const handlers = { onWelcome: vi.fn(), onPush: vi.fn(), onReconnect: vi.fn(), onClose: vi.fn() }

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
  vi.clearAllMocks()
})

function connected() {
  const socket = new FakeSocket()
  const link = new Link(socket, handlers)
  socket.welcome()
  return { socket, link }
}

describe('commands', () => {
  test('are answered by id, in whatever order', async () => {
    const { socket, link } = connected()
    const first = link.call('typing', { room_id: 'r', on: true })
    const second = link.call('read', { room_id: 'r', seq: 3 })
    const [a, b] = socket.sent
    socket.push({ type: 'reply', id: b?.id, last_read_seq: 3, unread_count: 0 }, { type: 'reply', id: a?.id })
    await expect(second).resolves.toMatchObject({ last_read_seq: 3 })
    await expect(first).resolves.toMatchObject({})
  })

  test('are refused with the code and the wait', async () => {
    const { socket, link } = connected()
    const sent = link.call('send', { room_id: 'r', client_id: 'c', body: 'x' })
    socket.command('send').refuse({ code: 'rate_limited', retry_after_ms: 700 })
    await expect(sent).rejects.toMatchObject({ name: 'CommandError', code: 'rate_limited', retryAfterMs: 700 })
  })

  test('that are not answered before the end are rejected: whether they were done is not known', async () => {
    const { socket, link } = connected()
    const sent = link.call('send', { room_id: 'r', client_id: 'c', body: 'x' })
    socket.drop()
    await expect(sent).rejects.toBeInstanceOf(Disconnected)
    await expect(link.call('ping', {})).rejects.toBeInstanceOf(Disconnected)
    expect(handlers.onClose).toHaveBeenCalledExactlyOnceWith(1006, true)
  })
})

describe('the heartbeat', () => {
  test('answers ping with pong', () => {
    const { socket } = connected()
    socket.push({ type: 'ping' })
    expect(socket.sent).toEqual([{ type: 'pong' }])
  })

  test('after twice the ping interval of silence the link is dead', () => {
    const { socket } = connected()
    vi.advanceTimersByTime(49_999)
    socket.push({ type: 'ping' })
    vi.advanceTimersByTime(49_999)
    expect(handlers.onClose).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(handlers.onClose).toHaveBeenCalledExactlyOnceWith(4008, true)
    expect(socket.closedBy).toBe('client')
  })

  test('a probe that is not answered in time ends the link', async () => {
    const { link } = connected()
    const probe = link.probe(2_000)
    await vi.advanceTimersByTimeAsync(2_000)
    await probe
    expect(handlers.onClose).toHaveBeenCalledExactlyOnceWith(4008, true)
  })

  test('a probe that is answered leaves it', async () => {
    const { socket, link } = connected()
    const probe = link.probe(2_000)
    socket.command('ping').reply()
    await probe
    await vi.advanceTimersByTimeAsync(10_000)
    expect(handlers.onClose).not.toHaveBeenCalled()
  })
})

test('a frame that is not of the protocol ends the link', () => {
  const { socket } = connected()
  socket.onmessage?.({ data: 'nonsense' })
  expect(handlers.onClose).toHaveBeenCalledExactlyOnceWith(4110, true)
})

test('pushes and the wish to move are passed on; nothing is after disposal', () => {
  const { socket, link } = connected()
  socket.push({ type: 'typing', room_id: 'r', user_id: 'u', on: true }, { type: 'reconnect', within_ms: 500 })
  expect(handlers.onPush).toHaveBeenCalledOnce()
  expect(handlers.onReconnect).toHaveBeenCalledExactlyOnceWith(500)
  link.dispose()
  socket.drop(1000)
  expect(handlers.onClose).not.toHaveBeenCalled()
})
