import { expect, test } from 'vitest'
import { linkOver } from './write'

test.each([
  ['the plan', 'https://example.com/plan', '[the plan](https://example.com/plan)'],
  ['the plan', ' https://example.com/plan\n', '[the plan](https://example.com/plan)'],
  ['', 'https://example.com', undefined],
  ['the plan', 'some words', undefined],
  ['the plan', 'https://example.com and more', undefined],
  ['the plan', 'javascript:alert(1)', undefined],
  ['two\nlines', 'https://example.com', undefined],
  ['a](b', 'https://example.com', undefined],
])('over %j, %j pasted becomes %j', (selected, pasted, link) => {
  expect(linkOver(selected, pasted)).toBe(link)
})
