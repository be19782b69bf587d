import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import Highlighted from './Highlighted'

const made = (language: string, code: string) => renderToStaticMarkup(<Highlighted language={language} code={code} />)
const words = (html: string) => html.replaceAll(/<[^>]+>/g, '')

test.each([
  ['go', 'func main() { s := "<b>" } // done'],
  ['js', 'const a = `x${1}`'],
  ['html', '<script>alert(1)</script>'],
  ['nothing-that-is-known', 'a < b && c > d'],
])('%s keeps every character', (language, code) => {
  expect(words(made(language, code))).toBe(code.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'))
})

test('it makes spans and nothing else', () => {
  const tags = [...made('html', '<img src=x onerror=alert(1)>').matchAll(/<\/?([a-z]+)/g)].map(([, name]) => name)
  expect(new Set(tags)).toEqual(new Set(['span']))
})
