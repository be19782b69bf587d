// What a person does in the app, in its own words: by role and name, as a screen reader finds it.
import { PASSWORD } from './stage.mjs'

export const log = (page) => page.getByRole('log')
export const composer = (page) => page.getByRole('textbox', { name: /^Message to/ })
export const message = (page, text) => log(page).getByRole('article').filter({ hasText: text })
export const banner = (page) => page.getByRole('status', { name: 'Connection' })
/** What is said as long as there is no connection, whatever the reason. */
export const away = (page) => banner(page).getByText('What you write is kept')
/** Does not wait for the next try, nor for the one after: presses what is there for that until the banner says so. */
export const pressUntil = (page, said) =>
  page.waitForFunction((text) => {
    const place = document.querySelector('[role="status"][aria-label="Connection"]')
    if (place.textContent.includes(text)) return true
    place.querySelector('button')?.click()
    return false
  }, said)
/** For tests of what comes after: that it comes back by itself is tried in others. */
export const comeBack = (page) => pressUntil(page, 'Back online')
export const members = (page) => page.getByRole('complementary', { name: 'Members' })
export const roomLink = (page, name) => page.getByRole('navigation', { name: 'Rooms' }).getByRole('link', { name })

export async function register(page, username, displayName) {
  const forms = page.getByRole('group', { name: 'How to come in' })
  await forms.getByRole('button', { name: 'Create account' }).click()
  await page.getByLabel('Username').fill(username)
  await page.getByLabel('Your name').fill(displayName)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.locator('form').getByRole('button', { name: 'Create account' }).click()
}

export async function logIn(page, username) {
  await page.getByLabel('Username').fill(username)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.locator('form').getByRole('button', { name: 'Log in' }).click()
}

export async function createRoom(page, name, kind = 'Private') {
  await page.getByRole('button', { name: 'New room' }).click()
  const dialog = page.getByRole('dialog', { name: 'New room' })
  await dialog.getByLabel('Name').fill(name)
  await dialog.getByRole('radio', { name: kind }).check({ force: true })
  await dialog.getByRole('button', { name: 'Create room' }).click()
  await page.getByRole('heading', { level: 1, name }).waitFor()
}

/** Makes an invite link in the open room, and gives it. */
export async function createInvite(page) {
  await page.getByRole('button', { name: 'Invite people' }).first().click()
  const dialog = page.getByRole('dialog', { name: /^Invite to/ })
  await dialog.getByRole('button', { name: 'Create link' }).click()
  const link = await dialog.getByLabel('Invite link').inputValue()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'hidden' })
  return link
}

/** Until an element has the focus: what takes it may be told of the press only after the press is done. */
export const untilFocused = async (page, target) =>
  page.waitForFunction((element) => element === document.activeElement, await target.elementHandle())

/** Until what was closed has taken its entry back from the history: a page that is led elsewhere before that is held back by it. */
export const uncovered = (page) => page.waitForFunction(() => !history.state?.over)

/** Until a page has drawn what it knows: what is measured in one frame is laid out by the next. */
export const drawn = (page) =>
  page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))

/** Until nothing in the timeline has moved for a while: rows that came into view are measured, and history that came has its place. */
export const settled = (page) =>
  log(page).evaluate(async (element) => {
    let [still, last] = [0, undefined]
    while (still < 6) {
      await new Promise((next) => requestAnimationFrame(next))
      const now = `${element.scrollTop} ${element.scrollHeight}`
      still = now === last ? still + 1 : 0
      last = now
    }
  })

/**
 * Turns the wheel over the timeline and waits until it has scrolled so far, or to its end: a busy machine scrolls late.
 * Answers with how far a message went that was in view before (`row`, by its number), and how far it had to.
 */
export async function wheel(page, by, row) {
  const seen = await log(page).evaluate((element, seq) => {
    const at = element.querySelector(`[data-seq="${seq}"]`)?.getBoundingClientRect().top
    return { at, room: { up: element.scrollTop, down: element.scrollHeight - element.clientHeight - element.scrollTop } }
  }, row)
  const wanted = by < 0 ? Math.min(-by, seen.room.up) : -Math.min(by, seen.room.down)
  if (Math.round(wanted) === 0) return { moved: 0, wanted: 0 }
  await log(page).evaluate((element) => {
    window.scrolled = new Promise((done) => element.addEventListener('scroll', done, { once: true }))
  })
  await page.mouse.wheel(0, by)
  await page.evaluate(() => window.scrolled)
  await settled(page)
  return log(page).evaluate((element, { seq, top, far }) => {
    const moved = seq === undefined ? 0 : element.querySelector(`[data-seq="${seq}"]`).getBoundingClientRect().top - top
    return { moved, wanted: far }
  }, { seq: row, top: seen.at, far: wanted })
}

export async function showMembers(page) {
  const button = page.getByRole('button', { name: 'Members', exact: true })
  if ((await button.getAttribute('aria-pressed')) !== 'true') await button.click()
  await members(page).waitFor()
}

/** Where one points with a finger the button sends, and everywhere else Enter. */
export async function say(page, text) {
  await composer(page).fill(text)
  if (await page.evaluate(() => matchMedia('(hover: none) and (pointer: coarse)').matches)) await page.getByRole('button', { name: 'Send', exact: true }).tap()
  else await composer(page).press('Enter')
}

/** Until every message of the page is in the log. */
export async function allSent(page) {
  await page.waitForFunction(
    () => document.querySelector('[role="log"] [aria-label="Sending"], [role="log"] [role="alert"]') === null,
  )
}

/** Everything in the timeline, by scrolling through it from its end to its start, and back: [number, text], ascending. */
export async function readTimeline(page) {
  const collect = () =>
    log(page).evaluate((element) => ({
      atStart: element.scrollTop <= 0 && element.querySelector('h2') !== null,
      unsent: element.querySelectorAll('article:not([data-seq])').length,
      rows: [...element.querySelectorAll('article[data-seq]')].map((row) => [
        Number(row.dataset.seq),
        row.querySelector('[dir="auto"]').textContent,
      ]),
    }))
  const seen = new Map()
  const doubled = []
  let unsent = 0
  for (let turn = 0; turn < 200; turn++) {
    const { atStart, rows, unsent: here } = await collect()
    unsent = Math.max(unsent, here)
    if (new Set(rows.map(([seq]) => seq)).size !== rows.length) doubled.push(...rows)
    for (const [seq, text] of rows) seen.set(seq, text)
    if (atStart) break
    await log(page).evaluate((element) => {
      element.scrollBy({ top: -400, behavior: 'instant' })
      return new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)))
    })
  }
  const latest = page.getByRole('button', { name: /^To the latest$|new$/ })
  if (await latest.isVisible()) await latest.click()
  return { rows: [...seen].sort(([a], [b]) => a - b), doubled, unsent }
}
