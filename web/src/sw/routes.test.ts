import { expect, test } from 'vitest'
import { routeOf } from './routes'

const ORIGIN = 'https://chat.example.com'
const SHELL = ['/index.html', '/config.json', '/favicon.svg', '/assets/index-1.js']

test.each([
  ['GET', 'navigate', '/', 'page'],
  ['GET', 'navigate', '/rooms/1?at=2', 'page'],
  ['GET', 'navigate', '/api/v1/docs', 'none'],
  ['GET', 'navigate', '/apiary', 'page'],
  ['GET', 'navigate', '/readyz', 'none'],
  ['GET', 'cors', '/assets/index-1.js', 'asset'],
  ['GET', 'no-cors', '/assets/of-an-older-version.css', 'asset'],
  ['GET', 'cors', '/config.json', 'fresh'],
  ['GET', 'no-cors', '/favicon.svg', 'fresh'],
  ['GET', 'no-cors', '/somewhere.png', 'none'],
  ['GET', 'cors', '/api/v1/rooms', 'none'],
  ['POST', 'cors', '/api/v1/auth/refresh', 'none'],
  ['GET', 'cors', 'https://elsewhere.example/assets/x.js', 'none'],
] as const)('%s (%s) %s: %s', (method, mode, path, route) => {
  expect(routeOf({ method, mode, url: new URL(path, ORIGIN).href }, ORIGIN, SHELL)).toBe(route)
})
