// A machine that is busy measures late: what a room shows must not hang on which comes first, its messages or its size.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { api, launchBrowser, newPerson, startServer } from './stage.mjs'
import { logIn, message, roomLink } from './screens.mjs'

const LATE_MS = 1_500

describe('where sizes come late', { concurrency: 1 }, () => {
  let server, browser, room

  before(async () => {
    server = await startServer()
    const rest = api(server.origin)
    const { access_token: token } = await rest.register('ann', 'Ann')
    room = await rest.call('POST', '/rooms', { token, body: { name: 'Garden', visibility: 'private' } })
    for (const body of ['one', 'two', 'three']) {
      await rest.call('POST', `/rooms/${room.id}/messages`, { token, body: { client_id: crypto.randomUUID(), body } })
    }
    browser = await launchBrowser()
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  test('a room of few messages shows all of them', async () => {
    const { page, faults } = await newPerson(browser)
    await page.addInitScript((late) => {
      const Prompt = window.ResizeObserver
      window.ResizeObserver = class extends Prompt {
        constructor(told) {
          super((entries, self) => setTimeout(() => told(entries, self), late))
        }
      }
    }, LATE_MS)
    await page.goto(server.origin)
    await logIn(page, 'ann')
    await roomLink(page, 'Garden').click()
    for (const text of ['one', 'two', 'three']) await message(page, text).waitFor()
    await page.reload()
    for (const text of ['one', 'two', 'three']) await message(page, text).waitFor()
    assert.deepEqual(faults, [])
  })
})
