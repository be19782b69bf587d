import { describe, expect, test } from 'vitest'
import type { Entry } from '../net/frames'
import { type Wishes, isNews } from './notifications'

const NOW = Date.parse('2026-01-01T12:00:00.000Z')
const entry: Entry = {
  room_id: 'r', seq: 7, kind: 'text', message_id: 'm', sender_id: 'bob', at: '2026-01-01T11:59:30.000Z', body: 'hello',
}
const ON: Wishes = { on: true, muted: [] }

describe('what is told outside of the page', () => {
  test.each<[string, Partial<Entry>, Wishes, boolean]>([
    ['a message of somebody else', {}, ON, true],
    ['one’s own', { sender_id: 'me' }, ON, false],
    ['that somebody joined', { kind: 'member_joined' }, ON, false],
    ['what came while one was away', { at: '2026-01-01T11:58:00.000Z' }, ON, false],
    ['a muted room', {}, { on: true, muted: ['r'] }, false],
    ['another one’s being muted', {}, { on: true, muted: ['s'] }, true],
    ['where nothing was asked for', {}, { on: false, muted: [] }, false],
  ])('%s', (_, change, wishes, told) => {
    expect(isNews({ ...entry, ...change }, 'me', wishes, NOW)).toBe(told)
  })
})
