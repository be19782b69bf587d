// The built files from another origin than the server: with the headers and the config.json that docs/operations/cdn.md gives.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startFiles } from './files.mjs'
import { api, freePort, launchBrowser, newPerson, startServer } from './stage.mjs'
import { createInvite, createRoom, message, register, say } from './screens.mjs'

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
      files = await startFiles(server.origin, port)
      browser = await launchBrowser()
      ann = await newPerson(browser)
    })

    after(async () => {
      await browser?.close()
      files?.stop()
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
    })

    test('pages of other origins get nothing', async () => {
      const { access_token: token } = await api(server.origin).register('bob', 'Bob')
      const answer = await fetch(`${server.origin}/api/v1/users/me`, { headers: { Authorization: `Bearer ${token}`, Origin: 'http://elsewhere.example' } })
      assert.equal(answer.headers.get('Access-Control-Allow-Origin'), null)
    })
  })
}
