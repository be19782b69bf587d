// On a phone: notices come from the service worker, and a tap on one leads to its room.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { api, launchBrowser, newPerson, startServer } from './stage.mjs'
import { composer, createRoom, message, register, roomLink } from './screens.mjs'

describe('notices on a phone', { concurrency: 1 }, () => {
  let server, browser, ann, rest, bobToken, garden, worker

  before(async () => {
    server = await startServer()
    browser = await launchBrowser()
    rest = api(server.origin)
    ann = await newPerson(browser, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true })
    await ann.context.grantPermissions(['notifications'])
    await ann.page.addInitScript(() => {
      // As phones do.
      window.Notification = class {
        static permission = 'granted'
        static requestPermission = async () => 'granted'
        constructor() {
          throw new TypeError('Illegal constructor. Use ServiceWorkerRegistration.showNotification() instead.')
        }
      }
      document.hasFocus = () => window.away !== true
    })
    const { page } = ann
    await page.goto(server.origin)
    await register(page, 'ann', 'Ann')
    await createRoom(page, 'Garden', 'Public')
    garden = new URL(page.url()).pathname.split('/').at(-1)
    bobToken = (await rest.register('bob', 'Bob')).access_token
    await rest.call('POST', `/rooms/${garden}/join`, { token: bobToken })
    await page.evaluate(() => navigator.serviceWorker.ready)
    ;[worker] = ann.context.serviceWorkers()
    await page.getByRole('link', { name: 'Back to rooms' }).click()
    await page.getByRole('button', { name: 'You are Ann' }).click()
    await page.getByRole('menuitem', { name: 'Settings' }).click()
    await page.getByRole('group', { name: 'What to set' }).getByRole('button', { name: 'Notifications' }).click()
    await page.getByRole('button', { name: 'Turn on' }).click()
    await page.getByRole('button', { name: 'Turn off' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  const post = (body) => rest.call('POST', `/rooms/${garden}/messages`, { token: bobToken, body: { client_id: crypto.randomUUID(), body } })
  const shown = () =>
    worker.evaluate(async () => (await self.registration.getNotifications()).map(({ title, body, data }) => ({ title, body, data })))

  /** Until the worker shows these. */
  async function untilShown(...bodies) {
    await ann.page.evaluate(async (wanted) => {
      const registration = await navigator.serviceWorker.ready
      const bodies = async () => (await registration.getNotifications()).map(({ body }) => body).join()
      while ((await bodies()) !== wanted) await new Promise(requestAnimationFrame)
    }, bodies.join())
    return shown()
  }

  /** A tap on the first one; what the browser lets a worker do after a real tap only is noted instead of done. */
  const tap = () =>
    worker.evaluate(async () => {
      const done = []
      WindowClient.prototype.focus = async function () {
        done.push('focused')
        return this
      }
      Clients.prototype.openWindow = async (url) => {
        done.push(url)
        return null
      }
      const [notification] = await self.registration.getNotifications()
      const event = new NotificationEvent('notificationclick', { notification })
      const waits = []
      event.waitUntil = (promise) => waits.push(promise)
      self.dispatchEvent(event)
      await Promise.all(waits)
      return done
    })

  test('one comes while one looks elsewhere, one per room', async () => {
    const { page } = ann
    await page.evaluate(() => (window.away = true))
    await post('are you there?')
    await untilShown('are you there?')
    await post('hello?')
    await roomLink(page, 'Garden, 2 unread').waitFor()
    assert.deepEqual(await untilShown('hello?'), [{ title: 'Bob, in Garden', body: 'hello?', data: { room: garden } }])
  })

  test('a tap brings the app forward, at the room', async () => {
    const { page } = ann
    assert.deepEqual(await tap(), ['focused'])
    await message(page, 'hello?').waitFor()
    assert.equal(new URL(page.url()).pathname, `/rooms/${garden}`)
    await untilShown()
  })

  test('whoever comes back by themselves finds none left', async () => {
    const { page } = ann
    await post('one more')
    await untilShown('one more')
    await page.evaluate(() => {
      window.away = false
      dispatchEvent(new Event('focus'))
    })
    await untilShown()
    await composer(page).waitFor()
  })

  test('a tap after the page was closed opens it anew, at the room', async () => {
    const { page } = ann
    await page.evaluate(() => (window.away = true))
    await post('the last one')
    await untilShown('the last one')
    await ann.context.newPage()
    await page.close()
    assert.deepEqual(await tap(), [`/rooms/${garden}`])
  })
})
