import { expect, test } from 'vitest'
import { linkOf, termsOf } from './terms'

test.each([
  [{ expires_at: null, max_uses: null, uses: 0 }, 'Until revoked · not used yet'],
  [{ expires_at: null, max_uses: null, uses: 1 }, 'Until revoked · used once'],
  [{ expires_at: null, max_uses: null, uses: 7 }, 'Until revoked · used 7 times'],
  [{ expires_at: null, max_uses: 5, uses: 2 }, 'Until revoked · used by 2 of 5'],
])('%o', (invite, words) => {
  expect(termsOf(invite)).toBe(words)
})

test('a link that ends says when', () => {
  expect(termsOf({ expires_at: '2030-03-09T12:00:00Z', max_uses: 1, uses: 0 })).toMatch(/^Until .*9.* · used by 0 of 1$/)
})

test('a link leads to where the app is', () => {
  expect(linkOf({ url: '/invite/abc' }, 'https://chat.example.com')).toBe('https://chat.example.com/invite/abc')
})
