// On a desktop: what is told outside of the page, when it is, and when it is taken back.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { api, launchBrowser, newPerson, startServer } from './stage.mjs'
import { composer, logIn, message, roomLink } from './screens.mjs'

const HOUR_MS = 3_600_000

describe('notices on a desktop', { concurrency: 1 }, () => {
  let server, browser, ann, rest, annToken, bobToken
  const rooms = {}

  before(async () => {
    server = await startServer({ GOCHAT_SEND_RATE: '0' })
    rest = api(server.origin)
    annToken = (await rest.register('ann', 'Ann')).access_token
    bobToken = (await rest.register('bob', 'Bob')).access_token
    for (const name of ['Garden', 'Kitchen']) {
      rooms[name] = await rest.call('POST', '/rooms', { token: annToken, body: { name, visibility: 'public' } })
      await rest.call('POST', `/rooms/${rooms[name].id}/join`, { token: bobToken })
    }
    browser = await launchBrowser()
    ann = await comeIn()
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  beforeEach(async () => {
    for (const page of ann.context.pages()) await page.evaluate(() => ([window.notices.length, window.looking] = [0, false]))
  })

  /** Somebody who has asked for notices, and whose browser notes them instead of showing them. */
  async function comeIn(aheadMs = 0) {
    const person = await newPerson(browser)
    await person.context.addInitScript((ahead) => {
      if (location.protocol === 'about:') return
      localStorage.setItem('gochat-notifications', localStorage.getItem('gochat-notifications') ?? JSON.stringify({ on: true, muted: [] }))
      window.notices = []
      window.Notification = class {
        static permission = 'granted'
        constructor(title, { body, tag }) {
          window.notices.push(Object.assign(this, { title, body, tag, open: true }))
        }

        close() {
          this.open = false
        }
      }
      window.looking = false
      document.hasFocus = () => window.looking
      const RealDate = Date
      if (ahead !== 0) {
        window.Date = class extends RealDate {
          constructor(...given) {
            super(...(given.length === 0 ? [RealDate.now() + ahead] : given))
          }

          static now = () => RealDate.now() + ahead
        }
      }
    }, aheadMs)
    await person.page.goto(`${server.origin}/rooms/${rooms.Kitchen.id}`)
    await logIn(person.page, 'ann')
    await composer(person.page).waitFor()
    return person
  }

  const post = (body, room = 'Garden') =>
    rest.call('POST', `/rooms/${rooms[room].id}/messages`, { token: bobToken, body: { client_id: crypto.randomUUID(), body } })
  const told = (page) => page.evaluate(() => window.notices.map(({ title, body, tag }) => ({ title, body, tag })))
  const untilTold = (page, count = 1) => page.waitForFunction((wanted) => window.notices.length === wanted, count)
  const untilTakenBack = (page) => page.waitForFunction(() => window.notices.length > 0 && window.notices.every(({ open }) => !open))

  test('one says who, where and what, under the room’s own mark; a click leads to the room', async () => {
    const { page } = ann
    await post('**are** you there?')
    await untilTold(page)
    assert.deepEqual(await told(page), [{ title: 'Bob, in Garden', body: '**are** you there?', tag: rooms.Garden.id }])
    await page.evaluate(() => window.notices[0].onclick())
    await message(page, 'you there?').waitFor()
    assert.equal(new URL(page.url()).pathname, `/rooms/${rooms.Garden.id}`)
    await untilTakenBack(page)
    await roomLink(page, 'Kitchen').click()
  })

  test('what was read elsewhere is taken back', async () => {
    const { page } = ann
    const { seq } = await post('on the phone too')
    await untilTold(page)
    await rest.call('POST', `/rooms/${rooms.Garden.id}/read`, { token: annToken, body: { seq } })
    await untilTakenBack(page)
  })

  test('whoever looks again needs none', async () => {
    const { page } = ann
    await post('one more')
    await untilTold(page)
    await page.evaluate(() => dispatchEvent(new Event('focus')))
    await untilTakenBack(page)
  })

  test('none comes while another tab is looked at', async () => {
    const { page, context } = ann
    const tab = await context.newPage()
    await tab.goto(`${server.origin}/rooms/${rooms.Garden.id}`)
    await composer(tab).waitFor()
    await tab.evaluate(() => {
      window.looking = true
      dispatchEvent(new Event('focus'))
    })
    await post('seen in the other tab')
    await message(tab, 'seen in the other tab').waitFor()
    await roomLink(page, 'Garden').getByText('Bob: seen in the other tab').waitFor()
    await tab.close()
    await post('seen in none', 'Kitchen')
    await untilTold(page)
    assert.deepEqual((await told(page)).map(({ body }) => body), ['seen in none'])
  })

  test('what is muted in one tab is muted in all', async () => {
    const { page, context } = ann
    const tab = await context.newPage()
    await tab.goto(`${server.origin}/rooms/${rooms.Garden.id}`)
    await tab.getByRole('button', { name: 'Mute this room' }).click()
    await tab.getByRole('button', { name: 'Mute this room', pressed: true }).waitFor()
    await tab.close()
    await post('of a muted room')
    await post('of another one', 'Kitchen')
    await untilTold(page)
    assert.deepEqual((await told(page)).map(({ body }) => body), ['of another one'])
  })

  for (const hours of [-5, 5]) {
    test(`a clock that is ${hours} hours ahead keeps none back`, async () => {
      const late = await comeIn(hours * HOUR_MS)
      await post(`by another clock ${hours}`, 'Garden')
      await untilTold(late.page)
      await late.context.close()
    })
  }
})
