// P9: a room of 10,000 entries on a phone-class processor (Chromium slowed down four times). Frames while one scrolls are
// measured as they are drawn, and beside them, in the same browser and the same run, those of a page with nothing in it.
import { gzipSync } from 'node:zlib'
import { api, launchBrowser, newPerson, startServer } from './stage.mjs'
import { drawn, log, logIn, message } from './screens.mjs'

const ENTRIES = Number(process.env.GOCHAT_BENCH_ENTRIES ?? 10_000)
const SLOWDOWN = 4
const [MOST_ROWS, LONG_MS, MOST_BYTES] = [60, 50, 200 * 1024]
const PX_PER_S = 3_000
const MEASURED_S = 15
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }

const BODIES = [
  'ok',
  'Low tide is at six, and I would rather be there before that than after.',
  'Has **anybody** looked at `relay/commit.go` since? See https://example.com/notes?page=2 for what was said.',
  'A longer one that takes several lines, so that no two pages of history are of the same height. '.repeat(3),
  '> who has the key?\n\nI do.\n\n- front door\n- cellar\n- *not* the bicycle shed',
  '```go\nfunc main() {\n\tfor i := range 10 {\n\t\tfmt.Println("hello", i)\n\t}\n}\n```',
  'Yes 👍 ~~no~~',
]

/** A room with that many messages of three people, in whatever order they come. */
async function fill(rest) {
  const tokens = []
  for (const name of ['Ann', 'Bob', 'Carol']) tokens.push((await rest.register(name.toLowerCase(), name)).access_token)
  const room = await rest.call('POST', '/rooms', { token: tokens[0], body: { name: 'Long', visibility: 'public' } })
  for (const token of tokens.slice(1)) await rest.call('POST', `/rooms/${room.id}/join`, { token })
  let next = 0
  const write = async () => {
    while (next < ENTRIES) {
      const at = next++
      const body = `${at} ${BODIES[at % BODIES.length]}`
      await rest.call('POST', `/rooms/${room.id}/messages`, { token: tokens[Math.floor(at / 4) % 3], body: { client_id: crypto.randomUUID(), body } })
    }
  }
  await Promise.all(Array.from({ length: 8 }, write))
  return { room, tokens }
}

/** Notes how long each frame takes, and every one that the browser itself calls long, from now until `stopFrames`. */
function startFrames(page) {
  return page.evaluate(() => {
    const frames = { deltas: [], long: [], rows: 0, on: true }
    window.frames9 = frames
    frames.observer = new PerformanceObserver((list) => {
      for (const { duration, blockingDuration, scripts } of list.getEntries()) {
        frames.long.push({ duration, blockingDuration, scripts: scripts.map((one) => `${one.invoker} ${Math.round(one.duration)}+${Math.round(one.forcedStyleAndLayoutDuration)}`) })
      }
    })
    frames.observer.observe({ type: 'long-animation-frame' })
    let last
    const tick = (now) => {
      if (!frames.on) return
      if (last !== undefined) frames.deltas.push(now - last)
      last = now
      const list = document.querySelector('[role="log"] > :last-child')
      frames.rows = Math.max(frames.rows, list?.childElementCount ?? 0)
      requestAnimationFrame(tick)
    }
    requestAnimationFrame(tick)
  })
}

function stopFrames(page) {
  return page.evaluate(() => {
    const { frames9: frames } = window
    frames.on = false
    for (const { duration, blockingDuration } of frames.observer.takeRecords()) frames.long.push({ duration, blockingDuration, scripts: [] })
    frames.observer.disconnect()
    return { deltas: frames.deltas, long: frames.long, rows: frames.rows }
  })
}

function figures(name, { deltas, long, rows }) {
  const sorted = deltas.toSorted((a, b) => a - b)
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  const over = deltas.filter((delta) => delta > LONG_MS).length
  const result = { name, frames: deltas.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: sorted.at(-1), over, long: long.length, rows }
  const ms = (value) => `${value.toFixed(1)} ms`
  console.log(
    `${name}: ${result.frames} frames, p50 ${ms(result.p50)}, p95 ${ms(result.p95)}, p99 ${ms(result.p99)}, max ${ms(result.max)}, ` +
      `${over} over ${LONG_MS} ms, ${result.long} long by the browser's count${rows > 0 ? `, at most ${rows} rows in the page` : ''}`,
  )
  if (process.env.GOCHAT_BENCH_VERBOSE) {
    for (const each of long) console.log('  ', JSON.stringify(each))
    console.log('  ', deltas.flatMap((delta, at) => (delta > 20 ? [`${at}: ${delta.toFixed(0)}`] : [])).join(', '))
  }
  return result
}

