// How a page is shown: names and times of the server's making are swapped for given ones on their way in and out, the
// clock stands still, and a scene may make happen what is hard to bring about. The app itself is the one that ships.

/** Runs in the page, before the app. `show` is what stageCast gave. */
function wrap({ swaps, times, now, noted, begun }) {
  /** What the scene wants, of `unreachable`, `newer`, `nameless` and `endless`. */
  const act = () => sessionStorage.getItem('act') ?? ''
  const real = (text) => swaps.reduce((all, [from, to]) => all.replaceAll(to, from), text)
  const ids = (text) => swaps.reduce((all, [from, to]) => all.replaceAll(from, to), text)
  const HOUR_MS = 3_600_000
  const dated = (text) => new Date(Date.parse(now) + Math.round((Date.parse(text) - begun) / HOUR_MS) * HOUR_MS).toISOString()
  const timeOf = ({ kind, body, at }) => (kind === 'text' ? (times[body] ?? dated(at)) : noted)
  const walk = (value) => {
    if (Array.isArray(value)) return value.map(walk)
    if (typeof value === 'string') return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? dated(value) : value
    if (value === null || typeof value !== 'object') return value
    const shown = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, walk(each)]))
    if (value.message_id !== undefined && value.at !== undefined && value.kind !== undefined) shown.at = timeOf(value)
    if (act() === 'nameless' && value.name === 'Release') shown.name = null
    return shown
  }
  /** An invite that is made in a scene has a code nobody knows beforehand. */
  const name = (text) => {
    const [, code] = /"code":"(\w+)"(?=.*"max_uses")/.exec(text) ?? []
    if (code !== undefined && !swaps.flat().includes(code)) swaps.push([code, 'Qb6tYx2Rn8Ws'])
  }
  const dress = (text) => {
    name(text)
    return JSON.stringify(walk(JSON.parse(ids(text))))
  }

  const ask = window.fetch
  window.fetch = async (input, init) => {
    const asked = new Request(input, init)
    if (!new URL(asked.url).pathname.startsWith('/api/')) return ask(asked)
    if (act() === 'unreachable') throw new TypeError('Failed to fetch')
    const { method, headers, credentials, signal } = asked
    const body = method === 'GET' || method === 'HEAD' ? undefined : real(await asked.text())
    const answer = await ask(new Request(real(asked.url), { method, headers, credentials, signal, body }))
    const text = await answer.text()
    const { status, statusText } = answer
    return new Response(text === '' ? null : dress(text), { status, statusText, headers: answer.headers })
  }

  const Socket = window.WebSocket
  window.WebSocket = class extends Socket {
    constructor(url, protocols) {
      super(real(url), protocols) // it names what the page holds
    }

    send(text) {
      // A text that is longer than it looks, to be refused by the server itself.
      super.send(act() === 'endless' ? real(text).replace('"body":"', `$&${'…'.repeat(9_000)}`) : real(text))
    }

    set onmessage(handler) {
      // A frame may hold several objects, one a line.
      super.onmessage = handler && (({ data }) => handler({ data: data.split('\n').map(dress).join('\n') }))
    }
  }

  const newer = { postMessage: (_, [port]) => port.postMessage(false) }
  const registration = { installing: null, addEventListener: () => undefined, update: async () => undefined }
  navigator.serviceWorker.register = async () => ({ ...registration, waiting: act() === 'newer' ? newer : null })

  Math.random = () => 0.6 // waits between tries are as long each time

  const still = new CSSStyleSheet()
  still.replaceSync('* { caret-color: transparent !important }')
  document.adoptedStyleSheets = [still]
}

/** Has every page of a context shown so. */
export async function dress(context, show) {
  await context.addInitScript(wrap, show)
  await context.clock.setFixedTime(show.now)
}

/** Opens a page of the chat, with what the scene wants. */
export async function open(page, path, act = '') {
  await page.evaluate((wanted) => sessionStorage.setItem('act', wanted), act)
  await page.goto(new URL(path, page.url()).href)
}
