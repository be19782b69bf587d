import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { afterClose, troubleOf } from './closePolicy'

test.each([
  [1001, 'reconnect'],
  [1006, 'reconnect'],
  [1011, 'reconnect'],
  [1012, 'reconnect'],
  [1013, 'reconnect'],
  [4000, 'reconnect'],
  [4008, 'reconnect'],
  [4009, 'reconnect'],
  [4029, 'reconnect'],
  [4099, 'reconnect'],
  [4001, 'refresh'],
  [4100, 'login'],
  [1009, 'stop'],
  [4110, 'stop'],
  [4120, 'stop'],
  [4199, 'stop'],
])('after %i: %s', (code, action) => {
  expect(afterClose(code, true).do).toBe(action)
})

test('a failure before open asks for a refresh: it may have been a 401', () => {
  expect(afterClose(1006, false)).toEqual({ do: 'refresh' })
})

test('tells an old app from a fault', () => {
  expect(afterClose(4120, true)).toEqual({ do: 'stop', why: 'outdated' })
  expect(afterClose(4110, true)).toEqual({ do: 'stop', why: 'fault' })
})

const source = readFileSync(new URL('../../../internal/session/session.go', import.meta.url), 'utf8')
const codes = [...source.matchAll(/^\tClose\w+ += (\d+)/gm)].map(([, code]) => Number(code))

test('every code that the server closes with is followed, and those after which it is tried again have a reason', () => {
  expect(codes).toEqual([1001, 1009, 1013, 4001, 4008, 4009, 4029, 4100, 4110, 4120])
  const followed = codes.map((code) => [code, afterClose(code, true).do, troubleOf(code, true, false)])
  expect(followed).toEqual([
    [1001, 'reconnect', 'leaving'],
    [1009, 'stop', 'lost'],
    [1013, 'reconnect', 'ailing'],
    [4001, 'refresh', 'lost'],
    [4008, 'reconnect', 'lost'],
    [4009, 'reconnect', 'slow'],
    [4029, 'reconnect', 'flooding'],
    [4100, 'login', 'lost'],
    [4110, 'stop', 'lost'],
    [4120, 'stop', 'lost'],
  ])
})

test('what does not open is full where the server answers otherwise, and lost where it does not', () => {
  expect(troubleOf(1006, false, true)).toBe('full')
  expect(troubleOf(1006, false, false)).toBe('lost')
})