/** A finger that moves for that long; up is towards older messages. */
async function scroll(page, devtools, seconds, direction) {
  await devtools.send('Input.synthesizeScrollGesture', {
    x: 195,
    y: 400,
    yDistance: direction * PX_PER_S * seconds,
    speed: PX_PER_S,
    gestureSourceType: 'touch',
    preventFling: true,
  })
  await drawn(page)
}

async function measured(name, page, devtools, act) {
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: SLOWDOWN })
  await drawn(page)
  await startFrames(page)
  await act()
  const frames = await stopFrames(page)
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: 1 })
  return figures(name, frames)
}

async function emptyPage(browser, server) {
  const { page, context } = await newPerson(browser, PHONE)
  await page.goto(`${server.origin}/favicon.svg`)
  await page.goto('about:blank')
  await page.evaluate(() => {
    document.body.style.height = '200000px'
    document.body.style.background = 'linear-gradient(red, blue)'
  })
  const devtools = await context.newCDPSession(page)
  const down = () => scroll(page, devtools, MEASURED_S, -1)
  const result = await measured('a page with nothing in it', page, devtools, down)
  await context.close()
  return result
}

const server = await startServer({ GOCHAT_SEND_RATE: '0' })
const browser = await launchBrowser()
try {
  const rest = api(server.origin)
  const { room, tokens } = await fill(rest)
  await rest.call('POST', `/rooms/${room.id}/read`, { token: tokens[0], body: { seq: (await rest.call('GET', `/rooms/${room.id}`, { token: tokens[0] })).head_seq } })
  const { page, context, faults } = await newPerson(browser, PHONE)
  const scripts = []
  page.on('response', (response) => {
    if (response.request().resourceType() === 'script') scripts.push(response.body())
  })
  await page.goto(`${server.origin}/rooms/${room.id}`)
  await logIn(page, 'ann')
  await log(page).getByRole('article').first().waitFor()
  await drawn(page)
  const bytes = (await Promise.all(scripts)).reduce((sum, body) => sum + gzipSync(body).length, 0)
  console.log(`first load: ${(bytes / 1024).toFixed(1)} KB of JavaScript, gzipped (at most ${MOST_BYTES / 1024})`)

  const devtools = await context.newCDPSession(page)
  const before = await emptyPage(browser, server)
  const scrolling = []
  scrolling.push(await measured('reading backwards, while history is loaded', page, devtools, () => scroll(page, devtools, MEASURED_S, 1)))

  // All of it, so that the page holds 10,000 entries.
  for (let first = Infinity; first > 1; ) {
    first = await log(page).evaluate(async (element) => {
      element.scrollTop = 0
      await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)))
      return element.querySelector('h2') !== null && element.scrollTop <= 0 && element.textContent.includes('This is where it begins.') ? 1 : Infinity
    })
  }
  const height = await log(page).evaluate((element) => element.scrollHeight)
  console.log(`all ${ENTRIES} are held; the timeline is ${height} px high`)
  scrolling.push(await measured('all held: forwards from the beginning', page, devtools, () => scroll(page, devtools, MEASURED_S, -1)))
  scrolling.push(await measured('all held: backwards', page, devtools, () => scroll(page, devtools, MEASURED_S / 2, 1)))
  const results = [...scrolling]
  /** Five a second: looking for each in the page would be measured too. */
  const news = async (at) => {
    await rest.call('POST', `/rooms/${room.id}/messages`, { token: tokens[1], body: { client_id: crypto.randomUUID(), body: `news ${at}` } })
    await new Promise((next) => setTimeout(next, 200))
  }
  results.push(
    await measured('all held: twenty messages come while one reads', page, devtools, async () => {
      for (let at = 0; at < 20; at++) {
        await news(at)
      }
    }),
  )
  await page.getByRole('button', { name: /new$|^To the latest$/ }).click()
  await message(page, 'news 19').waitFor()
  results.push(
    await measured('all held: twenty messages come while one is at the end', page, devtools, async () => {
      for (let at = 20; at < 40; at++) {
        await news(at)
      }
    }),
  )
  const after = await emptyPage(browser, server)

  const floor = Math.max(before.p99, after.p99)
  for (const { name, p99, max } of results) {
    console.log(`${name}: p99 × ${(p99 / floor).toFixed(2)}, max × ${(max / Math.max(before.max, after.max)).toFixed(2)} of the page with nothing in it`)
  }
  const misses = [
    ...(bytes > MOST_BYTES ? ['the first load is too large'] : []),
    ...results.filter(({ rows }) => rows > MOST_ROWS).map(({ name, rows }) => `${name}: ${rows} rows in the page`),
    ...scrolling.filter(({ over }) => over > 0).map(({ name, over }) => `${name}: ${over} frames over ${LONG_MS} ms`),
    ...faults,
  ]
  for (const miss of misses) console.log(`MISSED: ${miss}`)
  process.exitCode = misses.length > 0 ? 1 : 0
} finally {
  await browser.close()
  await server.stop()
}
