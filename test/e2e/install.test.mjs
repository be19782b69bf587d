// Installed: the app opens without a network, and after an upgrade it is never the old one for long.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessible } from './axe.mjs'
import { startFiles } from './files.mjs'
import { freePort, launchBrowser, newPerson, shootAll, startProxy, startServer } from './stage.mjs'
import { away, banner, comeBack, composer, createRoom, message, register, say } from './screens.mjs'

describe('an app that is installed', { concurrency: 1 }, () => {
  let server, proxy, files, browser, ann, origin

  before(async () => {
    const port = await freePort()
    origin = `http://127.0.0.1:${port}`
    server = await startServer({ GOCHAT_ALLOWED_ORIGINS: origin })
    proxy = await startProxy(server)
    files = await startFiles(proxy.origin, port)
    browser = await launchBrowser()
    ann = await newPerson(browser)
  })

  after(async () => {
    await browser?.close()
    files?.stop()
    await proxy?.stop()
    await server?.stop()
  })

  const version = (page) => page.getByRole('status', { name: 'Version' })

  test('the browser has nothing against installing it', async () => {
    const { page, context } = ann
    await page.goto(origin)
    await register(page, 'ann', 'Ann')
    await createRoom(page, 'Garden')
    await say(page, 'before the upgrade')
    await message(page, 'before the upgrade').getByRole('img', { name: 'Sent' }).waitFor()
    await page.evaluate(() => navigator.serviceWorker.ready)
    const devtools = await context.newCDPSession(page)
    const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors')
    // The contexts of these tests are private windows, in which nothing is installed.
    assert.deepEqual(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito'), [])
    const { errors, url } = await devtools.send('Page.getAppManifest')
    assert.deepEqual([errors, url], [[], `${origin}/manifest.webmanifest`])
  })

  test('its icons are there in the sizes that home screens and launchers want', async () => {
    const { icons } = await (await fetch(`${origin}/manifest.webmanifest`)).json()
    const apple = await ann.page.evaluate(() => new URL(document.querySelector('link[rel="apple-touch-icon"]').href).pathname)
    const drawn = [...icons.filter(({ type }) => type === 'image/png'), { src: apple, sizes: '180x180', purpose: 'apple' }]
    const found = await ann.page.evaluate(
      (list) =>
        Promise.all(
          list.map(async ({ src, sizes, purpose }) => {
            const image = new Image()
            image.src = src
            await image.decode()
            return [purpose, sizes, `${image.naturalWidth}x${image.naturalHeight}`]
          }),
        ),
      drawn,
    )
    assert.deepEqual(
      found,
      [['any', '192x192'], ['any', '512x512'], ['maskable', '192x192'], ['maskable', '512x512'], ['apple', '180x180']].map(
        ([purpose, sizes]) => [purpose, sizes, sizes],
      ),
    )
  })

  test('a new version is told of, and one click leads to it; what is written stays', async () => {
    const { page } = ann
    const script = () => page.evaluate(() => new URL(document.querySelector('script[type="module"]').src).pathname)
    const old = await script()
    const next = '/assets/index-NEXT.js'
    const text = await (await fetch(`${origin}${old}`)).text()
    const renamed = (body) => body?.toString().replaceAll(old.split('/').at(-1), next.split('/').at(-1))
    files.change = (name, body) => {
      if (name === next) return renamed(text)
      if (name === old) return undefined
      return /\.(html|js)$/.test(name) ? renamed(body) : body
    }
    proxy.refuseSockets() // as an upgrade does
    await away(page).waitFor()
    proxy.restore()
    await comeBack(page)
    await version(page).getByText('A new version is ready.').waitFor()
    await banner(page).getByText('Back online').waitFor({ state: 'hidden' })
    await accessible(page, 'a new version')
    await shootAll(page, 'update')
    assert.equal(await script(), old)
    await composer(page).fill('half a thought')
    await version(page).getByRole('button', { name: 'Reload' }).click()
    await page.waitForFunction((wanted) => document.querySelector('script[type="module"]')?.src.endsWith(wanted), next)
    await message(page, 'before the upgrade').waitFor()
    assert.equal(await composer(page).inputValue(), 'half a thought')
    await page.evaluate(() => navigator.serviceWorker.ready)
    await page.reload()
    await message(page, 'before the upgrade').waitFor()
    assert.equal(await script(), next)
    assert.equal(await version(page).textContent(), '')
  })

  test('without a network it opens, shows what it had, and keeps what is written', async () => {
    const { page } = ann
    files.stop()
    proxy.cut()
    await page.reload()
    await message(page, 'before the upgrade').waitFor()
    await away(page).waitFor()
    await accessible(page, 'opened without a network')
    await shootAll(page, 'offline')
    await composer(page).fill('')
    await say(page, 'said without a network')
    await message(page, 'said without a network').getByRole('img', { name: 'Sending' }).waitFor()
    await page.reload()
    await message(page, 'said without a network').getByRole('img', { name: 'Sending' }).waitFor()
    proxy.restore()
    await message(page, 'said without a network').getByRole('img', { name: 'Sent' }).waitFor({ timeout: 45_000 })
  })

  test('whoever logs out leaves nothing to be read', async () => {
    const { page } = ann
    await page.getByRole('button', { name: 'You are Ann' }).click()
    await page.getByRole('menuitem', { name: 'Log out' }).click()
    await page.getByLabel('Username').waitFor()
    proxy.cut()
    await page.goto(origin)
    await page.getByText('The server does not answer.').waitFor()
    assert.equal(await page.getByText('before the upgrade').count(), 0)
  })
})
