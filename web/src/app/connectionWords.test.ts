import { expect, test } from 'vitest'
import type { ConnectionState } from '../model/session'
import { connectionWords } from './connectionWords'

const NOW = 1_000_000
const in4s = { retryAt: NOW + 3_200, offline: false }
const KEPT = 'What you write is kept and sent later.'

test.each<[ConnectionState, string, string | undefined, string | undefined]>([
  [{ phase: 'connecting' }, KEPT, 'Connecting…', undefined],
  [{ phase: 'connecting', trouble: 'leaving' }, `The server is restarting. ${KEPT}`, 'Connecting…', undefined],
  [{ phase: 'waiting', ...in4s, trouble: 'lost' }, `The connection was lost. ${KEPT}`, 'Trying again in 4 s', 'try'],
  [{ phase: 'waiting', ...in4s, trouble: 'leaving' }, `The server is restarting. ${KEPT}`, 'Trying again in 4 s', 'try'],
  [{ phase: 'waiting', ...in4s, trouble: 'ailing' }, `The server has trouble right now. ${KEPT}`, 'Trying again in 4 s', 'try'],
  [{ phase: 'waiting', ...in4s, trouble: 'slow' }, `Your connection is too slow for all that comes. ${KEPT}`, 'Trying again in 4 s', 'try'],
  [{ phase: 'waiting', ...in4s, trouble: 'flooding' }, `Too much was sent from here at once. ${KEPT}`, 'Trying again in 4 s', 'try'],
  [
    { phase: 'waiting', ...in4s, trouble: 'full' },
    `The server is there, but takes no connection: it may have too many. ${KEPT}`,
    'Trying again in 4 s',
    'try',
  ],
  [{ phase: 'waiting', retryAt: NOW, offline: false, trouble: 'lost' }, `The connection was lost. ${KEPT}`, 'Connecting…', 'try'],
  [{ phase: 'waiting', retryAt: NOW + 9_000, offline: true, trouble: 'lost' }, `You are offline. ${KEPT}`, undefined, 'try'],
  [
    { phase: 'stopped', why: 'outdated' },
    'This page is older than the server. Reload to get the new one. What you wrote is kept.',
    undefined,
    'reload',
  ],
  [
    { phase: 'stopped', why: 'fault' },
    'The server and this page did not understand each other. Reload to try again. What you wrote is kept.',
    undefined,
    'reload',
  ],
  [{ phase: 'stopped', why: 'login' }, 'You were logged out. What you wrote is kept.', undefined, 'reload'],
])('%o: %s', (state, matter, now, way) => {
  const words = connectionWords(state, NOW, true)
  expect([words?.matter, words?.now, words?.way]).toEqual([matter, now, way])
})

test('while it is live there is nothing to say', () => {
  expect(connectionWords({ phase: 'live' }, NOW, true)).toBeUndefined()
})

test('where this browser can keep nothing it is not said that it does', () => {
  const said = (state: ConnectionState) => connectionWords(state, NOW, false)?.matter
  expect(said({ phase: 'waiting', ...in4s, trouble: 'lost' })).toBe(
    'The connection was lost. What you write is sent later if this page stays open: this browser can keep nothing.',
  )
  expect(said({ phase: 'stopped', why: 'outdated' })).toBe(
    'This page is older than the server. Reload to get the new one. Copy what you wrote first: this browser can keep nothing.',
  )
})
