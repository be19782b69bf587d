// Writes docs/images/chat-{1440,820,390}-{light,dark}.png: a room in use, as people see it.
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { PASSWORD, api, launchBrowser, newPerson, startServer } from './stage.mjs'
import { composer, log, message, say } from './screens.mjs'

const IMAGES = fileURLToPath(new URL('../../docs/images/', import.meta.url))
const PEOPLE = { alice: 'Alice', bob: 'Bob', carol: 'Carol', dave: 'Dave', erin: 'Erin' }
const TALK = [
  ['bob', 'Morning! The rolling update went through while everybody was talking. **Nobody noticed.**'],
  ['carol', 'I did not even see the banner.'],
  ['alice', 'That is the idea :) What did you run?'],
  ['bob', 'Nothing but this, in another terminal:\n```sh\nmake build\nbin/server --listen :8080 --data-dir ./data\n```'],
  ['dave', 'And a SIGKILL in the middle?'],
  ['bob', '> And a SIGKILL in the middle?\n\nTwice. Every acknowledged message was there *once*.'],
  ['carol', 'Then let us write down what is left:\n- two nodes, one Redis\n- restore drill\n- read `SPEC.md` once more'],
  ['alice', 'I take the drill. ~~Tomorrow~~ Today.'],
  ['erin', 'Lunch at noon? There is a new place by the harbour: https://example.com/menu'],
  ['dave', 'I am in'],
  ['carol', 'Me too'],
]

const server = await startServer({ GOCHAT_SEND_RATE: '0', GOCHAT_AUTH_RATE: '0' })
const browser = await launchBrowser()
try {
  await mkdir(IMAGES, { recursive: true })
  const rest = api(server.origin)
  const tokens = {}
  for (const [username, name] of Object.entries(PEOPLE)) {
    tokens[username] = (await rest.register(username, name)).access_token
  }
  const post = (room, username, body) =>
    rest.call('POST', `/rooms/${room.id}/messages`, {
      token: tokens[username],
      body: { client_id: crypto.randomUUID(), body },
    })
  const makeRoom = async (name, topic, others) => {
    const room = await rest.call('POST', '/rooms', { token: tokens.alice, body: { name, topic, visibility: 'public' } })
    for (const username of others) await rest.call('POST', `/rooms/${room.id}/join`, { token: tokens[username] })
    return room
  }
  const reading = await makeRoom('Reading group', 'Chapter 4 by Tuesday', ['erin', 'bob'])
  const release = await makeRoom('Release', 'What ships next', ['bob', 'carol', 'dave', 'erin'])
  const walks = await makeRoom('Harbour walk', '', ['carol', 'dave'])
  await makeRoom('Quiet corner', '', ['dave'])
  await post(reading, 'erin', 'Who has the book?')

  const people = {}
  const enter = async (username, options) => {
    const person = await newPerson(browser, { viewport: { width: 1440, height: 900 }, ...options })
    await person.page.goto(`${server.origin}/rooms/${release.id}`)
    await person.page.getByLabel('Username').fill(username)
    await person.page.getByLabel('Password').fill(PASSWORD)
    await person.page.locator('form').getByRole('button', { name: 'Log in' }).click()
    await person.page.getByRole('heading', { level: 1, name: 'Release' }).waitFor()
    people[username] = person.page
    return person.page
  }
  const alice = await enter('alice', { colorScheme: 'light' })
  await enter('bob')
  await enter('carol')
  const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 1.5, isMobile: true, hasTouch: true }
  const erin = await enter('erin', { ...phone, colorScheme: 'light' })

  for (const [username, body] of TALK) await post(release, username, body)
  await say(alice, 'Noon it is. See you there!')
  await message(people.bob, 'Noon it is.').waitFor()
  await post(walks, 'dave', 'Low tide is at six.')
  await post(walks, 'carol', 'Bring a jacket')
  await log(alice).getByRole('img', { name: /^Seen by .*Bob.*/ }).waitFor()
  await alice.getByRole('link', { name: 'Harbour walk, 2 unread' }).waitFor()

  const typing = async (page) => {
    await composer(people.bob).fill('')
    await composer(people.bob).pressSequentially('By bike')
    await page.getByRole('status', { name: 'Typing' }).getByText('Bob is typing').waitFor()
  }
  const shoot = async (page, width, height) => {
    await page.setViewportSize({ width, height })
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await typing(page)
      await page.evaluate(() => document.fonts.ready)
      await page.mouse.move(0, 0)
      await page.screenshot({ path: `${IMAGES}chat-${width}-${colorScheme}.png`, animations: 'disabled' })
    }
  }
  await shoot(alice, 1440, 900)
  await shoot(alice, 820, 1000)
  await shoot(erin, 390, 844)
} finally {
  await browser.close()
  await server.stop()
}
