// The whole story of two people in two browsers against the real server, with the network cut in the middle.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { api, launchBrowser, newPerson, shoot, startProxy, startServer } from './stage.mjs'
import {
  allSent, away, banner, comeBack, composer, createInvite, createRoom, log, members, message, readTimeline, register, roomLink, say, showMembers,
} from './screens.mjs'

const ROOM = 'Harbour walk'

describe('two people talk', { concurrency: 1 }, () => {
  let server, proxy, browser, ann, bob, invite, roomId

  before(async () => {
    server = await startServer()
    proxy = await startProxy(server)
    browser = await launchBrowser()
    ann = await newPerson(browser)
    bob = await newPerson(browser, { colorScheme: 'dark' })
  })

  after(async () => {
    await browser?.close()
    await proxy?.stop()
    await server?.stop()
  })

  test('Ann registers and makes a room', async () => {
    const { page } = ann
    await page.goto(proxy.origin)
    await shoot(page, '01-login')
    await register(page, 'ann', 'Ann')
    await page.getByText('You are in no room yet.').waitFor()
    await shoot(page, '02-no-room')
    await createRoom(page, ROOM)
    roomId = new URL(page.url()).pathname.split('/').at(-1)
    await say(page, 'Anybody there?')
    await message(page, 'Anybody there?').getByRole('img', { name: 'Sent' }).waitFor()
  })

  test('Bob opens the invite link, sees the room before he says who he is, and ends in it', async () => {
    invite = await createInvite(ann.page)
    assert.ok(invite.startsWith(`${proxy.origin}/invite/`), invite)
    const { page } = bob
    await page.goto(invite)
    await page.getByRole('region', { name: 'The room' }).getByRole('heading', { name: ROOM }).waitFor()
    await page.getByText('Ann invites you to').waitFor()
    await shoot(page, '03-invite')
    await register(page, 'bob', 'Bob')
    await page.getByRole('heading', { level: 1, name: ROOM }).waitFor()
    assert.equal(new URL(page.url()).pathname, `/rooms/${roomId}`)
    await message(page, 'Anybody there?').waitFor()
    await log(ann.page).getByText('Bob joined, invited by Ann').waitFor()
  })

  test('they talk both ways, see each other type, see who is here and what was read', async () => {
    await say(bob.page, 'Here! **Bold** start.')
    await message(ann.page, 'Here! Bold start.').waitFor()
    assert.equal(await log(ann.page).locator('strong', { hasText: /^Bold$/ }).count(), 1)
    await say(ann.page, 'Good to see you')
    await message(bob.page, 'Good to see you').waitFor()
    await log(ann.page).getByRole('img', { name: 'Seen by Bob' }).waitFor()

    await composer(bob.page).pressSequentially('I am thin')
    await ann.page.getByRole('status', { name: 'Typing' }).getByText('Bob is typing').waitFor()
    await showMembers(ann.page)
    const row = (name) => members(ann.page).getByRole('listitem').filter({ hasText: name })
    await row('Bob').getByRole('img', { name: 'online' }).waitFor()
    await row('Ann').getByText('owner').waitFor()
    await shoot(ann.page, '04-typing')
    await composer(bob.page).fill('')
    await shoot(bob.page, '05-dark')
  })

  test('somebody who leaves the page goes offline, and comes back', async () => {
    const dot = members(ann.page).getByRole('listitem').filter({ hasText: 'Bob' }).getByRole('img', { name: 'online' })
    await bob.page.goto('about:blank')
    await dot.waitFor({ state: 'hidden', timeout: 15_000 })
    await bob.page.goto(`${proxy.origin}/rooms/${roomId}`)
    await dot.waitFor()
    await message(bob.page, 'Good to see you').waitFor()
  })

  test('a room that is not on screen counts what is unread', async () => {
    await createRoom(bob.page, 'Elsewhere', 'Public')
    await say(ann.page, 'Are you still there?')
    await roomLink(bob.page, `${ROOM}, 1 unread`).waitFor()
    await shoot(bob.page, '06-unread')
    await roomLink(bob.page, `${ROOM}, 1 unread`).click()
    await log(bob.page).getByText('New', { exact: true }).waitFor()
    await roomLink(bob.page, `${ROOM}, 1 unread`).waitFor({ state: 'hidden' })
  })

  test('[RES5] the network is cut while both write: nothing is lost, nothing is doubled', async () => {
    const pages = [ann.page, bob.page]
    const write = async (page, who, from, to) => {
      for (let at = from; at <= to; at++) await say(page, `${who} ${at}`)
    }
    const both = (from, to) => Promise.all([write(ann.page, 'ann', from, to), write(bob.page, 'bob', from, to)])

    await both(1, 6)
    const writing = both(7, 12) // some of these are under way when the cut comes
    proxy.cut()
    await writing
    for (const page of pages) await away(page).waitFor()
    await both(13, 15)
    await ann.page.getByRole('img', { name: 'Sending' }).first().waitFor()
    await shoot(ann.page, '07-cut')

    proxy.restore()
    // At the same time: the banner stays for a moment only.
    await Promise.all(pages.map((page) => banner(page).getByText('Back online').waitFor({ timeout: 45_000 })))
    for (const page of pages) await allSent(page)
    await both(16, 18)
    for (const page of pages) {
      await allSent(page)
      for (const who of ['ann', 'bob']) await message(page, `${who} 18`).waitFor()
    }
    await shoot(ann.page, '08-back')
    await compare(18)
  })

  test('[RES2] a dead network, noticed by a probe, is left for a new connection', async () => {
    proxy.freeze()
    await say(ann.page, 'ann into the void')
    await say(bob.page, 'bob into the void')
    for (const { page } of [ann, bob]) await page.evaluate(() => dispatchEvent(new Event('online')))
    for (const { page } of [ann, bob]) await away(page).waitFor()
    proxy.restore()
    for (const { page } of [ann, bob]) {
      await message(page, 'ann into the void').waitFor({ timeout: 45_000 })
      await message(page, 'bob into the void').waitFor({ timeout: 45_000 })
      await allSent(page)
    }
    await compare(18)
  })

  test('[RES5] what was not sent survives a reload', async () => {
    proxy.refuseSockets()
    await away(ann.page).waitFor()
    await say(ann.page, 'written before the reload')
    await ann.page.reload()
    await away(ann.page).waitFor()
    proxy.restore()
    await comeBack(ann.page)
    await message(bob.page, 'written before the reload').waitFor({ timeout: 45_000 })
    await message(ann.page, 'written before the reload').getByRole('img', { name: 'Sent' }).waitFor()
    await compare(18)
  })

  test('after a reload everything is there', async () => {
    for (const { page } of [ann, bob]) {
      await page.reload()
      await message(page, 'written before the reload').waitFor()
    }
    await compare(18)
  })

  test('a phone shows one thing at a time', async () => {
    const { page } = bob
    await page.setViewportSize({ width: 390, height: 844 })
    await members(page).waitFor({ state: 'detached' }) // they are beside a room, not over it, unless one asks for them
    await message(page, 'written before the reload').waitFor()
    await shoot(page, '09-phone-room')
    await page.getByRole('link', { name: 'Back to rooms' }).click()
    await roomLink(page, ROOM).waitFor()
    await shoot(page, '10-phone-rooms')
    await roomLink(page, ROOM).click()
    const width = await page.evaluate(() => document.documentElement.scrollWidth)
    assert.ok(width <= 390, `the page is ${width} px wide`)
    await page.setViewportSize({ width: 360, height: 640 })
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360)
    await page.setViewportSize({ width: 1280, height: 800 })
  })

  test('roles: an admin is made, and somebody removed is out', async () => {
    const { page } = ann
    await showMembers(page)
    const act = async (action) => {
      await members(page).getByRole('button', { name: 'Actions for Bob' }).click()
      await page.getByRole('menuitem', { name: action }).click()
    }
    await act('Make admin')
    await members(page).getByRole('listitem').filter({ hasText: 'Bob' }).getByText('admin').waitFor()
    await log(page).getByText('Ann made Bob an admin').waitFor()
    await act('Remove from room')
    await page.getByRole('dialog', { name: 'Remove Bob?' }).getByRole('button', { name: 'Remove', exact: true }).click()
    await bob.page.getByText('You were removed from this room').waitFor()
    await log(page).getByText('Ann removed Bob').waitFor()
  })

  test('a public room is found and joined', async () => {
    const { page } = ann
    await page.getByRole('button', { name: 'Discover rooms' }).click()
    await page.getByRole('button', { name: 'Join Elsewhere' }).click()
    await page.getByRole('heading', { level: 1, name: 'Elsewhere' }).waitFor()
    await log(page).getByText('Ann joined').waitFor()
  })

  test('after logging out nothing is left but the way in', async () => {
    const { page } = ann
    await page.getByRole('button', { name: 'You are Ann' }).click()
    await page.getByRole('menuitem', { name: 'Log out' }).click()
    await page.getByLabel('Username').waitFor()
    await page.reload()
    await page.getByLabel('Username').waitFor()
    const left = await page.evaluate(async () => {
      const db = await new Promise((resolve, reject) => {
        const request = indexedDB.open('gochat')
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error)
      })
      const count = (name) =>
        new Promise((resolve) => {
          const request = db.transaction(name).objectStore(name).count()
          request.onsuccess = () => resolve(request.result)
        })
      return [await count('outbox'), await count('drafts'), Object.keys(localStorage).join()]
    })
    assert.deepEqual(left, [0, 0, 'gochat-server']) // where the server is says nothing of anybody
  })

  /** Both timelines on screen, and the history by REST: the same messages, each of those written once. */
  async function compare(each) {
    const rest = api(server.origin)
    const history = await rest.history(await rest.logIn('ann'), roomId)
    const texts = history.filter(({ kind }) => kind === 'text')
    for (const who of ['ann', 'bob']) {
      const own = texts.map(({ body }) => body).filter((body) => body.startsWith(`${who} `) && /\d$/.test(body))
      const written = Array.from({ length: each }, (_, at) => `${who} ${at + 1}`)
      assert.deepEqual(own, written, `what ${who} wrote, in the order of writing`)
    }
    const bodies = texts.map(({ body }) => body)
    assert.equal(new Set(bodies).size, bodies.length, 'nothing is stored twice')
    const expected = texts.map(({ seq, body }) => [seq, body.replaceAll('**', '')])
    for (const { page } of [ann, bob]) {
      const { rows, doubled, unsent } = await readTimeline(page)
      assert.deepEqual({ doubled, unsent }, { doubled: [], unsent: 0 })
      assert.deepEqual(rows, expected)
    }
  }
})
