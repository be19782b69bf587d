// Where one writes: drafts, what is pasted, emoji, input methods, and code in colours.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessible } from './axe.mjs'
import { launchBrowser, newPerson, shootAll, startServer } from './stage.mjs'
import { composer, createRoom, drawn, message, register, roomLink, say, untilFocused } from './screens.mjs'

describe('writing', { concurrency: 1 }, () => {
  let server, browser, ann

  before(async () => {
    server = await startServer()
    browser = await launchBrowser()
    ann = await newPerson(browser)
    // What a service worker has kept is not held back by the page's route below.
    await ann.context.addInitScript(() => delete Navigator.prototype.serviceWorker)
    await ann.page.goto(server.origin)
    await register(ann.page, 'ann', 'Ann')
    await createRoom(ann.page, 'Garden')
    await createRoom(ann.page, 'Kitchen')
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  /** As the clipboard would. */
  const paste = (page, data) =>
    composer(page).evaluate((field, { text, file }) => {
      const clipboard = new DataTransfer()
      if (text !== undefined) clipboard.setData('text/plain', text)
      if (file !== undefined) clipboard.items.add(new File(['x'], file, { type: 'image/png' }))
      return field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: clipboard, bubbles: true, cancelable: true }))
    }, data)

  test('what is begun in a room waits there, over a reload too', async () => {
    const { page } = ann
    await composer(page).fill('for the kitchen')
    await roomLink(page, 'Garden').click()
    await page.getByRole('heading', { level: 1, name: 'Garden' }).waitFor()
    assert.equal(await composer(page).inputValue(), '')
    await composer(page).fill('for the garden')
    await roomLink(page, 'Kitchen').click()
    await page.getByRole('heading', { level: 1, name: 'Kitchen' }).waitFor()
    assert.equal(await composer(page).inputValue(), 'for the kitchen')
    await page.reload()
    await composer(page).waitFor()
    assert.equal(await composer(page).inputValue(), 'for the kitchen')
    await roomLink(page, 'Garden').click()
    await page.getByRole('heading', { level: 1, name: 'Garden' }).waitFor()
    assert.equal(await composer(page).inputValue(), 'for the garden')
    await composer(page).fill('')
    await roomLink(page, 'Kitchen').click()
    await composer(page).fill('')
    await roomLink(page, 'Garden').click()
    await page.getByRole('heading', { level: 1, name: 'Garden' }).waitFor()
  })

  test('the list says in which rooms something is begun, of all tabs; the room that is open does not', async () => {
    const { page, context } = ann
    const tab = await context.newPage()
    await tab.goto(page.url()) // Garden
    await composer(tab).waitFor()
    await composer(page).pressSequentially('**half** a thought')
    const [here, there] = [page, tab].map((at) => roomLink(at, 'Garden'))
    await drawn(page)
    assert.doesNotMatch(await here.textContent(), /Draft/)
    assert.doesNotMatch(await there.textContent(), /Draft/)
    await roomLink(page, 'Kitchen').click()
    await here.getByText('Draft: half a thought').waitFor()
    await shootAll(page, 'draft')
    await page.reload()
    await here.getByText('Draft: half a thought').waitFor()
    await composer(tab).fill('begun there')
    await here.getByText('Draft: begun there').waitFor()
    await composer(tab).fill(' ')
    await here.getByText('Draft:').waitFor({ state: 'detached' })
    await composer(tab).fill('and again')
    await here.getByText('Draft: and again').waitFor()
    await roomLink(page, 'Garden').click()
    await here.getByText('Draft:').waitFor({ state: 'detached' })
    await composer(page).fill('')
    await tab.close()
  })

  test('two tabs have one draft: who is not written in follows, and what is sent is gone from both', async () => {
    const { page, context } = ann
    const tab = await context.newPage()
    await tab.goto(page.url())
    await composer(tab).waitFor()
    // Here every page believes that it is in front.
    const look = async (at, away) => {
      await away.evaluate(() => {
        document.hasFocus = () => false
        dispatchEvent(new Event('blur'))
      })
      await at.evaluate(() => (document.hasFocus = () => true))
    }
    const until = (at, text) =>
      at.waitForFunction((wanted) => document.querySelector('textarea').value === wanted, text)
    await look(page, tab)
    await composer(page).pressSequentially('begun here')
    await until(tab, 'begun here')
    await look(tab, page)
    await composer(tab).press('End')
    await composer(tab).pressSequentially(', ended there')
    await until(page, 'begun here, ended there')
    await tab.keyboard.press('Control+z')
    await until(page, 'begun here')
    // Both are written in: the last one counts, and nothing goes from under a caret.
    await page.evaluate(() => (document.hasFocus = () => true))
    await composer(page).press('End')
    await composer(page).pressSequentially(' and here')
    await composer(tab).pressSequentially(' and there')
    await drawn(page)
    assert.equal(await composer(page).inputValue(), 'begun here and here')
    await look(tab, page)
    await until(page, 'begun here and there')
    await composer(tab).press('Enter')
    await until(page, '')
    await message(page, 'begun here and there').waitFor()
    await page.reload()
    await composer(page).waitFor()
    assert.equal(await composer(page).inputValue(), '')
    await tab.close()
  })

  test('an emoji is found by a word, and written where the caret is', async () => {
    const { page } = ann
    await composer(page).fill('we ship  today')
    await composer(page).evaluate((field) => field.setSelectionRange(8, 8))
    await page.getByRole('button', { name: 'Emoji', exact: true }).click()
    const find = page.getByRole('searchbox', { name: 'Find an emoji' })
    await untilFocused(page, find)
    await accessible(page, 'emoji')
    await shootAll(page, 'emoji')
    await find.fill('nothing like it')
    await page.getByText('None is called that.').waitFor()
    await find.fill('rocket')
    await page.getByRole('button', { name: 'rocket ship release' }).click()
    await find.waitFor({ state: 'detached' })
    await untilFocused(page, composer(page))
    assert.equal(await composer(page).inputValue(), 'we ship 🚀 today')
    await page.keyboard.press('Control+z')
    assert.equal(await composer(page).inputValue(), 'we ship  today')
    await page.getByRole('button', { name: 'Emoji', exact: true }).click()
    await find.waitFor()
    await page.keyboard.press('Escape')
    await find.waitFor({ state: 'detached' })
    await untilFocused(page, page.getByRole('button', { name: 'Emoji', exact: true }))
  })

  test('an address over words makes a link of them; a picture is refused in words', async () => {
    const { page } = ann
    await composer(page).fill('see the plan')
    await composer(page).evaluate((field) => field.setSelectionRange(4, 12))
    await paste(page, { text: 'https://example.com/plan' })
    assert.equal(await composer(page).inputValue(), 'see [the plan](https://example.com/plan)')
    await paste(page, { file: 'cat.png' })
    await page.getByText('Pictures and files can’t be sent yet.').waitFor()
    await composer(page).press('Enter')
    await message(page, 'see the plan').getByRole('link', { name: 'the plan' }).waitFor()
    await page.getByText('Pictures and files can’t be sent yet.').waitFor({ state: 'detached' })
  })

  test('Enter that ends a word of an input method sends nothing', async () => {
    const { page } = ann
    await composer(page).fill('にほん')
    const press = (how) => composer(page).evaluate((field, init) => field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...init })), how)
    await press({ isComposing: true })
    await press({ keyCode: 229 })
    assert.equal(await composer(page).inputValue(), 'にほん')
    assert.equal(await composer(page).getAttribute('enterkeyhint'), 'send')
    await press({})
    await message(page, 'にほん').getByRole('img', { name: 'Sent' }).waitFor()
  })

  test('what is formatted can be looked at before it is sent', async () => {
    const { page } = ann
    await composer(page).fill('plain words')
    assert.equal(await page.getByRole('button', { name: 'Preview' }).count(), 0)
    await composer(page).fill('**Bold** and\n- a list')
    await page.getByRole('button', { name: 'Preview' }).click()
    const preview = page.getByRole('region', { name: 'Preview' })
    await preview.locator('strong', { hasText: /^Bold$/ }).waitFor()
    await preview.getByRole('listitem').getByText('a list').waitFor()
    await accessible(page, 'a preview')
    await shootAll(page, 'preview')
    await composer(page).press('End')
    await composer(page).pressSequentially(', *slanted*')
    await preview.locator('em', { hasText: 'slanted' }).waitFor()
    await composer(page).press('Enter')
    await message(page, 'Bold and').locator('em', { hasText: 'slanted' }).waitFor()
    await preview.waitFor({ state: 'detached' })
  })

  test('code that says its language is shown in colours, and nothing moves for it', async () => {
    const { page } = ann
    const code = 'package main\n\nfunc main() { println("hello", 42) } // done'
    let arrive
    const arrived = new Promise((resolve) => (arrive = resolve))
    await page.route(/Highlighted-.*\.js/, async (route) => {
      await arrived
      await route.continue()
    })
    await say(page, `\`\`\`go\n${code}\n\`\`\``)
    await say(page, 'below the code')
    await message(page, 'below the code').getByRole('img', { name: 'Sent' }).waitFor()
    const block = message(page, 'package main').locator('pre')
    const places = () =>
      page.getByRole('log').evaluate((log) => [...log.querySelectorAll('article, pre')].map((each) => {
        const { top, height } = each.getBoundingClientRect()
        return [top, height]
      }))
    await drawn(page)
    assert.equal(await block.locator('span').count(), 0)
    const before = await places()
    arrive()
    await block.locator('span').first().waitFor()
    await drawn(page)
    assert.deepEqual(await places(), before)
    assert.equal((await block.textContent()).trim(), code)
    assert.ok((await block.locator('span').count()) >= 5)
    await accessible(page, 'code in colours')
    await shootAll(page, 'code')
    await say(page, '```nosuchlanguage\na < b\n```')
    await message(page, 'a < b').getByRole('img', { name: 'Sent' }).waitFor()
  })
})
