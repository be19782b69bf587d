// A room whose messages are not there yet looks like it: in the place that they will take, without a jump when they come.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessible } from './axe.mjs'
import { api, launchBrowser, newPerson, shootAll, startProxy, startServer } from './stage.mjs'
import { away, banner, log, logIn, message, roomLink, settled, wheel } from './screens.mjs'

const MESSAGES = 120
const BACK_MS = 45_000

describe('a room that is not loaded', { concurrency: 1 }, () => {
  let server, proxy, browser, ann, rest, token

  before(async () => {
    server = await startServer({ GOCHAT_SEND_RATE: '0' })
    proxy = await startProxy(server)
    rest = api(server.origin)
    token = (await rest.register('ann', 'Ann')).access_token
    const rooms = []
    for (const name of ['Attic', 'Barn', 'Cellar', 'Den']) {
      const room = await rest.call('POST', '/rooms', { token, body: { name, visibility: 'public' } })
      rooms.push(room)
      for (let at = 1; at <= MESSAGES; at++) {
        await rest.call('POST', `/rooms/${room.id}/messages`, { token, body: { client_id: crypto.randomUUID(), body: `${name} ${at}` } })
      }
    }
    browser = await launchBrowser()
    ann = await newPerson(browser)
    await ann.page.routeWebSocket(/\/api\/v1\/ws/, (socket) => {
      const upstream = socket.connectToServer()
      socket.onMessage((data) => {
        const { type, id } = JSON.parse(data)
        if (type === refused) socket.send(JSON.stringify({ type: 'error', id, error: { code: 'internal', message: 'no' } }))
        else upstream.send(data)
      })
    })
    await ann.page.goto(`${proxy.origin}/rooms/${rooms[0].id}`)
    await logIn(ann.page, 'ann')
    await message(ann.page, `Attic ${MESSAGES}`).waitFor()
    await ann.page.evaluate(() => navigator.serviceWorker.ready)
  })

  after(async () => {
    await browser?.close()
    await proxy?.stop()
    await server?.stop()
  })

  let refused
  const above = (page) => page.getByRole('status', { name: 'Earlier messages' })
  const skeleton = (page) => page.locator('main [aria-hidden]:has(> div > i)')
  const placeOf = (row) => row.evaluate((element) => Math.round(element.getBoundingClientRect().bottom))

  test('over a slow network: the shape of messages above the newest one, which stays where it is', async () => {
    const { page } = ann
    proxy.hold()
    await roomLink(page, 'Barn').click()
    const newest = message(page, `Barn ${MESSAGES}`)
    await skeleton(page).waitFor()
    assert.equal(await log(page).getByRole('article').count(), 1)
    assert.equal(await log(page).getAttribute('aria-busy'), 'true')
    await settled(page)
    const place = await placeOf(newest)
    await shootAll(page, 'loading-room')
    await settled(page)
    proxy.restore()
    await message(page, `Barn ${MESSAGES - 5}`).waitFor()
    await skeleton(page).waitFor({ state: 'detached' })
    assert.equal(await log(page).getAttribute('aria-busy'), 'false')
    assert.equal(await placeOf(newest), place)
  })

  test('what comes from above is said to be on its way, and moves nothing', async () => {
    const { page } = ann
    await banner(page).getByText('Back online').waitFor({ state: 'detached' })
    await log(page).hover()
    proxy.hold()
    for (let turn = 0; turn < 10; turn++) await wheel(page, -1_000)
    await page.getByText('Loading earlier messages…').waitFor()
    await shootAll(page, 'loading-history')
    await settled(page)
    const first = log(page).getByRole('article').first()
    const [seq, place] = [await first.getAttribute('data-seq'), await placeOf(first)]
    proxy.restore()
    await page.getByText('Loading earlier messages…').waitFor({ state: 'detached' })
    await settled(page)
    const moved = (await placeOf(log(page).locator(`[data-seq="${seq}"]`))) - place
    assert.ok(Math.abs(moved) <= 2, `message ${seq} moved by ${moved} px`)
  })

  test('without a connection it says when the rest is shown, and then shows it by itself', async () => {
    const { page } = ann
    proxy.cut()
    await away(page).waitFor()
    await roomLink(page, 'Cellar').click()
    const words = above(page).getByText('Earlier messages are shown when you are connected again.')
    await words.waitFor()
    assert.equal(await skeleton(page).count(), 0)
    await accessible(page, 'a room without a connection')
    await shootAll(page, 'room-away')
    proxy.restore()
    await message(page, `Cellar ${MESSAGES - 5}`).waitFor({ timeout: BACK_MS })
    await words.waitFor({ state: 'detached' })
    await banner(page).getByText('Back online').waitFor({ state: 'detached' })
    await log(page).hover()
    proxy.cut()
    await away(page).waitFor()
    for (let turn = 0; turn < 10; turn++) await wheel(page, -1_000)
    await words.waitFor()
    proxy.restore()
    await words.waitFor({ state: 'detached', timeout: BACK_MS })
    await log(page).getByRole('article').filter({ hasText: `Cellar ${MESSAGES - 55}` }).waitFor({ state: 'attached' })
  })

  test('what the server refuses is said, and asked for again by hand', async () => {
    const { page } = ann
    await banner(page).getByText('Back online').waitFor({ state: 'detached' })
    for (const each of ['join', 'history']) {
      refused = each
      if (each === 'join') await roomLink(page, 'Den').click()
      await log(page).hover()
      if (each === 'history') for (let turn = 0; turn < 10; turn++) await wheel(page, -1_000)
      await above(page).getByText('Earlier messages could not be loaded.').waitFor()
      await accessible(page, `a refused ${each}`)
      await shootAll(page, `refused-${each}`)
      refused = undefined
      await above(page).getByRole('button', { name: 'Try again' }).click()
      await above(page).getByText('Earlier messages could not be loaded.').waitFor({ state: 'detached' })
      if (each === 'join') await message(page, `Den ${MESSAGES - 5}`).waitFor()
    }
    await message(page, `Den ${MESSAGES - 55}`).waitFor({ state: 'attached' })
  })
})
