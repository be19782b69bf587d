// What people write does nothing but stand there, and what could open a session is nowhere that a script could read.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { api, launchBrowser, newPerson, startServer } from './stage.mjs'
import { composer, log, logIn, message, roomLink, say } from './screens.mjs'

const ATTACKS = JSON.parse(await readFile(new URL('../../web/test/attacks.json', import.meta.url), 'utf8'))
const ALLOWED = 'p br strong em del code pre blockquote a ul ol li h1 h2 h3 h4 h5 h6 hr span div'.split(' ')
const NAME = '<img src=x onerror=window.hacked=1>'

describe('what people write', { concurrency: 1 }, () => {
  let server, browser, ann, rest, bobToken, room

  before(async () => {
    server = await startServer({ GOCHAT_SEND_RATE: '0' })
    rest = api(server.origin)
    const { access_token: token } = await rest.register('ann', 'Ann')
    bobToken = (await rest.register('bob', NAME)).access_token
    room = await rest.call('POST', '/rooms', { token: bobToken, body: { name: NAME, topic: NAME, visibility: 'public' } })
    await rest.call('POST', `/rooms/${room.id}/join`, { token })
    browser = await launchBrowser()
    ann = await newPerson(browser)
    await ann.page.goto(server.origin)
    await logIn(ann.page, 'ann')
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  test('is words, in the list of rooms, in names and in the room', async () => {
    const { page } = ann
    await roomLink(page, NAME).click()
    await page.getByRole('heading', { level: 1, name: NAME }).waitFor()
    for (const [at, body] of ATTACKS.entries()) {
      await rest.call('POST', `/rooms/${room.id}/messages`, { token: bobToken, body: { body } })
      if (at % 10 !== 9 && at < ATTACKS.length - 1) continue
      // Before they are out of view, and out of the page: what they have become.
      await rest.call('POST', `/rooms/${room.id}/messages`, { token: bobToken, body: { body: `after ${at}.` } })
      await message(page, `after ${at}.`).waitFor()
      const made = await log(page).evaluate((element, allowed) => {
        const inside = [...element.querySelectorAll('article [dir="auto"] *')]
        return {
          others: inside.map(({ localName }) => localName).filter((name) => !allowed.includes(name)),
          attributes: [...new Set(inside.flatMap((each) => each.getAttributeNames()))].filter(
            (name) => !['class', 'href', 'target', 'rel', 'tabindex', 'data-language'].includes(name),
          ),
          targets: inside.flatMap((each) => (each.localName === 'a' && !/^(https?|mailto):/.test(each.href) ? [each.href] : [])),
        }
      }, ALLOWED)
      assert.deepEqual(made, { others: [], attributes: [], targets: [] })
    }
    assert.equal(await page.evaluate(() => window.hacked), undefined)
  })

  test('no text becomes HTML, whoever asks for it', async () => {
    const { page } = ann
    ann.wanted.push(/Trusted(HTML|Script|ScriptURL|TypePolicy)\b/, /Content Security Policy/)
    const refused = await page.evaluate(() => {
      const tries = {
        html: () => (document.createElement('div').innerHTML = '<b>x</b>'),
        script: () => (document.createElement('script').src = 'https://evil.example/x.js'),
        policy: () => window.trustedTypes.createPolicy('mine', {}),
        worker: () => navigator.serviceWorker.register('/assets/other.js'),
      }
      return Object.keys(tries).filter((name) => {
        try {
          tries[name]()
          return false
        } catch (error) {
          return error instanceof TypeError
        }
      })
    })
    assert.deepEqual(refused.slice(0, 3), ['html', 'script', 'policy'])
  })

  test('nothing that opens a session is kept where scripts can read it', async () => {
    const { page, context } = ann
    await say(page, 'for the outbox')
    await composer(page).fill('for the drafts')
    await message(page, 'for the outbox').getByRole('img', { name: 'Sent' }).waitFor()
    const kept = await page.evaluate(async () => {
      const found = [document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage), location.href]
      for (const { name } of await indexedDB.databases()) {
        const db = await new Promise((resolve) => {
          const request = indexedDB.open(name)
          request.onsuccess = () => resolve(request.result)
        })
        for (const store of db.objectStoreNames) {
          const all = await new Promise((resolve) => {
            const request = db.transaction(store).objectStore(store).getAll()
            request.onsuccess = () => resolve(request.result)
          })
          found.push(JSON.stringify(all))
        }
        db.close()
      }
      for (const name of await caches.keys()) {
        const cache = await caches.open(name)
        found.push(...(await cache.keys()).map(({ url }) => url))
      }
      return found.join('\n')
    })
    const [cookie] = await context.cookies(`${server.origin}/api/v1/auth/refresh`)
    assert.equal(cookie.httpOnly, true)
    assert.ok(!kept.includes(cookie.value), 'the refresh token is kept')
    assert.doesNotMatch(kept, /eyJ[\w-]+\.[\w-]+\.[\w-]+/, 'an access token is kept')
    assert.match(kept, /for the drafts/)
  })
})
