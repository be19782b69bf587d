import { readFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { ApiError } from '../net/api'
import { Unreachable } from '../net/tokens'
import { explain, refusalOf, wordsFor } from './problems'

const read = (name: string) => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8')

/** The codes of errors as the server's source has them, and as its OpenAPI document lists them. */
const inSource = [...read('internal/chat/errors.go').matchAll(/^\tCode\w+ +Code = "(\w+)"$/gm)].map(([, code]) => code ?? '')
const document = JSON.parse(read('api/openapi.json')) as {
  components: { schemas: { Problem: { properties: { code: { description: string } } } } }
}
const inDocument = [...document.components.schemas.Problem.properties.code.description.matchAll(/`(\w+)`/g)].map(([, code]) => code ?? '')
const codes = [...new Set([...inSource, ...inDocument])]

test('the codes are found', () => {
  expect(inSource.length).toBeGreaterThanOrEqual(18)
  expect(inDocument).toContain('internal')
})

describe('every refusal has words of its own', () => {
  test.each(codes)('%s', (code) => {
    const words = explain(new ApiError(418, { code, detail: 'the words of the server' }))
    expect(words).not.toBe('the words of the server')
    expect(words).not.toBe(wordsFor('nothing the app knows'))
    expect(words).toMatch(/^[A-Z].*\.$/)
    expect(wordsFor(code)).toBe(words)
  })

  test('and no two have the same', () => {
    expect(new Set(codes.map(wordsFor)).size).toBe(codes.length)
  })
})

test('a refusal says until when it is of no use to try again, and no failure says nothing', () => {
  vi.useFakeTimers({ now: 1_000 })
  const refused = new ApiError(429, { code: 'rate_limited', retry_after_ms: 4_200 })
  vi.useRealTimers()
  expect(refusalOf(refused)).toEqual({ children: 'Too many tries.', until: 5_200 })
  expect(refusalOf(new ApiError(403, { code: 'forbidden' }), { forbidden: 'Not here.' })).toEqual({ children: 'Not here.' })
  expect(refusalOf(null)).toEqual({})
})

test('a place may say it better', () => {
  expect(explain(new ApiError(403, { code: 'forbidden' }), { forbidden: 'Not here.' })).toBe('Not here.')
})

test('a code of a later server is said in its words, a fault in ours', () => {
  expect(explain(new ApiError(409, { code: 'new', detail: 'too late for that: ask again' }))).toBe('too late for that: ask again')
  expect(explain(new ApiError(502, undefined))).toBe('The server has a problem. Try again soon.')
  expect(wordsFor('new')).toBe('The server refused it.')
})

test('without an answer that is said', () => {
  expect(explain(new Unreachable('no answer'))).toContain('Check your connection and try again.')
})
