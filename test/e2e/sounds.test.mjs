// Two tones for a message while one looks elsewhere: only where they were asked for, and from one tab.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessible } from './axe.mjs'
import { api, launchBrowser, newPerson, shootAll, startServer } from './stage.mjs'
import { composer, drawn, logIn, roomLink } from './screens.mjs'

describe('sounds', { concurrency: 1 }, () => {
  let server, browser, ann, rest, bobToken, garden, attic, written = 0

  before(async () => {
    server = await startServer({ GOCHAT_SEND_RATE: '0' })
    rest = api(server.origin)
    const token = (await rest.register('ann', 'Ann')).access_token
    bobToken = (await rest.register('bob', 'Bob')).access_token
    ;[garden, attic] = await Promise.all(['Garden', 'Attic'].map((name) => rest.call('POST', '/rooms', { token, body: { name, visibility: 'public' } })))
    await rest.call('POST', `/rooms/${garden.id}/join`, { token: bobToken })
    browser = await launchBrowser()
    ann = await newPerson(browser)
    await ann.context.addInitScript(() => {
      if (location.protocol === 'about:') return
      window.tones = 0
      window.AudioContext = class extends AudioContext {
        createOscillator() {
          const wave = super.createOscillator()
          const start = wave.start.bind(wave)
          wave.start = (when) => {
            window.tones++
            start(when)
          }
          return wave
        }
      }
      document.hasFocus = () => window.away !== true
      // What a test asks of a page counts as a press in it.
      Object.defineProperty(navigator, 'userActivation', { value: { get hasBeenActive() { return window.pressed !== false } } })
      // Whoever has decided to play asks for the turn.
      window.asked = 0
      const { request } = LockManager.prototype
      LockManager.prototype.request = function (...given) {
        if (given[0] === 'gochat-sound' && given[1].ifAvailable) window.asked++
        return request.apply(this, given)
      }
    })
    await ann.page.goto(`${server.origin}/rooms/${attic.id}`)
    await logIn(ann.page, 'ann')
    await composer(ann.page).waitFor()
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  const away = (page, is = true) => page.evaluate((looks) => (window.away = looks), is)
  const played = (page) => page.evaluate(() => ({ tones: window.tones, asked: window.asked }))
  const untilTones = (page, count) => page.waitForFunction((wanted) => window.tones === wanted, count)
  const untilAsked = (page, count) => page.waitForFunction((wanted) => window.asked === wanted, count)

  /** Until two seconds have passed since the last sound; all is counted anew from then on. */
  const anew = (page) => page.evaluate(() => navigator.locks.request('gochat-sound', () => void ([window.tones, window.asked] = [0, 0])))

  /** Bob writes, and every page has it. */
  async function post() {
    const body = `word ${++written}`
    await rest.call('POST', `/rooms/${garden.id}/messages`, { token: bobToken, body: { client_id: crypto.randomUUID(), body } })
    for (const page of ann.context.pages()) {
      await roomLink(page, 'Garden').getByText(body).waitFor()
      await drawn(page)
    }
  }

  const settings = (page) => page.getByRole('dialog', { name: 'Settings' })

  async function notices(page) {
    await page.getByRole('button', { name: 'You are Ann' }).click()
    await page.getByRole('menuitem', { name: 'Settings' }).click()
    await settings(page).getByRole('button', { name: 'Notifications' }).click()
    return settings(page).getByRole('switch', { name: 'Play a sound' })
  }

  test('there are none until they are asked for; whoever asks hears what they are like', async () => {
    const { page } = ann
    await away(page)
    await post()
    const wanted = await notices(page)
    const bell = settings(page).getByText('muted by the bell')
    assert.deepEqual([await wanted.isChecked(), await bell.count()], [false, 0]) // no room has one yet
    await accessible(page, 'notifications')
    await wanted.check({ force: true })
    await bell.waitFor()
    await untilTones(page, 2)
    await shootAll(page, 'settings-sound')
    await page.keyboard.press('Escape')
    await settings(page).waitFor({ state: 'detached' })
    assert.deepEqual(await played(page), { tones: 2, asked: 0 })
  })

  test('two tones for a message while one looks elsewhere, and once in two seconds; notices were never allowed', async () => {
    const { page } = ann
    assert.notEqual(await page.evaluate(() => Notification.permission), 'granted')
    await anew(page)
    await away(page)
    await post()
    await untilTones(page, 2)
    await page.evaluate(() => new Promise((held) => {
      void navigator.locks.request('gochat-sound', () => new Promise((over) => {
        window.letGo = over
        held()
      }))
    }))
    await post()
    await untilAsked(page, 2)
    await page.evaluate(() => window.letGo())
    await away(page, false)
    await post()
    await away(page)
    await post()
    await untilTones(page, 4)
    assert.deepEqual(await played(page), { tones: 4, asked: 3 })
  })

  test('a muted room makes none', async () => {
    const { page } = ann
    await anew(page)
    await roomLink(page, 'Garden').click()
    const mute = page.getByRole('button', { name: 'Mute this room' })
    await mute.click()
    await roomLink(page, 'Attic').click()
    await post()
    await roomLink(page, 'Garden').click()
    await mute.click()
    await roomLink(page, 'Attic').click()
    await post()
    await untilTones(page, 2)
    assert.deepEqual(await played(page), { tones: 2, asked: 1 })
  })

  test('of two tabs one plays', async () => {
    const { page, context } = ann
    const tab = await context.newPage()
    await tab.goto(page.url())
    await composer(tab).waitFor()
    for (const each of [page, tab]) {
      await away(each)
      await anew(each)
    }
    await post()
    await Promise.all([page, tab].map((each) => untilAsked(each, 1)))
    await Promise.any([page, tab].map((each) => untilTones(each, 2)))
    await page.evaluate(() => navigator.locks.request('gochat-sound', () => undefined)) // until it is over
    assert.equal((await played(page)).tones + (await played(tab)).tones, 2)
    await tab.close()
  })

  test('it is remembered; a page in which nothing was pressed yet makes none, and complains of nothing', async () => {
    const { page } = ann
    await page.reload()
    await composer(page).waitFor()
    await away(page)
    await page.evaluate(() => (window.pressed = false))
    await post()
    await page.evaluate(() => (window.pressed = true))
    await post()
    await untilTones(page, 2)
    assert.deepEqual(await played(page), { tones: 2, asked: 1 })
    const wanted = await notices(page)
    assert.equal(await wanted.isChecked(), true)
    await wanted.uncheck({ force: true })
    await page.keyboard.press('Escape')
    await post()
    assert.deepEqual(await played(page), { tones: 2, asked: 1 })
  })
})
