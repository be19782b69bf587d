// Settings: one's name, the theme, the password, and where one is logged in.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { PASSWORD, api, launchBrowser, newPerson, shootAll, startProxy, startServer } from './stage.mjs'
import { accessible } from './axe.mjs'
import { composer, createRoom, drawn, logIn, members, register, say, settled, showMembers, untilFocused } from './screens.mjs'

const OTHER = 'another horse battery'

describe('settings', { concurrency: 1 }, () => {
  let server, proxy, browser, ann, annToo, bob, room

  before(async () => {
    server = await startServer({ GOCHAT_GUESTS: 'true' })
    proxy = await startProxy(server)
    browser = await launchBrowser()
    ann = await newPerson(browser)
    await ann.page.goto(server.origin)
    await register(ann.page, 'ann', 'Ann')
    await createRoom(ann.page, 'Garden', 'Public')
    await say(ann.page, 'hello')
    room = ann.page.url()
    annToo = await newPerson(browser)
    bob = await newPerson(browser)
    await annToo.page.goto(room)
    await logIn(annToo.page, 'ann')
    await composer(annToo.page).waitFor()
    await bob.page.goto(proxy.origin)
    await register(bob.page, 'bob', 'Bob')
    await bob.page.getByRole('heading', { name: 'Welcome, Bob' }).waitFor()
    const rest = api(server.origin)
    await rest.call('POST', `/rooms/${new URL(room).pathname.split('/').at(-1)}/join`, { token: await rest.logIn('bob') })
    await bob.page.getByRole('link', { name: 'Garden' }).click()
    await composer(bob.page).waitFor()
  })

  after(async () => {
    await browser?.close()
    await proxy?.stop()
    await server?.stop()
  })

  const settings = (page) => page.getByRole('dialog', { name: 'Settings' })
  const part = (page, name) => settings(page).getByRole('group', { name: 'What to set' }).getByRole('button', { name })

  async function open(page) {
    await page.getByRole('button', { name: /^You are / }).click()
    await page.getByRole('menuitem', { name: 'Settings' }).click()
    await part(page, 'Profile').waitFor()
  }

  test('a new name is everybody’s at once', async () => {
    const { page } = ann
    await open(page)
    assert.equal(await settings(page).getByLabel('Your name').inputValue(), 'Ann')
    assert.ok(await settings(page).getByRole('button', { name: 'Save' }).isDisabled())
    await settings(page).getByLabel('Your name').fill('Ann of the Garden')
    await settings(page).getByRole('button', { name: 'Save' }).click()
    await settings(page).getByRole('status').getByText('Saved.').waitFor()
    await accessible(page, 'profile')
    await shootAll(page, 'settings-profile')
    await bob.page.getByRole('article', { name: /^Ann of the Garden,/ }).waitFor()
    await page.getByText('You are Ann of the Garden').waitFor({ state: 'attached' })
  })

  test('the theme', async () => {
    const { page } = ann
    await part(page, 'Look').click()
    await settings(page).getByRole('radio', { name: /^Dark/ }).check({ force: true })
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark')
    await settings(page).getByRole('radio', { name: /^As the system/ }).check({ force: true })
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), undefined)
    await accessible(page, 'look')
    await shootAll(page, 'settings-look')
  })

  test('a theme is there in one frame, chosen or the system’s: nothing fades on its way', async () => {
    const { page } = ann
    const fading = () =>
      page.evaluate(() => {
        // Not between two frames: to look there has colours change before the page is told that the system’s have.
        const frame = () => new Promise(requestAnimationFrame)
        const fades = () => document.getAnimations().filter(({ playState }) => playState === 'running').map(({ transitionProperty }) => transitionProperty)
        window.seen = (async () => {
          const was = getComputedStyle(document.body).backgroundColor
          while (getComputedStyle(document.body).backgroundColor === was) await frame()
          const first = fades()
          await frame()
          await frame()
          return [...first, ...fades(), ...(document.documentElement.hasAttribute('data-still') ? ['still'] : [])]
        })()
      })
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'no-preference' })
    await settled(page)
    await fading()
    await settings(page).getByRole('radio', { name: /^Dark/ }).evaluate((radio) => radio.click())
    assert.deepEqual(await page.evaluate(() => window.seen), [])
    await fading()
    await settings(page).getByRole('radio', { name: /^As the system/ }).evaluate((radio) => radio.click())
    assert.deepEqual(await page.evaluate(() => window.seen), [])
    await fading()
    await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'no-preference' })
    assert.deepEqual(await page.evaluate(() => window.seen), [])
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
  })

  test('more messages at once, and more contrast', async () => {
    const { page } = ann
    const face = () => page.locator('[role="log"] article > span').first().evaluate((element) => element.offsetWidth)
    const roomy = await face()
    await settings(page).getByRole('radio', { name: /^Compact/ }).check({ force: true })
    assert.ok((await face()) < roomy)
    await settings(page).getByRole('radio', { name: /^High contrast/ }).check({ force: true })
    await accessible(page, 'high contrast')
    await shootAll(page, 'high-contrast')
    await page.reload()
    await composer(page).waitFor()
    await accessible(page, 'a room, compact, in high contrast')
    await shootAll(page, 'room-high-contrast')
    await page.waitForFunction(() => !('still' in document.documentElement.dataset)) // the colours are those of the system again
    assert.deepEqual(await page.evaluate(() => ({ ...document.documentElement.dataset })), { contrast: 'more', density: 'compact' })
    const looks = async () => {
      await drawn(page)
      return page.evaluate(() => [document.body, document.querySelector('a')].flatMap((element) => {
        const { backgroundColor, color } = getComputedStyle(element)
        return [backgroundColor, color]
      }))
    }
    await page.emulateMedia({ colorScheme: 'light', contrast: 'no-preference' })
    const chosen = await looks()
    await open(page)
    await part(page, 'Look').click()
    await settings(page).getByRole('radio', { name: /^Comfortable/ }).check({ force: true })
    await settings(page).getByRole('radio', { name: /^Contrast as the system/ }).check({ force: true })
    assert.equal(await face(), roomy)
    assert.notDeepEqual(await looks(), chosen)
    await page.emulateMedia({ contrast: 'more' })
    assert.deepEqual(await looks(), chosen)
    await page.emulateMedia({ contrast: 'no-preference' })
    assert.notDeepEqual(await looks(), chosen)
  })

  test('notices are asked for by a click, come while one looks elsewhere, and not of a muted room', async () => {
    const { page, context } = ann
    await part(page, 'Notifications').click()
    await page.evaluate(() => {
      window.notices = []
      window.asked = 0
      window.focused = true
      document.hasFocus = () => window.focused
      window.Notification = class {
        static permission = 'default'
        static async requestPermission() {
          window.asked++
          return (this.permission = 'granted')
        }
        constructor(title, options) {
          window.notices.push([title, options.body])
          window.notice = this
        }
        close() {}
      }
    })
    await accessible(page, 'notices')
    await shootAll(page, 'settings-notices')
    await settings(page).getByRole('button', { name: 'Turn on' }).click()
    await settings(page).getByRole('button', { name: 'Turn off' }).waitFor()
    assert.equal(await page.evaluate(() => window.asked), 1)
    await page.keyboard.press('Escape')
    await settings(page).waitFor({ state: 'detached' })
    await say(bob.page, 'while you look')
    await page.getByRole('article').filter({ hasText: 'while you look' }).waitFor()
    // Nowhere: what is read elsewhere is not told of.
    for (const each of [page, annToo.page]) {
      await each.evaluate(() => {
        window.focused = false
        document.hasFocus = () => window.focused
        dispatchEvent(new Event('blur'))
      })
    }
    await say(bob.page, 'while you look elsewhere')
    await page.waitForFunction(() => window.notices.length > 0)
    assert.deepEqual(await page.evaluate(() => window.notices), [['Bob, in Garden', 'while you look elsewhere']])
    await page.evaluate(() => window.notice.onclick())
    await page.getByRole('button', { name: 'Mute this room' }).click()
    await open(page)
    await part(page, 'Notifications').click()
    await settings(page).getByRole('button', { name: 'Unmute Garden' }).click()
    await settings(page).getByText('A room that says too much').waitFor()
    assert.equal((await context.pages()).length, 1)
  })

  test('a session elsewhere is ended, and that browser is out at once', async () => {
    const { page } = ann
    await part(page, 'Sessions').click()
    const list = settings(page).getByRole('list', { name: 'Where you are logged in' })
    await list.getByText('Here, now').waitFor()
    assert.equal(await list.getByRole('listitem').count(), 2)
    await accessible(page, 'sessions')
    await shootAll(page, 'settings-sessions')
    await list.getByRole('button', { name: 'Log out Chrome on Linux' }).click()
    await annToo.page.locator('form').getByRole('button', { name: 'Log in' }).waitFor()
    await list.getByRole('button').waitFor({ state: 'detached' })
    assert.equal(await list.getByRole('listitem').count(), 1)
  })

  test('everywhere else one is logged out at once, after a question; what is refused on the way is said', async () => {
    const { page } = ann
    const list = settings(page).getByRole('list', { name: 'Where you are logged in' })
    const rest = api(server.origin)
    for (const agent of ['curl/8', 'Wget/1']) await rest.logIn('ann', { 'User-Agent': agent })
    await logIn(annToo.page, 'ann')
    await composer(annToo.page).waitFor()
    await part(page, 'Profile').click()
    await part(page, 'Sessions').click()
    await list.getByRole('button', { name: 'Log out curl' }).waitFor()
    const everywhere = settings(page).getByRole('button', { name: 'Log out everywhere else' })
    const question = page.getByRole('dialog', { name: 'Log out everywhere else?' })
    const ask = async (answer) => {
      await everywhere.click()
      await question.getByRole('button', { name: answer }).click()
      await question.waitFor({ state: 'detached' })
    }
    await everywhere.click()
    await question.getByText('All 3 other places are logged out at once').waitFor()
    await untilFocused(page, question.getByRole('button', { name: 'Cancel' }))
    await accessible(page, 'log out everywhere else?')
    await shootAll(page, 'settings-everywhere-else')
    await page.keyboard.press('Escape')
    await question.waitFor({ state: 'detached' })
    assert.equal(await list.getByRole('listitem').count(), 4)
    // The second of the three is refused.
    ann.wanted.push(/^HTTP 500: .*auth\/sessions/)
    let revoked = 0
    await page.route('**/api/v1/auth/sessions/*', (route) => {
      if (++revoked !== 2) return route.continue()
      const problem = { title: 'x', status: 500, code: 'internal' }
      return route.fulfill({ status: 500, contentType: 'application/problem+json', body: JSON.stringify(problem) })
    })
    await ask('Log out elsewhere')
    await settings(page).getByRole('alert').getByText('Logged out in 1 of 3 other places. The server has a problem.').waitFor()
    await page.waitForFunction(() => document.querySelectorAll('[aria-label="Where you are logged in"] > li').length === 3)
    await shootAll(page, 'settings-everywhere-part')
    await page.unroute('**/api/v1/auth/sessions/*')
    ann.wanted.length = 0
    await ask('Log out elsewhere')
    await settings(page).getByRole('status').getByText('Logged out in 2 other places.').waitFor()
    await annToo.page.locator('form').getByRole('button', { name: 'Log in' }).waitFor()
    await everywhere.waitFor({ state: 'detached' })
    assert.equal(await list.getByRole('listitem').count(), 1)
    assert.ok(await settings(page).evaluate((dialog) => dialog.contains(document.activeElement)), 'the focus left the dialog')
  })

  test('a password is changed; a wrong one is refused once, in plain words', async () => {
    const { page } = ann
    await logIn(annToo.page, 'ann')
    await composer(annToo.page).waitFor()
    await part(page, 'Password').click()
    const asked = []
    page.on('request', (request) => {
      if (request.url().endsWith('/users/me/password')) asked.push(request.method())
    })
    const change = async (current) => {
      await settings(page).getByLabel('Current password').fill(current)
      await settings(page).getByLabel('New password').fill(OTHER)
      await settings(page).getByRole('button', { name: 'Change password' }).click()
    }
    for (const [label, complete] of [['Current password', 'current-password'], ['New password', 'new-password']]) {
      await settings(page).getByRole('button', { name: 'Show what is typed', description: label }).waitFor()
      assert.equal(await settings(page).getByLabel(label).getAttribute('autocomplete'), complete)
    }
    await change('not the password')
    await settings(page).getByRole('alert').getByText('That is not your current password.').waitFor()
    assert.deepEqual(asked, ['PUT'])
    await accessible(page, 'a wrong current password')
    await shootAll(page, 'settings-password')
    await change(PASSWORD)
    await settings(page).getByRole('status').getByText('Changed.').waitFor()
    assert.equal(await settings(page).getByLabel('New password').inputValue(), '')
    await annToo.page.locator('form').getByRole('button', { name: 'Log in' }).waitFor()
    await annToo.page.getByLabel('Username').fill('ann')
    await annToo.page.getByLabel('Password').fill(OTHER)
    await annToo.page.locator('form').getByRole('button', { name: 'Log in' }).click()
    await composer(annToo.page).waitFor()
    await page.keyboard.press('Escape')
    await settings(page).waitFor({ state: 'detached' })
    await say(page, 'still here')
  })

  test('without a connection it is said, and nothing is lost', async () => {
    const { page } = bob
    await open(page)
    await settings(page).getByLabel('Your name').fill('Robert')
    proxy.cut()
    await settings(page).getByRole('button', { name: 'Save' }).click()
    await settings(page).getByRole('alert').getByText('The server does not answer.').waitFor()
    proxy.restore()
    await settings(page).getByRole('button', { name: 'Save' }).click()
    await settings(page).getByRole('status').getByText('Saved.').waitFor()
    await page.keyboard.press('Escape')
    await showMembers(ann.page)
    await members(ann.page).getByText('Robert').waitFor()
  })

  test('a guest has a name and no password', async () => {
    const guest = await newPerson(browser)
    const { page } = guest
    await page.goto(server.origin)
    await page.getByRole('group').getByRole('button', { name: 'As a guest' }).click()
    await page.getByLabel('Your name').fill('Visitor')
    await page.getByRole('button', { name: 'Come in' }).click()
    await page.getByRole('heading', { name: 'Welcome, Visitor' }).waitFor()
    await open(page)
    assert.equal(await part(page, 'Password').count(), 0)
    await part(page, 'Sessions').click()
    await settings(page).getByText('Here, now').waitFor()
  })
})
