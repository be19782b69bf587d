// Text of twice the size (WCAG 1.4.4), and a window of 320 pixels (1.4.10): nothing is cut off, covered or out of the window.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { misfits } from './fits.mjs'
import { SCENES } from './pictures/scenes.mjs'
import { openStudio } from './pictures/studio.mjs'
import { composer, createRoom, drawn, log, register } from './screens.mjs'
import { launchBrowser, newPerson, shoot, startServer } from './stage.mjs'

const LOOKED_AT = [
  'login', 'register', 'invite', 'welcome', 'discover', 'home', 'chat', 'markdown', 'message-actions', 'switcher', 'create-room',
  'room-settings', 'room-delete', 'invite-new', 'members', 'leave', 'user-menu', 'look', 'password', 'sessions', 'emoji', 'reading-above',
]

const WINDOWS = [
  { what: 'text of 32 pixels', width: 1280, height: 800, args: ['--blink-settings=defaultFontSize=32'] },
  { what: 'a window of 320 pixels', width: 320, height: 640 },
]

for (const { what, ...device } of WINDOWS) {
  describe(what, { concurrency: 1 }, () => {
    let studio

    before(async () => {
      studio = await openStudio(device)
    })

    after(() => studio?.close())

    for (const scene of SCENES.filter(({ name }) => LOOKED_AT.includes(name))) {
      test(scene.what, async () => {
        const its = await studio.play(scene)
        await scene.each?.(its)
        await drawn(its.page)
        assert.deepEqual(await misfits(its.page), [])
        await scene.after?.(its)
      })
    }

    test('there is room to read and to write', async () => {
      const { page } = await studio.play(SCENES.find(({ name }) => name === 'chat'))
      const words = await page.evaluate(() => parseFloat(getComputedStyle(document.documentElement).fontSize))
      const { x, y, width, height } = await composer(page).boundingBox()
      assert.ok(x >= 0 && x + width <= device.width && y + height <= device.height, 'the composer is in the window')
      assert.ok(width >= 8 * words, `the composer is ${width} px wide`)
      const read = await log(page).boundingBox()
      assert.ok(read.width >= 18 * words && read.height >= 9 * words, `the log is ${read.width} x ${read.height} px`)
    })
  })
}

describe('a phone whose text is made twice as large', { concurrency: 1 }, () => {
  let server, browser

  before(async () => {
    server = await startServer()
    browser = await launchBrowser()
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  test('the room has a name, what is pressed is in the window, and where one writes is as high as its line', async () => {
    const { page } = await newPerson(browser, { viewport: { width: 390, height: 844 }, hasTouch: true })
    await page.goto(server.origin)
    await register(page, 'ann', 'Ann')
    await createRoom(page, 'Garden')
    const header = page.locator('main > header')
    const once = (await header.boundingBox()).height
    await page.evaluate(() => (document.documentElement.style.fontSize = '200%'))
    await drawn(page)
    await shoot(page, 'twice-390')
    const name = page.getByRole('heading', { level: 1, name: 'Garden' }).getByText('Garden')
    assert.deepEqual(await name.evaluate((words) => [words.clientWidth > 0, words.scrollWidth <= words.clientWidth]), [true, true])
    for (const button of await header.getByRole('button').all()) {
      const { x, width } = await button.boundingBox()
      assert.ok(x >= 0 && x + width <= 390, 'a button is in the window')
    }
    const [has, needs] = await composer(page).evaluate((field) => {
      const { lineHeight, paddingTop, paddingBottom } = getComputedStyle(field)
      return [field.clientHeight, [lineHeight, paddingTop, paddingBottom].reduce((sum, each) => sum + parseFloat(each), 0)]
    })
    assert.ok(has >= Math.floor(needs), `${has} of ${needs} px`)
    await page.evaluate(() => (document.documentElement.style.fontSize = ''))
    await drawn(page)
    assert.equal((await header.boundingBox()).height, once)
    assert.ok(once < 70, `one row, ${once} px`)
  })
})
