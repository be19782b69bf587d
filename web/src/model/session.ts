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
import { Tabs } from './tabs'

export type { ConnectionState, Trouble }

export type SessionState =
  /** Finding out whether this browser is logged in. */
  | { status: 'starting' }
  /** It can't be found out now; tried again. */
  | { status: 'unreachable' }
  /** `behind`: the browser does not let go of what was kept. */
  | { status: 'out'; why: WhyOut; behind: boolean }
  | { status: 'in'; chat: ChatClient }

/**
 * `never`: this browser was not logged in. `left`: the user logged out here, `leftInTab` in another tab. `ended`: the
 * session was ended from elsewhere, or ran out.
 */
export type WhyOut = 'never' | 'left' | 'leftInTab' | 'ended'

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
  /** Tells which user has logged out. */
  private readonly tabs = new Tabs<string>('gochat-left', (userId) => void this.follow(userId))
  private last: ChatClient | undefined
  private attempt = 0
  /** The user is logging out: that the server ends the session is no news. */
  private leaving = false

  constructor(origin: string, onStale: (stale: Stale) => void) {
    this.origin = origin
    this.onStale = onStale
    this.tokens = new Tokens(() => requestRefresh(origin))
    this.api = createApi(origin, this.tokens)
  }

  /** Comes back in: with what was kept at once, and else as soon as the server has said who this is. */
  async start(): Promise<void> {
    const copy = await openKept()
    const kept = await copy.load()
    if (kept === undefined) await this.ask()
    else await this.enter(kept.user, kept) // its connection finds out whether that still holds
  }

  /** Comes back in by the cookie, if there is one. */
  private async ask(): Promise<void> {
    try {
      await this.tokens.access()
      const user: User = await bodyOf(this.api.GET('/users/me'))
      await this.enter(user)
    } catch (error) {
      if (error instanceof SessionOver) {
        this.state.set({ status: 'out', why: error.ended ? 'ended' : 'never', behind: false })
        return
      }
      this.state.set({ status: 'unreachable' })
      setTimeout(() => void this.ask(), fullJitter(this.attempt++))
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
    const behind = current.status === 'in' && !(await isDone(current.chat.wipe()))
    forgetWishes()
    if (current.status === 'in') this.tabs.tell(current.chat.me.get().id)
    this.state.set({ status: 'out', why: 'left', behind })
  }

  /** Another tab has logged out. The server may have said so before, in words that fit any end. */
  private async follow(userId: string): Promise<void> {
    const chat = this.last
    if (chat?.me.get().id !== userId) return
    this.last = undefined
    this.tokens.forget()
    await this.out('leftInTab', chat.wipe()) // what this tab wrote since
  }

  private async sign(answer: Promise<Signed>): Promise<void> {
    const signed = await answer
    this.tokens.accept(signed)
    await this.enter(signed.user)
  }

  /** @param kept what to begin with before the server has answered */
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
      onOther: (user) => void this.giveWay(chat, user),
    })
    const unwatch = chat.connection.subscribe(() => {
      const connection = chat.connection.get()
      if (connection.phase !== 'stopped' || connection.why !== 'login') return
      unwatch()
      void this.expire(chat)
    })
    await chat.start()
    this.last = chat
    this.state.set({ status: 'in', chat })
  }

  /** The cookie is another user's by now. What the one before has not sent stays for when they come back. */
  private async giveWay(chat: ChatClient, user: User): Promise<void> {
    this.state.set({ status: 'starting' })
    await isDone(chat.end()) // what is kept next takes its place
    await this.enter(user)
  }

  /** The server ended the session: unsent messages stay for when the same user comes back, and nothing else. */
  private expire(chat: ChatClient): Promise<void> {
    this.tokens.forget()
    return this.out(this.leaving ? 'left' : 'ended', chat.end())
  }

  /** Is out at once; whether the browser forgets what it kept is found out behind that. */
  private async out(why: WhyOut, forgetting: Promise<void>): Promise<void> {
    const out: SessionState = { status: 'out', why, behind: false }
    this.state.set(out)
    const behind = !(await isDone(forgetting))
    if (behind && this.state.get() === out) this.state.set({ ...out, behind })
  }
}

const isDone = (what: Promise<void>): Promise<boolean> => what.then(
  () => true,
  () => false,
)
