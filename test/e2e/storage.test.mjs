// Browsers that keep nothing, by their settings or for want of room: all goes on, and nothing is promised that can't be held.
import { after, before, describe, test } from 'node:test'
import { api, launchBrowser, newPerson, startProxy, startServer } from './stage.mjs'
import { banner, comeBack, composer, logIn, message, say } from './screens.mjs'

const UNKEPT = 'What you write is sent later if this page stays open: this browser can keep nothing.'

/** Run in the page before the app: what a browser does that keeps nothing. */
const BROWSERS = {
  'with all storage forbidden': () => {
    for (const name of ['localStorage', 'indexedDB']) {
      Object.defineProperty(window, name, {
        get() {
          throw new DOMException('Access is denied for this document.', 'SecurityError')
        },
      })
    }
  },
  'with a full disk': () => {
    const full = () => {
      throw new DOMException('The quota has been exceeded.', 'QuotaExceededError')
    }
    Storage.prototype.setItem = full
    const put = IDBObjectStore.prototype.put
    const undone = new WeakSet()
    // As a database says it: the change is taken, and then undone.
    IDBObjectStore.prototype.put = function (...given) {
      const request = put.apply(this, given)
      if (!undone.has(this.transaction)) queueMicrotask(() => this.transaction.abort())
      undone.add(this.transaction)
      this.transaction.commit = () => undefined
      return request
    }
  },
}

for (const [name, spoil] of Object.entries(BROWSERS)) {
  describe(`a browser ${name}`, { concurrency: 1 }, () => {
    let server, proxy, browser, page

    before(async () => {
      server = await startServer()
      proxy = await startProxy(server)
      const rest = api(server.origin)
      const { access_token: token } = await rest.register('ann', 'Ann')
      const room = await rest.call('POST', '/rooms', { token, body: { name: 'Garden', visibility: 'public' } })
      browser = await launchBrowser()
      const ann = await newPerson(browser)
      page = ann.page
      await ann.context.addInitScript(spoil)
      await page.goto(`${proxy.origin}/rooms/${room.id}`)
      await logIn(page, 'ann')
      await composer(page).waitFor()
    })

    after(async () => {
      await browser?.close()
      await proxy?.stop()
      await server?.stop()
    })

    test('one writes, reads, and comes back after a reload', async () => {
      await composer(page).fill('half a thought')
      await say(page, 'hello')
      await message(page, 'hello').getByRole('img', { name: 'Sent' }).waitFor()
      await page.reload()
      await message(page, 'hello').waitFor()
    })

    test('how it looks is chosen, for as long as the page is open', async () => {
      await page.getByRole('button', { name: 'You are Ann' }).click()
      await page.getByRole('menuitem', { name: 'Settings' }).click()
      await page.getByRole('button', { name: 'Look', exact: true }).click()
      await page.getByRole('radio', { name: /^Dark/ }).check({ force: true })
      await page.waitForFunction(() => document.documentElement.dataset.theme === 'dark')
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    })

    test('without a connection it does not say that what one writes is kept', async () => {
      await say(page, 'to learn that there is no room')
      await message(page, 'to learn').getByRole('img', { name: 'Sent' }).waitFor()
      proxy.refuseSockets()
      await banner(page).getByText(UNKEPT).waitFor()
      await say(page, 'later')
      await message(page, 'later').getByRole('img', { name: 'Sending' }).waitFor()
      proxy.restore()
      await comeBack(page)
      await message(page, 'later').getByRole('img', { name: 'Sent' }).waitFor()
    })
  })
}
