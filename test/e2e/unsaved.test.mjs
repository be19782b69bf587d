// What was typed into a dialog and not saved is not thrown away without a question.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessible } from './axe.mjs'
import { launchBrowser, newPerson, shootAll, startServer } from './stage.mjs'
import { createRoom, register, untilFocused } from './screens.mjs'

describe('typed and not saved', { concurrency: 1 }, () => {
  let server, browser, page

  before(async () => {
    server = await startServer()
    browser = await launchBrowser()
    ;({ page } = await newPerson(browser))
    await page.goto(server.origin)
    await register(page, 'ann', 'Ann')
    await createRoom(page, 'Garden')
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  const dialog = (name) => page.getByRole('dialog', { name })
  const press = (name) => page.getByRole('button', { name, exact: true }).click()
  const gone = () => page.getByRole('dialog').waitFor({ state: 'detached' })

  /** The question is asked, and answered. */
  async function asked(question, answer) {
    await dialog(question).getByText('It is not saved.').waitFor()
    await dialog(question).getByRole('button', { name: answer }).click()
    await dialog(question).waitFor({ state: 'detached' })
  }

  test('a new room: by Escape, by a click outside, by the cross; and nothing is asked for nothing', async () => {
    const typed = 'Discard what you typed?'
    const name = dialog('New room').getByLabel('Name')
    await press('New room')
    await dialog('New room').getByRole('radio', { name: 'Public' }).check({ force: true })
    await page.keyboard.press('Escape')
    await gone()
    await press('New room')
    await name.fill('Half a name')
    await page.keyboard.press('Escape')
    await untilFocused(page, dialog(typed).getByRole('button', { name: 'Keep it' }))
    await accessible(page, 'discard?')
    await shootAll(page, 'discard')
    await page.keyboard.press('Escape')
    await dialog(typed).waitFor({ state: 'detached' })
    await untilFocused(page, name)
    await page.mouse.click(4, 4)
    await asked(typed, 'Keep it')
    await dialog('New room').getByRole('button', { name: 'Close' }).click()
    await asked(typed, 'Keep it')
    assert.equal(await name.inputValue(), 'Half a name')
    await page.keyboard.press('Control+k')
    await asked(typed, 'Keep it')
    await page.keyboard.press('Escape')
    await asked(typed, 'Discard')
    await gone()
    await untilFocused(page, page.getByRole('button', { name: 'New room' }))
    await press('New room')
    assert.equal(await name.inputValue(), '')
    await name.fill('Half a name')
    await page.keyboard.press('Control+k')
    await asked(typed, 'Discard')
    await dialog('Go to a room').waitFor()
    await page.keyboard.press('Escape')
    await gone()
  })

  test('a room’s settings: until they are saved, or as they were', async () => {
    const topic = dialog('Room settings').getByLabel('Topic')
    await press('Room settings')
    await topic.fill('Seeds')
    await page.keyboard.press('Escape')
    await asked('Discard what you changed?', 'Keep it')
    await topic.fill('')
    await page.keyboard.press('Escape')
    await gone()
    await press('Room settings')
    await topic.fill('Seeds')
    await dialog('Room settings').getByRole('button', { name: 'Save' }).click()
    await dialog('Room settings').getByText('Saved.').waitFor()
    await page.keyboard.press('Escape')
    await gone()
  })

  test('one’s name and password: other parts of the settings do not take them away, and closing asks', async () => {
    const settings = dialog('Settings')
    const part = (name) => settings.getByRole('group').getByRole('button', { name, exact: true }).click()
    await page.getByRole('button', { name: 'You are Ann' }).click()
    await page.getByRole('menuitem', { name: 'Settings' }).click()
    await settings.getByLabel('Your name').fill('Annabel')
    await part('Password')
    await settings.getByLabel('New password').fill('a new password')
    await part('Look')
    await part('Password')
    assert.equal(await settings.getByLabel('New password').inputValue(), 'a new password')
    await part('Profile')
    assert.equal(await settings.getByLabel('Your name').inputValue(), 'Annabel')
    await settings.getByLabel('Your name').fill('Ann')
    await page.keyboard.press('Escape')
    await asked('Discard what you typed?', 'Keep it')
    await part('Password')
    await settings.getByLabel('New password').fill('')
    await page.keyboard.press('Escape')
    await gone()
  })
})
