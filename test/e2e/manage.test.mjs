// A room is changed, opened, closed and ended; its invites are made and revoked; every refusal is said in plain words.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { api, launchBrowser, newPerson, shootAll, startServer } from './stage.mjs'
import { accessible } from './axe.mjs'
import { composer, createInvite, createRoom, log, members, register, roomLink, showMembers } from './screens.mjs'

describe('managing a room', { concurrency: 1 }, () => {
  let server, browser, ann, bob, rest, roomId, bobId

  before(async () => {
    server = await startServer()
    browser = await launchBrowser()
    rest = api(server.origin)
    ann = await newPerson(browser)
    bob = await newPerson(browser)
    await ann.page.goto(server.origin)
    await register(ann.page, 'ann', 'Ann')
    await createRoom(ann.page, 'Garden')
    roomId = new URL(ann.page.url()).pathname.split('/').at(-1)
    await bob.page.goto(await createInvite(ann.page))
    await register(bob.page, 'bob', 'Bob')
    await composer(bob.page).waitFor()
    bobId = (await rest.call('GET', '/users/me', { token: await rest.logIn('bob') })).id
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  const settings = (page) => page.getByRole('dialog', { name: 'Room settings' })
  const asAnn = async (method, path, body) => rest.call(method, path, { token: await rest.logIn('ann'), body })

  test('a plain member finds nothing to change', async () => {
    await bob.page.getByRole('button', { name: 'Members', exact: true }).waitFor()
    assert.equal(await bob.page.getByRole('button', { name: 'Room settings' }).count(), 0)
    assert.equal(await bob.page.getByRole('button', { name: 'Invite people' }).count(), 0)
  })

  test('name, topic and who may join; everybody sees it at once', async () => {
    const { page } = ann
    await page.getByRole('button', { name: 'Room settings' }).click()
    assert.ok(await settings(page).getByRole('button', { name: 'Save' }).isDisabled())
    await settings(page).getByLabel('Name').fill('Orchard')
    await settings(page).getByLabel('Topic').fill('Apples, mostly')
    await settings(page).getByRole('radio', { name: /^Public/ }).check({ force: true })
    await settings(page).getByRole('button', { name: 'Save' }).click()
    await settings(page).getByRole('status').getByText('Saved.').waitFor()
    await accessible(page, 'room settings')
    await shootAll(page, 'room-settings')
    await bob.page.getByRole('heading', { level: 1, name: 'Orchard' }).waitFor()
    await bob.page.getByRole('img', { name: 'Public room' }).waitFor()
    await log(bob.page).getByText('Ann named the room “Orchard”, made the room public and set the topic: Apples, mostly').waitFor()
    await page.keyboard.press('Escape')
    await settings(page).waitFor({ state: 'detached' })
  })

  test('links are made for a time and a number of people, listed, and revoked', async () => {
    const { page } = ann
    await page.getByRole('button', { name: 'Invite people' }).first().click()
    const dialog = page.getByRole('dialog', { name: 'Invite to Orchard' })
    await dialog.getByText('used once').waitFor()
    await dialog.getByLabel('Works for').selectOption('1 day')
    await dialog.getByLabel('For how many').selectOption('5 people')
    await dialog.getByRole('button', { name: 'Create link' }).click()
    await dialog.getByText('used by 0 of 5').waitFor()
    const link = await dialog.getByLabel('Invite link').inputValue()
    await accessible(page, 'invites')
    await shootAll(page, 'invites')
    await dialog.getByRole('button', { name: 'Another link' }).click()
    await dialog.getByRole('list').getByText('used by 0 of 5').waitFor()
    await dialog.getByRole('button', { name: `Revoke the link that ends in ${link.slice(-6)}` }).click()
    await dialog.getByText('used by 0 of 5').waitFor({ state: 'detached' })
    const stranger = await newPerson(browser)
    await stranger.page.goto(link)
    await stranger.page.getByRole('heading', { name: 'This invite does not work' }).waitFor()
    await stranger.context.close()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
  })

  test('what is refused to a member’s change is said in full', async () => {
    const { page } = bob
    await asAnn('PATCH', `/rooms/${roomId}/members/${bobId}`, { role: 'owner' })
    await showMembers(page)
    const actions = members(page).getByRole('button', { name: 'Actions for Ann' })
    await actions.click()
    // Between the menu and the choice, the other one was quicker.
    await page.route('**/members/*', async (route) => {
      await asAnn('PATCH', `/rooms/${roomId}/members/${bobId}`, { role: 'member' })
      await route.continue()
    }, { times: 1 })
    await page.getByRole('menuitem', { name: 'Make plain member' }).click()
    await members(page).getByRole('alert').getByText('Your role in this room does not allow that for Ann any more.').waitFor()
    await accessible(page, 'a refusal to a member’s change')
    await shootAll(page, 'member-refused')
    await actions.waitFor({ state: 'detached' })
  })

  test('whoever is removed is told so', async () => {
    const { page } = ann
    await showMembers(page)
    await members(page).getByRole('button', { name: 'Actions for Bob' }).click()
    await page.getByRole('menuitem', { name: 'Remove from room' }).click()
    const question = page.getByRole('dialog', { name: 'Remove Bob?' })
    await accessible(page, 'a question before somebody is removed')
    await question.getByRole('button', { name: 'Cancel' }).click()
    await question.waitFor({ state: 'detached' })
    await members(page).getByRole('button', { name: 'Actions for Bob' }).click()
    await page.getByRole('menuitem', { name: 'Remove from room' }).click()
    await question.getByRole('button', { name: 'Remove', exact: true }).click()
    await bob.page.getByRole('heading', { name: 'You were removed from this room' }).waitFor()
    await accessible(bob.page, 'removed')
    await shootAll(bob.page, 'removed')
    await members(page).getByText('@bob').waitFor({ state: 'detached' })
    assert.notEqual(await page.evaluate(() => document.activeElement?.tagName), 'BODY')
  })

  test('an owner who is alone is led to the end of the room, not in circles', async () => {
    const { page } = ann
    await members(page).getByRole('button', { name: 'Leave room' }).click()
    const question = page.getByRole('dialog', { name: 'Leave Orchard?' })
    await question.getByText('You are alone here: delete the room instead.').waitFor()
    await question.getByRole('button', { name: 'Delete room' }).waitFor()
    await question.getByRole('button', { name: 'Stay' }).click()
    await question.waitFor({ state: 'detached' })
  })

  test('a room is deleted after a second question, for everybody', async () => {
    const { page } = ann
    await rest.call('POST', `/rooms/${roomId}/join`, { token: await rest.logIn('bob') })
    await composer(bob.page).waitFor()
    await page.getByRole('button', { name: 'Room settings' }).click()
    await settings(page).getByRole('button', { name: 'Delete room' }).click()
    await settings(page).getByRole('alert').getByText('Delete Orchard, for you and 1 other?').waitFor()
    await accessible(page, 'delete a room')
    await shootAll(page, 'room-delete')
    await settings(page).getByRole('button', { name: 'Keep it' }).click()
    await settings(page).getByRole('button', { name: 'Delete room' }).click()
    await settings(page).getByRole('button', { name: 'Delete for everybody' }).click()
    for (const { page: each } of [ann, bob]) {
      await each.getByRole('heading', { name: 'This room was deleted' }).waitFor()
      await roomLink(each, 'Orchard').waitFor({ state: 'detached' })
    }
  })

  test('a double click makes one room, and one link', async () => {
    const { page } = ann
    await page.getByRole('button', { name: 'New room' }).click()
    const dialog = page.getByRole('dialog', { name: 'New room' })
    await dialog.getByLabel('Name').fill('Twice')
    const twice = (button) =>
      button.evaluate((element) => {
        for (const detail of [1, 2]) element.dispatchEvent(new MouseEvent('click', { detail, bubbles: true, cancelable: true }))
      })
    await twice(dialog.getByRole('button', { name: 'Create room' }))
    await page.getByRole('heading', { level: 1, name: 'Twice' }).waitFor()
    const token = await rest.logIn('ann')
    const made = (await rest.call('GET', '/rooms', { token })).items.filter(({ name }) => name === 'Twice')
    assert.equal(made.length, 1)
    await page.getByRole('button', { name: 'Invite people' }).first().click()
    await twice(page.getByRole('dialog').getByRole('button', { name: 'Create link' }))
    await page.getByRole('dialog').getByLabel('Invite link').waitFor()
    assert.equal((await rest.call('GET', `/rooms/${made[0].id}/invites`, { token })).items.length, 1)
    await page.keyboard.press('Escape')
  })
})
