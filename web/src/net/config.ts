import { Unreachable } from './tokens'

/** config.json is not what it has to be: only whoever put the files there can mend that. */
export class BadConfig extends Error {
  override name = 'BadConfig'
}

/** As long as it is waited for: a dead network says nothing. */
const WITHIN_MS = 12_000

/**
 * Where the server is, as an origin: what config.json beside index.html names, or the page's own.
 *
 * @param page the origin of the page
 * @throws Unreachable or BadConfig
 */
export async function findServer(page: string): Promise<string> {
  let response: Response
  try {
    response = await fetch(new URL('/config.json', page), { signal: AbortSignal.timeout(WITHIN_MS) })
  } catch {
    throw new Unreachable('config.json did not come')
  }
  if (response.status >= 500) throw new Unreachable(`config.json: HTTP ${response.status}`)
  if (!response.ok) throw new BadConfig(`config.json: HTTP ${response.status}`)
  let config: unknown
  try {
    config = await response.json()
  } catch {
    throw new BadConfig('config.json is not JSON')
  }
  return serverOf(config, page)
}

/** Reads `{ "server": "https://chat.example.com" }`; an empty one, or none, is the page's own origin. */
export function serverOf(config: unknown, page: string): string {
  const server = typeof config === 'object' && config !== null && 'server' in config ? config.server : ''
  if (server === '') return page
  const url = typeof server === 'string' && URL.canParse(server) ? new URL(server) : undefined
  const isOrigin = url !== undefined && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`
  if (!isOrigin) throw new BadConfig('“server” in config.json has to be an origin, such as https://chat.example.com')
  return url.origin
}
