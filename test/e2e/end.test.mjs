// The end of a room: one is held there by what happens to rows, and let go by whatever scrolls up, with or without any input.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { api, launchBrowser, newPerson, startServer } from './stage.mjs'
import { composer, drawn, log, logIn, message, settled, wheel } from './screens.mjs'

const MESSAGES = 200
const LONG = 'A longer one that takes several lines, so that what is measured is never of the height it was taken for. '

describe('the end of a room', { concurrency: 1 }, () => {
  let server, browser, ann, rest, token, room, place

  before(async () => {
    server = await startServer({ GOCHAT_SEND_RATE: '0' })
    rest = api(server.origin)
    await rest.register('ann', 'Ann')
    token = (await rest.register('bob', 'Bob')).access_token
    room = await rest.call('POST', '/rooms', { token, body: { name: 'Long', visibility: 'public' } })
    place = `${server.origin}/rooms/${room.id}`
    for (let at = 1; at < MESSAGES; at++) await write(at % 7 === 0 ? `${at} ${LONG.repeat(3 * (at % 5) + 3)}` : `${at} short`)
    await write(`the last one, see ${place}?at=60`)
    await rest.call('POST', `/rooms/${room.id}/join`, { token: await rest.logIn('ann') })
    browser = await launchBrowser()
    ann = await newPerson(browser)
    await ann.page.goto(place)
    await logIn(ann.page, 'ann')
    await message(ann.page, 'the last one').waitFor()
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  beforeEach(async () => {
    await ann.page.goto(place)
    await message(ann.page, 'the last one').waitFor()
    await settled(ann.page)
  })

  const write = (body) => rest.call('POST', `/rooms/${room.id}/messages`, { token, body: { client_id: crypto.randomUUID(), body } })
  /** How far the end is below the edge. */
  const below = () => log(ann.page).evaluate((element) => Math.round(element.scrollHeight - element.clientHeight - element.scrollTop))
  const toLatest = () => ann.page.getByRole('button', { name: 'To the latest' })
  const isAtEnd = async () => {
    await settled(ann.page)
    assert.equal(await below(), 0)
    assert.equal(await toLatest().isVisible(), false)
  }

  test('a room that is opened by its address stands there', isAtEnd)

  for (const [from, seq] of [['far back', 60], ['a place in the same page of history', 170]]) {
    test(`the way there from ${from} ends there, even while rows are being measured`, async () => {
      const { page } = ann
      await page.goto(`${place}?at=${seq}`)
      // In the frame in which it can be pressed.
      await page.waitForFunction(() => {
        const button = [...document.querySelectorAll('button')].find(({ textContent }) => textContent === 'To the latest')
        button?.click()
        return button !== undefined && !location.search.includes('at=')
      })
      await message(page, 'the last one').waitFor()
      await isAtEnd()
    })
  }

  test('a press, a key and a window of another size change nothing about it', async () => {
    const { page } = ann
    const size = page.viewportSize()
    await message(page, 'the last one').click({ position: { x: 2, y: 2 } })
    await page.keyboard.press('Shift')
    await page.setViewportSize({ ...size, height: 400 })
    await isAtEnd()
    await composer(page).fill('one\ntwo\nthree\nfour')
    await isAtEnd()
    await page.setViewportSize(size)
    await composer(page).fill('')
    await isAtEnd()
  })

  test('the arrow keys lead away from it, from message to message', async () => {
    const { page } = ann
    const focused = () => page.evaluate(() => Number(document.activeElement.dataset.seq))
    await log(page).focus()
    await page.keyboard.press('ArrowUp')
    let seq = await focused()
    for (let turn = 0; turn < 40; turn++) {
      await page.keyboard.press('ArrowUp')
      await drawn(page)
      const next = await focused()
      assert.ok(next < seq, `from ${seq} to ${next}`)
      seq = next
    }
    await toLatest().waitFor()
  })

  test('a slow wheel is not held back', async () => {
    const { page } = ann
    await log(page).hover()
    for (let turn = 1; turn <= 15; turn++) {
      await wheel(page, -4)
      const far = await below()
      assert.ok(Math.abs(far - 4 * turn) <= 1, `${far} px from the end, not ${4 * turn}`) // rows end between pixels, heights are told in whole ones
    }
    await wheel(page, 4 * 15)
    await toLatest().waitFor({ state: 'hidden' })
  })

  test('what scrolls without any input is left where it went: a word that is found in the page, a screen reader', async () => {
    const { page } = ann
    await log(page).evaluate((element) => element.scrollBy({ top: -300, behavior: 'instant' }))
    await toLatest().waitFor()
    const top = () => log(page).evaluate((element) => element.scrollTop)
    const before = await top()
    await composer(page).fill('one\ntwo\nthree\nfour')
    await settled(page)
    assert.equal(await top(), before)
    await composer(page).fill('')
  })

  test('what is pressed while it scrolls is pressed', async () => {
    const { page } = ann
    const link = log(page).getByRole('link', { name: '?at=60' })
    await link.hover()
    await page.mouse.down()
    await log(page).evaluate((element) => element.scrollBy({ top: -2, behavior: 'instant' }))
    await drawn(page)
    await page.mouse.up()
    await log(page).locator('article[data-seq="60"]').waitFor()
  })
})
