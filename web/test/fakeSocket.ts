import type { Socket } from '../src/net/link'

/** The far end of a socket, for tests: what was sent is kept, and the test plays the server. */
export class FakeSocket implements Socket {
  onopen: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null
  readonly url: string
  readonly protocols: string[]
  readonly sent: Record<string, unknown>[] = []
  closedBy: 'client' | undefined

  constructor(url = '', protocols: string[] = []) {
    this.url = url
    this.protocols = protocols
  }

  send(data: string): void {
    this.sent.push(JSON.parse(data) as Record<string, unknown>)
  }

  close(): void {
    this.closedBy = 'client'
  }

  /** The server accepts the upgrade. */
  open(): this {
    this.onopen?.()
    return this
  }

  /** The server says these, in one frame. */
  push(...objects: object[]): this {
    this.onmessage?.({ data: objects.map((object) => JSON.stringify(object)).join('\n') })
    return this
  }

  welcome(more: object = {}): this {
    return this.open().push({
      type: 'welcome',
      connection_id: 'c',
      epoch: 'e1',
      user: { id: 'me', username: 'me', display_name: 'Me', guest: false, admin: false },
      server_time: '2026-01-01T00:00:00.000Z',
      ping_interval_ms: 25_000,
      rooms: [],
      ...more,
    })
  }

  /** The connection ends from the other side. */
  drop(code = 1006): void {
    this.onclose?.({ code })
  }

  /** The last command of this name, and how to answer it. */
  command(name: string): { fields: Record<string, unknown>; reply: (body?: object) => void; refuse: (error: object) => void } {
    const fields = this.sent.findLast(({ type }) => type === name)
    if (fields === undefined) throw new Error(`no ${name} was sent`)
    return {
      fields,
      reply: (body = {}) => this.push({ type: 'reply', id: fields.id, ...body }),
      refuse: (error) => this.push({ type: 'error', id: fields.id, error: { message: '', ...error } }),
    }
  }
}
