import { readFileSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'

const all = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(css|tsx?)$/.test(file))
  .map((file) => readFileSync(`src/${file}`, 'utf8'))

test('every name of the visual language that is used is one of its names', () => {
  const known = new Set(all.flatMap((text) => [...text.matchAll(/^\s*(--[\w-]+):|'(--[\w-]+)'/gm)].map(([, set, byScript]) => set ?? byScript)))
  const used = all.flatMap((text) => [...text.matchAll(/var\((--[\w-]+)\)/g)].map(([, name]) => name))
  expect(used.filter((name) => !known.has(name))).toEqual([])
})
