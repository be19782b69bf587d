// The built files from another origin than the server: with the headers and the config.json that docs/operations/cdn.md gives.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { api, freePort, launchBrowser, newPerson, startServer } from './stage.mjs'
import { createInvite, createRoom, message, register, say } from './screens.mjs'

const DIST = fileURLToPath(new URL('../../web/dist/', import.meta.url))
const GUIDE = await readFile(new URL('../../docs/operations/cdn.md', import.meta.url), 'utf8')
const KINDS = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json' }

/** The headers that the guide gives, with the server's address in place of the example's. */
function headersFor(server) {
  const given = [...GUIDE.matchAll(/add_header (\S+) (?:"([^"]*)"|([^$\s]+)) always;/g)]
  const host = new URL(server).host
  const here = (value) => value.replaceAll('https://chat.example.com', server).replaceAll('wss://chat.example.com', `ws://${host}`)
  return Object.fromEntries(given.map(([, name, quoted, plain]) => [name, here(quoted ?? plain)]))
}

/** A plain server of files, as a CDN is one. */
async function startFiles(server) {
  const headers = headersFor(server)
  assert.match(headers['Content-Security-Policy'], /connect-src 'self' http/)
  const files = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://files')
    const answer = (status, kind, body) => response.writeHead(status, { ...headers, 'Content-Type': kind, 'Cache-Control': 'no-cache' }).end(body)
    if (pathname === '/config.json') return answer(200, KINDS['.json'], JSON.stringify({ server }))
    readFile(path.join(DIST, path.extname(pathname) === '' ? 'index.html' : pathname)).then(
      (body) => answer(200, KINDS[path.extname(pathname) || '.html'] ?? 'application/octet-stream', body),
      () => answer(404, 'text/plain', ''),
    )
  })
  return files
}

const cases = [
  // Two ports of one host are one site.
  { name: 'of the same site', host: '127.0.0.1', publicScheme: 'http' },
  // The page's site is not the server's. What the server takes for https it marks Secure, and browsers trust this machine as if it were.
  { name: 'of another site', host: 'localhost', publicScheme: 'https' },
]

for (const { name, host, publicScheme } of cases) {
  describe(`an app ${name}`, { concurrency: 1 }, () => {
    let server, files, browser, ann, origin

    before(async () => {
      const port = await freePort()
      origin = `http://${host}:${port}`
      server = await startServer({
        GOCHAT_WEB: 'none',
        GOCHAT_PUBLIC_URL: `${publicScheme}://${host}:${port}`,
        GOCHAT_ALLOWED_ORIGINS: origin,
      })
      files = await startFiles(server.origin)
      files.listen(port, '127.0.0.1')
      await once(files, 'listening')
      browser = await launchBrowser()
      ann = await newPerson(browser)
    })

    after(async () => {
      await browser?.close()
      files?.close()
      files?.closeAllConnections()
      await server?.stop()
    })

    test('the server serves no app', async () => {
      const answer = await fetch(server.origin)
      assert.equal(answer.status, 404)
      assert.match(await answer.text(), /not served here/)
    })

    test('one makes an account, a room, and talks', async () => {
      const { page } = ann
      await page.goto(origin)
      await register(page, 'ann', 'Ann')
      await createRoom(page, 'Garden')
      const link = await createInvite(page)
      assert.equal(new URL(link).host, new URL(origin).host)
      await say(page, 'hello from afar')
      await message(page, 'hello from afar').getByRole('img', { name: 'Sent' }).waitFor()
    })

    test('a reload leads back in by a cookie that scripts can not read', async () => {
      const { page, context } = ann
      await page.reload()
      await message(page, 'hello from afar').waitFor()
      const [cookie, ...others] = await context.cookies()
      assert.deepEqual(others, [])
      const { httpOnly, secure, sameSite } = cookie
      assert.deepEqual(
        { name: cookie.name, httpOnly, secure, sameSite },
        { name: 'gochat_refresh_foreign', httpOnly: true, ...(publicScheme === 'https' ? { secure: true, sameSite: 'None' } : { secure: false, sameSite: 'Lax' }) },
      )
      assert.equal(await page.evaluate(() => document.cookie), '')
    })

    test('after logging out it leads nowhere', async () => {
      const { page, context } = ann
      await page.getByRole('button', { name: 'You are Ann' }).click()
      await page.getByRole('menuitem', { name: 'Log out' }).click()
      await page.getByLabel('Username').waitFor()
      await page.reload()
      await page.getByLabel('Username').waitFor()
      assert.deepEqual(await context.cookies(), [])
      assert.deepEqual(ann.faults, [])
    })

    test('pages of other origins get nothing', async () => {
      const { access_token: token } = await api(server.origin).register('bob', 'Bob')
      const answer = await fetch(`${server.origin}/api/v1/users/me`, { headers: { Authorization: `Bearer ${token}`, Origin: 'http://elsewhere.example' } })
      assert.equal(answer.headers.get('Access-Control-Allow-Origin'), null)
    })
  })
}
