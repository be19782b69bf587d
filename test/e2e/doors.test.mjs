// The ways in, and what is said when one is closed; and how much comes through the door.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { accessible } from './axe.mjs'
import { PASSWORD, api, launchBrowser, newPerson, shoot, shootAll, startProxy, startServer } from './stage.mjs'
import { drawn, log, message, register, say, untilFocused } from './screens.mjs'

/** The aim is 200 KB (P9); what is won is kept. */
const FIRST_LOAD_BYTES = 185 * 1024

async function roomWithInvite(server, body = {}) {
  const rest = api(server.origin)
  const { access_token: token } = await rest.register('ann', 'Ann')
  const room = await rest.call('POST', '/rooms', { token, body: { name: 'Garden', topic: 'Seeds', visibility: 'private' } })
  const invite = await rest.call('POST', `/rooms/${room.id}/invites`, { token, body })
  return { rest, token, room, link: `${server.origin}/invite/${invite.code}` }
}

const ways = (page) => page.getByRole('group', { name: 'How to come in' }).getByRole('button')

async function comeAsGuest(page, name) {
  await page.getByRole('button', { name: 'As a guest' }).click()
  await page.getByLabel('Your name').fill(name)
  await page.getByRole('button', { name: 'Come in' }).click()
}

describe('where guests are admitted', { concurrency: 1 }, () => {
  let server, browser, stage

  before(async () => {
    server = await startServer({ GOCHAT_GUESTS: 'true' })
    stage = await roomWithInvite(server)
    browser = await launchBrowser()
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  test('a guest comes in by a link, and talks; but makes no rooms', async () => {
    const { page } = await newPerson(browser)
    await page.goto(stage.link)
    await comeAsGuest(page, 'Passer-by')
    await page.getByRole('heading', { level: 1, name: 'Garden' }).waitFor()
    await say(page, 'hello from outside')
    await message(page, 'hello from outside').getByRole('img', { name: 'Sent' }).waitFor()
    assert.equal(await page.getByRole('button', { name: 'New room' }).count(), 0)
  })

  test('what does not fit is said below its field, and the first such field is gone to', async () => {
    const { page } = await newPerson(browser)
    await page.goto(`${server.origin}/`)
    await page.getByRole('button', { name: 'Create account' }).first().click()
    const username = page.getByLabel('Username')
    const create = page.locator('form').getByRole('button', { name: 'Create account' })
    await create.click()
    await page.getByText('Username is missing.').waitFor()
    await page.getByText('Password is missing.').waitFor()
    assert.equal(await username.evaluate((input) => input === document.activeElement), true)
    await username.fill('a!')
    assert.equal(await page.getByText('Username is missing.').count(), 0)
    await page.getByLabel('Password').fill('short')
    await create.click()
    await page.getByText('That does not fit. 3 to 32 of').waitFor()
    await page.getByText('Too short: at least 10 characters').waitFor()
    await username.fill('fits')
    await page.getByLabel('Password').fill('a long password')
    await create.click()
    await page.getByText('Make the first one').waitFor()
  })

  test('who one is goes along to another way in, a password does not', async () => {
    const { page } = await newPerson(browser)
    await page.goto(stage.link)
    const way = (name) => ways(page).filter({ hasText: name }).click()
    const [username, name, password] = ['Username', 'Your name', 'Password'].map((label) => page.getByLabel(label))
    await username.fill('carl')
    await password.fill(PASSWORD)
    await way('Log in')
    assert.deepEqual([await username.inputValue(), await password.inputValue()], ['carl', ''])
    await untilFocused(page, password)
    await way('As a guest')
    assert.equal(await name.inputValue(), 'carl')
    await name.fill('Carl of the Garden')
    await way('Create account')
    assert.deepEqual([await username.inputValue(), await name.inputValue(), await password.inputValue()], ['carl', 'Carl of the Garden', ''])
    await password.fill(PASSWORD)
    await page.locator('form').getByRole('button', { name: 'Create account' }).click()
    await log(page).getByText('Carl of the Garden joined').waitFor()
  })

  test('a password can be shown, and is hidden again when it is sent', async () => {
    const { page } = await newPerson(browser)
    await page.goto(server.origin)
    const password = page.getByLabel('Password')
    const show = page.getByRole('button', { name: 'Show what is typed', description: 'Password' })
    const kept = () => password.evaluate((field) => [field.type, field.autocomplete, field.value])
    await page.getByLabel('Username').fill('ann')
    await password.fill('not the password')
    assert.deepEqual(await kept(), ['password', 'current-password', 'not the password'])
    await show.click()
    await page.locator('[aria-pressed="true"][aria-label="Show what is typed"]').waitFor()
    assert.deepEqual(await kept(), ['text', 'current-password', 'not the password'])
    await untilFocused(page, password)
    assert.equal(await password.getAttribute('spellcheck'), 'false')
    await accessible(page, 'a password that is shown')
    await shootAll(page, 'password-shown')
    await show.click()
    assert.deepEqual(await kept(), ['password', 'current-password', 'not the password'])
    await show.click()
    await password.press('Enter')
    await page.getByRole('alert').getByText('do not fit together').waitFor()
    assert.deepEqual(await kept(), ['password', 'current-password', 'not the password'])
    await ways(page).filter({ hasText: 'Create account' }).click()
    await show.waitFor()
    assert.deepEqual(await kept(), ['password', 'new-password', ''])
  })

  test('the first load is at most 185 KB of JavaScript, gzipped', async () => {
    const { page } = await newPerson(browser)
    const scripts = []
    page.on('response', (response) => {
      if (response.request().resourceType() === 'script') scripts.push(response.body())
    })
    await page.goto(stage.link)
    await comeAsGuest(page, 'Counter')
    await page.getByRole('log').waitFor()
    const bytes = (await Promise.all(scripts)).reduce((sum, body) => sum + gzipSync(body).length, 0)
    assert.ok(bytes > 10_000 && bytes <= FIRST_LOAD_BYTES, `${bytes} bytes`)
  })

  test('a member who opens the link is asked nothing', async () => {
    const { page } = await newPerson(browser)
    await page.goto(stage.link)
    await register(page, 'bob', 'Bob')
    await page.getByRole('heading', { level: 1, name: 'Garden' }).waitFor()
    await page.goto(stage.link)
    await page.getByRole('heading', { level: 1, name: 'Garden' }).waitFor()
  })
})

describe('where they are not', { concurrency: 1 }, () => {
  let server, browser, stage

  before(async () => {
    server = await startServer()
    stage = await roomWithInvite(server, { max_uses: 1 })
    browser = await launchBrowser()
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  test('there is no such way in', async () => {
    const { page } = await newPerson(browser)
    const told = page.waitForResponse((response) => response.url().endsWith('/api/v1/instance'))
    await page.goto(stage.link)
    await page.getByRole('button', { name: 'Log in' }).waitFor()
    await told
    await drawn(page)
    assert.deepEqual(await ways(page).allTextContents(), ['Log in', 'Create account'])
    await page.waitForFunction(() => document.title === 'Invite · GoChat')
    await shoot(page, 'doors-no-guests')
  })

  test('a wrong password is said plainly', async () => {
    const { page } = await newPerson(browser)
    await page.goto(server.origin)
    const way = ways(page).filter({ hasText: 'Log in' })
    const place = await way.boundingBox()
    await page.getByRole('button', { name: 'Create account' }).first().click()
    await page.getByLabel('Your name').waitFor()
    assert.deepEqual(await way.boundingBox(), place)
    await way.click()
    await page.getByLabel('Username').fill('ann')
    await page.getByLabel('Password').fill('not the password')
    const button = page.locator('form').getByRole('button', { name: 'Log in' })
    const before = await button.boundingBox()
    await button.click()
    await page.getByRole('alert').getByText('do not fit together').waitFor()
    await page.mouse.move(0, 0)
    await drawn(page)
    assert.deepEqual(await button.boundingBox(), before)
  })

  test('a link for one takes one, by an account made with it; then it is no more', async () => {
    const { page } = await newPerson(browser)
    await page.goto(stage.link)
    await register(page, 'bob', 'Bob')
    await page.getByRole('heading', { level: 1, name: 'Garden' }).waitFor()
    const late = await newPerson(browser)
    await late.page.goto(stage.link)
    await late.page.getByRole('heading', { level: 1, name: 'This invite does not work' }).waitFor()
    await late.page.getByRole('alert').getByText('Ask for a new one').waitFor()
    await shoot(late.page, 'doors-bad-invite')
    await late.page.getByRole('button', { name: 'Log in without it' }).click()
    await late.page.getByLabel('Username').waitFor()
  })
})

describe('tried too often', { concurrency: 1 }, () => {
  let server, browser

  before(async () => {
    server = await startServer({ GOCHAT_AUTH_RATE: '10/m' })
    await api(server.origin).register('ann', 'Ann')
    browser = await launchBrowser()
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  /** Until an address has no try left. */
  async function useUp() {
    const body = { username: 'ann', password: 'not the password' }
    for (let left = 30; left > 0; left--) {
      const refusal = await api(server.origin).call('POST', '/auth/login', { body }).then(() => undefined, (error) => error.message)
      if (refusal?.includes('rate_limited')) return
    }
    assert.fail('nobody was refused')
  }

  test('how long there is to wait is counted down, and said aloud twice; then the button works', async () => {
    const { page } = await newPerson(browser)
    await page.goto(server.origin)
    await page.getByLabel('Username').fill('ann')
    await page.getByLabel('Password').fill(PASSWORD)
    await useUp()
    let asked = 0
    page.on('request', (request) => (asked += Number(request.url().endsWith('/auth/login'))))
    await page.evaluate(() => {
      window.said = []
      window.counted = []
      const alert = document.querySelector('form [role="alert"]')
      new MutationObserver(() => {
        const heard = alert.cloneNode(true)
        const seen = heard.querySelector('[aria-hidden="true"]')
        seen?.remove()
        if (window.said.at(-1) !== heard.textContent) window.said.push(heard.textContent)
        if (seen !== null) window.counted.push(Number(/\d+/.exec(seen.textContent)))
      }).observe(alert, { childList: true, characterData: true, subtree: true })
    })
    const button = page.locator('form').getByRole('button', { name: 'Log in' })
    await button.click()
    await page.getByRole('alert').getByText(/^Too many tries\. Try again in \d seconds?\./).waitFor()
    const off = await button.evaluate((element) => {
      element.click()
      return [element.title, element.ariaDisabled]
    })
    assert.match(off.join(), /^Not yet: try again in \d seconds?,true$/)
    await page.getByRole('alert').getByText('You can try again now.').waitFor()
    assert.equal(asked, 1)
    assert.equal(await button.getAttribute('title'), null)
    const { said, counted } = await page.evaluate(() => ({ said: window.said, counted: window.counted }))
    assert.match(said.join('|'), /^Too many tries\. Try again in \d seconds?\.\|Too many tries\. You can try again now\.$/)
    assert.ok(counted.length > 2, counted.join())
    assert.deepEqual(counted, counted.toSorted((a, b) => b - a))
    await button.click()
    await page.getByRole('heading', { name: 'Welcome, Ann' }).waitFor()
  })

  test('it is counted on whichever way in one turns to', async () => {
    const { page } = await newPerson(browser)
    await page.goto(server.origin)
    await page.getByLabel('Username').fill('ann')
    await page.getByLabel('Password').fill(PASSWORD)
    await useUp()
    await page.locator('form').getByRole('button', { name: 'Log in' }).click()
    const wait = page.getByRole('alert').getByText(/^Too many tries\. Try again in \d seconds?\./)
    await wait.waitFor()
    for (const way of ['Create account', 'Log in']) {
      await ways(page).filter({ hasText: way }).click()
      await wait.waitFor()
      const button = page.locator('form').getByRole('button', { name: way })
      assert.match((await button.getAttribute('title')) ?? '', /^Not yet: try again in \d seconds?$/)
      assert.equal(await button.getAttribute('aria-disabled'), 'true')
    }
    await page.getByRole('alert').getByText('You can try again now.').waitFor()
    await page.getByLabel('Password').fill(PASSWORD)
    await page.locator('form').getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('heading', { name: 'Welcome, Ann' }).waitFor()
  })
})

describe('over a dead network', { concurrency: 1 }, () => {
  let server, proxy, browser

  before(async () => {
    server = await startServer()
    proxy = await startProxy(server)
    await api(server.origin).register('ann', 'Ann')
    browser = await launchBrowser()
  })

  after(async () => {
    await browser?.close()
    await proxy?.stop()
    await server?.stop()
  })

  test('a login says that it waits, ends with the way out, and works when the network is back', async () => {
    const { page } = await newPerson(browser)
    await page.goto(proxy.origin)
    await page.getByLabel('Username').fill('ann')
    await page.getByLabel('Password').fill(PASSWORD)
    proxy.freeze()
    await page.locator('form').getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('status').getByText('The server is slow to answer.').waitFor()
    await shootAll(page, 'login-slow')
    await page.getByRole('alert').getByText('The server does not answer. Check your connection and try again.').waitFor({ timeout: 20_000 })
    assert.equal(await page.getByText('The server is slow to answer.').count(), 0)
    proxy.restore()
    await page.locator('form').getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('heading', { name: 'Welcome, Ann' }).waitFor()
  })
})
