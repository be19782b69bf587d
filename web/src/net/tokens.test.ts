import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Grant, SessionOver, Tokens } from './tokens'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function counting(expires_in: number) {
  let count = 0
  const refresh = vi.fn<() => Promise<Grant>>(() => Promise.resolve({ access_token: `t${++count}`, expires_in }))
  return { refresh, tokens: new Tokens(refresh) }
}

test('however many ask at once, one refresh is made', async () => {
  const { refresh, tokens } = counting(900)
  await expect(Promise.all([tokens.access(), tokens.access(), tokens.refresh()])).resolves.toEqual(['t1', 't1', 't1'])
  expect(refresh).toHaveBeenCalledOnce()
})

test.each([
  [900, 870_000],
  [20, 15_000],
])('a token of %i s is replaced after %i ms', async (expiresIn, freshMs) => {
  const { tokens } = counting(expiresIn)
  await tokens.access()
  await vi.advanceTimersByTimeAsync(freshMs - 1)
  await expect(tokens.access()).resolves.toBe('t1')
  await vi.advanceTimersByTimeAsync(1)
  await expect(tokens.access()).resolves.toBe('t2')
})

test('a failure is told to everyone who asked, and the next one tries again', async () => {
  const { refresh, tokens } = counting(900)
  refresh.mockRejectedValueOnce(new SessionOver('over', true))
  await expect(Promise.allSettled([tokens.access(), tokens.access()])).resolves.toMatchObject([
    { status: 'rejected' },
    { status: 'rejected' },
  ])
  await expect(tokens.access()).resolves.toBe('t1')
})
