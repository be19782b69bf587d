// On any screen, in any direction, without a secure context, with what the server refuses: nothing is cut off, and there is a way on.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessible, atRest } from './axe.mjs'
import { api, launchBrowser, newPerson, shoot, startServer } from './stage.mjs'
import { composer, createInvite, createRoom, drawn, log, message, register, roomLink, say, uncovered, wheel } from './screens.mjs'

const HEBREW = 'שלום לכולם, מה שלומכם היום?'

describe('everywhere', { concurrency: 1 }, () => {
  let server, browser, ann

  before(async () => {
    server = await startServer()
    browser = await launchBrowser()
    ann = await newPerson(browser)
    await ann.page.goto(server.origin)
    await register(ann.page, 'ann', 'Ann')
    await createRoom(ann.page, 'Garden')
    await say(ann.page, HEBREW)
    await say(ann.page, 'x'.repeat(400))
    await say(ann.page, '```\n' + 'a line of code that is too long for any phone '.repeat(8) + '\n```')
    await message(ann.page, 'a line of code').getByRole('img', { name: 'Sent' }).waitFor()
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

  test('from 360 pixels to 4K nothing is wider than the window, and the composer is in it', async () => {
    const { page } = ann
    for (const [width, height] of [[360, 640], [390, 844], [820, 1180], [1440, 900], [3840, 2160]]) {
      await page.setViewportSize({ width, height })
      await drawn(page)
      assert.equal(await overflow(page), 0, `at ${width} px`)
      const { x, y, width: wide, height: high } = await composer(page).boundingBox()
      assert.ok(x >= 0 && x + wide <= width && y + high <= height, `the composer at ${width} px`)
    }
    await page.setViewportSize({ width: 1280, height: 800 })
  })

  test('a message in a script from right to left reads so, whatever the page; and the page can be mirrored', async () => {
    const { page } = ann
    const direction = (text) => message(page, text).locator('[dir="auto"]').evaluate((element) => getComputedStyle(element).direction)
    assert.deepEqual([await direction(HEBREW), await direction('xxx')], ['rtl', 'ltr'])
    await page.evaluate(() => (document.documentElement.dir = 'rtl'))
    for (const width of [390, 1440]) {
      await page.setViewportSize({ width, height: 844 })
      await drawn(page)
      assert.equal(await overflow(page), 0, `mirrored, at ${width} px`)
      await shoot(page, `mirrored-${width}`)
    }
    const sidebar = await page.getByRole('complementary', { name: 'Your rooms' }).boundingBox()
    assert.ok(sidebar.x > 700, 'the rooms are on the right')
    await page.evaluate(() => (document.documentElement.dir = 'ltr'))
    await page.setViewportSize({ width: 1280, height: 800 })
  })

  test('whoever wants less motion sees none', async () => {
    const { page } = ann
    await page.emulateMedia({ reducedMotion: 'reduce' })
    await atRest(page) // what began before goes on to its end
    // One without a duration moves nothing: what is shown only where an answer is late waits by one.
    const moving = () =>
      page.evaluate(() =>
        document
          .getAnimations()
          .filter(({ playState, effect }) => playState === 'running' && effect.getComputedTiming().duration > 0)
          .map(({ animationName }) => animationName),
      )
    await page.getByRole('button', { name: 'New room' }).click()
    await page.getByRole('dialog').waitFor()
    assert.deepEqual(await moving(), [])
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await uncovered(page)
    await page.goto(`${page.url()}?at=2`)
    await page.waitForFunction(() => !location.search.includes('at='))
    assert.deepEqual(await moving(), [])
  })

  test('the log is read out politely, its additions only, and not while one reads above', async () => {
    const { page } = ann
    const untilLive = (wanted) =>
      page.waitForFunction((live) => document.querySelector('[role="log"]')?.getAttribute('aria-live') === live, wanted)
    await page.setViewportSize({ width: 1280, height: 300 })
    await page.reload()
    await untilLive('polite')
    assert.equal(await log(page).getAttribute('aria-relevant'), 'additions')
    await log(page).hover()
    await wheel(page, -200)
    await untilLive('off')
    await page.getByRole('button', { name: 'To the latest' }).click()
    await untilLive('polite')
  })
})

describe('without a secure context', { concurrency: 1 }, () => {
  let server, browser, ann, bob, origin

  before(async () => {
    server = await startServer()
    // A name that no browser trusts without https, as the address of a machine in a home is none.
    origin = `http://chat.test:${server.port}`
    browser = await launchBrowser(['--host-resolver-rules=MAP chat.test 127.0.0.1'])
    ann = await newPerson(browser)
    bob = await newPerson(browser)
    // What the server says for pages over https means nothing here, and Chromium says so.
    for (const { wanted } of [ann, bob]) wanted.push(/^error: The Cross-Origin-Opener-Policy header has been ignored/)
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  test('everything works but the service worker', async () => {
    const { page } = ann
    await page.goto(origin)
    assert.equal(await page.evaluate(() => window.isSecureContext || 'serviceWorker' in navigator), false)
    await register(page, 'ann', 'Ann')
    await createRoom(page, 'Garden')
    const link = await createInvite(page)
    await bob.page.goto(link.replace(/^https?:\/\/[^/]+/, origin))
    await register(bob.page, 'bob', 'Bob')
    await say(bob.page, 'over plain http')
    await message(page, 'over plain http').waitFor()
    await page.reload()
    await message(page, 'over plain http').waitFor()
    await message(page, 'over plain http').hover()
    await message(page, 'over plain http').getByRole('button', { name: 'Copy link to this message' }).click()
    await message(page, 'over plain http').getByRole('button', { name: 'Link copied' }).waitFor()
    await composer(page).fill('a draft')
    await page.reload()
    await composer(page).waitFor()
    assert.equal(await composer(page).inputValue(), 'a draft')
  })
})

describe('a message that the server refuses', { concurrency: 1 }, () => {
  let server, browser, ann, rest, room

  before(async () => {
    server = await startServer()
    browser = await launchBrowser()
    rest = api(server.origin)
    ann = await newPerson(browser)
    await ann.page.goto(server.origin)
    await register(ann.page, 'ann', 'Ann')
    await createRoom(ann.page, 'Garden')
    room = new URL(ann.page.url()).pathname.split('/').at(-1)
    // Between the page and the server: one message of those that it is told to refuse.
    await ann.page.routeWebSocket(/\/api\/v1\/ws/, (socket) => {
      const upstream = socket.connectToServer()
      socket.onMessage((data) => {
        const command = JSON.parse(String(data))
        const refused = /^refuse as (\w+)/.exec(command.body ?? '')
        if (refused === null || !refusing) upstream.send(data)
        else socket.send(JSON.stringify({ type: 'error', id: command.id, error: { code: refused[1], message: 'no' } }))
      })
    })
    await ann.page.reload()
    await composer(ann.page).waitFor()
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  let refusing = true

  test('says why, in its place, also after a reload; and can be sent again or given up', async () => {
    const { page } = ann
    await say(page, 'refuse as not_a_member, and later not')
    const first = message(page, 'and later not')
    await first.getByRole('alert').getByText('Not sent. You are not a member of this room any more. To come back, ask for an invite link.').waitFor()
    await say(page, 'refuse as too_long, for good')
    await message(page, 'for good').getByRole('alert').getByText('Not sent. That is too long. Shorten it.').waitFor()
    await say(page, 'what comes after is sent')
    await message(page, 'what comes after is sent').getByRole('img', { name: 'Sent' }).waitFor()
    await roomLink(page, 'Garden').getByText('Not sent: refuse as not_a_member, and later not').waitFor()
    await accessible(page, 'messages that were refused')
    await shoot(page, 'refused')
    await page.reload()
    await first.getByRole('alert').getByText('Not sent.').waitFor()
    refusing = false
    await first.getByRole('button', { name: 'Retry' }).click()
    await first.getByRole('img', { name: 'Sent' }).waitFor()
    await message(page, 'for good').getByRole('button', { name: 'Discard' }).click()
    await message(page, 'for good').waitFor({ state: 'detached' })
    await roomLink(page, 'Garden').getByText('You: refuse as not_a_member, and later not').waitFor()
    await page.reload()
    await first.waitFor()
    assert.equal(await message(page, 'for good').count(), 0)
    const bodies = (await rest.history(await rest.logIn('ann'), room)).filter(({ kind }) => kind === 'text').map(({ body }) => body)
    assert.deepEqual(bodies, ['what comes after is sent', 'refuse as not_a_member, and later not'])
  })
})
