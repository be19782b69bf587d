// Writes docs/images/NAME-{1440,820,390}-{light,dark}.webp, a picture of every screen and panel, and docs/screens.md, the
// list of them. Only some: `npm run screenshots -- NAME... WIDTH...`.
import { readdir, mkdir, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { stageCast } from './pictures/cast.mjs'
import { dress, open } from './pictures/dress.mjs'
import { listOf } from './pictures/list.mjs'
import { SCENES } from './pictures/scenes.mjs'
import { drawn, logIn } from './screens.mjs'
import { launchBrowser, newPerson, startProxy, startServer } from './stage.mjs'

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url))
const IMAGES = `${DOCS}images/`
/** Under this name the chat is reached in the pictures: it is to be read in links. */
const HOST = 'chat.example.com'
const QUALITY = 64
const DEVICES = [
  { width: 1440, height: 900 },
  { width: 820, height: 1100, touch: true },
  { width: 390, height: 844, touch: true, options: { deviceScaleFactor: 1.5, isMobile: true } },
]

const wanted = process.argv.slice(2)
const chosen = (all, key) => (all.some((each) => wanted.includes(String(each[key]))) ? all.filter((each) => wanted.includes(String(each[key]))) : all)

/** Somebody's browser. */
async function enter(browser, { width, height, touch, options }, stage, username) {
  const person = await newPerson(browser, {
    viewport: { width, height }, hasTouch: touch === true, locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce', ...options,
  })
  await dress(person.context, stage.show)
  await person.page.goto(`http://${HOST}/login`)
  if (username === undefined) return person.page
  await logIn(person.page, username)
  await person.page.getByRole('button', { name: /^You are/ }).waitFor()
  return person.page
}

/** Somebody who is there, and reads along. */
async function attend(browser, { rooms }, username) {
  const { page } = await newPerson(browser)
  await page.goto(`http://${HOST}/rooms/${rooms.release.real}`)
  await logIn(page, username)
  await page.getByRole('log').waitFor()
  return page
}

/** Brings about what a scene shows, and takes its pictures. */
async function take(scene, its, width) {
  const { page } = its
  if (!scene.stay) {
    await page.evaluate((look) => {
      for (const name of ['contrast', 'density']) localStorage.removeItem(`gochat-${name}`)
      for (const [name, value] of Object.entries(look)) localStorage.setItem(`gochat-${name}`, value)
    }, scene.look ?? {})
    await open(page, scene.at?.(its) ?? '/', scene.act)
  }
  await scene.go(its)
  const devtools = await page.context().newCDPSession(page)
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await scene.each?.(its)
    await page.evaluate(() => document.fonts.ready)
    await drawn(page)
    const { data } = await devtools.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY })
    await writeFile(`${IMAGES}${scene.name}-${width}-${colorScheme}.webp`, Buffer.from(data, 'base64'))
  }
  await devtools.detach()
  await scene.after?.(its)
}

/** All scenes on one device. Each has a chat of its own: what is done in one shows in none of the others. */
async function photograph(device) {
  const server = await startServer({ GOCHAT_SEND_RATE: '0', GOCHAT_AUTH_RATE: '0', GOCHAT_GUESTS: 'true' })
  const proxy = await startProxy(server)
  const { host } = new URL(proxy.origin)
  const browser = await launchBrowser([
    `--host-resolver-rules=MAP ${HOST} ${host}`,
    `--unsafely-treat-insecure-origin-as-secure=http://${HOST}`,
    '--hide-scrollbars',
  ])
  try {
    const stage = await stageCast(server)
    const bob = await attend(browser, stage, 'bob')
    await attend(browser, stage, 'carol')
    const pages = new Map()
    for (const scene of chosen(SCENES, 'name')) {
      if (!pages.has(scene.as)) pages.set(scene.as, await enter(browser, device, stage, scene.as))
      console.log(device.width, scene.name)
      await take(scene, { ...stage, ...device, proxy, bob, page: pages.get(scene.as) }, device.width)
    }
  } finally {
    await browser.close()
    await proxy.stop()
    await server.stop()
  }
}

await mkdir(IMAGES, { recursive: true })
if (wanted.length === 0) {
  for (const name of await readdir(IMAGES)) if (/-\d+-(light|dark)\.\w+$/.test(name)) await rm(IMAGES + name)
}
for (const device of chosen(DEVICES, 'width')) await photograph(device)
await writeFile(`${DOCS}screens.md`, listOf(SCENES, DEVICES))
