// What goes on around a reader does not disturb them: the connection comes and goes.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { api, launchBrowser, newPerson, startProxy, startServer } from './stage.mjs'
import { away, banner, comeBack, log, logIn, members, message, settled, showMembers, wheel } from './screens.mjs'

describe('a reader', { concurrency: 1 }, () => {
  let server, proxy, browser, ann

  before(async () => {
    server = await startServer({ GOCHAT_SEND_RATE: '0' })
    proxy = await startProxy(server)
    const rest = api(server.origin)
    const token = (await rest.register('ann', 'Ann')).access_token
    const room = await rest.call('POST', '/rooms', { token, body: { name: 'Long', topic: 'Numbers', visibility: 'public' } })
    for (let at = 1; at <= 80; at++) {
      await rest.call('POST', `/rooms/${room.id}/messages`, { token, body: { client_id: crypto.randomUUID(), body: `number ${at}.` } })
    }
    browser = await launchBrowser()
    ann = await newPerson(browser)
    await ann.page.goto(`${proxy.origin}/rooms/${room.id}`)
    await logIn(ann.page, 'ann')
    await message(ann.page, 'number 80.').waitFor()
    await settled(ann.page)
  })

  after(async () => {
    await browser?.close()
    await proxy?.stop()
    await server?.stop()
  })

  test('keeps the place when the banner comes and goes; and no dot is green meanwhile', async () => {
    const { page } = ann
    await showMembers(page)
    await wheel(page, -500)
    const row = await log(page).evaluate((element) => {
      const middle = element.getBoundingClientRect().top + element.clientHeight / 2
      return [...element.querySelectorAll('[data-seq]')].find((each) => each.getBoundingClientRect().top > middle).dataset.seq
    })
    const top = () => log(page).evaluate((element, seq) => Math.round(element.querySelector(`[data-seq="${seq}"]`).getBoundingClientRect().top), row)
    const colour = () => members(page).getByRole('img', { name: 'online' }).evaluate((dot) => getComputedStyle(dot).backgroundColor)
    const [before, green] = [await top(), await colour()]
    proxy.refuseSockets()
    await away(page).waitFor()
    await settled(page)
    assert.equal(await top(), before)
    await page.waitForFunction(
      (was) => getComputedStyle(document.querySelector('aside [role="img"][aria-label="online"]')).backgroundColor !== was,
      green,
    )
    proxy.restore()
    await comeBack(page)
    await banner(page).getByText('Back online').waitFor({ state: 'detached' })
    await settled(page)
    assert.equal(await top(), before)
  })

  test('keeps the place that a link led to when the banner comes and goes', async () => {
    const { page } = ann
    await page.goto(`${page.url()}?at=40`)
    await message(page, 'number 39.').waitFor()
    await page.waitForFunction(() => !location.search.includes('at='))
    await settled(page)
    const top = async () => Math.round((await message(page, 'number 39.').boundingBox()).y)
    const before = await top()
    proxy.refuseSockets()
    await away(page).waitFor()
    await settled(page)
    assert.equal(await top(), before)
    proxy.restore()
    await banner(page).getByText('Back online').waitFor({ timeout: 45_000 })
    await banner(page).getByText('Back online').waitFor({ state: 'detached' })
    await settled(page)
    assert.equal(await top(), before)
  })

  test('is told how many are there; when somebody comes, nothing moves', async () => {
    const { page } = ann
    const rest = api(server.origin)
    const token = (await rest.register('bob', 'Bob')).access_token
    const header = page.locator('main header')
    await header.getByText('Numbers').waitFor()
    await header.getByText('1 member · 1 online').waitFor()
    const place = async () => (await header.getByText('Numbers').boundingBox()).x
    const before = await place()
    await rest.call('POST', `/rooms/${new URL(page.url()).pathname.split('/').at(-1)}/join`, { token })
    const bob = await newPerson(browser)
    await bob.page.goto(server.origin)
    await logIn(bob.page, 'bob')
    await header.getByText('2 members · 2 online').waitFor()
    assert.equal(await place(), before)
    await bob.context.close()
    await header.getByText('2 members · 1 online').waitFor()
    assert.equal(await place(), before)
  })
})
