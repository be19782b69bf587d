import { fullJitter } from './backoff'
import { type AfterClose, type Trouble, afterClose, troubleOf } from './closePolicy'
import type { CommandName, Commands, Push, Welcome } from './frames'
import { Disconnected, Link, type Socket } from './link'
import { SessionOver, type Tokens, Unreachable } from './tokens'

export type { Trouble }

export type ConnectionState =
  /** `trouble`: what ended the connection before, if there was one. */
  | { phase: 'connecting'; trouble?: Trouble }
  | { phase: 'live' }
  /** Waits before the next try; `offline`: the browser says that there is no network. */
  | { phase: 'waiting'; offline: boolean; retryAt: number; trouble: Trouble }
  /** Will not come back by itself. */
  | { phase: 'stopped'; why: 'login' | 'outdated' | 'fault' }

/** What this client holds of a room, to resume from. */
export interface HeldPosition {
  room_id: string
  seq: number
  id?: string
}

interface ConnectionHandlers {
  /** What is held, most recently active first; only the first 50 are named in the URL. */
  resumeFrom(): { positions: HeldPosition[]; epoch?: string }
  /** The connection is live, unless this disposes it. `resumed`: the rooms that are replayed; all others start at the welcome's heads. */
  onWelcome(welcome: Welcome, resumed: ReadonlySet<string>): void
  onPush(push: Push): void
  onState(state: ConnectionState): void
}

export interface ConnectionOptions {
  /** http(s) origin of the server. */
  origin: string
  tokens: Tokens
  handlers: ConnectionHandlers
  openSocket?: (url: string, protocols: string[]) => Socket
}

const MOST_RESUMED = 50
const PROBE_MS = 2_000
const STEADY_MS = 10_000
/** As many tries as a restart may take: some ten seconds to half a minute. */
const RESTART_ATTEMPTS = 7

export function resumeUrl(origin: string, positions: HeldPosition[], epoch?: string): string {
  const url = new URL('/api/v1/ws', origin)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  for (const { room_id, seq, id } of positions.slice(0, MOST_RESUMED)) {
    url.searchParams.append('last_received_seq', [room_id, seq, ...(id === undefined ? [] : [id])].join(':'))
  }
  if (epoch !== undefined) url.searchParams.set('epoch', epoch)
  return url.href
}

/**
 * The connection as the rest of the app sees it: one that comes back. It opens links one after the other, each resuming
 * where the last ended, as the close codes and the backoff say; when the server asks to move (DRN1) the new link is
 * live before the old one is closed.
 */
export class Connection {
  private readonly options: ConnectionOptions
  private readonly openSocket: (url: string, protocols: string[]) => Socket
  private current: Link | undefined
  private opening: Link | undefined
  private dialing = false
  private disposed = false
  private attempt = 0
  private trouble: Trouble | undefined
  /** Whether the server gave a token for the link that is being opened: then it can be reached. */
  private answered = false
  private liveSince = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private moveTimer: ReturnType<typeof setTimeout> | undefined
  private authTimer: ReturnType<typeof setTimeout> | undefined

  constructor(options: ConnectionOptions) {
    this.options = options
    this.openSocket =
      options.openSocket ?? ((url, protocols) => new WebSocket(url, protocols) as unknown as Socket)
  }

  start(): void {
    this.sayConnecting()
    void this.dial()
  }

  private sayConnecting(): void {
    const { trouble } = this
    this.options.handlers.onState({ phase: 'connecting', ...(trouble !== undefined && { trouble }) })
  }

  dispose(): void {
    this.disposed = true
    for (const timer of [this.timer, this.moveTimer, this.authTimer]) clearTimeout(timer)
    this.opening?.dispose()
    this.current?.dispose()
  }

  /** Sends a command on the live link. Rejects with CommandError, or Disconnected. */
  call<N extends CommandName>(name: N, fields: Commands[N]['fields']): Promise<Commands[N]['reply']> {
    return this.current?.call(name, fields) ?? Promise.reject(new Disconnected('not connected'))
  }

  /** Something about the network has changed, or the machine woke up: trust nothing, find out now. */
  nudge(): void {
    if (this.disposed) return
    if (this.current !== undefined) {
      void this.current.probe(PROBE_MS)
      return
    }
    if (this.timer === undefined) return
    clearTimeout(this.timer)
    this.timer = undefined
    this.start()
  }

