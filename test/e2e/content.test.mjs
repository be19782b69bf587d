// Whatever people write or call themselves stays where it is, and takes nothing from what is beside it.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { api, launchBrowser, newPerson, startProxy, startServer } from './stage.mjs'
import { away, comeBack, drawn, log, logIn, message, roomLink, settled } from './screens.mjs'

const PILE = `e${'\u0301'.repeat(250)} with its marks`
const LONG_NAME = 'x'.repeat(80)

describe('what people write', { concurrency: 1 }, () => {
  let server, proxy, browser, ann, rest, bobToken, room

  before(async () => {
    server = await startServer({ GOCHAT_SEND_RATE: '0' })
    proxy = await startProxy(server)
    rest = api(server.origin)
    const { access_token: token } = await rest.register('ann', 'Ann')
    bobToken = (await rest.register('bob', 'Bob')).access_token
    room = await rest.call('POST', '/rooms', { token, body: { name: 'Garden', visibility: 'public' } })
    await rest.call('POST', `/rooms/${room.id}/join`, { token: bobToken })
    browser = await launchBrowser()
    ann = await newPerson(browser)
    await ann.page.goto(`${proxy.origin}/rooms/${room.id}`)
    await logIn(ann.page, 'ann')
    await log(ann.page).getByText('Bob joined').waitFor()
  })

  after(async () => {
    await browser?.close()
    await proxy?.stop()
    await server?.stop()
  })

  const post = (body) => rest.call('POST', `/rooms/${room.id}/messages`, { token: bobToken, body: { client_id: crypto.randomUUID(), body } })

  test('marks that are piled upon each other reach into no other message', async () => {
    const { page } = ann
    await post('the one above')
    await post('one between')
    await post(PILE)
    await message(page, 'with its marks').waitFor()
    await settled(page)
    const above = await message(page, 'the one above').boundingBox()
    const look = () => page.screenshot({ clip: above })
    const shown = await look()
    const piled = await message(page, 'with its marks').elementHandle()
    await piled.evaluate((row) => (row.style.visibility = 'hidden'))
    await drawn(page)
    assert.ok(shown.equals(await look()), 'the message two above looks different without it')
    await piled.evaluate((row) => (row.style.visibility = ''))
  })

  test('what is nested ever deeper, and a name without an end, stay in view', async () => {
    const { page } = ann
    await post(`${'- '.repeat(60)}a deep list`)
    await post(`${'> '.repeat(60)}a deep quote`)
    const { access_token: token } = await rest.register('long', LONG_NAME)
    await rest.call('POST', `/rooms/${room.id}/join`, { token })
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 })
      await log(page).getByText(`${LONG_NAME} joined`).waitFor()
      await settled(page)
      const outside = await log(page).evaluate((element, texts) => {
        const { left, right } = element.getBoundingClientRect()
        const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
        const found = []
        for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
          if (!texts.some((text) => node.data.includes(text))) continue
          const range = document.createRange()
          range.selectNodeContents(node)
          const box = range.getBoundingClientRect()
          found.push(box.width > 0 && box.left >= left && box.right <= right ? 'in view' : `${node.data.slice(0, 20)}: ${box.left} to ${box.right}`)
        }
        return found
      }, ['a deep list', 'a deep quote', `${LONG_NAME} joined`])
      assert.deepEqual(outside, ['in view', 'in view', 'in view'], `at ${width} px`)
    }
    await page.setViewportSize({ width: 1280, height: 800 })
  })

  test('eight levels leave their words a column on a phone, and the number of a long list stands within its own', async () => {
    const { page } = ann
    await post(`${'> '.repeat(8)}eight quotes deep`)
    await post(Array.from({ length: 8 }, (_, level) => `${'  '.repeat(level)}- level ${level + 1} of the list`).join('\n'))
    await post('1986. That was a year')
    await page.setViewportSize({ width: 360, height: 800 })
    await message(page, 'That was a year').waitFor()
    await settled(page)
    const { columns, before, number } = await log(page).evaluate((element) => {
      const innermost = (tag, words) => [...element.querySelectorAll(tag)].findLast((node) => node.textContent.includes(words))
      const text = (node) => node.closest('[dir="auto"]').getBoundingClientRect()
      const deep = [innermost('blockquote p', 'eight quotes deep'), innermost('li', 'level 8 of the list')]
      const year = innermost('li', 'That was a year')
      const ruler = document.createElement('span')
      ruler.textContent = '1986. '
      ruler.style.whiteSpace = 'pre'
      year.append(ruler)
      const number = ruler.getBoundingClientRect().width
      ruler.remove()
      return {
        columns: deep.map((node) => node.getBoundingClientRect().width / text(node).width),
        before: year.getBoundingClientRect().left - text(year).left,
        number,
      }
    })
    for (const column of columns) assert.ok(column > 0.5, `the deepest words have ${column} of the width`)
    assert.ok(before >= number, `the number takes ${number} px, and has ${before}`)
    await page.setViewportSize({ width: 1280, height: 800 })
  })

  test('whoever takes another name while one is away has it when one is back', async () => {
    const { page } = ann
    await post('by Bob')
    await message(page, 'by Bob').waitFor()
    proxy.cut()
    await away(page).waitFor()
    await rest.call('PATCH', '/users/me', { token: bobToken, body: { display_name: 'Robert' } })
    proxy.restore()
    await comeBack(page)
    await page.getByRole('article', { name: /^Robert,/ }).last().waitFor()
    await roomLink(page, 'Garden').getByText('Robert: by Bob').waitFor()
  })
})
