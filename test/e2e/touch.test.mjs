// Under a finger nothing that is pressed is smaller than 44 px, and nothing makes the page scroll sideways.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { launchBrowser, newPerson, startServer } from './stage.mjs'
import { composer, createRoom, log, members, message, register, roomLink, say } from './screens.mjs'

const LEAST_PX = 44
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2, reducedMotion: 'reduce' }

describe('on a phone', { concurrency: 1 }, () => {
  let server, browser, ann

  before(async () => {
    server = await startServer({ GOCHAT_GUESTS: 'true' })
    browser = await launchBrowser()
    ann = await newPerson(browser, PHONE)
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  /** What can be pressed and is in view, but too small; but for links within a text, which are as high as its lines. */
  const tooSmall = (page) =>
    page.evaluate((least) => {
      const pressed = 'button, input:not([type="radio"]), select, label:has(input[type="radio"]), [role^="menuitem"], [role="option"], a'
      return [...document.querySelectorAll(pressed)]
        .filter((element) => element.checkVisibility({ opacityProperty: true }) && element.closest('p:has(> a), [inert], [data-base-ui-inert]') === null)
        .map((element) => ({ element, box: element.getBoundingClientRect() }))
        .filter(({ box }) => box.width > 1 && Math.min(box.width, box.height) < least - 0.5)
        .map(({ element, box }) => `${element.ariaLabel ?? element.textContent}: ${Math.round(box.width)} × ${Math.round(box.height)}`)
    }, LEAST_PX)

  const fits = async (page, screen) => {
    assert.deepEqual(await tooSmall(page), [], screen)
    const { scrollWidth, clientWidth } = await page.evaluate(() => document.documentElement)
    assert.equal(scrollWidth, clientWidth, `${screen} scrolls sideways`)
  }
  const closed = async (page) => {
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  }

  test('the ways in', async () => {
    const { page } = ann
    await page.goto(server.origin)
    await page.getByRole('button', { name: 'As a guest' }).waitFor()
    await fits(page, 'log in')
    await page.getByRole('button', { name: 'As a guest' }).click()
    await fits(page, 'as a guest')
    await register(page, 'ann', 'Ann')
    await page.getByRole('button', { name: 'Make the first one' }).waitFor()
    await fits(page, 'no room')
  })

  test('rooms, a room and what lies over it', async () => {
    const { page } = ann
    await createRoom(page, 'Garden')
    await say(page, 'hello')
    await message(page, 'hello').getByRole('img', { name: 'Sent' }).waitFor()
    await message(page, 'hello').tap()
    await page.getByRole('button', { name: 'Copy link to this message' }).waitFor()
    await fits(page, 'a room')
    await page.getByRole('button', { name: 'Emoji' }).click()
    await page.getByRole('dialog', { name: 'Emoji' }).waitFor()
    await fits(page, 'emoji')
    await closed(page)
    await page.getByRole('button', { name: 'Room settings' }).click()
    await page.getByRole('button', { name: 'Delete room' }).click()
    await fits(page, 'room settings')
    await closed(page)
    await log(page).getByRole('button', { name: 'Invite people' }).click()
    await page.getByRole('button', { name: 'Create link' }).click()
    await page.getByLabel('Invite link').waitFor()
    await fits(page, 'a new link')
    await page.getByRole('button', { name: 'Another link' }).click()
    await page.getByRole('button', { name: /^Revoke/ }).waitFor()
    await fits(page, 'links')
    await closed(page)
    await page.getByRole('button', { name: 'Members', exact: true }).click()
    await members(page).getByText('@ann').waitFor()
    await fits(page, 'members')
    await page.keyboard.press('Escape')
    await composer(page).waitFor()
  })

  test('Enter is for lines, and the button sends; with a keyboard Ctrl+Enter does', async () => {
    const { page } = ann
    const send = page.getByRole('button', { name: 'Send', exact: true })
    assert.equal(await composer(page).getAttribute('enterkeyhint'), 'enter')
    await composer(page).tap()
    await composer(page).pressSequentially('one\ntwo')
    assert.equal(await composer(page).inputValue(), 'one\ntwo')
    await composer(page).evaluate((field) => field.addEventListener('blur', () => (window.left = true)))
    await send.tap()
    await message(page, 'one\ntwo').getByRole('img', { name: 'Sent' }).waitFor()
    assert.equal(await page.evaluate(() => window.left), undefined, 'the keyboard would have gone')
    await composer(page).pressSequentially('three')
    await composer(page).press('Control+Enter')
    await message(page, 'three').getByRole('img', { name: 'Sent' }).waitFor()
    assert.equal(await composer(page).inputValue(), '')
    await page.getByRole('link', { name: 'Back to rooms' }).click()
    await page.getByRole('button', { name: 'You are Ann' }).click()
    await page.getByRole('menuitem', { name: 'Settings' }).waitFor()
    assert.equal(await page.getByRole('menuitem', { name: 'Keyboard shortcuts' }).count(), 0, 'for a keyboard that is not there')
    await closed(page)
    await page.keyboard.press('?') // one may be put to it
    const keys = (does) => page.locator('dl > div', { hasText: does }).getByRole('definition').locator('kbd').allTextContents()
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
    assert.deepEqual([await keys('Send'), await keys('A new line')], [['Ctrl', 'Enter'], ['Enter']])
    await closed(page)
    await roomLink(page, 'Garden').click()
    await composer(page).waitFor()
  })

  test('settings, and the ways to rooms', async () => {
    const { page } = ann
    await page.getByRole('link', { name: 'Back to rooms' }).click()
    await page.getByRole('button', { name: 'You are Ann' }).click()
    await page.getByRole('menu').waitFor()
    await fits(page, 'the menu of oneself')
    await page.getByRole('menuitem', { name: 'Settings' }).click()
    for (const part of ['Profile', 'Look', 'Notifications', 'Password', 'Sessions']) {
      await page.getByRole('dialog', { name: 'Settings' }).getByRole('button', { name: part, exact: true }).click()
      await fits(page, part)
    }
    await closed(page)
    for (const name of ['New room', 'Discover rooms', 'Go to a room']) {
      await page.getByRole('button', { name, exact: true }).click()
      await page.getByRole('dialog', { name }).waitFor()
      await fits(page, name)
      await closed(page)
    }
    await page.goto(`${server.origin}/nowhere`)
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
    await fits(page, 'no such page')
    await page.getByRole('link', { name: 'To your rooms' }).click()
    await page.getByRole('button', { name: 'New room' }).waitFor()
  })
})
