import * as fc from 'fast-check'
import type { RootContent } from 'mdast'
import { expect, test } from 'vitest'
import { type Blocks, parse } from './parse'

const LONGEST = 8000

/** What the parser looks at more than once, alone and where it nests. */
const SPECIAL = [
  ...['*', '_', '~', '`', '[', ']', '(', ')', '!', '<', '>', '\\', '&', '#', '-', '+', '=', ':', '|', '@', '.', '"', '1.', 'a', ' ', '\t', '\n'],
  ...['> ', '- ', '1. ', '- a\n', '- a\n\n  b\n', '1) a\n', '> a\n', '# a\n', 'a\n=\n', '---\n', '```\n', '~~~\n', '    a\n', 'a\n\n', '\\\n'],
  ...['**a', '*a_', '*_', '_a ', '~~a', '[a](', '[a](b)', '[a]("', '[a](<', '![a](b)', '\\[', '`a', '<a ', '<!--', '<?', '<![CDATA[', '<a@b.c>'],
  ...['www.', 'www.a)', 'http://', 'http://a.b ', 'a@b', 'a@b.c ', '-.', '&#1;', '> - > a\n', 'h://a/_', '😀*'],
]

const filled = (unit: string) => unit.repeat(Math.ceil(LONGEST / unit.length)).slice(0, LONGEST)

const texts = fc.oneof(
  fc.array(fc.constantFrom(...SPECIAL), { minLength: 1, maxLength: 4 }).map((units) => filled(units.join(''))),
  fc.array(fc.constantFrom(...SPECIAL), { minLength: LONGEST, maxLength: LONGEST, size: 'max' }).map((units) => filled(units.join(''))),
  // as many marks as are let through, in a text that is as long as one can be
  fc.tuple(fc.constantFrom(...SPECIAL), fc.integer({ min: 100, max: 400 })).map(([unit, times]) => filled(unit.repeat(times) + 'x'.repeat(LONGEST))),
)

/** What it takes of the processor, however busy the machine is: the best of a few, none being kept from the one before. */
function cost(text: string, enough: number): number {
  let least = Infinity
  for (let turn = 0; turn < 4 && least > enough; turn++) {
    const before = process.cpuUsage()
    parse(`${text}${turn}`)
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, user + system)
  }
  return least
}

const plain = (salt: number) => `${salt} *and* `.concat(filled('some words of no harm. ')).slice(0, LONGEST)

/** The worst found is ten times a text of words; without bounds it is hundreds, and more the longer it is. */
const TIMES = 40

const ordinary = (() => {
  for (let warm = 0; warm < 10; warm++) parse(plain(warm))
  return Math.max(1000, cost(plain(99), 0))
})()

test.each(SPECIAL)('%j again and again is no work', (unit) => {
  expect(cost(filled(unit), TIMES * ordinary) / ordinary).toBeLessThan(TIMES)
})

test('no text is much more work than one of words', { timeout: 120_000 }, () => {
  fc.assert(fc.property(texts, (text) => cost(text, TIMES * ordinary) < TIMES * ordinary), { numRuns: 50 })
})

function depth(nodes: RootContent[]): number {
  return Math.max(0, ...nodes.map((node) => (node.type === 'blockquote' || node.type === 'list' ? 1 : 0) + ('children' in node ? depth(node.children) : 0)))
}

const starts = fc.constantFrom('> ', '>', '- ', '-\t', '1. ', '22) ', '+   ', '*', '\n', '\n  ', '\n    ', '\n\t', '\n\n ', 'a', ' ', '   ', '\r')

test('quotes and lists nest no deeper than is shown', { timeout: 60_000 }, () => {
  const nested = fc.array(starts, { maxLength: 60, size: 'max' }).map((parts) => `${parts.join('')}a`)
  fc.assert(
    fc.property(nested, (text) => depth(parse(text) ?? []) <= 8),
    { numRuns: 1500 },
  )
})

const types = (blocks: Blocks) => blocks?.map(({ type }) => type)

test('eight levels are shown, and nine as they were written', () => {
  expect(depth(parse(`${'> '.repeat(8)}deep`) ?? [])).toBe(8)
  expect(parse(`${'> '.repeat(9)}deep`)).toBeUndefined()
  const list = (levels: number) => Array.from({ length: levels }, (_, level) => `${'    '.repeat(level)}- a`).join('\n')
  expect(depth(parse(list(8)) ?? [])).toBe(8)
  expect(parse(list(9))).toBeUndefined()
})

test.each([
  ['a list of many lines, with links and code', '- see `this` and **that** at [a page](https://example.com/a_b)\n'.repeat(120), ['list']],
  ['lists in lists, up and down', '- a\n  - b\n    - c\n      1. d\n         - e\n      2. f\n    - g\n  - h\n'.repeat(40), ['list']],
  ['rules of many marks', '- - - - - - - - - - - -\n\n* * * * * * * * * * *\n\n**a**', ['thematicBreak', 'thematicBreak', 'paragraph']],
  ['code full of marks', `\`\`\`js\n${'[[*_x_*], `<>`]\n'.repeat(490)}\`\`\`\nand **words**`, ['code', 'paragraph']],
  ['code that nests', `~~~\n${'> '.repeat(100)}\n~~~`, ['code']],
])('%s: what people write is Markdown', (_, text, expected) => {
  expect(types(parse(text))).toEqual(expected)
})

test.each([
  ['a fence that is not closed', '```\n> a\n- b', '> a\n- b'],
  ['a longer fence', '````\n```\na\n```\n````', '```\na\n```'],
  ['one closed by more', '```\na\n``````  \n', 'a'],
  ['one of the other sign within', '~~~ text `x`\n```\n~~~', '```'],
])('%s', (_, text, value) => {
  expect(parse(text)?.filter(({ type }) => type === 'code')).toMatchObject([{ value }])
})

test.each(['**a**', '> '.repeat(100)])('what was made of a text is kept: %j', (text) => {
  const first = parse(text)
  expect(parse(text)).toBe(first)
  for (let other = 0; other < 300; other++) parse(`*${other}*`)
  expect(parse(text)).toEqual(first)
})
