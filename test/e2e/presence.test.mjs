// Who is away: after five minutes without input, as the others see it; and back at the first input.
import { after, before, describe, test } from 'node:test'
import { api, launchBrowser, newPerson, startServer } from './stage.mjs'
import { composer, logIn, members, showMembers } from './screens.mjs'

describe('somebody who does nothing', { concurrency: 1 }, () => {
  let server, browser, ann, bob

  before(async () => {
    server = await startServer()
    const rest = api(server.origin)
    const { access_token: token } = await rest.register('ann', 'Ann')
    const room = await rest.call('POST', '/rooms', { token, body: { name: 'Garden', visibility: 'public' } })
    await rest.call('POST', `/rooms/${room.id}/join`, { token: (await rest.register('bob', 'Bob')).access_token })
    browser = await launchBrowser()
    ann = await newPerson(browser)
    bob = await newPerson(browser)
    await ann.context.clock.install()
    for (const [{ page }, name] of [[ann, 'ann'], [bob, 'bob']]) {
      await page.goto(`${server.origin}/rooms/${room.id}`)
      await logIn(page, name)
      await composer(page).waitFor()
    }
    await showMembers(bob.page)
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  const dot = (state) => members(bob.page).getByRole('listitem').filter({ hasText: '@ann' }).getByRole('img', { name: state })

  test('is away after five minutes, not before; and here again at the first input', async () => {
    await dot('online').waitFor()
    await ann.page.mouse.move(200, 200)
    await ann.page.clock.runFor('04:50')
    await dot('online').waitFor()
    await ann.page.clock.runFor('00:15')
    await dot('away').waitFor()
    await ann.page.mouse.move(300, 300)
    await dot('online').waitFor()
  })
})