  private async dial(): Promise<void> {
    if (this.disposed || this.dialing || this.opening !== undefined) return
    this.dialing = true
    try {
      this.answered = this.options.tokens.freshForMs() === 0
      const token = await this.options.tokens.access()
      if (!this.isDisposed()) this.open(token)
    } catch (error) {
      if (this.isDisposed()) return
      if (error instanceof SessionOver) this.stop('login')
      else this.fail(error)
    } finally {
      this.dialing = false
    }
  }

  /** No token could be had: the server asks for patience, or does not answer. */
  private fail(error: unknown): void {
    const retryAfterMs = error instanceof Unreachable ? error.retryAfterMs : 0
    this.wait(retryAfterMs, retryAfterMs > 0 ? 'ailing' : 'lost')
  }

  /** A method, because the compiler believes that a field can't change across an await. */
  private isDisposed(): boolean {
    return this.disposed
  }

  private open(token: string): void {
    const { positions, epoch } = this.options.handlers.resumeFrom()
    const resumed = new Set(positions.slice(0, MOST_RESUMED).map(({ room_id }) => room_id))
    const socket = this.openSocket(resumeUrl(this.options.origin, positions, epoch), [
      'gochat.v1',
      `gochat.bearer.${token}`,
    ])
    const link: Link = new Link(socket, {
      onWelcome: (welcome) => {
        this.adopt(link)
        this.options.handlers.onWelcome(welcome, resumed)
        if (!this.isDisposed()) this.options.handlers.onState({ phase: 'live' })
      },
      onPush: (push) => {
        this.options.handlers.onPush(push)
      },
      onReconnect: (withinMs) => {
        this.move(withinMs)
      },
      onClose: (code, opened) => {
        this.closed(link, code, opened)
      },
    })
    this.opening = link
  }

  private adopt(link: Link): void {
    const old = this.current
    this.current = link
    this.opening = undefined
    this.liveSince = Date.now()
    this.trouble = undefined
    clearTimeout(this.timer)
    this.timer = undefined
    old?.dispose()
    this.keepAuthorized()
  }

  private move(withinMs: number): void {
    this.trouble = 'leaving' // should the connection end before there is another
    clearTimeout(this.moveTimer)
    this.moveTimer = setTimeout(() => void this.dial(), Math.random() * withinMs)
  }

  private closed(link: Link, code: number, opened: boolean): void {
    if (link === this.opening) this.opening = undefined
    if (link === this.current) {
      this.current = undefined
      clearTimeout(this.authTimer)
      if (Date.now() - this.liveSince >= STEADY_MS) this.attempt = 0
    }
    if (this.disposed) return
    this.follow(afterClose(code, opened), troubleOf(code, opened, this.answered))
  }

  private follow(policy: AfterClose, trouble: Trouble): void {
    switch (policy.do) {
      case 'login':
        this.stop('login')
        return
      case 'stop':
        this.stop(policy.why)
        return
      case 'refresh':
        this.options.tokens.forget()
        break
      case 'reconnect':
    }
    if (this.opening === undefined) this.wait(0, trouble)
    else if (this.current === undefined) {
      this.trouble ??= trouble
      this.sayConnecting()
    }
  }

  private wait(atLeastMs: number, trouble: Trouble): void {
    const delay = Math.max(atLeastMs, fullJitter(this.attempt++))
    clearTimeout(this.timer)
    this.timer = setTimeout(() => {
      this.timer = undefined
      if (this.current === undefined) this.sayConnecting()
      void this.dial()
    }, delay)
    if (this.current !== undefined) return
    // A server that said it leaves lets nobody in for a while, and then answers nobody: that is no other trouble.
    const isLeaving = this.trouble === 'leaving' && this.attempt < RESTART_ATTEMPTS
    if (!isLeaving) this.trouble = trouble
    const offline = typeof navigator !== 'undefined' && !navigator.onLine
    const retryAt = Date.now() + delay
    this.options.handlers.onState({ phase: 'waiting', offline, retryAt, trouble: this.trouble ?? trouble })
  }

  private stop(why: 'login' | 'outdated' | 'fault'): void {
    this.dispose()
    this.options.handlers.onState({ phase: 'stopped', why })
  }

  /** Hands the server a fresh token before the old one ends, so that the socket outlives it. */
  private keepAuthorized(): void {
    clearTimeout(this.authTimer)
    const { tokens } = this.options
    this.authTimer = setTimeout(() => {
      tokens.access().then(
        async (token) => {
          await this.current?.call('auth', { token })
          this.keepAuthorized()
        },
        (error: unknown) => {
          if (error instanceof SessionOver) this.stop('login')
        },
      ).catch(() => {
        // refused or cut: the server will close with 4001, and that is followed as always
      })
    }, Math.max(1_000, tokens.freshForMs()))
  }
}
