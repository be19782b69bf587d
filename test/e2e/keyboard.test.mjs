// The whole story without a mouse: every step by keys alone, and the focus is always somewhere that makes sense.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { PASSWORD, api, launchBrowser, newPerson, shoot, startServer } from './stage.mjs'
import { composer, log, members, message, roomLink, untilFocused as untilFocusedIn } from './screens.mjs'

const MOST_TABS = 40

describe('by keys alone', { concurrency: 1 }, () => {
  let server, browser, page, keys

  before(async () => {
    server = await startServer()
    browser = await launchBrowser()
    ;({ page } = await newPerson(browser))
    keys = page.keyboard
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  const focused = (target) => target.evaluate((element) => element === document.activeElement)
  const untilFocused = (target) => untilFocusedIn(page, target)

  /** Presses Tab until that has the focus. */
  async function tabTo(target, key = 'Tab') {
    await target.waitFor()
    for (let count = 0; count < MOST_TABS; count++) {
      if (await focused(target)) return
      await keys.press(key)
    }
    assert.fail(`${target} is not reached by ${MOST_TABS} times ${key}`)
  }

  const button = (name) => page.getByRole('button', { name, exact: true })
  const dialog = (name) => page.getByRole('dialog', { name })
  const closed = () => page.waitForFunction(() => document.querySelector('[role="dialog"]') === null)
  const inRoom = (name) => page.getByRole('heading', { level: 1, name }).waitFor()

  async function makeRoom(name) {
    await tabTo(button('New room'), 'Shift+Tab')
    await keys.press('Enter')
    await untilFocused(dialog('New room').getByLabel('Name'))
    await keys.type(name)
    await keys.press('Enter')
    await inRoom(name)
  }

  test('an account is made', async () => {
    await page.goto(server.origin)
    await untilFocused(page.getByLabel('Username'))
    await tabTo(page.getByRole('group').getByRole('button', { name: 'Create account' }), 'Shift+Tab')
    await keys.press('Enter')
    await untilFocused(page.getByLabel('Username'))
    await keys.type('ann')
    await keys.press('Tab')
    await keys.type('Ann')
    await keys.press('Tab')
    await keys.type(PASSWORD)
    await keys.press('Enter')
    await page.getByRole('heading', { name: 'Welcome, Ann' }).waitFor()
  })

  test('a room is made, and one writes at once', async () => {
    await makeRoom('Garden')
    await untilFocused(composer(page))
    await keys.type('first line')
    await keys.press('Shift+Enter')
    await keys.type('second line')
    await keys.press('Enter')
    await message(page, 'second line').getByRole('img', { name: 'Sent' }).waitFor()
    assert.equal(await focused(composer(page)), true)
  })

  test('what is closed by Escape gives the focus back', async () => {
    await keys.press('Control+k')
    await untilFocused(page.getByRole('combobox', { name: 'Name of the room' }))
    await keys.press('Escape')
    await closed()
    await untilFocused(composer(page))
    for (const [name, field] of [['New room', 'Name'], ['Discover rooms', 'Find by name']]) {
      await tabTo(button(name), 'Shift+Tab')
      await keys.press('Enter')
      await untilFocused(dialog(name).getByLabel(field, { exact: true }))
      await keys.press('Escape')
      await closed()
      await untilFocused(button(name))
    }
    await tabTo(composer(page))
  })

  test('an invite link is made and copied', async () => {
    await tabTo(page.getByRole('main').getByRole('button', { name: 'Invite people' }).first(), 'Shift+Tab')
    await keys.press('Enter')
    const create = dialog('Invite to Garden').getByRole('button', { name: 'Create link' })
    await tabTo(create)
    await keys.press('Enter')
    await dialog('Invite to Garden').getByLabel('Invite link').waitFor()
    await tabTo(dialog('Invite to Garden').getByRole('button', { name: 'Copy' }))
    await keys.press('Enter')
    await dialog('Invite to Garden').getByRole('button', { name: 'Copied' }).waitFor()
    await keys.press('Escape')
    await closed()
    await untilFocused(page.getByRole('main').getByRole('button', { name: 'Invite people' }).first())
  })

  test('the arrows go from message to message, and Tab to what can be done with the one', async () => {
    for (const text of ['third line', 'fourth line']) {
      await composer(page).fill(text)
      await composer(page).press('Enter')
    }
    await message(page, 'fourth line').getByRole('img', { name: 'Sent' }).waitFor()
    while (!(await focused(log(page)))) {
      await keys.press('Shift+Tab')
      assert.equal(await page.evaluate(() => document.activeElement.closest('article')), null, 'a message’s button is in the way')
    }
    await keys.press('ArrowUp')
    await untilFocused(message(page, 'fourth line'))
    await keys.press('ArrowUp')
    await untilFocused(message(page, 'third line'))
    await shoot(page, 'message-focus')
    await keys.press('Tab')
    await untilFocused(message(page, 'third line').getByRole('button', { name: 'Copy link to this message' }))
    await keys.press('Enter')
    await message(page, 'third line').getByRole('button', { name: 'Link copied' }).waitFor()
    await keys.press('ArrowDown')
    await untilFocused(message(page, 'fourth line'))
    await keys.press('Escape')
    await untilFocused(composer(page))
  })

  test('Escape leads to where one writes', async () => {
    await tabTo(log(page))
    await keys.press('Escape')
    await untilFocused(composer(page))
  })

  test('so does what one types, without a letter lost', async () => {
    await tabTo(log(page))
    await keys.type('hello')
    assert.equal(await composer(page).inputValue(), 'hello')
    await composer(page).fill('')
  })

  test('Alt and the arrows go through the rooms', async () => {
    for (const name of ['Kitchen', 'Cellar']) await makeRoom(name)
    await untilFocused(composer(page))
    await keys.press('Alt+ArrowDown')
    await inRoom('Kitchen')
    await keys.press('Alt+ArrowDown')
    await inRoom('Garden')
    await keys.press('Alt+ArrowDown')
    await inRoom('Garden')
    await keys.press('Alt+ArrowUp')
    await inRoom('Kitchen')
    await untilFocused(composer(page))
  })

  test('Ctrl+K goes to a room by its letters, and to the last one without any', async () => {
    await keys.press('Control+k')
    const field = page.getByRole('combobox', { name: 'Name of the room' })
    await untilFocused(field)
    await shoot(page, 'switcher')
    await keys.type('gr')
    await page.waitForFunction(() => [...document.querySelectorAll('[role="option"]')].map(({ textContent }) => textContent).join() === 'GGarden')
    await keys.press('Enter')
    await inRoom('Garden')
    await closed()
    await untilFocused(composer(page))

    await keys.press('Control+k')
    await untilFocused(field)
    assert.equal(await page.getByRole('option', { name: 'Garden' }).count(), 0)
    await keys.press('ArrowDown')
    await page.getByRole('option', { name: 'Kitchen', selected: true }).waitFor()
    await keys.press('ArrowDown')
    await page.getByRole('option', { name: 'Cellar', selected: true }).waitFor()
    await keys.press('ArrowUp')
    await keys.press('Enter')
    await inRoom('Kitchen')
  })

  test('what is not found leads to where it may be', async () => {
    await closed()
    await keys.press('Control+k')
    await untilFocused(page.getByRole('combobox'))
    await keys.type('attic')
    await page.getByText('None of your rooms is called that.').waitFor()
    await tabTo(button('Look among public rooms'))
    await keys.press('Enter')
    await dialog('Discover rooms').waitFor()
    await keys.press('Escape')
    await closed()
  })

  test('? shows what the keys do, but not where one writes', async () => {
    await tabTo(log(page), 'Shift+Tab')
    await keys.press('?')
    await dialog('Keyboard shortcuts').waitFor()
    for (const [does, pressed] of [['Send', ['Enter']], ['A new line', ['Shift', 'Enter']]]) {
      const line = page.locator('dl > div', { hasText: does })
      assert.deepEqual(await line.locator('kbd').allTextContents(), pressed)
    }
    await shoot(page, 'help')
    await keys.press('Escape')
    await closed()
    await untilFocused(log(page))
    await keys.press('Escape')
    await untilFocused(composer(page))
    await keys.type('really?')
    assert.equal(await composer(page).inputValue(), 'really?')
    await keys.press('Control+a')
    await keys.press('Delete')
  })

  test('somebody is made an admin', async () => {
    const rest = api(server.origin)
    const { access_token: token } = await rest.register('bob', 'Bob')
    const ann = await rest.logIn('ann')
    const room = new URL(page.url()).pathname.split('/').at(-1)
    const { code } = await rest.call('POST', `/rooms/${room}/invites`, { token: ann, body: {} })
    await rest.call('POST', `/invites/${code}/accept`, { token })
    await log(page).getByText('Bob joined, invited by Ann').waitFor()
    if (!(await members(page).isVisible())) {
      await tabTo(button('Members'), 'Shift+Tab')
      await keys.press('Enter')
    }
    await tabTo(members(page).getByRole('button', { name: 'Actions for Bob' }))
    await keys.press('Enter')
    await untilFocused(page.getByRole('menuitem', { name: 'Make admin' }))
    await keys.press('Enter')
    await members(page).getByRole('listitem').filter({ hasText: 'Bob' }).getByText('admin').waitFor()
    await untilFocused(members(page).getByRole('button', { name: 'Actions for Bob' }))
  })

  test('over a narrow room the members have the focus, and give it back', async () => {
    await page.setViewportSize({ width: 820, height: 800 })
    await members(page).waitFor({ state: 'detached' })
    await tabTo(button('Members'), 'Shift+Tab')
    await keys.press('Enter')
    await members(page).waitFor()
    await page.waitForFunction(() => document.activeElement?.querySelector(':scope > [aria-label="Members"]') !== null)
    await keys.press('Tab')
    await untilFocused(members(page).getByRole('button', { name: 'Close members' }))
    await keys.press('Escape')
    await members(page).waitFor({ state: 'detached' })
    await untilFocused(button('Members'))
    await page.setViewportSize({ width: 1280, height: 800 })
  })

  test('one leaves a room, after a question; and the app', async () => {
    await tabTo(roomLink(page, 'Garden'), 'Shift+Tab')
    await keys.press('Enter')
    await inRoom('Garden')
    await tabTo(members(page).getByRole('button', { name: 'Leave room' }))
    await keys.press('Enter')
    await dialog('Leave Garden?').getByText('You are alone here').waitFor()
    await keys.press('Escape')
    await closed()
    await tabTo(page.getByRole('button', { name: 'You are Ann' }), 'Shift+Tab')
    await keys.press('Enter')
    await untilFocused(page.getByRole('menuitem').or(page.getByRole('menuitemradio')).first())
    await keys.press('End')
    await untilFocused(page.getByRole('menuitem', { name: 'Log out' }))
    await keys.press('Enter')
    await untilFocused(page.getByLabel('Username'))
  })
})
