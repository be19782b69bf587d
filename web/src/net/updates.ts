/** Whether a newer version of the app has come; told by the service worker, where there is one (a secure context). */

/** The part of Trusted Types that is used here. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): { createScriptURL: (url: string) => string }
}

const WORKER = '/sw.js'
const CHECK_EVERY_MS = 60 * 60_000

/** The one script that this page starts by its address. */
function workerUrl(): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes }
  const policy = trustedTypes?.createPolicy('gochat-worker', {
    createScriptURL: (url) => {
      if (url !== WORKER) throw new TypeError(`${url} is not the worker`)
      return url
    },
  })
  return policy?.createScriptURL(WORKER) ?? WORKER
}

/** The script of this page: by its name a worker knows whether the page is of its version. */
function ownScript(): string {
  const src = document.querySelector<HTMLScriptElement>('script[type="module"]')?.src
  return src === undefined ? '' : new URL(src).pathname
}

/** Asks a worker whether this page is of its version. If it is, the worker takes over without a word. */
function isMine(worker: ServiceWorker): Promise<boolean> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = ({ data }: MessageEvent<boolean>) => resolve(data)
    worker.postMessage({ script: ownScript(), activate: false }, [port2])
  })
}

export class Updates {
  private registration: ServiceWorkerRegistration | undefined
  private readonly onReady: () => void

  /** @param onReady a newer version is there: reloading shows it. */
  constructor(onReady: () => void) {
    this.onReady = onReady
  }

  async start(): Promise<void> {
    if (!('serviceWorker' in navigator)) return // not a secure context: everything but this works
    try {
      this.registration = await navigator.serviceWorker.register(workerUrl(), { updateViaCache: 'none' })
    } catch {
      return // blocked by the browser's settings, or the network went: the page works without it
    }
    const { registration } = this
    if (registration.waiting !== null) await this.weigh(registration.waiting)
    registration.addEventListener('updatefound', () => this.watch(registration.installing))
    this.watch(registration.installing)
    setInterval(() => this.check(), CHECK_EVERY_MS)
  }

  /** Looks for a newer version: after each time that the server was away. */
  check(): void {
    this.registration?.update().catch(() => undefined) // no network: asked again after the next time
  }

  /** Shows the newer version. What is written and unsent is kept. */
  apply(): void {
    const waiting = this.registration?.waiting
    if (waiting == null) {
      location.reload()
      return
    }
    navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true })
    waiting.postMessage({ script: ownScript(), activate: true })
  }

  private watch(worker: ServiceWorker | null): void {
    worker?.addEventListener('statechange', () => {
      if (worker.state === 'installed') void this.weigh(worker)
    })
  }

  private async weigh(worker: ServiceWorker): Promise<void> {
    if (!(await isMine(worker))) this.onReady()
  }
}
