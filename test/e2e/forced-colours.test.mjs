// Where the system gives the colours (high contrast on Windows) no ground and no shadow is left to tell things apart.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { api, launchBrowser, newPerson, shoot, startServer } from './stage.mjs'
import { composer, log, logIn, members, message, roomLink, say, showMembers } from './screens.mjs'

describe('with the colours of the system', { concurrency: 1 }, () => {
  let server, browser, page

  before(async () => {
    server = await startServer()
    browser = await launchBrowser()
    const rest = api(server.origin)
    const [ann, bob] = [await rest.register('ann', 'Ann'), await rest.register('bob', 'Bob')]
    const [garden, kitchen] = [
      await rest.call('POST', '/rooms', { token: ann.access_token, body: { name: 'Garden', topic: 'Beds', visibility: 'public' } }),
      await rest.call('POST', '/rooms', { token: ann.access_token, body: { name: 'Kitchen', topic: '', visibility: 'public' } }),
    ]
    for (const { id } of [garden, kitchen]) await rest.call('POST', `/rooms/${id}/join`, { token: bob.access_token })
    page = (await newPerson(browser, { forcedColors: 'active' })).page
    await page.goto(`${server.origin}/rooms/${garden.id}`)
    await logIn(page, 'ann')
    await log(page).waitFor()
    const other = (await newPerson(browser)).page
    await other.goto(`${server.origin}/rooms/${kitchen.id}`)
    await logIn(other, 'bob')
    await log(other).waitFor()
    await say(other, 'hello from the kitchen')
    await roomLink(page, /Kitchen, 1 unread/).waitFor()
    await showMembers(page)
    await members(page).getByRole('img', { name: 'online' }).nth(1).waitFor()
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  /** Styles of what is shown; the system's colours by their names, where they are asked for. */
  const styles = (locator, ...names) =>
    locator.evaluate((element, wanted) => wanted.map((name) => getComputedStyle(element)[name]), names)
  const system = (name) =>
    page.evaluate((colour) => {
      const probe = document.body.appendChild(document.createElement('i'))
      probe.style.color = colour
      const shown = getComputedStyle(probe).color
      probe.remove()
      return shown
    }, name)

  for (const colorScheme of ['light', 'dark']) {
    test(`what is chosen, pressed or there is seen, and nothing looks as if it could not be used (${colorScheme})`, async () => {
      await page.emulateMedia({ colorScheme, forcedColors: 'active' })
      const [canvas, text, mark, onMark] = await Promise.all(['Canvas', 'CanvasText', 'Highlight', 'HighlightText'].map(system))
      await shoot(page, `forced-colours-${colorScheme}`)

      const [open, other] = [roomLink(page, 'Garden'), roomLink(page, /Kitchen/)]
      assert.deepEqual(await styles(open, 'outlineStyle', 'outlineColor', 'color'), ['solid', mark, text])
      assert.deepEqual(await styles(other, 'outlineStyle', 'color'), ['none', text])
      assert.deepEqual(await styles(other.getByText('K', { exact: true }), 'borderTopColor', 'color'), [text, text])
      assert.deepEqual(await styles(other.getByText('1', { exact: true }), 'backgroundColor', 'color'), [mark, onMark])

      const pressed = page.getByRole('button', { name: 'Members', exact: true })
      assert.deepEqual(await styles(pressed, 'backgroundColor', 'color'), [mark, onMark])
      assert.notEqual((await styles(page.getByRole('button', { name: 'Invite people' }).first(), 'backgroundColor'))[0], mark)

      const online = members(page).getByRole('img', { name: 'online' }).first()
      assert.deepEqual(await styles(online, 'backgroundColor', 'borderTopColor'), [mark, canvas])
      const initials = members(page).getByText('B', { exact: true })
      assert.deepEqual(await styles(initials, 'borderTopStyle', 'borderTopColor', 'color'), ['solid', text, text])

      const hint = await composer(page).evaluate((field) => getComputedStyle(field, '::placeholder').color)
      assert.equal(hint, text)
      await composer(page).focus()
      assert.deepEqual(await styles(page.locator('form:has(textarea)'), 'outlineStyle', 'outlineColor'), ['solid', mark])
    })
  }

  test('the chosen part of the settings, and the chosen theme, are marked', async () => {
    const mark = await system('Highlight')
    await page.getByRole('button', { name: /^You are/ }).click()
    await page.getByRole('menuitem', { name: 'Settings' }).click()
    const parts = page.getByRole('group', { name: 'What to set' })
    await parts.getByRole('button', { name: 'Look' }).click()
    assert.deepEqual(await styles(parts.getByRole('button', { name: 'Look' }), 'backgroundColor'), [mark])
    const chosen = page.locator('label:has(:checked)').first()
    assert.deepEqual(await styles(chosen, 'outlineStyle', 'outlineColor'), ['solid', mark])
    assert.deepEqual(await styles(page.locator('label:has(:not(:checked))').last(), 'outlineStyle').then(([style]) => style), 'none')
    await shoot(page, 'forced-colours-settings')
    await page.keyboard.press('Escape')
  })

  test('a switch shows where it stands', async () => {
    const [text, mark, onMark] = await Promise.all(['CanvasText', 'Highlight', 'HighlightText'].map(system))
    await page.getByRole('button', { name: /^You are/ }).click()
    await page.getByRole('menuitem', { name: 'Settings' }).click()
    await page.getByRole('button', { name: 'Notifications' }).click()
    const sound = page.getByRole('switch', { name: 'Play a sound' })
    const looks = () =>
      sound.evaluate((input) => {
        const track = [...input.parentElement.children].find((one) => /track/.test(one.className))
        return [getComputedStyle(track).backgroundColor, getComputedStyle(track, '::before').backgroundColor]
      })
    await sound.waitFor()
    const [ground, knob] = await looks()
    assert.equal(knob, text)
    assert.notEqual(ground, text)
    await sound.press('Space')
    await page.waitForFunction(() => document.getAnimations().length === 0)
    assert.deepEqual(await looks(), [mark, onMark])
    await shoot(page, 'forced-colours-switch')
    await page.keyboard.press('Escape')
  })

  test('the first unread message has its line', async () => {
    await roomLink(page, /Kitchen/).click()
    await message(page, 'hello from the kitchen').waitFor()
    const line = log(page).getByText('New', { exact: true })
    await line.waitFor()
    const ground = await line.evaluate((element) => getComputedStyle(element.closest('[class*="new"]') ?? element, '::before').backgroundColor)
    assert.equal(ground, await system('CanvasText'))
    await shoot(page, 'forced-colours-new')
  })
})
