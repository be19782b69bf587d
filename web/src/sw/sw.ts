/// <reference lib="webworker" />
/**
 * The service worker: the app opens without a network, and with one it is never older than the server. What of it is
 * kept is one version, whole, in a cache of its own; the next one is put beside it, and takes over when the page says so.
 */
import { routeOf } from './routes'

declare const self: ServiceWorkerGlobalScope
/** Every file of this version, and a name for it; the build puts them in. */
declare const __SHELL__: { version: string; files: string[] }

const SHELL = __SHELL__
const PREFIX = 'gochat-shell '
const CACHE = `${PREFIX}${SHELL.version}`
const INDEX = '/index.html'
/** As long as the network is waited for before what is kept is shown. */
const PATIENCE_MS = 4_000

self.addEventListener('install', (event) => {
  event.waitUntil(keep())
})

async function keep(): Promise<void> {
  const cache = await caches.open(CACHE)
  // Of what has a hash in its name the browser's own copy is as good; all the rest is asked for again.
  await cache.addAll(SHELL.files.map((path) => new Request(path, { cache: path.startsWith('/assets/') ? 'default' : 'no-cache' })))
}

self.addEventListener('activate', (event) => {
  event.waitUntil(takeOver())
})

/** Pages of the version before may still be open, and ask for parts of it: that one stays, all others go. */
async function takeOver(): Promise<void> {
  const older = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE)
  await Promise.all(older.slice(0, -1).map((name) => caches.delete(name)))
  await self.clients.claim()
}

/** A page asks whether it is of this version; `true` also asks to take over. */
self.addEventListener('message', (event: ExtendableMessageEvent) => {
  const { script, activate } = event.data as { script: string; activate: boolean }
  const isMine = SHELL.files.includes(script)
  if (activate || isMine) void self.skipWaiting()
  event.ports[0]?.postMessage(isMine)
})

/** Leads to the room that it tells of: in a page that is open, or in a new one. */
self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  const { room } = event.notification.data as { room: string }
  event.waitUntil(lead(room))
})

async function lead(room: string): Promise<void> {
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
  const page = pages.find(({ visibilityState }) => visibilityState === 'visible') ?? pages[0]
  if (page === undefined) {
    await self.clients.openWindow(`/rooms/${encodeURIComponent(room)}`)
    return
  }
  page.postMessage({ room })
  await page.focus()
}

self.addEventListener('fetch', (event) => {
  const { request } = event
  switch (routeOf(request, self.location.origin, SHELL.files)) {
    case 'page':
      event.respondWith(network(request).catch(() => kept(INDEX)))
      break
    case 'asset':
      event.respondWith(caches.match(request).then((held) => held ?? fetch(request)))
      break
    case 'fresh':
      event.respondWith(network(request).catch(() => kept(request)))
      break
    case 'none':
  }
})

/** An answer from the network, if there is one in time; what the server can't give now is as good as none. */
async function network(request: Request): Promise<Response> {
  const response = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) })
  if (response.status >= 500) throw new Error(`HTTP ${response.status}`)
  return response
}

async function kept(what: string | Request): Promise<Response> {
  const cache = await caches.open(CACHE)
  return (await cache.match(what)) ?? Response.error()
}
