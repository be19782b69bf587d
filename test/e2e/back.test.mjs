// Going back, by the browser's button or a phone's, closes what lies on top; what was typed is not lost by it.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { api, launchBrowser, newPerson, shoot, startServer } from './stage.mjs'
import { composer, createRoom, drawn, logIn, members, register, roomLink, uncovered, untilFocused } from './screens.mjs'

for (const [kind, viewport] of [['wide', { width: 1440, height: 900 }], ['on a phone', { width: 390, height: 844 }]]) {
  describe(`going back, ${kind}`, { concurrency: 1 }, () => {
    const narrow = viewport.width < 720
    let server, browser, context, page, garden

    before(async () => {
      server = await startServer({ GOCHAT_AUTH_RATE: '0' })
      browser = await launchBrowser()
      ;({ context, page } = await newPerson(browser, { viewport, reducedMotion: 'reduce' }))
      await page.goto(server.origin)
      await register(page, 'ann', 'Ann')
      await createRoom(page, 'Garden')
      garden = page.url()
      const rest = api(server.origin)
      await rest.call('POST', '/rooms', { token: await rest.logIn('ann'), body: { name: 'Pond', visibility: 'public' } })
      await page.goto(server.origin)
      await roomLink(page, 'Garden').click()
      await heading('Garden').waitFor()
    })

    after(async () => {
      await browser?.close()
      await server?.stop()
    })

    const back = () => page.evaluate(() => history.back())
    const heading = (name) => page.getByRole('heading', { level: 1, name })
    const dialog = (name) => page.getByRole('dialog', { name })
    const button = (name, of = page) => of.getByRole('button', { name, exact: true }).first()
    const gone = () => page.waitForFunction(() => document.querySelector('[role="dialog"], [role="menu"]') === null)
    const length = () => page.evaluate(() => history.length)

    async function toPond() {
      await page.keyboard.press('Control+k')
      await dialog('Go to a room').getByRole('combobox').fill('Pond')
      await page.keyboard.press('Enter')
      await heading('Pond').waitFor()
    }

    /** Going back closes it, and one is where one was, with no more behind one. */
    async function closes(layer) {
      await layer.waitFor()
      const [before, url] = [await length(), page.url()]
      await back()
      await layer.waitFor({ state: 'detached' })
      await drawn(page)
      assert.equal(page.url(), url)
      await composer(page).waitFor()
      assert.equal(await length(), before)
    }

    test('what was typed is asked for, and kept or not', async () => {
      const topic = dialog('Room settings').getByLabel('Topic')
      const question = dialog('Discard what you changed?')
      await button('Room settings').click()
      await topic.fill('Seeds')
      await back()
      await untilFocused(page, button('Keep it', question))
      await shoot(page, `back-asks-${viewport.width}`)
      await back()
      await question.waitFor({ state: 'detached' })
      await untilFocused(page, topic)
      assert.equal(await topic.inputValue(), 'Seeds')
      await back()
      await button('Discard', question).click()
      await gone()
      assert.equal(page.url(), garden)
      await untilFocused(page, button('Room settings'))
    })

    test('a dialog, a menu, the list of members, emoji, the switcher: one after another, from the top', async () => {
      await button('Invite people').click()
      await closes(dialog('Invite to Garden'))
      await button('Emoji').click()
      await closes(dialog('Emoji'))
      await page.keyboard.press('Control+k')
      await closes(dialog('Go to a room'))
      if (narrow) {
        await button('Members').click()
        await button('Leave room', members(page)).click()
        await dialog('Leave Garden?').waitFor()
        await back()
        await dialog('Leave Garden?').waitFor({ state: 'detached' })
        await closes(members(page))
      } else {
        await page.getByRole('button', { name: 'You are Ann' }).click()
        await closes(page.getByRole('menu'))
        await button('New room').click()
        await closes(dialog('New room'))
      }
    })

    test('forward changes nothing under a dialog; with nothing open one goes back and forward', async () => {
      const topic = dialog('Room settings').getByLabel('Topic')
      await toPond()
      await back()
      await heading('Garden').waitFor()
      await button('Room settings').click()
      await topic.fill('Seeds')
      await page.evaluate(() => history.forward())
      await drawn(page)
      assert.equal(page.url(), garden)
      assert.equal(await topic.inputValue(), 'Seeds')
      await page.keyboard.press('Escape')
      await button('Discard', dialog('Discard what you changed?')).click()
      await gone()
      await page.evaluate(() => history.forward())
      await heading('Pond').waitFor()
      await back()
      await heading('Garden').waitFor()
      await back()
      await page.waitForURL(`${server.origin}/`)
    })

    test('where there is no earlier page of the app, what is open is closed before one leaves; nothing else is to be gone through', async () => {
      page = await context.newPage()
      const before = `${server.origin}/readyz`
      await page.goto(before)
      await page.goto(garden)
      await composer(page).waitFor()
      const atFirst = await length()
      for (let time = 0; time < 3; time++) {
        await button('Room settings').click()
        await dialog('Room settings').waitFor()
        await page.waitForFunction(() => history.state.over)
        await page.keyboard.press('Escape')
        await gone()
        await uncovered(page)
      }
      assert.ok((await length()) <= atFirst + 1)
      await button('Room settings').click()
      await dialog('Room settings').getByLabel('Topic').fill('Seeds')
      await page.waitForFunction(() => history.state.over)
      await back()
      await button('Keep it', dialog('Discard what you changed?')).click()
      await dialog('Room settings').getByLabel('Topic').fill('')
      await back()
      await gone()
      assert.equal(page.url(), garden)
      await page.evaluate(() => history.forward())
      await drawn(page)
      assert.equal(page.url(), garden)
      await page.goto(before)
      await page.goto(garden)
      await button('Invite people').click()
      await dialog('Invite to Garden').waitFor()
      await page.waitForFunction(() => history.state.over)
      await page.reload()
      await composer(page).waitFor()
      await uncovered(page)
      await back()
      await page.waitForURL(before)
    })

    test('from the switcher to another room, and back to where one was', async () => {
      await page.goto(garden)
      await composer(page).waitFor()
      await toPond()
      await back()
      await heading('Garden').waitFor()
      await uncovered(page)
      await back()
      await page.waitForURL(`${server.origin}/readyz`)
    })

    test('a page that is closed asks for what is typed in a dialog, and not for a draft', async () => {
      await page.goto(garden)
      await composer(page).fill('a draft')
      await button('Room settings').click()
      await dialog('Room settings').getByLabel('Topic').pressSequentially('Seeds')
      const asked = page.waitForEvent('dialog')
      await page.close({ runBeforeUnload: true })
      const question = await asked
      assert.equal(question.type(), 'beforeunload')
      await question.dismiss()
      await dialog('Room settings').getByLabel('Topic').fill('')
      await page.keyboard.press('Escape')
      await gone()
      const closed = page.waitForEvent('close')
      await page.close({ runBeforeUnload: true })
      await closed
    })
  })
}
