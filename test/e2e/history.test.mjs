// A long room: few rows in the page, history that comes from above without moving what one reads, links to the end.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { PASSWORD, api, launchBrowser, newPerson, shoot, shootAll, startServer } from './stage.mjs'
import { accessible } from './axe.mjs'
import { composer, drawn, log, message, roomLink, say, settled, untilFocused, wheel } from './screens.mjs'

const MESSAGES = 400
const UNREAD = 30
const WHEEL_PX = 300
const LONG = 'A longer one that takes several lines, so that no two pages of history are of the same height. '

describe('a long room', { concurrency: 1 }, () => {
  let server, browser, ann, rest, bobToken, room

  before(async () => {
    server = await startServer({ GOCHAT_SEND_RATE: '0' })
    rest = api(server.origin)
    await rest.register('ann', 'Ann')
    const { access_token: token } = await rest.register('bob', 'Bob')
    bobToken = token
    room = await rest.call('POST', '/rooms', { token, body: { name: 'Long', visibility: 'public' } })
    const fill = async (from, to) => {
      for (let at = from; at <= to; at++) {
        const body = at % 7 === 0 ? `${at} ${LONG.repeat((at % 5) + 1)}` : `${at} short`
        await rest.call('POST', `/rooms/${room.id}/messages`, { token, body: { client_id: crypto.randomUUID(), body } })
      }
    }
    await fill(1, MESSAGES - UNREAD)
    await rest.call('POST', `/rooms/${room.id}/join`, { token: await rest.logIn('ann') })
    await fill(MESSAGES - UNREAD + 1, MESSAGES)
    browser = await launchBrowser()
    ann = await newPerson(browser)
    await ann.page.goto(`${server.origin}/rooms/${room.id}`)
    await ann.page.getByLabel('Username').fill('ann')
    await ann.page.getByLabel('Password').fill(PASSWORD)
    await ann.page.locator('form').getByRole('button', { name: 'Log in' }).click()
    await ann.page.getByRole('heading', { level: 1, name: 'Long' }).waitFor()
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  const numbered = (page, seq) => log(page).locator(`article[data-seq="${seq}"]`)

  test('logging in ends where one wanted to go, at the first unread message', async () => {
    await log(ann.page).getByText('New', { exact: true }).waitFor()
    await message(ann.page, `${MESSAGES - UNREAD + 1} `).first().waitFor()
    await shoot(ann.page, 'history-unread')
    await ann.page.getByRole('button', { name: `${UNREAD} new` }).click()
    await message(ann.page, `${MESSAGES} short`).waitFor()
  })

  test('history comes from above and nothing moves', async () => {
    const { page } = ann
    await log(page).hover()
    let [loads, height] = [0, 0]
    for (let turn = 0; turn < 400; turn++) {
      const { seq, moved, wanted, atStart, height: now } = await wheelAndFollow(page)
      if (height > 0 && now > height + 400) loads++
      height = now
      if (atStart) break
      assert.ok(Math.abs(moved - wanted) <= 2, `message ${seq} moved by ${moved} px on turn ${turn}, not by ${wanted}`)
    }
    assert.ok(loads >= 5, `history was loaded ${loads} times`)
    await log(page).getByText('Bob made this room').waitFor()
    assert.ok((await page.locator('[role="log"] article').count()) <= 60)
    await shoot(page, 'history-start')
  })

  test('a message with the focus keeps it, however far one scrolls', async () => {
    const { page } = ann
    const row = numbered(page, 20)
    await row.focus()
    for (let turn = 0; turn < 10; turn++) await wheel(page, 1_000)
    await untilFocused(page, row)
    await page.keyboard.press('ArrowUp')
    await page.waitForFunction(() => {
      const [row, log] = [document.activeElement, document.querySelector('[role="log"]')].map((each) => each.getBoundingClientRect())
      return document.activeElement.dataset.seq > 20 && row.top < log.bottom && row.bottom > log.top
    })
    for (let turn = 0; turn < 20; turn++) await wheel(page, -1_000)
  })

  test('a message that comes while one reads above moves nothing, and is told', async () => {
    const { page } = ann
    const top = () => log(page).evaluate((element) => element.scrollTop)
    const before = await top()
    await rest.call('POST', `/rooms/${room.id}/messages`, {
      token: bobToken,
      body: { client_id: crypto.randomUUID(), body: 'the newest' },
    })
    await page.getByRole('button', { name: '1 new' }).waitFor()
    assert.equal(await top(), before)
    await page.getByRole('button', { name: '1 new' }).click()
    await message(page, 'the newest').waitFor()
    await page.getByRole('button', { name: '1 new' }).waitFor({ state: 'hidden' })
  })

  test('what one sends is shown, and stays in view while the composer grows', async () => {
    const { page } = ann
    await say(page, 'my own')
    await message(page, 'my own').waitFor()
    await composer(page).fill('one\ntwo\nthree\nfour\nfive\nsix')
    await drawn(page)
    const hidden = await message(page, 'my own').evaluate((row) => {
      const log = row.closest('[role="log"]').getBoundingClientRect()
      return row.getBoundingClientRect().bottom - log.bottom
    })
    assert.ok(hidden <= 0, `the newest message is ${hidden} px below the edge`)
  })

  /** It is in the middle of the timeline, once the rows around it have been measured. */
  async function arrived(page, seq) {
    await page.waitForFunction(() => !location.search.includes('at='))
    await page.waitForFunction((wanted) => {
      const row = document.querySelector(`[role="log"] article[data-seq="${wanted}"]`)
      const middle = (element) => {
        const { top, bottom } = element.getBoundingClientRect()
        return (top + bottom) / 2
      }
      return row !== null && Math.abs(middle(row) - middle(row.closest('[role="log"]'))) < 80
    }, seq)
  }

  test('a link to a message is copied, and leads to it from anywhere', async () => {
    const { context, page } = ann
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    const place = `${server.origin}/rooms/${room.id}?at=345`
    await page.goto(place)
    const row = numbered(page, 345)
    await arrived(page, 345)
    await row.hover()
    await row.getByRole('button', { name: 'Copy link to this message' }).click()
    await row.getByRole('button', { name: 'Link copied' }).waitFor()
    const link = await page.evaluate(() => navigator.clipboard.readText())
    assert.equal(link, place)
    await accessible(page, 'a message by link')
    await shootAll(page, 'linked')
  })

  test('a link far back, in a message, leads there without a reload, and one gets back to the end', async () => {
    const { page } = ann
    const far = `${server.origin}/rooms/${room.id}?at=60`
    await say(page, `see ${far} for that`)
    await page.evaluate(() => (window.same = true))
    await log(page).getByRole('link', { name: far }).click()
    await arrived(page, 60)
    for (let turn = 0; turn < 3; turn++) { // at once, before the address has lost the number
      await page.getByRole('button', { name: 'To the latest' }).click()
      await message(page, 'for that').waitFor()
      await log(page).getByRole('link', { name: far }).click()
      await arrived(page, 60)
    }
    assert.equal(await page.evaluate(() => window.same), true)
  })

  test('a number that nobody has written yet leads to the end, and that is said until one has read it', async () => {
    const { page } = ann
    const note = page.getByRole('status', { name: 'Link' })
    await page.goto(`${server.origin}/rooms/${room.id}?at=999999`)
    await note.getByText('This link leads to a message that is not there.').waitFor()
    await message(page, 'for that').waitFor()
    await page.waitForFunction(() => !location.search.includes('at='))
    await accessible(page, 'a link to nowhere')
    await shootAll(page, 'link-nowhere')
    await settled(page)
    const place = await message(page, 'for that').boundingBox()
    await note.getByRole('button', { name: 'Dismiss' }).click()
    await note.getByText('This link').waitFor({ state: 'detached' })
    await untilFocused(page, log(page))
    assert.deepEqual(await message(page, 'for that').boundingBox(), place)
  })

  test('a message that is nearly in the last screenful is held where it is, whatever comes below it', async () => {
    const { page } = ann
    const post = (body) => rest.call('POST', `/rooms/${room.id}/messages`, { token: bobToken, body: { client_id: crypto.randomUUID(), body } })
    for (let at = 1; at <= 40; at++) await post(`last ${at}.`)
    await message(page, 'last 40.').waitFor()
    await settled(page)
    // The one that leaves some pixels of the end out of view when it is in the middle.
    const seq = await log(page).evaluate((element) => {
      const middle = (box) => (box.top + box.bottom) / 2
      const wanted = middle(element.getBoundingClientRect())
      const rows = [...element.querySelectorAll('article[data-seq]')]
      return rows.find((row) => wanted - middle(row.getBoundingClientRect()) < 34).dataset.seq
    })
    await page.goto(`${server.origin}/rooms/${room.id}?at=${seq}`)
    await arrived(page, seq)
    await page.getByRole('button', { name: 'To the latest' }).waitFor({ state: 'hidden' })
    await settled(page)
    const below = await log(page).evaluate((element) => element.scrollHeight - element.clientHeight - element.scrollTop)
    assert.ok(below > 2 && below < 40, `${below} px below`)
    const top = () => numbered(page, seq).evaluate((row) => Math.round(row.getBoundingClientRect().top))
    const before = await top()
    await post('while she looks at it')
    await page.getByRole('button', { name: '1 new' }).waitFor()
    await settled(page)
    assert.equal(await top(), before)
    await page.getByRole('button', { name: '1 new' }).click()
    await message(page, 'while she looks at it').waitFor()
  })

  test('what a link passes by is not read', async () => {
    const { page } = ann
    const home = `${server.origin}/`
    await page.goto(home)
    await page.getByRole('heading', { name: 'Pick a room' }).waitFor()
    await rest.call('POST', `/rooms/${room.id}/messages`, { token: bobToken, body: { client_id: crypto.randomUUID(), body: 'unseen' } })
    await roomLink(page, 'Long, 1 unread').waitFor()
    await page.goto(`${home}rooms/${room.id}?at=60`)
    await arrived(page, 60)
    await page.getByRole('button', { name: '1 new' }).click()
    await message(page, 'unseen').waitFor()
    await page.getByRole('button', { name: '1 new' }).waitFor({ state: 'hidden' })
  })

  /** Scrolls up a little with the wheel, and tells how far one message went: just as far, whatever was loaded meanwhile. */
  async function wheelAndFollow(page) {
    const seq = await log(page).evaluate((element) => {
      const { top } = element.getBoundingClientRect()
      return [...element.querySelectorAll('article[data-seq]')].find((one) => one.getBoundingClientRect().top > top).dataset.seq
    })
    const { moved, wanted } = await wheel(page, -WHEEL_PX, seq)
    const { atStart, height } = await log(page).evaluate((element) => ({ atStart: element.scrollTop <= 0, height: element.scrollHeight }))
    return { seq, moved, wanted, atStart, height }
  }
})
