import { type Api, bodyOf, createApi, requestRefresh } from '../net/api'
import { fullJitter } from '../net/backoff'
import type { ConnectionState, Trouble } from '../net/connection'
import type { User } from '../net/frames'
import { type Grant, SessionOver, Tokens } from '../net/tokens'
import { ChatClient } from './chatClient'
import { type Kept, openKept } from './kept'
import { forgetWishes } from './notifications'
import { openOutbox } from './outbox'
import type { Stale } from './replica'
import { Store } from './store'

export type { ConnectionState, Trouble }

export type SessionState =
  /** Finding out whether this browser is logged in. */
  | { status: 'starting' }
  /** It can't be found out now; tried again. */
  | { status: 'unreachable' }
  /** `ended`: this browser was logged in until the session was ended elsewhere, or ran out. */
  | { status: 'out'; ended: boolean }
  | { status: 'in'; chat: ChatClient }

interface Signed extends Grant {
  user: User
}

/** Who is using this browser: comes in, stays in across reloads by the cookie, and leaves nothing behind at logout. */
export class Session {
  readonly state = new Store<SessionState>({ status: 'starting' })
  readonly api: Api
  private readonly origin: string
  private readonly tokens: Tokens
  private readonly onStale: (stale: Stale) => void
  private attempt = 0
  /** The user is logging out: that the server ends the session is no news. */
  private leaving = false

  constructor(origin: string, onStale: (stale: Stale) => void) {
    this.origin = origin
    this.onStale = onStale
    this.tokens = new Tokens(() => requestRefresh(origin))
    this.api = createApi(origin, this.tokens)
  }

  /** Comes back in by the cookie, if there is one. */
  async start(): Promise<void> {
    try {
      await this.tokens.access()
      const user: User = await bodyOf(this.api.GET('/users/me'))
      await this.enter(user)
    } catch (error) {
      const copy = await openKept()
      if (error instanceof SessionOver) {
        await copy.wipe()
        this.state.set({ status: 'out', ended: error.ended })
        return
      }
      const kept = await copy.load()
      if (kept !== undefined) {
        await this.enter(kept.user, kept)
        return
      }
      this.state.set({ status: 'unreachable' })
      setTimeout(() => void this.start(), fullJitter(this.attempt++))
    }
  }

  register(body: { username: string; password: string; display_name?: string; invite_code?: string }): Promise<void> {
    return this.sign(bodyOf(this.api.POST('/auth/register', { body })))
  }

  logIn(body: { username: string; password: string }): Promise<void> {
    return this.sign(bodyOf(this.api.POST('/auth/login', { body })))
  }

  comeAsGuest(body: { display_name: string; invite_code?: string }): Promise<void> {
    return this.sign(bodyOf(this.api.POST('/auth/guest', { body })))
  }

  /**
   * Ends the session on the server, then here, and wipes what was kept for this user. The cookie can only be ended by
   * the server: when it can't be reached this throws, and the user is still logged in.
   */
  async logOut(): Promise<void> {
    const current = this.state.get() // the server closes the socket before it answers, and that ends the session here
    this.leaving = true
    try {
      await bodyOf(this.api.POST('/auth/logout'))
    } finally {
      this.leaving = false
    }
    this.tokens.forget()
    if (current.status === 'in') await current.chat.wipe()
    forgetWishes()
    this.state.set({ status: 'out', ended: false })
  }

  private async sign(answer: Promise<Signed>): Promise<void> {
    const signed = await answer
    this.tokens.accept(signed)
    await this.enter(signed.user)
  }

  /** @param kept what to begin with where the server can't be asked */
  private async enter(me: User, kept?: Kept): Promise<void> {
    this.attempt = 0
    const chat = new ChatClient({
      origin: this.origin,
      me,
      tokens: this.tokens,
      api: this.api,
      outbox: await openOutbox(me.id),
      copy: await openKept(),
      kept,
      onStale: this.onStale,
    })
    const unwatch = chat.connection.subscribe(() => {
      const connection = chat.connection.get()
      if (connection.phase !== 'stopped' || connection.why !== 'login') return
      unwatch()
      this.expire(chat)
    })
    await chat.start()
    this.state.set({ status: 'in', chat })
  }

  /** The server ended the session: unsent messages stay for when the same user comes back, and nothing else. */
  private expire(chat: ChatClient): void {
    this.tokens.forget()
    void chat.end()
    this.state.set({ status: 'out', ended: !this.leaving })
  }
}
