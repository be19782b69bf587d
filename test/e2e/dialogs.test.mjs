// What one is about to press stays where it is: whatever a dialog says, gets, or shows next.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { launchBrowser, newPerson, shoot, startProxy, startServer } from './stage.mjs'
import { createRoom, drawn, logIn, register, uncovered } from './screens.mjs'

for (const [kind, viewport] of [['wide', { width: 1280, height: 800 }], ['on a phone', { width: 390, height: 844 }]]) {
  describe(`dialogs, ${kind}`, { concurrency: 1 }, () => {
    let server, proxy, browser, page

    before(async () => {
      server = await startServer()
      proxy = await startProxy(server)
      browser = await launchBrowser()
      ;({ page } = await newPerson(browser, { viewport, reducedMotion: 'reduce' }))
      await page.goto(proxy.origin)
      await register(page, 'ann', 'Ann')
      await createRoom(page, 'Garden')
    })

    after(async () => {
      await browser?.close()
      await proxy?.stop()
      await server?.stop()
    })

    const dialog = (name) => page.getByRole('dialog', { name })
    const button = (name, of) => of.getByRole('button', { name, exact: true })
    const fromRoom = (name) => page.getByRole('main').getByRole('button', { name }).first().click()
    const fromRooms = async (open) => {
      await page.goto(proxy.origin)
      await open()
    }
    const close = async () => {
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      await uncovered(page)
    }

    /** What is pressed has its place before and after something happens to the dialog. */
    async function keepsPlace(target, happen) {
      const place = async () => {
        await drawn(page)
        return target.boundingBox()
      }
      const before = await place()
      await happen()
      assert.deepEqual(await place(), before)
    }

    test('a panel is there whole, or not yet', async () => {
      const other = await newPerson(browser, { viewport })
      let letIn
      const asked = new Promise((done) => (letIn = done))
      await other.context.addInitScript(() => delete Navigator.prototype.serviceWorker)
      await other.page.route(/\/assets\/RoomSettings-.*\.js/, async (route) => {
        await asked
        await route.continue()
      })
      await other.page.goto(page.url())
      await logIn(other.page, 'ann')
      await other.page.getByRole('button', { name: 'Room settings' }).click()
      await drawn(other.page)
      assert.equal(await other.page.getByRole('dialog').count(), 0)
      letIn()
      const panel = other.page.getByRole('dialog', { name: 'Room settings' })
      await panel.waitFor()
      assert.equal(await panel.getByLabel('Topic').count(), 1)
      await other.context.close()
      await fromRoom('Room settings')
    })

    test('the settings of a room: a limit, what was saved, and the question before its end', async () => {
      const panel = dialog('Room settings')
      await keepsPlace(button('Save', panel), async () => {
        await panel.getByLabel('Name').fill('x'.repeat(90))
        await panel.getByText('Too long by 10').waitFor()
        await panel.getByLabel('Name').fill('Garden')
        await panel.getByLabel('Topic').fill('Seeds')
        await button('Save', panel).click()
        await panel.getByText('Saved.').waitFor()
      })
      await shoot(page, `dialog-saved-${viewport.width}`)
      await keepsPlace(button('Save', panel), () => button('Delete room', panel).click())
      await shoot(page, `dialog-delete-${viewport.width}`)
      await close()
    })

    test('links: their list comes, and one more', async () => {
      let answer
      const waiting = new Promise((done) => (answer = done))
      await page.route(/\/invites$/, async (route) => {
        if (route.request().method() === 'GET') await waiting
        await route.continue()
      })
      await fromRoom('Invite people')
      const panel = dialog('Invite to Garden')
      await button('Create link', panel).click()
      await button('Another link', panel).waitFor()
      assert.equal(await panel.getByText('Waiting for the links that work…').count(), 1, 'the new link waits for no list')
      await button('Another link', panel).click()
      await keepsPlace(button('Create link', panel), async () => {
        answer()
        await panel.getByRole('list').waitFor()
      })
      await shoot(page, `dialog-links-${viewport.width}`)
      await page.unroute(/\/invites$/)
      await close()
    })

    test('a new room: a name that is too long, and no answer', async () => {
      await fromRooms(() => page.getByRole('button', { name: 'New room' }).click())
      const panel = dialog('New room')
      await keepsPlace(button('Create room', panel), async () => {
        await panel.getByLabel('Name').fill('x'.repeat(90))
        await panel.getByText('Too long by 10').waitFor()
      })
      await panel.getByLabel('Name').fill('Pond')
      await keepsPlace(button('Create room', panel), async () => {
        proxy.cut()
        await button('Create room', panel).click()
        await panel.getByRole('alert').getByText('The server does not answer.').waitFor()
      })
      await shoot(page, `dialog-refused-${viewport.width}`)
      proxy.restore()
      await panel.getByLabel('Name').fill('')
      await close()
    })

    test('the settings: each part in the same frame, and what a form says', async () => {
      await fromRooms(() => page.getByRole('button', { name: /^You are/ }).click())
      await page.getByRole('menuitem', { name: 'Settings' }).click()
      const panel = dialog('Settings')
      await button('Look', panel).waitFor()
      for (const part of ['Look', 'Notifications', 'Sessions', 'Password']) {
        const frame = await panel.boundingBox()
        await keepsPlace(button('Profile', panel), () => button(part, panel).click())
        assert.deepEqual(await panel.boundingBox(), frame, part)
        await shoot(page, `dialog-settings-${part}-${viewport.width}`)
      }
      await keepsPlace(button('Change password', panel), async () => {
        await button('Change password', panel).click()
        await panel.getByText('Current password is missing.').waitFor()
        await panel.getByLabel('Current password').fill('not the password')
        await panel.getByLabel('New password').fill('another horse battery')
        await button('Change password', panel).click()
        await panel.getByRole('alert').getByText('That is not your current password.').waitFor()
      })
      await shoot(page, `dialog-password-${viewport.width}`)
    })
  })
}
