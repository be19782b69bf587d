// What stands in a panel whose answer does not come: never nothing. It says why, and goes on by itself.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessible } from './axe.mjs'
import { launchBrowser, newPerson, shoot, startProxy, startServer } from './stage.mjs'
import { allSent, away, createRoom, log, logIn, members, register, say, showMembers } from './screens.mjs'

const LISTS = /\/api\/v1\/(rooms\/public|rooms\/[^/]+\/(members|invites)|auth\/sessions)/

/** In the page, until a message is in the copy on disk (what was read is written every two seconds). */
async function untilKept(text) {
  const answer = (request) => new Promise((done) => (request.onsuccess = () => done(request.result)))
  for (let kept = false; !kept; await new Promise(requestAnimationFrame)) {
    if (!(await indexedDB.databases()).some(({ name, version }) => name === 'gochat-kept' && version === 1)) continue
    const db = await answer(indexedDB.open('gochat-kept'))
    const rooms = await answer(db.transaction('rooms').objectStore('rooms').getAll())
    db.close()
    kept = rooms.some(({ entries }) => entries.some(({ body }) => body === text))
  }
}

describe('panels without an answer', { concurrency: 1 }, () => {
  let server, proxy, browser, page, wanted

  before(async () => {
    server = await startServer()
    proxy = await startProxy(server)
    browser = await launchBrowser()
    ;({ page, wanted } = await newPerson(browser))
    await page.goto(proxy.origin)
    await register(page, 'ann', 'Ann')
    await createRoom(page, 'Garden', 'Public')
    await say(page, 'hello')
    await allSent(page)
    await showMembers(page)
  })

  after(async () => {
    await browser?.close()
    await proxy?.stop()
    await server?.stop()
  })

  const dialog = (name) => page.getByRole('dialog', { name })
  const openSettings = async (of) => {
    await of.getByRole('button', { name: /^You are/ }).click()
    await of.getByRole('menuitem', { name: 'Settings' }).click()
  }
  const close = async () => {
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  }
  const problem = (status, code, more = {}) => (route) =>
    route.fulfill({ status, contentType: 'application/problem+json', body: JSON.stringify({ status, code, detail: 'for machines', ...more }) })

  test('the server is gone while one reloads: the members say so, and come by themselves', async () => {
    await page.evaluate(() => navigator.serviceWorker.ready)
    await page.evaluate(untilKept, 'hello')
    proxy.cut()
    await page.reload()
    await log(page).getByText('hello').waitFor()
    await members(page).getByRole('alert').getByText('The server does not answer.').waitFor()
    await members(page).getByText('It is tried again by itself.').waitFor()
    await members(page).getByText('1', { exact: true }).waitFor()
    await accessible(page, 'members without an answer')
    await shoot(page, 'members-unanswered')
    proxy.restore()
    await away(page).waitFor({ state: 'hidden', timeout: 45_000 })
    await members(page).getByText('@ann').waitFor({ timeout: 5_000 })
    await members(page).getByRole('alert').getByText('does not answer').waitFor({ state: 'detached' })
  })

  const panels = [
    ['sessions', async () => {
      await openSettings(page)
      await dialog('Settings').getByRole('button', { name: 'Sessions' }).click()
      return [dialog('Settings'), dialog('Settings').getByText('Here, now')]
    }],
    ['public rooms', async () => {
      await page.getByRole('button', { name: 'Discover rooms' }).click()
      return [dialog('Discover rooms'), dialog('Discover rooms').getByRole('button', { name: 'Open Garden' })]
    }],
  ]
  for (const [name, open] of panels) {
    test(`${name}: trouble of the server is said at once, and asking again helps once it is over`, async () => {
      wanted.push(/^HTTP 500: /)
      await page.route(LISTS, problem(500, 'internal'))
      const [panel, answer] = await open()
      await panel.getByRole('alert').getByText('The server has a problem.').waitFor()
      await panel.getByText('It is tried again by itself.').waitFor()
      await panel.locator('button[aria-disabled="false"]', { hasText: 'Try now' }).waitFor()
      await page.unroute(LISTS)
      wanted.length = 0
      await panel.getByRole('button', { name: 'Try now' }).click()
      await answer.waitFor()
      await panel.getByRole('button', { name: 'Try now' }).waitFor({ state: 'detached' })
      await close()
    })
  }

  test('links: too many tries are said with the time to wait, a refusal without a promise', async () => {
    const invites = dialog('Invite to Garden')
    const open = () => page.getByRole('main').getByRole('button', { name: 'Invite people' }).first().click()
    await page.route(LISTS, problem(429, 'rate_limited', { retry_after_ms: 20_000 }))
    await open()
    await invites.getByRole('alert').getByText(/^Too many tries\. Try again in \d+ seconds\./).waitFor()
    await invites.getByText('It is tried again by itself.').waitFor()
    await invites.locator('button[aria-disabled="true"][title^="Not yet: try again in"]', { hasText: 'Try now' }).waitFor()
    await close()
    await page.unroute(LISTS)
    await page.reload()
    await log(page).waitFor()
    await page.route(LISTS, problem(403, 'forbidden'))
    await open()
    await invites.getByRole('alert').getByText('Only owners and admins may invite').waitFor()
    assert.equal(await invites.getByText('It is tried again by itself.').count(), 0)
    await close()
    await page.unroute(LISTS)
  })

  test('no answer at all: it is waited for, and not for ever', async () => {
    await page.route(LISTS, () => undefined)
    await page.reload()
    await members(page).getByRole('status').getByText('Waiting for the members…').waitFor()
    await members(page).getByRole('alert').getByText('The server does not answer.').waitFor({ timeout: 20_000 })
    await page.unroute(LISTS)
    await members(page).getByText('@ann').waitFor({ timeout: 30_000 })
  })

  test('without any connection there are no rooms yet, and that is said', async () => {
    const other = await newPerson(browser, { viewport: { width: 390, height: 844 } })
    await other.page.goto(proxy.origin)
    proxy.refuseSockets()
    await logIn(other.page, 'ann')
    await other.page.getByRole('status').getByText('Waiting for your rooms…').waitFor()
    await accessible(other.page, 'no rooms yet')
    proxy.restore()
    await other.page.getByRole('link', { name: 'Garden' }).waitFor({ timeout: 45_000 })
  })

  test('without a service worker all is loaded while the server is there; a part that does not come breaks nothing, and comes later', async () => {
    const other = await newPerson(browser)
    await other.context.addInitScript(() => delete Navigator.prototype.serviceWorker)
    await other.page.route(/\/assets\/SettingsPanel-.*\.js/, (route) => route.abort())
    const settingsOfRoom = other.page.waitForResponse(/\/assets\/RoomSettings-.*\.js/)
    await other.page.goto(proxy.origin)
    await logIn(other.page, 'ann')
    await other.page.getByRole('link', { name: 'Garden' }).click()
    await log(other.page).getByText('hello').waitFor()
    await (await settingsOfRoom).finished()
    const missing = other.page.getByRole('alert').getByText('This part of the app did not come')
    await openSettings(other.page)
    await missing.waitFor()
    await accessible(other.page, 'a part that is missing')
    await shoot(other.page, 'part-missing')
    await other.page.getByRole('alert').getByRole('button', { name: 'Close' }).click()
    await missing.waitFor({ state: 'detached' })
    await say(other.page, 'the rest goes on')
    await log(other.page).getByText('the rest goes on').waitFor()
    proxy.cut()
    await other.page.getByRole('button', { name: 'Room settings' }).click()
    await other.page.getByRole('dialog', { name: 'Room settings' }).getByLabel('Topic').waitFor()
    await other.page.keyboard.press('Escape')
    proxy.restore()
    await other.page.unrouteAll()
    await openSettings(other.page)
    await other.page.getByRole('dialog', { name: 'Settings' }).getByLabel('Your name').waitFor()
  })
})
