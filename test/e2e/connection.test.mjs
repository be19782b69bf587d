// The banner says what is the matter with the connection, and nothing else than what is the matter.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessible } from './axe.mjs'
import { api, launchBrowser, newPerson, shoot, startProxy, startServer } from './stage.mjs'
import { away, banner, comeBack, composer, createRoom, logIn, message, register, say } from './screens.mjs'

const BACK_MS = 45_000

describe('the banner', { concurrency: 1 }, () => {
  let server, proxy, browser, ann

  before(async () => {
    server = await startServer()
    proxy = await startProxy(server)
    browser = await launchBrowser()
    ann = await newPerson(browser)
    await ann.page.goto(proxy.origin)
    await register(ann.page, 'ann', 'Ann')
    await createRoom(ann.page, 'Garden')
  })

  after(async () => {
    await browser?.close()
    await proxy?.stop()
    await server?.stop()
  })

  const back = async (page) => {
    await banner(page).getByText('Back online').waitFor({ timeout: BACK_MS })
    await calm(page)
  }
  const calm = async (page) => {
    await banner(page).getByText('Back online').waitFor({ state: 'detached' })
    assert.equal(await banner(page).textContent(), '')
  }

  test('counts down to the next try after a cut, and one may not want to wait', async () => {
    const { page } = ann
    proxy.cut()
    const matter = banner(page).getByText('The connection was lost. What you write is kept and sent later.')
    await matter.waitFor()
    const wide = page.viewportSize()
    await page.setViewportSize({ width: 390, height: 844 })
    assert.equal(await matter.evaluate((words) => words.scrollWidth <= words.clientWidth), true, 'nothing is cut off on a phone')
    await shoot(page, 'banner-390')
    await page.setViewportSize(wide)
    await banner(page).getByText(/^Trying again in \d+ s$/).waitFor({ timeout: BACK_MS })
    await accessible(page, 'the countdown')
    await shoot(page, 'banner-countdown')
    proxy.restore()
    await banner(page).getByRole('button', { name: 'Try now' }).click()
    await back(page)
  })

  test('says offline where the browser knows it, and asks at once when it is over', async () => {
    const { page, context } = ann
    proxy.freeze()
    await context.setOffline(true)
    await banner(page).getByText('You are offline. What you write is kept and sent later.').waitFor({ timeout: BACK_MS })
    await say(page, 'in the tunnel')
    await message(page, 'in the tunnel').getByRole('img', { name: 'Sending' }).waitFor()
    proxy.restore()
    await context.setOffline(false)
    await back(page)
    await message(page, 'in the tunnel').getByRole('img', { name: 'Sent' }).waitFor()
  })

  test('a page that is looked at again trusts nothing: a dead network is noticed at once', async () => {
    const { page } = ann
    proxy.freeze()
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
    await away(page).waitFor({ timeout: 15_000 }) // by itself it would take 50 s
    proxy.restore()
    await comeBack(page)
    await calm(page)
  })

  test('without a network what one asks for is refused in words, and does not wait without one', async () => {
    const { page, context } = ann
    proxy.freeze()
    await context.setOffline(true)
    await away(page).waitFor({ timeout: BACK_MS })
    await page.getByRole('button', { name: 'New room' }).click()
    const dialog = page.getByRole('dialog', { name: 'New room' })
    await dialog.getByLabel('Name').fill('Cellar')
    await dialog.getByRole('button', { name: 'Create room' }).click()
    await dialog.getByRole('alert').getByText('The server does not answer. Check your connection and try again.').waitFor()
    proxy.restore()
    await context.setOffline(false)
    await dialog.getByRole('button', { name: 'Create room' }).click()
    await page.getByRole('heading', { level: 1, name: 'Cellar' }).waitFor()
    await back(page)
  })
})

