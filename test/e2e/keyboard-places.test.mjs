// What the story by keys does not come by: settings, public rooms, links, and the end of rooms. The focus is always seen.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { PASSWORD, api, launchBrowser, newPerson, shoot, startServer } from './stage.mjs'
import { composer, log, members, register, roomLink, untilFocused as untilFocusedIn } from './screens.mjs'

const MOST_TABS = 40
const OTHER = 'another horse battery'

describe('by keys alone, everywhere else', { concurrency: 1 }, () => {
  let server, browser, page, keys, rest, bob

  before(async () => {
    server = await startServer({ GOCHAT_AUTH_RATE: '0' })
    rest = api(server.origin)
    bob = (await rest.register('bob', 'Bob')).access_token
    await rest.call('POST', '/rooms', { token: bob, body: { name: 'Chess', visibility: 'public' } })
    browser = await launchBrowser()
    ;({ page } = await newPerson(browser))
    keys = page.keyboard
    await page.goto(server.origin)
    await register(page, 'ann', 'Ann')
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  const untilFocused = (target) => untilFocusedIn(page, target)
  const button = (name, of = page) => of.getByRole('button', { name, exact: true })
  const dialog = (name) => page.getByRole('dialog', { name })
  const heading = (name) => page.getByRole('heading', { level: 1, name })
  const closed = () => page.waitForFunction(() => document.querySelector('[role="dialog"], [role="menu"]') === null)
  const me = () => page.getByRole('button', { name: /^You are/ })

  /** That one sees where one is: the element, or what it stands in, is marked, and in view. */
  async function seen() {
    const { name, marked, inView } = await page.evaluate(() => {
      const at = document.activeElement
      const isMarked = (element) => getComputedStyle(element).outlineStyle !== 'none' && element.matches(':focus-visible, :has(:focus-visible)')
      const box = (at.closest('label') ?? at).getBoundingClientRect()
      return {
        name: `${at.tagName} ${at.getAttribute('aria-label') ?? at.textContent.slice(0, 40)}`,
        marked: at.tagName === 'TEXTAREA' || isMarked(at) || isMarked(at.closest('label') ?? at),
        inView: at !== document.body && box.bottom > 0 && box.top < innerHeight && box.width > 0,
      }
    })
    assert.ok(marked && inView, `the focus is not seen: ${name}`)
  }

  /** Presses Tab until that has the focus, which is seen all the way. */
  async function tabTo(target, key = 'Tab') {
    await target.waitFor()
    for (let count = 0; count < MOST_TABS; count++) {
      if (await target.evaluate((element) => element === document.activeElement)) return
      await keys.press(key)
      if (await page.evaluate(() => document.activeElement !== document.body)) await seen()
    }
    assert.fail(`${target} is not reached by ${MOST_TABS} times ${key}`)
  }

  async function press(target, key) {
    await tabTo(target, key)
    await keys.press('Enter')
  }

  const settings = () => dialog('Settings')
  const part = async (name) => press(button(name, settings()), 'Shift+Tab')

  test('one begins at the heading of the page', async () => {
    await untilFocused(heading('Welcome, Ann'))
  })

  test('the settings take the focus from the menu that opened them; a name', async () => {
    await press(me(), 'Shift+Tab')
    await untilFocused(page.getByRole('menuitemradio').first())
    await seen()
    for (let count = 0; count < 3; count++) await keys.press('ArrowDown')
    await untilFocused(page.getByRole('menuitem', { name: 'Settings' }))
    await keys.press('Enter')
    await settings().waitFor()
    await page.waitForFunction(() => document.activeElement?.closest('[role="dialog"]') != null)
    await tabTo(settings().getByLabel('Your name'))
    await keys.press('Control+a')
    await keys.type('Anna')
    await press(button('Save', settings()))
    await settings().getByText('Saved.').waitFor()
    await untilFocused(button('Save', settings()))
    await seen()
  })

  test('theme, density and contrast', async () => {
    await part('Look')
    const choose = async (from, to, attribute, value) => {
      await tabTo(settings().getByRole('radio', { name: from }))
      await keys.press('ArrowDown')
      await untilFocused(settings().getByRole('radio', { name: to }))
      await seen()
      assert.equal(await page.evaluate((name) => document.documentElement.dataset[name], attribute), value)
      await keys.press('ArrowUp')
    }
    await choose(/^As the system/, /^Light/, 'theme', 'light')
    await choose(/^Comfortable/, /^Compact/, 'density', 'compact')
    await choose(/^Contrast as the system/, /^High contrast/, 'contrast', 'more')
  })

  test('notices, which this browser refuses', async () => {
    await part('Notifications')
    await press(button('Turn on', settings()))
    await settings().getByRole('alert').getByText('does not let this page show notifications').waitFor()
    await untilFocused(button('Turn on', settings()))
  })

  test('a password', async () => {
    await part('Password')
    const current = settings().getByLabel('Current password')
    await tabTo(current)
    await keys.type('not the password')
    await keys.press('Tab')
    await keys.press('Tab') // past the way to show it
    await keys.type(OTHER)
    await keys.press('Enter')
    await settings().getByRole('alert').getByText('That is not your current password.').waitFor()
    await tabTo(current, 'Shift+Tab')
    await keys.press('Control+a')
    await keys.type(PASSWORD)
    await press(button('Change password', settings()))
    await settings().getByText('Changed. Everywhere else').waitFor() // a refusal says that nothing was changed
    await untilFocused(button('Change password', settings()))
  })

  test('a session elsewhere is ended, and one is still in the dialog; closed, it gives the focus back', async () => {
    await rest.call('POST', '/auth/login', { body: { username: 'ann', password: OTHER }, headers: { 'User-Agent': 'curl/8' } })
    await part('Sessions')
    const out = settings().getByRole('button', { name: 'Log out curl' })
    await press(out)
    await out.waitFor({ state: 'detached' })
    await page.waitForFunction(() => document.activeElement?.closest('[role="dialog"]') != null)
    await seen()
    await keys.press('Escape')
    await closed()
    await untilFocused(me())
  })

  test('a public room is joined, and one writes in it; then one leaves it', async () => {
    await press(button('Discover rooms'), 'Shift+Tab')
    await untilFocused(dialog('Discover rooms').getByLabel('Find by name'))
    await press(button('Join Chess'))
    await heading('Chess').waitFor()
    await untilFocused(composer(page))
    await keys.type('hello')
    await keys.press('Enter')
    await log(page).getByText('hello').waitFor()
    await press(members(page).getByRole('button', { name: 'Leave room' }))
    await press(button('Stay', dialog('Leave Chess?')))
    await closed()
    await untilFocused(members(page).getByRole('button', { name: 'Leave room' }))
    await keys.press('Enter')
    await press(button('Leave', dialog('Leave Chess?')))
    await untilFocused(heading('Welcome, Anna'))
    await seen()
  })

  test('links are made, looked through and revoked', async () => {
    await press(button('New room'), 'Shift+Tab')
    await untilFocused(dialog('New room').getByLabel('Name'))
    await keys.type('Garden')
    await keys.press('Enter')
    await heading('Garden').waitFor()
    await press(page.getByRole('main').getByRole('button', { name: 'Invite people' }).first(), 'Shift+Tab')
    const invites = dialog('Invite to Garden')
    await press(button('Create link', invites))
    await untilFocused(button('Copy', invites))
    await press(button('Another link', invites))
    await untilFocused(button('Create link', invites))
    const revoke = invites.getByRole('button', { name: /^Revoke/ })
    await press(revoke)
    await revoke.waitFor({ state: 'detached' })
    await page.waitForFunction(() => document.activeElement?.closest('[role="dialog"]') != null)
    await seen()
    await keys.press('Escape')
    await closed()
    await untilFocused(page.getByRole('main').getByRole('button', { name: 'Invite people' }).first())
  })

  test('a room gets a topic, and is deleted after a second question', async () => {
    await press(button('Room settings'))
    await tabTo(dialog('Room settings').getByLabel('Topic'))
    await keys.type('Seeds')
    await keys.press('Enter')
    await dialog('Room settings').getByText('Saved.').waitFor()
    await press(button('Delete room', dialog('Room settings')))
    await untilFocused(button('Keep it', dialog('Room settings')))
    await keys.press('Enter')
    await untilFocused(button('Delete room', dialog('Room settings')))
    await keys.press('Enter')
    await press(button('Delete for everybody', dialog('Room settings')))
    await untilFocused(heading('This room was deleted'))
    await seen()
    await shoot(page, 'deleted-by-keys')
    await press(page.getByRole('link', { name: 'To your rooms' }))
    await untilFocused(heading('Welcome, Anna'))
  })

  test('removed while one writes: the focus is where it is said', async () => {
    const chess = (await rest.call('GET', '/rooms', { token: bob })).items[0]
    const ann = (await rest.call('POST', '/auth/login', { body: { username: 'ann', password: OTHER } })).user
    await press(button('Discover rooms'), 'Shift+Tab')
    await press(button('Join Chess'))
    await roomLink(page, 'Chess').waitFor()
    await untilFocused(composer(page))
    await keys.type('half a thou')
    await rest.call('DELETE', `/rooms/${chess.id}/members/${ann.id}`, { token: bob })
    await untilFocused(heading('You were removed from this room'))
  })
})
