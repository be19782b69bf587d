// A reload over a slow network: what was kept is there at once, and nothing moves when the server answers.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessible } from './axe.mjs'
import { PASSWORD, api, launchBrowser, newPerson, shoot, startProxy, startServer } from './stage.mjs'
import { banner, composer, log, logIn, message, say, settled } from './screens.mjs'

const MESSAGES = 40
const BACK_MS = 45_000

describe('a reload over a slow network', { concurrency: 1 }, () => {
  let server, proxy, browser, ann, rest, bobToken, room

  before(async () => {
    server = await startServer({ GOCHAT_SEND_RATE: '0' })
    proxy = await startProxy(server)
    rest = api(server.origin)
    const { access_token: token } = await rest.register('ann', 'Ann')
    room = await rest.call('POST', '/rooms', { token, body: { name: 'Garden', visibility: 'public' } })
    bobToken = (await rest.register('bob', 'Bob')).access_token
    await rest.call('POST', `/rooms/${room.id}/join`, { token: bobToken })
    for (let at = 1; at <= MESSAGES; at++) await fromBob(`message ${at} of ${MESSAGES}`)
    browser = await launchBrowser()
    ann = await newPerson(browser)
    await ann.page.goto(`${proxy.origin}/rooms/${room.id}`)
    await logIn(ann.page, 'ann')
    await ann.page.getByRole('button', { name: /new$/ }).click()
    await message(ann.page, last).waitFor()
    await ann.page.evaluate(() => navigator.serviceWorker.ready)
  })

  after(async () => {
    await browser?.close()
    await proxy?.stop()
    await server?.stop()
  })

  const last = `message ${MESSAGES} of ${MESSAGES}`
  const fromBob = (body) =>
    rest.call('POST', `/rooms/${room.id}/messages`, { token: bobToken, body: { client_id: crypto.randomUUID(), body } })

  /** The texts in the copy on disk. */
  const kept = (page) =>
    page.evaluate(async () => {
      const result = (request) =>
        new Promise((resolve, reject) => {
          request.onsuccess = () => resolve(request.result)
          request.onerror = () => reject(request.error)
        })
      const db = await result(indexedDB.open('gochat-kept'))
      const rooms = await result(db.transaction('rooms').objectStore('rooms').getAll())
      db.close()
      return rooms.flatMap(({ entries }) => entries.map(({ body }) => body))
    })

  /** Reloads while nothing gets through. What was kept is there, and the server has not said a word. */
  async function reloadHeld(page, text, before = async () => undefined) {
    await page.waitForFunction(() => document.querySelector('[role="log"] [aria-label="Sending"]') === null)
    while (!(await kept(page)).includes(text)) await settled(page) // the keeper writes now and then
    await before()
    proxy.hold()
    await page.reload({ waitUntil: 'commit' })
    await message(page, text).waitFor()
  }

  /** From now on it is noted where each thing that is in view stands, frame by frame. */
  const watchPlaces = (page) =>
    page.evaluate(() => {
      const { top } = document.querySelector('[role="log"]').getBoundingClientRect()
      const rows = [...document.querySelectorAll('[role="log"] article')].filter((row) => row.getBoundingClientRect().top > top)
      const watched = [...rows, ...document.querySelectorAll('nav a, textarea')]
      const places = watched.map(() => new Set())
      window.places = { watched, places }
      const look = () => {
        for (const [at, element] of watched.entries()) {
          const { left, bottom } = element.getBoundingClientRect()
          places[at].add(element.isConnected ? `${Math.round(left)} ${Math.round(bottom)}` : 'gone')
        }
        requestAnimationFrame(() => setTimeout(look)) // after it is painted
      }
      look()
    })

  const moved = (page) =>
    page.evaluate(() => {
      const { watched, places } = window.places
      return watched.flatMap((element, at) => (places[at].size > 1 ? [`${element.textContent}: ${[...places[at]].join(', ')}`] : []))
    })

  test('the room is there at once and one can write; nothing moves when the server answers', async () => {
    const { page } = ann
    await reloadHeld(page, last)
    await say(page, 'written early')
    await message(page, 'written early').getByRole('img', { name: 'Sending' }).waitFor()
    await banner(page).getByText('Connecting…').waitFor()
    await accessible(page, 'before the server has answered')
    await shoot(page, 'reload-held')
    await settled(page)
    await watchPlaces(page)
    proxy.restore()
    await message(page, 'written early').getByRole('img', { name: 'Sent' }).waitFor({ timeout: BACK_MS })
    await banner(page).getByText('Back online').waitFor({ state: 'detached' })
    await settled(page)
    assert.deepEqual(await moved(page), [])
    await shoot(page, 'reload-answered')
  })

  test('a session that was ended meanwhile leads to the login page, and what was not sent is there again after it', async () => {
    const { page } = ann
    await reloadHeld(page, 'written early')
    await say(page, 'never got through')
    await message(page, 'never got through').getByRole('img', { name: 'Sending' }).waitFor()
    const token = await rest.logIn('ann')
    const { items } = await rest.call('GET', '/auth/sessions', { token })
    for (const { id, current } of items) if (!current) await rest.call('DELETE', `/auth/sessions/${id}`, { token })
    proxy.restore()
    await page.getByRole('status').getByText('You were logged out here: the session was ended from elsewhere').waitFor({ timeout: BACK_MS })
    assert.deepEqual(await kept(page), [])
    await page.reload()
    await page.getByLabel('Username').waitFor()
    await logIn(page, 'ann')
    await message(page, 'never got through').getByRole('img', { name: 'Sent' }).waitFor()
  })

  test('where somebody else has come in meanwhile it is theirs, and nothing is sent in their name', async () => {
    const { page, context } = ann
    const cookieOf = async (username) => {
      const answer = await context.request.post(`${server.origin}/api/v1/auth/login`, { data: { username, password: PASSWORD } })
      assert.equal(answer.status(), 200)
    }
    await reloadHeld(page, 'never got through', () => cookieOf('bob'))
    await say(page, 'from Ann alone')
    await message(page, 'from Ann alone').getByRole('img', { name: 'Sending' }).waitFor()
    proxy.restore()
    await page.getByRole('button', { name: 'You are Bob' }).waitFor({ timeout: BACK_MS })
    await message(page, 'never got through').waitFor()
    await fromBob('said by Bob himself')
    await message(page, 'said by Bob himself').waitFor()
    const bodies = (await rest.history(bobToken, room.id)).map(({ body }) => body)
    assert.equal(bodies.includes('from Ann alone'), false)
    await cookieOf('ann')
    await page.reload()
    await message(page, 'from Ann alone').getByRole('img', { name: 'Sent' }).waitFor()
  })

  test('where the server is need not be asked first; where it has moved, the page begins anew', async () => {
    // Requests of a page with a worker can't be held back one by one.
    const { page, context, wanted } = await newPerson(browser, { serviceWorkers: 'block' })
    wanted.push(/Service Worker registration blocked/, /reading 'waiting'/, /moved\.example/)
    await page.goto(`${server.origin}/rooms/${room.id}`)
    await logIn(page, 'bob')
    await message(page, 'said by Bob himself').waitFor()
    while (!(await kept(page)).includes('said by Bob himself')) await settled(page)
    let answer
    await page.route('**/config.json', async (route) => {
      const first = answer === undefined
      if (first) await new Promise((done) => (answer = done))
      await route.fulfill({ json: { server: 'https://moved.example' } })
    })
    await page.reload()
    await message(page, 'said by Bob himself').waitFor()
    answer()
    await page.waitForFunction(() => localStorage.getItem('gochat-server') === 'https://moved.example')
    await context.close()
  })

  test('whoever has logged out is not shown again, in no tab', async () => {
    const { page, context } = ann
    const tab = await context.newPage()
    await tab.goto(`${proxy.origin}/rooms/${room.id}`)
    await message(tab, 'from Ann alone').waitFor()
    await page.getByRole('button', { name: 'You are Ann' }).click()
    await page.getByRole('menuitem', { name: 'Log out' }).click()
    for (const each of [page, tab]) await each.getByLabel('Username').waitFor()
    proxy.hold()
    for (const each of [page, tab]) {
      await each.goto(`${proxy.origin}/rooms/${room.id}`, { waitUntil: 'commit' })
      await each.getByText('Opening GoChat').waitFor()
      assert.equal(await log(each).count(), 0)
    }
    proxy.restore()
    for (const each of [page, tab]) await each.getByLabel('Username').waitFor({ timeout: BACK_MS })
  })
})
