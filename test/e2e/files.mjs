// A plain server of the built files, as a CDN is one, with the headers that docs/operations/cdn.md gives.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const DIST = fileURLToPath(new URL('../../web/dist/', import.meta.url))
const GUIDE = await readFile(new URL('../../docs/operations/cdn.md', import.meta.url), 'utf8')
const KINDS = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
}

/** The headers that the guide gives, with the server's address in place of the example's. */
function headersFor(server) {
  const given = [...GUIDE.matchAll(/add_header (\S+) (?:"([^"]*)"|([^$\s]+)) always;/g)]
  const host = new URL(server).host
  const here = (value) => value.replaceAll('https://chat.example.com', server).replaceAll('wss://chat.example.com', `ws://${host}`)
  return Object.fromEntries(given.map(([, name, quoted, plain]) => [name, here(quoted ?? plain)]))
}

/**
 * Serves the app at a port. `change` may be set: it gets each file's path and bytes, and gives what is served instead, or
 * nothing where there is no such file any more.
 */
export async function startFiles(server, port) {
  const headers = headersFor(server)
  assert.match(headers['Content-Security-Policy'], /connect-src 'self' http/)
  const self = { change: (_, body) => body }
  const read = async (pathname) => {
    if (pathname === '/config.json') return JSON.stringify({ server })
    return self.change(pathname, await readFile(path.join(DIST, pathname)).catch(() => undefined))
  }
  const files = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://files')
    const name = path.extname(pathname) === '' ? '/index.html' : pathname
    const body = await read(name)
    const kind = KINDS[path.extname(name)] ?? 'application/octet-stream'
    response.writeHead(body === undefined ? 404 : 200, { ...headers, 'Content-Type': kind, 'Cache-Control': 'no-cache' }).end(body)
  })
  files.listen(port, '127.0.0.1')
  await once(files, 'listening')
  self.stop = () => {
    files.close()
    files.closeAllConnections()
  }
  return self
}