describe('what the server says by closing', { concurrency: 1 }, () => {
  let server, browser, ann
  let code

  before(async () => {
    server = await startServer()
    browser = await launchBrowser()
    ann = await newPerson(browser)
    await ann.page.goto(server.origin)
    await register(ann.page, 'ann', 'Ann')
    await createRoom(ann.page, 'Garden')
    // Between the page and the server: it lets everything through, and closes when it is told to.
    await ann.page.routeWebSocket(/\/api\/v1\/ws/, (socket) => {
      const upstream = socket.connectToServer()
      upstream.onMessage((data) => {
        socket.send(data)
        if (code !== undefined && String(data).includes('"welcome"')) socket.close({ code })
      })
    })
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  const cases = [
    [1001, 'The server is restarting.'],
    [1011, 'The server has trouble right now.'],
    [1012, 'The server is restarting.'],
    [1013, 'The server has trouble right now.'],
    [4008, 'The connection was lost.'],
    [4009, 'Your connection is too slow for all that comes.'],
    [4029, 'Too much was sent from here at once.'],
  ]
  for (const [each, words] of cases) {
    test(`${each}: ${words}`, async () => {
      const { page } = ann
      code = each
      await page.reload()
      await banner(page).getByText(`${words} What you write is kept`).waitFor({ timeout: BACK_MS })
      code = undefined
      await banner(page).getByText('Back online').waitFor({ timeout: BACK_MS })
    })
  }

  const ends = [
    [1009, 'The server and this page did not understand each other. Reload to try again. What you wrote is kept.'],
    [4110, 'The server and this page did not understand each other. Reload to try again. What you wrote is kept.'],
    [4120, 'This page is older than the server. Reload to get the new one. What you wrote is kept.'],
  ]
  for (const [each, words] of ends) {
    test(`${each}: ${words}`, async () => {
      const { page } = ann
      code = each
      await page.reload()
      await banner(page).getByText(words).waitFor()
      await composer(page).fill(`after ${each}`)
      await composer(page).press('Enter')
      await message(page, `after ${each}`).getByRole('img', { name: 'Sending' }).waitFor()
      if (each === 4120) await accessible(page, 'an old page')
      code = undefined
      await banner(page).getByRole('button', { name: 'Reload' }).click()
      await message(page, `after ${each}`).getByRole('img', { name: 'Sent' }).waitFor({ timeout: BACK_MS })
      assert.equal(await banner(page).textContent(), '')
    })
  }
})

describe('who may stay', { concurrency: 1 }, () => {
  let server, browser, ann, bob

  before(async () => {
    server = await startServer({ GOCHAT_MAX_CONNECTIONS: '1' })
    browser = await launchBrowser()
    ann = await newPerson(browser)
    bob = await newPerson(browser)
    await ann.page.goto(server.origin)
    await register(ann.page, 'ann', 'Ann')
    await createRoom(ann.page, 'Garden')
    await say(ann.page, 'hello')
    await message(ann.page, 'hello').getByRole('img', { name: 'Sent' }).waitFor()
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  test('a restart is said, and nothing is lost by it', async () => {
    const { page } = ann
    const start = await server.leave()
    // What it said last may be lost with the connection.
    await banner(page).getByText(/^(The server is restarting|The connection was lost)\. What you write is kept/).waitFor()
    await say(page, 'while it restarts')
    await start()
    await banner(page).getByText('Back online').waitFor({ timeout: BACK_MS })
    await message(page, 'while it restarts').getByRole('img', { name: 'Sent' }).waitFor()
  })

  test('a full server says so to whoever comes too much, and lets them in when there is room', async () => {
    const { page } = bob
    await page.goto(server.origin)
    await register(page, 'bob', 'Bob')
    await banner(page).getByText('The server is there, but takes no connection: it may have too many.').waitFor()
    await shoot(page, 'banner-full')
    await ann.page.goto('about:blank')
    await banner(page).getByText('Back online').waitFor({ timeout: BACK_MS })
    await bob.context.close()
  })

  test('whoever is logged out from elsewhere is told so, and finds again what was not sent', async () => {
    const { page } = ann
    await page.goto(server.origin)
    await page.getByRole('link', { name: 'Garden' }).click()
    await composer(page).fill('half a thought')
    const rest = api(server.origin)
    const token = await rest.logIn('ann')
    const { items } = await rest.call('GET', '/auth/sessions', { token })
    for (const { id, current } of items) if (!current) await rest.call('DELETE', `/auth/sessions/${id}`, { token })
    await page.getByRole('status').getByText('You were logged out here: the session was ended from elsewhere').waitFor()
    await accessible(page, 'logged out from elsewhere')
    await shoot(page, 'logged-out')
    await page.reload() // it is said once: the cookie is gone
    await logIn(page, 'ann')
    await composer(page).waitFor()
    assert.equal(await composer(page).inputValue(), 'half a thought')
  })

  test('whoever logs out is not told that they were logged out', async () => {
    const { page } = ann
    await page.getByRole('button', { name: 'You are Ann' }).click()
    await page.getByRole('menuitem', { name: 'Log out' }).click()
    await page.getByRole('dialog', { name: 'Log out?' }).getByRole('button', { name: 'Log out' }).click()
    await page.getByLabel('Username').waitFor()
    assert.equal(await page.getByText('You were logged out').count(), 0)
  })
})
