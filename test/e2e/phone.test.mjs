// The keyboard of a phone: where one writes stays in view above it, and the messages do not jump.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { api, launchBrowser, newPerson, shoot, startServer } from './stage.mjs'
import { composer, drawn, log, logIn, message, say, untilFocused, wheel } from './screens.mjs'

const [WIDTH, HEIGHT, LEFT_BY_KEYBOARD] = [390, 844, 470]
const MESSAGES = 60

/** The keyboard makes the window smaller (Chromium, Firefox). */
const shrinks = {
  name: 'a keyboard that makes the window smaller',
  set: (page, height) => page.setViewportSize({ width: WIDTH, height }),
}

/** The keyboard lies over the window, and the browser tells of it by the visual viewport alone (Safari). */
const covers = {
  name: 'a keyboard that lies over the window',
  async prepare(page) {
    await page.addInitScript((height) => {
      const viewport = Object.assign(new EventTarget(), { height, scale: 1 })
      Object.defineProperty(window, 'visualViewport', { value: viewport })
    }, HEIGHT)
  },
  set: (page, height) =>
    page.evaluate((left) => {
      window.visualViewport.height = left
      window.visualViewport.dispatchEvent(new Event('resize'))
    }, height),
}

for (const keyboard of [shrinks, covers]) {
  describe(keyboard.name, { concurrency: 1 }, () => {
    let server, browser, ann

    before(async () => {
      server = await startServer({ GOCHAT_SEND_RATE: '0' })
      const rest = api(server.origin)
      const { access_token: token } = await rest.register('ann', 'Ann')
      const room = await rest.call('POST', '/rooms', { token, body: { name: 'Garden', visibility: 'public' } })
      for (let at = 1; at <= MESSAGES; at++) {
        const body = `${at} ${'words and words '.repeat((at % 5) + 1)}`
        await rest.call('POST', `/rooms/${room.id}/messages`, { token, body: { client_id: crypto.randomUUID(), body } })
      }
      browser = await launchBrowser()
      ann = await newPerson(browser, { viewport: { width: WIDTH, height: HEIGHT }, isMobile: true, hasTouch: true })
      await keyboard.prepare?.(ann.page)
      await ann.page.goto(`${server.origin}/rooms/${room.id}`)
      await logIn(ann.page, 'ann')
      await message(ann.page, `${MESSAGES} words`).waitFor()
    })

    after(async () => {
      await browser?.close()
      await server?.stop()
    })

    /** Lets the keyboard come or go, and waits until the page has its new size. */
    async function set(height) {
      await keyboard.set(ann.page, height)
      await ann.page.waitForFunction((wanted) => Math.round(document.querySelector('#root > *').getBoundingClientRect().height) === wanted, height)
      await drawn(ann.page)
    }

    const bottom = (target) => target.evaluate((element) => element.getBoundingClientRect().bottom)
    const logBottom = () => bottom(log(ann.page))

    test('the composer stays in view, and the newest message above it', async () => {
      const { page } = ann
      await composer(page).tap()
      await untilFocused(page, composer(page))
      await set(LEFT_BY_KEYBOARD)
      assert.ok((await bottom(composer(page))) <= LEFT_BY_KEYBOARD, 'the composer is under the keyboard')
      assert.ok((await bottom(message(page, `${MESSAGES} words`))) <= (await logBottom()), 'the newest message is under the composer')
      assert.equal(await page.evaluate(() => window.scrollY), 0)
      await shoot(page, 'keyboard')
      await say(page, 'said on a phone')
      await message(page, 'said on a phone').waitFor()
      await drawn(page)
      assert.ok((await bottom(message(page, 'said on a phone'))) <= (await logBottom()))
      await set(HEIGHT)
      assert.ok((await bottom(message(page, 'said on a phone'))) <= (await logBottom()))
      assert.equal(await page.getByRole('button', { name: 'To the latest' }).count(), 0)
    })

    test('what one reads above stays where it is while the keyboard comes and goes', async () => {
      const { page } = ann
      await log(page).hover()
      await wheel(page, -1_500)
      await page.getByRole('button', { name: 'To the latest' }).waitFor()
      const tops = () =>
        log(page).evaluate((element) => {
          const { top } = element.getBoundingClientRect()
          const rows = [...element.querySelectorAll('article[data-seq]')].map((row) => [Number(row.dataset.seq), row.getBoundingClientRect().top - top])
          return rows.filter(([, at]) => at >= 0 && at < 300)
        })
      const before = await tops()
      assert.ok(before.length >= 2)
      await composer(page).tap()
      await set(LEFT_BY_KEYBOARD)
      assert.deepEqual(await tops(), before)
      await composer(page).fill('an answer')
      await drawn(page)
      assert.deepEqual(await tops(), before)
      await set(HEIGHT)
      assert.deepEqual(await tops(), before)
    })
  })
}
