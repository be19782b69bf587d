// What was written and not sent: it outlives its room, and nothing takes it away without a word.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { api, launchBrowser, newPerson, startProxy, startServer } from './stage.mjs'
import { accessible } from './axe.mjs'
import { away, comeBack, composer, logIn, message, say } from './screens.mjs'

describe('what was not sent', { concurrency: 1 }, () => {
  let server, proxy, browser, bob, bobId, rest, token, room

  before(async () => {
    server = await startServer({ GOCHAT_GUESTS: 'true' })
    proxy = await startProxy(server)
    rest = api(server.origin)
    token = (await rest.register('ann', 'Ann')).access_token
    const { access_token, user } = await rest.register('bob', 'Bob')
    bobId = user.id
    room = await rest.call('POST', '/rooms', { token, body: { name: 'Garden', visibility: 'public' } })
    await rest.call('POST', `/rooms/${room.id}/join`, { token: access_token })
    browser = await launchBrowser()
    bob = await newPerson(browser)
    await bob.page.goto(`${proxy.origin}/rooms/${room.id}`)
    await logIn(bob.page, 'bob')
    await composer(bob.page).waitFor()
  })

  after(async () => {
    await browser?.close()
    await proxy?.stop()
    await server?.stop()
  })

  const left = (page) => page.getByRole('region', { name: 'You had written and not sent:' })

  test('whoever is removed meanwhile sees it, and it is sent if they are let in again', async () => {
    const { page } = bob
    proxy.cut()
    await away(page).waitFor()
    await say(page, 'precious unsent text')
    await composer(page).fill('half a thought')
    await rest.call('DELETE', `/rooms/${room.id}/members/${bobId}`, { token })
    proxy.restore()
    await comeBack(page)
    await left(page).getByText('precious unsent text').waitFor()
    await left(page).getByText('half a thought').waitFor()
    await accessible(page, 'left over')
    await page.reload()
    await left(page).getByText('precious unsent text').waitFor()
    await rest.call('POST', `/rooms/${room.id}/join`, { token: await rest.logIn('bob') })
    await message(page, 'precious unsent text').getByRole('img', { name: 'Sent' }).waitFor()
    assert.equal(await composer(page).inputValue(), 'half a thought')
  })

  test('whoever finds the room deleted can copy it, and throws it away', async () => {
    const { page, context } = bob
    proxy.cut()
    await away(page).waitFor()
    await composer(page).fill('')
    await say(page, 'one last word')
    await rest.call('DELETE', `/rooms/${room.id}`, { token })
    proxy.restore()
    await comeBack(page)
    await left(page).getByText('one last word').waitFor()
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await left(page).getByRole('button', { name: 'Copy' }).click()
    await left(page).getByRole('button', { name: 'Copied' }).waitFor()
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'one last word')
    await left(page).getByRole('button', { name: 'Discard' }).click()
    await left(page).waitFor({ state: 'detached' })
    await page.reload()
    // Why is known where what was kept still named the room: the server is asked about it then.
    await page.getByRole('heading', { name: /^(This room was deleted|You are not in this room)$/ }).waitFor()
    assert.equal(await left(page).count(), 0)
  })

  const logOut = async (page, name) => {
    await page.getByRole('button', { name: `You are ${name}` }).click()
    await page.getByRole('menuitem', { name: 'Log out' }).click()
  }

  test('a logout asks before it throws a draft away; the other tab says what happened, and nobody is led to the room', async () => {
    const { page, context } = bob
    const other = await rest.call('POST', '/rooms', { token: await rest.logIn('bob'), body: { name: 'Attic', visibility: 'private' } })
    const tab = await context.newPage()
    for (const each of [tab, page]) {
      await each.goto(`${proxy.origin}/rooms/${other.id}`)
      await composer(each).waitFor()
    }
    await page.bringToFront()
    await composer(page).fill('half a thought')
    await logOut(page, 'Bob')
    const asked = page.getByRole('dialog', { name: 'Log out?' })
    await asked.getByText('You lose a draft.').waitFor()
    await accessible(page, 'log out?')
    await asked.getByRole('button', { name: 'Stay' }).click()
    await asked.waitFor({ state: 'detached' })
    assert.equal(await composer(page).inputValue(), 'half a thought')
    await logOut(page, 'Bob')
    await asked.getByRole('button', { name: 'Log out' }).click()
    await tab.getByRole('status').getByText('You logged out in another tab.').waitFor()
    for (const each of [page, tab]) {
      await each.waitForURL(`${proxy.origin}/login`)
      await each.getByLabel('Username').waitFor()
      assert.equal(await each.getByText('is kept for you').count(), 0)
    }
    await tab.close()
  })

  test('a guest is told that there is no way back', async () => {
    const { page } = bob
    await page.getByRole('group').getByRole('button', { name: 'As a guest' }).click()
    await page.getByLabel('Your name').fill('Gus')
    await page.getByRole('button', { name: 'Come in' }).click()
    await page.getByRole('heading', { name: 'Welcome, Gus' }).waitFor()
    await logOut(page, 'Gus')
    const asked = page.getByRole('dialog', { name: 'Log out?' })
    await asked.getByText('You cannot come back as this guest.').waitFor()
    await asked.getByRole('button', { name: 'Log out' }).click()
    await page.getByLabel('Username').waitFor()
  })
})
