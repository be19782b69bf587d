// Somebody who was away for long: the room opens where they stopped reading, however far back that is.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { PASSWORD, api, launchBrowser, newPerson, shoot, startServer } from './stage.mjs'
import { drawn, log, message, roomLink, say, untilFocused, wheel } from './screens.mjs'

const READ = 80
const UNREAD = 220

describe('after a long absence', { concurrency: 1 }, () => {
  let server, browser, ann, rest, bobToken, room

  before(async () => {
    server = await startServer({ GOCHAT_SEND_RATE: '0' })
    rest = api(server.origin)
    await rest.register('ann', 'Ann')
    bobToken = (await rest.register('bob', 'Bob')).access_token
    const annToken = await rest.logIn('ann')
    room = await rest.call('POST', '/rooms', { token: bobToken, body: { name: 'Busy', visibility: 'public' } })
    await rest.call('POST', '/rooms', { token: annToken, body: { name: 'Elsewhere', visibility: 'private' } })
    await rest.call('POST', `/rooms/${room.id}/join`, { token: annToken })
    let seq
    for (let at = 1; at <= READ + UNREAD; at++) {
      if (at === READ + 1) await rest.call('POST', `/rooms/${room.id}/read`, { token: annToken, body: { seq } })
      const body = { client_id: crypto.randomUUID(), body: `number ${at} of many` }
      seq = (await rest.call('POST', `/rooms/${room.id}/messages`, { token: bobToken, body })).seq
    }
    browser = await launchBrowser()
    ann = await newPerson(browser)
    const { page } = ann
    await page.goto(server.origin)
    await page.getByLabel('Username').fill('ann')
    await page.getByLabel('Password').fill(PASSWORD)
    await page.locator('form').getByRole('button', { name: 'Log in' }).click()
    await roomLink(page, 'Busy, 99+ unread').waitFor()
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  /** Where a message stands below the upper edge of the timeline. */
  const below = (page, text) =>
    message(page, text).evaluate((row) => row.getBoundingClientRect().top - row.closest('[role="log"]').getBoundingClientRect().top)

  test('the room opens at the first unread message, with a line above it', async () => {
    const { page } = ann
    assert.match(await page.title(), /^\(99\+\) GoChat$/)
    await roomLink(page, 'Busy').click()
    await log(page).getByText('New', { exact: true }).waitFor()
    await page.waitForFunction(() => document.title === '(99+) Busy · GoChat')
    await message(page, `number ${READ + 1} of many`).waitFor()
    await drawn(page)
    const first = await below(page, `number ${READ + 1} of many`)
    assert.ok(first > 40 && first < 300, `the first unread message is ${first} px below the edge`)
    await message(page, `number ${READ} of many`).waitFor()
    await page.getByRole('button', { name: '99+ new' }).waitFor()
    await shoot(page, 'unread-far-back')
  })

  test('what comes meanwhile moves nothing', async () => {
    const { page } = ann
    const before = await below(page, `number ${READ + 1} of many`)
    const body = { client_id: crypto.randomUUID(), body: 'while she reads' }
    await rest.call('POST', `/rooms/${room.id}/messages`, { token: bobToken, body })
    await roomLink(page, 'Busy').getByText('Bob: while she reads').waitFor()
    assert.equal(await below(page, `number ${READ + 1} of many`), before)
    assert.equal(await message(page, 'while she reads').count(), 0)
  })

  test('it is read on to the end without a hole, and only there it is read', async () => {
    const { page } = ann
    const seen = new Set()
    await log(page).hover()
    for (let turn = 0; turn < 200; turn++) {
      for (const text of await log(page).getByRole('article').allTextContents()) {
        const found = /number (\d+) of many/.exec(text)
        if (found !== null) seen.add(Number(found[1]))
      }
      if (await message(page, 'while she reads').isVisible()) break
      await wheel(page, 500)
    }
    await message(page, 'while she reads').waitFor()
    await wheel(page, 5_000)
    const wanted = Array.from({ length: UNREAD }, (_, at) => READ + at + 1)
    assert.deepEqual(wanted.filter((at) => !seen.has(at)), [])
    await page.waitForFunction(() => document.title === 'Busy · GoChat')
  })

  test('a room that was open before opens at the first unread message too', async () => {
    const { page } = ann
    await roomLink(page, 'Elsewhere').click()
    for (let at = 1; at <= 40; at++) {
      const body = { client_id: crypto.randomUUID(), body: `then ${at}.` }
      await rest.call('POST', `/rooms/${room.id}/messages`, { token: bobToken, body })
    }
    await roomLink(page, 'Busy, 40 unread').click()
    await message(page, 'then 1.').waitFor()
    await page.getByRole('button', { name: '40 new' }).waitFor()
    await page.getByRole('button', { name: '40 new' }).click()
    await page.waitForFunction(() => document.title === 'Busy · GoChat')
  })

  test('one click leads from far back to the end, and what one writes is shown', async () => {
    const { page } = ann
    const annToken = await rest.logIn('ann')
    await roomLink(page, 'Elsewhere').click()
    for (let at = 1; at <= 70; at++) {
      const body = { client_id: crypto.randomUUID(), body: `more ${at}.` }
      await rest.call('POST', `/rooms/${room.id}/messages`, { token: bobToken, body })
    }
    const latest = (await rest.call('GET', `/rooms/${room.id}`, { token: annToken })).unread_count
    assert.equal(latest, 70)
    await page.reload()
    await roomLink(page, 'Busy, 70 unread').click()
    await message(page, 'more 1.').waitFor()
    await page.getByRole('button', { name: '70 new' }).click()
    await message(page, 'more 70.').waitFor()
    await untilFocused(page, log(page))
    await page.waitForFunction(() => document.title === 'Busy · GoChat')
    await log(page).hover()
    await wheel(page, -2_000)
    await page.getByRole('button', { name: 'To the latest' }).waitFor()
    await say(page, 'here I am')
    await message(page, 'here I am').getByRole('img', { name: 'Sent' }).waitFor()
  })
})
