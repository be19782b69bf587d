/** What the worker does about a request. */
export type Route =
  /** The network's answer, or, without a network, index.html of this version. */
  | 'page'
  /** Kept for ever: its name has a hash of its content. */
  | 'asset'
  /** The network's answer, or the one kept. */
  | 'fresh'
  /** Not the worker's business. */
  | 'none'

/** Paths that the server answers itself. */
const SERVERS = /^\/(api|livez|readyz|metrics)(\/|$)/

export function routeOf(request: Pick<Request, 'method' | 'mode' | 'url'>, origin: string, shell: readonly string[]): Route {
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== origin || SERVERS.test(url.pathname)) return 'none'
  if (request.mode === 'navigate') return 'page'
  if (url.pathname.startsWith('/assets/')) return 'asset'
  return shell.includes(url.pathname) ? 'fresh' : 'none'
}
