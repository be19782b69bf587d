// From screen to screen as people go; what the pictures do not show is clean by axe-core here, all others in scenes.test.mjs.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { api, launchBrowser, newPerson, shoot, startProxy, startServer } from './stage.mjs'
import { accessible } from './axe.mjs'
import { away, comeBack, composer, createInvite, createRoom, log, members, message, register, roomLink, say, showMembers, uncovered } from './screens.mjs'

const TEXT = '**Bold**, `code`, [a link](https://example.com)\n\n> a quote\n\n- one\n- two\n\n```go\nfunc main() {}\n```'

describe('screens', { concurrency: 1 }, () => {
  let server, proxy, browser, ann, bob, link

  before(async () => {
    server = await startServer({ GOCHAT_GUESTS: 'true' })
    proxy = await startProxy(server)
    browser = await launchBrowser()
    ann = await newPerson(browser)
    bob = await newPerson(browser)
  })

  after(async () => {
    await browser?.close()
    await proxy?.stop()
    await server?.stop()
  })

  test('the ways in, and a refusal', async () => {
    const { page } = ann
    await page.goto(proxy.origin)
    await page.getByRole('button', { name: 'As a guest' }).waitFor()
    await page.getByLabel('Username').fill('nobody')
    await page.getByLabel('Password').fill('not the password')
    await page.locator('form').getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('alert').getByText('do not fit together').waitFor()
    for (const way of ['Create account', 'As a guest']) {
      await page.getByRole('group').getByRole('button', { name: way }).click()
    }
    await page.goto(`${proxy.origin}/invite/nothing`)
    await page.getByRole('heading', { name: 'This invite does not work' }).waitFor()
    await page.getByRole('button', { name: 'Log in without it' }).click()
  })

  test('without a room', async () => {
    const { page } = ann
    await register(page, 'ann', 'Ann')
    await page.getByRole('heading', { name: 'Welcome, Ann' }).waitFor()
    for (const [button, dialog] of [['New room', 'New room'], ['Discover rooms', 'Discover rooms'], ['Go to a room', 'Go to a room']]) {
      await page.getByRole('button', { name: button, exact: true }).click()
      await page.getByRole('dialog', { name: dialog }).waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    }
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  })

  test('a room of one, and its invite', async () => {
    const { page } = ann
    await createRoom(page, 'Garden')
    await log(page).getByRole('button', { name: 'Invite people' }).waitFor()
    link = await createInvite(page)
    await bob.page.goto(link)
    await bob.page.getByRole('heading', { name: 'You are invited' }).waitFor()
    await register(bob.page, 'bob', 'Bob')
    await composer(bob.page).waitFor()
  })

  test('a room in use: messages, the new line, members and their menu', async () => {
    const { page } = ann
    await say(bob.page, TEXT)
    await message(page, 'a quote').waitFor()
    await createRoom(page, 'Elsewhere')
    await say(bob.page, 'still there?')
    await roomLink(page, 'Garden, 1 unread').waitFor()
    await roomLink(page, 'Garden').click()
    await log(page).getByText('New', { exact: true }).waitFor()
    await showMembers(page)
    await members(page).getByText('@bob').waitFor()
    await composer(bob.page).pressSequentially('I am')
    await page.getByRole('status', { name: 'Typing' }).getByText('Bob is typing').waitFor()
    await members(page).getByRole('button', { name: 'Actions for Bob' }).click()
    await page.getByRole('menu').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('menu').waitFor({ state: 'detached' })
    await members(page).getByRole('button', { name: 'Leave room' }).click()
    await page.getByRole('dialog', { name: 'Leave Garden?' }).getByRole('button', { name: 'Leave' }).click()
    await page.getByRole('alert').getByText('only owner').waitFor()
    await accessible(page, 'the last owner can not leave')
    await shoot(page, 'leave')
    await page.getByRole('button', { name: 'Stay' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  })

  test('what is too long, and what is not sent', async () => {
    const { page } = ann
    await composer(page).fill('x'.repeat(8_001))
    await page.getByText('Too long by 1:').waitFor()
    await composer(page).press('Enter')
    await page.getByRole('alert').getByText('Too long by 1: a message holds 8,000 characters.').waitFor()
    assert.equal(await composer(page).inputValue(), 'x'.repeat(8_001))
    await shoot(page, 'too-long')
    await composer(page).fill('x'.repeat(8_000))
    await page.getByText('0 characters left').waitFor()
    await composer(page).press('Enter')
    await message(page, 'xxx').getByRole('img', { name: 'Sent' }).waitFor()
    await page.getByText('0 characters left').waitFor({ state: 'hidden' })
    proxy.refuseSockets()
    await away(page).waitFor()
    await say(page, 'later')
    await message(page, 'later').getByRole('img', { name: 'Sending' }).waitFor()
    proxy.restore()
    await comeBack(page)
    await message(page, 'later').getByRole('img', { name: 'Sent' }).waitFor()
  })

  test('on a phone', async () => {
    const { page } = bob
    await page.setViewportSize({ width: 390, height: 844 })
    await page.getByRole('button', { name: 'Members', exact: true }).click()
    await members(page).getByText('@ann').waitFor()
    await shoot(page, 'phone-members')
    await page.keyboard.press('Escape')
    await members(page).waitFor({ state: 'detached' })
    await uncovered(page)
    await page.getByRole('link', { name: 'Back to rooms' }).click()
    await roomLink(page, 'Garden').waitFor()
    await page.goto(`${proxy.origin}/rooms/nothing`)
    await page.getByText('You are not in this room').waitFor()
  })
})
