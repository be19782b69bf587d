// Where the scenes are played: a chat with its cast, and the browsers of those who look at it.
import { logIn } from '../screens.mjs'
import { launchBrowser, newPerson, startProxy, startServer } from '../stage.mjs'
import { stageCast } from './cast.mjs'
import { dress, open } from './dress.mjs'

/** Under this name the chat is reached in the pictures: it is to be read in links. */
const HOST = 'chat.example.com'

export const DEVICES = [
  { width: 1440, height: 900 },
  { width: 820, height: 1100, touch: true },
  { width: 390, height: 844, touch: true, options: { deviceScaleFactor: 1.5, isMobile: true } },
]

/** A chat of its own for one device: what is done in one shows in none of the others. */
export async function openStudio(device) {
  const server = await startServer({ GOCHAT_SEND_RATE: '0', GOCHAT_AUTH_RATE: '0', GOCHAT_GUESTS: 'true' })
  const proxy = await startProxy(server)
  const { host } = new URL(proxy.origin)
  const browser = await launchBrowser([
    `--host-resolver-rules=MAP ${HOST} ${host}`,
    `--unsafely-treat-insecure-origin-as-secure=http://${HOST}`,
    '--hide-scrollbars',
    ...(device.args ?? []),
  ])
  const stage = await stageCast(server)
  const bob = await attend(browser, stage, 'bob')
  await attend(browser, stage, 'carol')
  const people = new Map()
  return {
    /** Brings about what a scene shows, and gives what the scene is told: the page it is on, among others. */
    async play(scene) {
      if (!people.has(scene.as)) people.set(scene.as, await enter(browser, device, stage, scene.as))
      const { page, wanted } = people.get(scene.as)
      const its = { ...stage, ...device, proxy, bob, page }
      wanted.splice(0, Infinity, ...(scene.faults ?? []))
      if (!scene.stay) {
        await page.evaluate((look) => {
          for (const name of ['contrast', 'density']) localStorage.removeItem(`gochat-${name}`)
          for (const [name, value] of Object.entries(look)) localStorage.setItem(`gochat-${name}`, value)
        }, scene.look ?? {})
        await open(page, scene.at?.(its) ?? '/', scene.act)
      }
      await scene.go(its)
      return its
    },
    async close() {
      await browser.close()
      await proxy.stop()
      await server.stop()
    },
  }
}

/** Somebody's browser. */
async function enter(browser, { width, height, touch, options }, stage, username) {
  const person = await newPerson(browser, {
    viewport: { width, height }, hasTouch: touch === true, locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce', ...options,
  })
  await dress(person.context, stage.show)
  await person.page.goto(`http://${HOST}/login`)
  if (username === undefined) return person
  await logIn(person.page, username)
  await person.page.getByRole('button', { name: /^You are/ }).waitFor()
  return person
}

/** Somebody who is there, and reads along. */
async function attend(browser, { rooms }, username) {
  const { page } = await newPerson(browser)
  await page.goto(`http://${HOST}/rooms/${rooms.release.real}`)
  await logIn(page, username)
  await page.getByRole('log').waitFor()
  return page
}
