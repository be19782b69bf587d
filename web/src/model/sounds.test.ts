import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Entry } from '../net/frames'
import { InTurn, type Locks, isHeard } from './sounds'

const NOW = Date.parse('2026-01-01T12:00:00.000Z')
const entry: Entry = {
  room_id: 'r', seq: 7, kind: 'text', message_id: 'm', sender_id: 'bob', at: '2026-01-01T11:59:30.000Z', body: 'hello',
}

describe('what is heard', () => {
  test.each<[string, Partial<Entry>, { on: boolean; muted: string[] }, boolean]>([
    ['a message, with notices', {}, { on: true, muted: [] }, true],
    ['a message, without', {}, { on: false, muted: [] }, true],
    ['one’s own', { sender_id: 'me' }, { on: true, muted: [] }, false],
    ['that somebody joined', { kind: 'member_joined' }, { on: true, muted: [] }, false],
    ['what came while one was away', { at: '2026-01-01T11:58:00.000Z' }, { on: true, muted: [] }, false],
    ['a muted room', {}, { on: false, muted: ['r'] }, false],
  ])('%s', (_, change, wishes, heard) => {
    expect(isHeard({ ...entry, ...change }, 'me', wishes, NOW)).toBe(heard)
  })
})

/** One lock, as the tabs of a browser share it. */
function oneLock(): Locks {
  let held = false
  const request = async (_: string, __: LockOptions, run: (lock: Lock | null) => Promise<unknown>) => {
    if (held) return run(null)
    held = true
    try {
      return await run({ name: 'gochat-sound', mode: 'exclusive' })
    } finally {
      held = false
    }
  }
  return { request } as Locks
}

describe('whose turn it is', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('one tab plays, and none for two seconds after it', async () => {
    const locks = oneLock()
    const [one, two] = [new InTurn(locks), new InTurn(locks)]
    const sound = vi.fn(() => Promise.resolve())
    void one.play(sound)
    void two.play(sound)
    await vi.advanceTimersByTimeAsync(1_999)
    void one.play(sound)
    expect(sound).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(1)
    void two.play(sound)
    expect(sound).toHaveBeenCalledTimes(2)
    await vi.runAllTimersAsync()
  })

  test('without locks a tab plays every two seconds at most', async () => {
    const turn = new InTurn(undefined)
    const sound = vi.fn(() => Promise.resolve())
    await turn.play(sound)
    vi.advanceTimersByTime(1_999)
    await turn.play(sound)
    expect(sound).toHaveBeenCalledTimes(1)
    vi.advanceTimersByTime(1)
    await turn.play(sound)
    expect(sound).toHaveBeenCalledTimes(2)
  })
})
