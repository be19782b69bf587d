import { afterEach, describe, expect, test, vi } from 'vitest'
import { BadConfig, findServer, serverOf } from './config'
import { Unreachable } from './tokens'

const PAGE = 'https://app.example.com'

describe('where the server is', () => {
  afterEach(() => vi.unstubAllGlobals())

  test.each([
    [{ server: '' }, PAGE],
    [{}, PAGE],
    [{ server: 'https://chat.example.com' }, 'https://chat.example.com'],
    [{ server: 'https://Chat.example.com:443/' }, 'https://chat.example.com'],
    [{ server: 'http://127.0.0.1:8080' }, 'http://127.0.0.1:8080'],
  ])('%j names %s', (config, origin) => {
    expect(serverOf(config, PAGE)).toBe(origin)
  })

  test.each(['chat.example.com', 'https://chat.example.com/api', 'ftp://chat.example.com', 'https://a@chat.example.com', 7, null])(
    '%j is refused, and it is said what it has to be',
    (server) => {
      expect(() => serverOf({ server }, PAGE)).toThrow(/has to be an origin/)
    },
  )

  const answer = (make: () => Response) => vi.stubGlobal('fetch', () => Promise.resolve().then(make))

  test('is read beside index.html', async () => {
    const fetched = vi.fn(() => Promise.resolve(Response.json({ server: 'https://chat.example.com' })))
    vi.stubGlobal('fetch', fetched)
    await expect(findServer(PAGE)).resolves.toBe('https://chat.example.com')
    expect(fetched).toHaveBeenCalledExactlyOnceWith(new URL('https://app.example.com/config.json'), { signal: expect.any(AbortSignal) as AbortSignal })
  })

  test('what does not come may come later; what is wrong stays wrong', async () => {
    answer(() => {
      throw new TypeError('no network')
    })
    await expect(findServer(PAGE)).rejects.toThrow(Unreachable)
    answer(() => new Response('', { status: 502 }))
    await expect(findServer(PAGE)).rejects.toThrow(Unreachable)
    answer(() => new Response('', { status: 404 }))
    await expect(findServer(PAGE)).rejects.toThrow(BadConfig)
    answer(() => new Response('<!doctype html>'))
    await expect(findServer(PAGE)).rejects.toThrow(/not JSON/)
  })
})
