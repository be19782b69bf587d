import { expect, test } from 'vitest'
import { EMOJI, findEmoji } from './emoji'

test.each([
  ['rocket', '🚀'],
  [' RELEASE ', '🚀'],
  ['thumbs', '👍'],
])('%j finds %s', (query, emoji) => {
  expect(findEmoji(query).flatMap((group) => group.emoji.map(([each]) => each))).toContain(emoji)
})

test('nothing finds all, and what there is not finds none', () => {
  expect(findEmoji('')).toBe(EMOJI)
  expect(findEmoji('zzz')).toEqual([])
})

test('each is there once', () => {
  const all = EMOJI.flatMap(({ emoji }) => emoji.map(([each]) => each))
  expect(new Set(all).size).toBe(all.length)
})
