// What a field may hold is said while one writes; nothing is cut off without a word.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessible } from './axe.mjs'
import { PASSWORD, api, launchBrowser, newPerson, shoot, startServer } from './stage.mjs'
import { register } from './screens.mjs'

describe('fields with a limit', { concurrency: 1 }, () => {
  let server, browser, page

  before(async () => {
    server = await startServer({ GOCHAT_GUESTS: 'true' })
    browser = await launchBrowser()
    ;({ page } = await newPerson(browser))
    await page.goto(server.origin)
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  const dialog = (name) => page.getByRole('dialog', { name })

  test('a name of somebody new, and a password', async () => {
    await page.getByRole('group').getByRole('button', { name: 'Create account' }).click()
    await page.getByLabel('Your name').fill('n'.repeat(81))
    await page.getByText('Too long by 1: 80 characters fit.').waitFor()
    await page.getByLabel('Password').fill('p'.repeat(1_001))
    await page.getByText('Too long by 1: 1,000 characters fit.').waitFor()
    assert.equal(await page.getByLabel('Your name').inputValue(), 'n'.repeat(81))
    await page.getByLabel('Password').fill(`${'p'.repeat(1_000)} `)
    await page.getByText('Too long by 1: 1,000 characters fit.').waitFor()
    await page.getByLabel('Username').fill('ann')
    await page.getByLabel('Your name').fill('Ann')
    await page.getByLabel('Password').fill('')
    await page.getByLabel('Password').pressSequentially('short')
    await page.locator('form').getByRole('button', { name: 'Create account' }).click()
    await page.getByRole('alert').getByText('Too short: at least 10 characters.').waitFor()
    await page.getByLabel('Your name').fill('n'.repeat(81))
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('group').getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('group').getByRole('button', { name: 'As a guest' }).click()
    await page.getByLabel('Your name').fill('n'.repeat(81))
    await page.getByRole('button', { name: 'Come in' }).click()
    await page.getByRole('alert').getByText('Too long by 1: 80 characters fit.').waitFor()
    await register(page, 'ann', 'Ann')
    await page.getByRole('heading', { name: 'Welcome, Ann' }).waitFor()
  })

  test('a room’s name and topic', async () => {
    await page.getByRole('button', { name: 'New room' }).click()
    const name = dialog('New room').getByLabel('Name')
    await name.fill('🌻'.repeat(70))
    await dialog('New room').getByText('10 characters left').waitFor()
    await name.fill('🌻'.repeat(85))
    await dialog('New room').getByText('Too long by 5: 80 characters fit.').waitFor()
    await accessible(page, 'a name that is too long')
    await shoot(page, 'name-too-long')
    await name.press('Enter')
    await dialog('New room').getByRole('alert').getByText('Too long by 5').waitFor()
    assert.equal(await name.inputValue(), '🌻'.repeat(85))
    assert.ok(await name.evaluate((element) => element === document.activeElement))
    await name.fill('🌻'.repeat(80))
    await dialog('New room').getByText('0 characters left', { exact: true }).waitFor()
    await dialog('New room').getByLabel('Topic').fill('t'.repeat(500))
    await dialog('New room').getByRole('button', { name: 'Create room' }).click()
    await page.getByRole('heading', { level: 1, name: '🌻'.repeat(80) }).waitFor()
    const rest = api(server.origin)
    const [room] = (await rest.call('GET', '/rooms', { token: await rest.logIn('ann') })).items
    assert.deepEqual([room.name, room.topic], ['🌻'.repeat(80), 't'.repeat(500)])
    await page.getByRole('button', { name: 'Room settings' }).click()
    await dialog('Room settings').getByLabel('Topic').fill('t'.repeat(501))
    await dialog('Room settings').getByRole('button', { name: 'Save' }).click()
    await dialog('Room settings').getByRole('alert').getByText('Too long by 1: 500 characters fit.').waitFor()
    await dialog('Room settings').getByLabel('Topic').fill('Sunflowers')
    await dialog('Room settings').getByRole('button', { name: 'Save' }).click()
    await dialog('Room settings').getByText('Saved.').waitFor()
  })

  test('a password that was changed leaves empty fields, of which nothing more is said', async () => {
    await page.reload()
    await page.getByRole('button', { name: /^You are/ }).click()
    await page.getByRole('menuitem', { name: 'Settings' }).click()
    const settings = dialog('Settings')
    await settings.getByRole('button', { name: 'Password', exact: true }).click()
    const wanted = settings.getByLabel('New password')
    await settings.getByLabel('Current password').fill(PASSWORD)
    await wanted.fill('p'.repeat(990))
    await settings.getByText('10 characters left').waitFor()
    await settings.getByRole('button', { name: 'Change password' }).click()
    await settings.getByText('Changed.').waitFor()
    assert.equal(await wanted.inputValue(), '')
    await settings.getByText('At least 10 characters.').waitFor()
    assert.equal(await settings.getByText('characters left').count(), 0)
  })
})
