import { expect, test } from 'vitest'
import { afterClose } from './closePolicy'

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
