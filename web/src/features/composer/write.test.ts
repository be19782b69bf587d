import { expect, test } from 'vitest'
import { linkOver, looksFormatted } from './write'

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

test.each([
  ['plain words: nothing else', false],
  ['snake_case is a word, 2 * 3 too', false],
  ['https://example.com/a_page', false],
  ['**bold**', true],
  ['use `make`', true],
  ['- one\n- two', true],
  ['1. first', true],
  ['> who?', true],
  ['see [the plan](https://example.com)', true],
  ['```go\nfunc main() {}\n```', true],
])('%j looks formatted: %s', (text, is) => {
  expect(looksFormatted(text)).toBe(is)
})
