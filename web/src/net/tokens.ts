/** What the server answers to register, login, guest and refresh. */
export interface Grant {
  access_token: string
  /** Seconds. */
  expires_in: number
}

/** The session is over: nothing but logging in again helps. */
export class SessionOver extends Error {
  override name = 'SessionOver'
  /** Whether there was a session, which has ended: else this browser was not logged in. */
  readonly ended: boolean

  constructor(message: string, ended: boolean) {
    super(message)
    this.ended = ended
  }
}

/** The server could not be asked: try again later. */
export class Unreachable extends Error {
  override name = 'Unreachable'
  readonly retryAfterMs: number

  constructor(message: string, retryAfterMs = 0) {
    super(message)
    this.retryAfterMs = retryAfterMs
  }
}

const EARLY_MS = 30_000

/**
 * The access token, in memory only (a reload gets a new one by the HttpOnly cookie, which scripts can't read).
 * However many ask at once, one refresh is under way at most: the cookie rotates with each.
 */
export class Tokens {
  private token: string | undefined
  private renewAt = 0
  private refreshing: Promise<string> | undefined
  private readonly requestRefresh: () => Promise<Grant>

  /** @param requestRefresh asks the server; throws SessionOver or Unreachable. */
  constructor(requestRefresh: () => Promise<Grant>) {
    this.requestRefresh = requestRefresh
  }

  accept(grant: Grant): void {
    this.token = grant.access_token
    const lifeMs = grant.expires_in * 1000
    this.renewAt = Date.now() + lifeMs - Math.min(EARLY_MS, lifeMs / 4)
  }

  forget(): void {
    this.token = undefined
    this.renewAt = 0
  }

  /** Milliseconds until the token should be replaced; 0 when there is none. */
  freshForMs(): number {
    return Math.max(0, this.renewAt - Date.now())
  }

  /** A token that is good for a while yet. */
  async access(): Promise<string> {
    if (this.token !== undefined && this.freshForMs() > 0) return this.token
    return this.refresh()
  }

  refresh(): Promise<string> {
    this.refreshing ??= this.requestRefresh()
      .then((grant) => {
        this.accept(grant)
        return grant.access_token
      })
      .finally(() => {
        this.refreshing = undefined
      })
    return this.refreshing
  }
}
