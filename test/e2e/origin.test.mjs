// A page of another origin can't open a WebSocket, even with a good token.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { api, launchBrowser, newPerson, startServer } from './stage.mjs'

let server, foreign, browser, token

before(async () => {
  server = await startServer()
  foreign = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end('<title>elsewhere</title>'))
  foreign.listen(0, '127.0.0.1')
  await once(foreign, 'listening')
  browser = await launchBrowser()
  await api(server.origin).register('ann', 'Ann')
  token = await api(server.origin).logIn('ann')
})

after(async () => {
  await browser?.close()
  foreign?.close()
  await server?.stop()
})

/** Opens a WebSocket from a page of that origin: `open` and the protocol, or the close code. */
async function connectFrom(origin) {
  const { page, context } = await newPerson(browser)
  await page.goto(origin)
  const outcome = await page.evaluate(
    ([url, bearer]) =>
      new Promise((resolve) => {
        const socket = new WebSocket(url, ['gochat.v1', `gochat.bearer.${bearer}`])
        socket.onopen = () => resolve(['open', socket.protocol])
        socket.onclose = ({ code }) => resolve(['closed', code])
      }),
    [`${server.origin.replace('http', 'ws')}/api/v1/ws`, token],
  )
  await context.close()
  return outcome
}

test('a page of the same origin is let in', async () => {
  assert.deepEqual(await connectFrom(server.origin), ['open', 'gochat.v1'])
})

test('a page of another origin is refused', async () => {
  assert.deepEqual(await connectFrom(`http://127.0.0.1:${foreign.address().port}`), ['closed', 1006])
})
