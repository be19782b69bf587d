import {
  type CommandName,
  type Commands,
  type ErrorReply,
  type Push,
  type Reply,
  type ServerObject,
  type WireError,
  type Welcome,
  encodeCommand,
  parseFrame,
} from './frames'

/** A command that the server refused. */
export class CommandError extends Error {
  override name = 'CommandError'
  readonly code: string
  readonly retryAfterMs: number

  constructor(error: WireError) {
    super(error.message)
    this.code = error.code
    this.retryAfterMs = error.retry_after_ms ?? 0
  }
}

/** The connection ended before the answer came; whether the server has done it is not known. */
export class Disconnected extends Error {
  override name = 'Disconnected'
}

export interface LinkHandlers {
  onWelcome(welcome: Welcome): void
  onPush(push: Push): void
  /** The server leaves: move to a new connection within so many milliseconds (DRN1). */
  onReconnect(withinMs: number): void
  /** Called once. `opened`: whether the socket was ever open. */
  onClose(code: number, opened: boolean): void
}

interface Waiting {
  resolve: (reply: never) => void
  reject: (error: Error) => void
}

/** The part of WebSocket that a link uses. */
export type Socket = Pick<WebSocket, 'send' | 'close'> & {
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number }) => void) | null
}

const CLOSE_TIMEOUT = 4008
const CLOSE_FAULT = 4110

/**
 * One WebSocket from open to close: commands with their answers, the heartbeat, and nothing about what comes after.
 * A link that has heard nothing for twice the ping interval calls itself closed.
 */
export class Link {
  private readonly socket: Socket
  private readonly handlers: LinkHandlers
  private readonly waiting = new Map<number, Waiting>()
  private nextId = 1
  private opened = false
  private closed = false
  private silence: ReturnType<typeof setTimeout> | undefined
  private silenceMs = 20_000

  constructor(socket: Socket, handlers: LinkHandlers) {
    this.socket = socket
    this.handlers = handlers
    socket.onopen = () => {
      this.opened = true
    }
    socket.onmessage = (event) => {
      this.receive(event.data)
    }
    socket.onclose = (event) => {
      this.end(event.code)
    }
    this.listen()
  }

  /** Sends a command. Rejects with CommandError, or Disconnected. */
  call<N extends CommandName>(name: N, fields: Commands[N]['fields']): Promise<Commands[N]['reply']> {
    if (this.closed || !this.opened) return Promise.reject(new Disconnected('not connected'))
    const id = this.nextId++
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject })
      this.socket.send(encodeCommand(name, id, fields))
    })
  }

  /** Is anybody there? Ends the link when no answer comes within `timeoutMs`. */
  async probe(timeoutMs: number): Promise<void> {
    const timer = setTimeout(() => {
      this.abandon(CLOSE_TIMEOUT)
    }, timeoutMs)
    try {
      await this.call('ping', {})
    } catch {
      // refused or closed: somebody answered, or the end has been told already
    } finally {
      clearTimeout(timer)
    }
  }

  /** Ends it from this side, without a word to the handlers. */
  dispose(): void {
    if (this.closed) return
    this.finish()
    this.socket.close(1000)
  }

  /** Treats the socket as dead now: a browser's own close can take a minute on a dead network. */
  abandon(code: number): void {
    if (this.closed) return
    const { opened } = this
    this.finish()
    this.socket.close(1000)
    this.handlers.onClose(code, opened)
  }

  private end(code: number): void {
    if (this.closed) return
    this.finish()
    this.handlers.onClose(code, this.opened)
  }

  private finish(): void {
    this.closed = true
    clearTimeout(this.silence)
    this.socket.onmessage = null
    for (const { reject } of this.waiting.values()) reject(new Disconnected('the connection ended'))
    this.waiting.clear()
  }

  private listen(): void {
    clearTimeout(this.silence)
    this.silence = setTimeout(() => {
      this.abandon(CLOSE_TIMEOUT)
    }, this.silenceMs)
  }

  private receive(data: unknown): void {
    this.listen()
    let objects: ServerObject[]
    try {
      objects = parseFrame(String(data))
    } catch {
      this.abandon(CLOSE_FAULT)
      return
    }
    for (const object of objects) this.dispatch(object)
  }

  private dispatch(object: ServerObject): void {
    if (this.closed) return
    switch (object.type) {
      case 'welcome':
        this.silenceMs = 2 * object.ping_interval_ms
        this.listen()
        this.handlers.onWelcome(object)
        break
      case 'ping':
        this.socket.send('{"type":"pong"}')
        break
      case 'reconnect':
        this.handlers.onReconnect(object.within_ms)
        break
      case 'reply':
        this.answer(object)
        break
      case 'error':
        this.answer(object)
        break
      default:
        this.handlers.onPush(object)
    }
  }

  private answer(object: Reply | ErrorReply): void {
    if (object.id === undefined || object.id === null) return
    const waiting = this.waiting.get(object.id)
    if (waiting === undefined) return
    this.waiting.delete(object.id)
    if (object.type === 'error') waiting.reject(new CommandError((object).error))
    else waiting.resolve(object as never)
  }
}
