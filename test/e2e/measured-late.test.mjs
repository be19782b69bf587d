// A machine that is busy measures late: what a room shows must not hang on which comes first, its messages or its size.
import { after, before, describe, test } from 'node:test'
import { api, launchBrowser, newPerson, startServer } from './stage.mjs'
import { logIn, message, roomLink } from './screens.mjs'

const LATE_MS = 1_500
const LONG = 'A longer one that takes several lines, so that what is measured is never of the height it was taken for. '

describe('where sizes come late', { concurrency: 1 }, () => {
  let server, browser, room, long

  before(async () => {
    server = await startServer({ GOCHAT_SEND_RATE: '0' })
    const rest = api(server.origin)
    const { access_token: token } = await rest.register('ann', 'Ann')
    const fill = async (name, bodies) => {
      const made = await rest.call('POST', '/rooms', { token, body: { name, visibility: 'private' } })
      for (const body of bodies) {
        await rest.call('POST', `/rooms/${made.id}/messages`, { token, body: { client_id: crypto.randomUUID(), body } })
      }
      return made
    }
    room = await fill('Garden', ['one', 'two', 'three'])
    long = await fill('Long', Array.from({ length: 120 }, (_, at) => `${at} ${at % 7 === 0 ? LONG.repeat((at % 5) + 1) : ''}`))
    browser = await launchBrowser()
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  async function latePerson() {
    const person = await newPerson(browser)
    await person.page.addInitScript((late) => {
      const Prompt = window.ResizeObserver
      window.ResizeObserver = class extends Prompt {
        constructor(told) {
          super((entries, self) => setTimeout(() => told(entries, self), late))
        }
      }
    }, LATE_MS)
    return person
  }

  test('a room of few messages shows all of them', async () => {
    const { page } = await latePerson()
    await page.goto(server.origin)
    await logIn(page, 'ann')
    await roomLink(page, 'Garden').click()
    for (const text of ['one', 'two', 'three']) await message(page, text).waitFor()
    await page.reload()
    for (const text of ['one', 'two', 'three']) await message(page, text).waitFor()
  })

  test('a link to a message leads to it, in the middle', async () => {
    const { page } = await latePerson()
    await page.goto(`${server.origin}/rooms/${long.id}?at=40`)
    await logIn(page, 'ann')
    await page.waitForFunction(() => {
      const row = document.querySelector('[role="log"] article[data-seq="40"]')
      const middle = (element) => {
        const { top, bottom } = element.getBoundingClientRect()
        return (top + bottom) / 2
      }
      return row !== null && getComputedStyle(row).visibility === 'visible' && Math.abs(middle(row) - middle(row.closest('[role="log"]'))) < 2
    })
  })
})
