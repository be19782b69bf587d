// Where the focus goes when what has it goes: to the next of its kind, to the one before where there is none, to what they stood in.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { api, launchBrowser, newPerson, startServer } from './stage.mjs'
import { logIn, members, showMembers } from './screens.mjs'

describe('the focus, when a row goes', { concurrency: 1 }, () => {
  let server, browser, page, rest, room

  before(async () => {
    server = await startServer({ GOCHAT_AUTH_RATE: '0' })
    rest = api(server.origin)
    const token = (await rest.register('ann', 'Ann')).access_token
    room = await rest.call('POST', '/rooms', { token, body: { name: 'Garden', visibility: 'public' } })
    for (const name of ['Aaron', 'Bob', 'Carol']) {
      const { access_token } = await rest.register(name.toLowerCase(), name)
      await rest.call('POST', `/rooms/${room.id}/join`, { token: access_token })
    }
    browser = await launchBrowser()
    ;({ page } = await newPerson(browser))
    await page.goto(`${server.origin}/rooms/${room.id}`)
    await logIn(page, 'ann')
    await page.getByRole('log').waitFor()
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  const dialog = (name) => page.getByRole('dialog', { name })
  /** By Enter, as whoever needs the focus does. */
  const press = async (button) => {
    await button.focus()
    await page.keyboard.press('Enter')
  }
  /** Until the focus is within an element, or is the element. */
  const untilIn = async (target) =>
    page.waitForFunction((element) => element.contains(document.activeElement), await target.elementHandle())

  /** Ends the middle one of three rows, the last, and the only one; `next` tells a row from its text. */
  async function endAll(rows, end, around) {
    const texts = await rows.allTextContents()
    assert.equal(texts.length, 3)
    const row = (at) => rows.filter({ hasText: texts[at] })
    for (const [gone, next] of [[1, row(2)], [2, row(0)], [0, around]]) {
      const going = await row(gone).elementHandle()
      await end(row(gone))
      await page.waitForFunction((element) => !element.isConnected, going)
      await untilIn(next)
    }
  }

  test('a session that is ended', async () => {
    for (const program of ['curl/8', 'wget/1']) await rest.logIn('ann', { 'User-Agent': program })
    await page.getByRole('button', { name: /^You are/ }).click()
    await page.getByRole('menuitem', { name: 'Settings' }).click()
    await dialog('Settings').getByRole('button', { name: 'Sessions', exact: true }).click()
    const rows = dialog('Settings').getByRole('list', { name: 'Where you are logged in' }).getByRole('listitem').filter({ hasText: /^(node|curl|wget)/ })
    await rows.nth(2).waitFor()
    await endAll(rows, (row) => press(row.getByRole('button', { name: /^Log out/ })), dialog('Settings'))
    await page.keyboard.press('Escape')
    await dialog('Settings').waitFor({ state: 'detached' })
  })

  test('a link that is revoked', async () => {
    const anew = await rest.logIn('ann')
    for (let count = 0; count < 3; count++) await rest.call('POST', `/rooms/${room.id}/invites`, { token: anew, body: {} })
    await page.getByRole('main').getByRole('button', { name: 'Invite people' }).first().click()
    const panel = dialog('Invite to Garden')
    const rows = panel.getByRole('listitem')
    await rows.nth(2).waitFor()
    await endAll(rows, (row) => press(row.getByRole('button', { name: /^Revoke/ })), panel)
    await page.keyboard.press('Escape')
    await panel.waitFor({ state: 'detached' })
  })

  test('a member who is removed', async () => {
    await showMembers(page)
    const rows = members(page).getByRole('listitem').filter({ hasText: /@(aaron|bob|carol)/ })
    await rows.nth(2).waitFor()
    const remove = async (row) => {
      await press(row.getByRole('button', { name: /^Actions for/ }))
      await page.getByRole('menuitem', { name: 'Remove from room' }).click()
      await press(page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }))
    }
    await endAll(rows, remove, members(page).getByRole('list'))
  })
})
