// What the browser tests stand on: a real server in a folder of its own, a TCP proxy that can be cut, real browsers.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { watch } from './faults.mjs'

const SERVER = process.env.GOCHAT_SERVER_BIN ?? fileURLToPath(new URL('../../bin/server', import.meta.url))
const CHROMIUM = process.env.GOCHAT_CHROMIUM ?? '/usr/bin/chromium'
const STARTS_WITHIN_MS = 15_000

export const PASSWORD = 'correct horse battery'

export async function freePort() {
  const probe = net.createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}

/**
 * A server on a free port, with an empty folder; `stop` ends it, by its own process, and removes the folder. Where
 * GOCHAT_E2E_URL names a chat that is empty and runs already, it is that one.
 */
export async function startServer(settings = {}) {
  if (process.env.GOCHAT_E2E_URL) {
    const { origin, hostname, port } = new URL(process.env.GOCHAT_E2E_URL)
    return { origin, hostname, port: Number(port || 80), log: [], async stop() {} }
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'gochat-e2e-'))
  const [port, adminPort] = [await freePort(), await freePort()]
  const origin = `http://127.0.0.1:${port}`
  const log = []
  const env = {
    ...process.env,
    GOCHAT_LISTEN: `127.0.0.1:${port}`,
    GOCHAT_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
    GOCHAT_DATA_DIR: path.join(folder, 'data'),
    GOCHAT_LOG_FORMAT: 'text',
    GOCHAT_DRAIN: '1s',
    ...settings,
  }
  let end = await run({ cwd: folder, env }, origin, log)
  return {
    origin,
    hostname: '127.0.0.1',
    port,
    log,
    /** Ends the process as an upgrade does; what it gives starts the next one, on the same data. */
    async leave() {
      await end()
      return async () => {
        end = await run({ cwd: folder, env }, origin, log)
      }
    },
    async stop() {
      await end()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Runs the server's program until it is ready, and gives the way to end it. */
async function run({ cwd, env }, origin, log) {
  const server = spawn(SERVER, [], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [server.stdout, server.stderr]) createInterface({ input: stream }).on('line', (line) => log.push(line))
  const ended = once(server, 'exit')
  try {
    await ready(origin, server)
  } catch (error) {
    server.kill('SIGKILL')
    throw new Error(`${error.message}\n${log.join('\n')}`)
  }
  return async () => {
    server.kill('SIGTERM')
    await ended
  }
}

/** Asks until the server says that it is ready: there is nothing to be told by. */
async function ready(origin, server) {
  const deadline = Date.now() + STARTS_WITHIN_MS
  while (Date.now() < deadline) {
    if (server.exitCode !== null) throw new Error('the server ended at once')
    const answer = await fetch(`${origin}/readyz`).catch(() => undefined)
    if (answer?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`the server was not ready within ${STARTS_WITHIN_MS} ms`)
}

/**
 * A TCP proxy before the server. `cut` ends every connection and refuses new ones; `freeze` lets nothing through and
 * closes nothing, as a dead network does; `hold` keeps all that is said until `restore`, as a slow one does; `refuseSockets` only
 * keeps WebSockets from being opened; `restore` undoes all.
 */
export async function startProxy({ hostname, port }) {
  const pairs = new Set()
  const held = []
  let mode = 'open'
  const pass = (to, chunk) => {
    if (mode === 'held') held.push([to, chunk])
    else if (mode !== 'frozen') to.write(chunk)
  }
  const proxy = net.createServer((client) => {
    if (mode === 'cut') {
      client.destroy()
      return
    }
    const upstream = net.connect(port, hostname)
    const pair = { client, upstream, socket: false }
    pairs.add(pair)
    const end = () => {
      pairs.delete(pair)
      client.destroy()
      upstream.destroy()
    }
    for (const side of [client, upstream]) {
      side.setNoDelay(true)
      side.on('error', end)
      side.on('close', end)
    }
    client.on('data', (chunk) => {
      pair.socket ||= chunk.includes('GET /api/v1/ws')
      if (mode === 'refuseSockets' && pair.socket) end()
      else pass(upstream, chunk)
    })
    upstream.on('data', (chunk) => pass(client, chunk))
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const drop = (which = () => true) => {
    for (const pair of [...pairs]) if (which(pair)) pair.client.destroy()
  }
  return {
    origin: `http://127.0.0.1:${proxy.address().port}`,
    cut() {
      mode = 'cut'
      drop()
    },
    freeze() {
      mode = 'frozen'
    },
    hold() {
      mode = 'held'
    },
    refuseSockets() {
      mode = 'refuseSockets'
      drop(({ socket }) => socket)
    },
    restore() {
      // What was frozen has lost bytes: like packets that never came, those connections are of no more use.
      if (mode === 'frozen') drop()
      mode = 'open'
      for (const [to, chunk] of held.splice(0)) to.write(chunk)
    },
    async stop() {
      mode = 'cut'
      drop()
      proxy.close()
      await once(proxy, 'close')
    },
  }
}

export function launchBrowser(args = []) {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...args,
    ],
  })
}

/** A person with a browser of their own, which is watched: see faults.mjs. */
export async function newPerson(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  return { context, page: await context.newPage(), ...watch(context) }
}

/** Where pictures are wanted; without it none are taken. */
const SHOTS = process.env.GOCHAT_SCREENSHOTS

export async function shoot(page, name) {
  if (SHOTS === undefined) return
  await mkdir(SHOTS, { recursive: true })
  await page.screenshot({ path: path.join(SHOTS, `${name}.png`) })
}

/** Takes a picture wide and on a phone, in light and in dark. */
export async function shootAll(page, name) {
  if (SHOTS === undefined) return
  const before = page.viewportSize()
  for (const [width, height] of [[1440, 900], [390, 844]]) {
    await page.setViewportSize({ width, height })
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await shoot(page, `${name}-${width}-${colorScheme}`)
    }
  }
  await page.setViewportSize(before)
}

/** The REST API by hand: what outside programs see. */
export function api(origin) {
  const call = async (method, path, { token, body, headers } = {}) => {
    const response = await fetch(`${origin}/api/v1${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    const text = await response.text()
    const answer = text === '' ? undefined : JSON.parse(text)
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return answer
  }
  return {
    call,
    register: (username, display_name) =>
      call('POST', '/auth/register', { body: { username, password: PASSWORD, display_name } }),
    logIn: async (username, headers) =>
      (await call('POST', '/auth/login', { headers, body: { username, password: PASSWORD } })).access_token,
    /** The whole log of a room, ascending. */
    async history(token, roomId) {
      const entries = []
      for (let after = 0; ; ) {
        const { items, has_more } = await call('GET', `/rooms/${roomId}/messages?after_seq=${after}&limit=200`, { token })
        entries.push(...items)
        if (!has_more) return entries
        after = items.at(-1).seq
      }
    },
  }
}
