// What was typed into a dialog and not saved is not thrown away without a question.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessible } from './axe.mjs'
import { api, launchBrowser, newPerson, shootAll, startServer } from './stage.mjs'
import { createRoom, register, untilFocused } from './screens.mjs'

describe('typed and not saved', { concurrency: 1 }, () => {
  let server, browser, context, page

  before(async () => {
    server = await startServer()
    browser = await launchBrowser()
    ;({ context, page } = await newPerson(browser))
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
  /** All of them: one closes over another, and each takes its time. */
  const gone = () => page.waitForFunction(() => document.querySelector('[role="dialog"]') === null)

  /** Waits until a field holds that. */
  const holds = async (field, value) => {
    await page.waitForFunction(([input, wanted]) => input.value === wanted, [await field.elementHandle(), value])
  }

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

  test('what was not touched goes along with whoever else changes it, and is not sent', async () => {
    const rest = api(server.origin)
    const token = await rest.logIn('ann')
    const id = new URL(page.url()).pathname.split('/').at(-1)
    const elsewhere = (body) => rest.call('PATCH', `/rooms/${id}`, { token, body })
    const settings = dialog('Room settings')
    const [name, topic] = [settings.getByLabel('Name'), settings.getByLabel('Topic')]
    const save = settings.getByRole('button', { name: 'Save' })
    await press('Room settings')
    await topic.waitFor()
    await elsewhere({ topic: 'Trees' })
    await holds(topic, 'Trees')
    assert.ok(await save.isDisabled())
    await page.keyboard.press('Escape')
    await gone()
    await press('Room settings')
    await name.fill('Orchard')
    await elsewhere({ topic: 'Apples', visibility: 'public' })
    await settings.getByRole('radio', { name: /^Public/, checked: true }).waitFor()
    assert.equal(await name.inputValue(), 'Orchard')
    await save.click()
    await settings.getByText('Saved.').waitFor()
    const { items } = await rest.call('GET', '/rooms', { token })
    const room = items.find((each) => each.id === id)
    assert.deepEqual([room.name, room.topic, room.visibility], ['Orchard', 'Apples', 'public'])
    await elsewhere({ name: 'Garden' })
    await holds(name, 'Garden') // what is saved is not touched any more
    await page.keyboard.press('Escape')
    await gone()
  })

  test('one’s name, saved in another tab, is not held against it here', async () => {
    const other = await context.newPage()
    await other.goto(page.url())
    for (const tab of [page, other]) {
      await tab.getByRole('button', { name: 'You are Ann' }).click()
      await tab.getByRole('menuitem', { name: 'Settings' }).click()
    }
    await other.getByLabel('Your name').fill('Annabel')
    await other.getByRole('button', { name: 'Save' }).click()
    await other.getByText('Saved.').waitFor()
    await holds(page.getByLabel('Your name'), 'Annabel')
    assert.ok(await dialog('Settings').getByRole('button', { name: 'Save' }).isDisabled())
    await page.keyboard.press('Escape')
    await gone()
    await other.close()
  })
})
