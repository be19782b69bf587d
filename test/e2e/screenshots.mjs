// Writes docs/images/NAME-{1440,820,390}-{light,dark}.webp, a picture of every screen and panel, and docs/screens.md, the
// list of them. Only some: `npm run screenshots -- NAME... WIDTH...`.
import { readdir, mkdir, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { takeFaults } from './faults.mjs'
import { listOf } from './pictures/list.mjs'
import { SCENES } from './pictures/scenes.mjs'
import { DEVICES, openStudio } from './pictures/studio.mjs'
import { drawn } from './screens.mjs'

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url))
const IMAGES = `${DOCS}images/`
const QUALITY = 64

const wanted = process.argv.slice(2)
const chosen = (all, key) => (all.some((each) => wanted.includes(String(each[key]))) ? all.filter((each) => wanted.includes(String(each[key]))) : all)

/** Brings about what a scene shows, and takes its pictures. */
async function take(studio, scene, width) {
  const its = await studio.play(scene)
  const { page } = its
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

async function photograph(device) {
  const studio = await openStudio(device)
  try {
    for (const scene of chosen(SCENES, 'name')) {
      console.log(device.width, scene.name)
      await take(studio, scene, device.width)
    }
  } finally {
    await studio.close()
  }
}

await mkdir(IMAGES, { recursive: true })
if (wanted.length === 0) {
  for (const name of await readdir(IMAGES)) if (/-\d+-(light|dark)\.\w+$/.test(name)) await rm(IMAGES + name)
}
for (const device of chosen(DEVICES, 'width')) await photograph(device)
await writeFile(`${DOCS}screens.md`, listOf(SCENES, DEVICES))
for (const fault of takeFaults()) {
  console.error(`A page had a fault: ${fault}`)
  process.exitCode = 1
}
