// What stands beside messages: whether they were sent, and who has seen them.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { api, launchBrowser, newPerson, startProxy, startServer } from './stage.mjs'
import { allSent, away, comeBack, composer, log, logIn, message, say } from './screens.mjs'

const LIST = '- the first of three, which is the longest line of them all by far\n- second\n- end'

describe('the marks of messages', { concurrency: 1 }, () => {
  let server, proxy, browser, ann, bob

  before(async () => {
    server = await startServer()
    proxy = await startProxy(server)
    const rest = api(server.origin)
    const token = (await rest.register('ann', 'Ann')).access_token
    const room = await rest.call('POST', '/rooms', { token, body: { name: 'Garden', visibility: 'public' } })
    const joined = (await rest.register('bob', 'Bob')).access_token
    await rest.call('POST', `/rooms/${room.id}/join`, { token: joined })
    browser = await launchBrowser()
    ann = await newPerson(browser)
    bob = await newPerson(browser)
    for (const [{ page }, origin, name] of [[ann, proxy.origin, 'ann'], [bob, server.origin, 'bob']]) {
      await page.goto(`${origin}/rooms/${room.id}`)
      await logIn(page, name)
      await composer(page).waitFor()
    }
  })

  after(async () => {
    await browser?.close()
    await proxy?.stop()
    await server?.stop()
  })

  const sent = (page) => log(page).getByRole('img', { name: 'Sent' })

  test('only the newest own message says that it was sent, and all at the same place', async () => {
    const { page } = ann
    const places = []
    for (const text of ['a', LIST, 'a longer one, that is no list']) {
      await composer(page).fill(text)
      await composer(page).press('Enter')
      await message(page, text.split('\n').at(-1).replace('- ', '')).last().getByRole('img', { name: 'Sent' }).waitFor()
      await allSent(page)
      assert.equal(await sent(page).count(), 1)
      places.push((await sent(page).boundingBox()).x)
    }
    assert.equal(new Set(places).size, 1, places.join())
  })

  test('nobody has seen what is not sent', async () => {
    const { page } = ann
    const seen = log(page).getByRole('img', { name: 'Seen by Bob' })
    await seen.waitFor()
    proxy.refuseSockets()
    await away(page).waitFor()
    await say(page, 'in the dark')
    await message(page, 'in the dark').getByRole('img', { name: 'Sending' }).waitFor()
    assert.equal(await seen.count(), 0)
    proxy.restore()
    await comeBack(page)
    await seen.waitFor()
  })
})
