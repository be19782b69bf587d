import { v4 as uuid } from 'uuid'
import { type Api, bodyOf } from '../net/api'
import { Connection, type ConnectionState } from '../net/connection'
import type { Commands, Room, User, Welcome } from '../net/frames'
import type { Tokens } from '../net/tokens'
import { Courier } from './courier'
import { Drafts } from './drafts'
import { History } from './history'
import { Keeper } from './keeper'
import type { Kept, KeptCopy } from './kept'
import type { Outbox } from './outbox'
import { People } from './people'
import { Replica, type Stale } from './replica'
import { takePages } from './roomPages'
import type { RoomStore } from './roomStore'
import { Store } from './store'
import * as timeline from './timeline'

const TYPING_EVERY_MS = 2_500

export interface ChatClientOptions {
  origin: string
  me: User
  tokens: Tokens
  api: Api
  outbox: Outbox
  copy: KeptCopy
  /** What to begin with before the server has answered. */
  kept?: Kept
  onStale: (stale: Stale) => void
  /** The server takes whoever has the cookie for another user: nothing of this one's goes to it. */
  onOther: (user: User) => void
}

/** The live chat of one logged-in user: it ties the connection, the outbox and the replica together. */
export class ChatClient {
  readonly me: Store<User>
  readonly api: Api
  readonly outbox: Outbox
  readonly drafts: Drafts
  readonly people: People
  readonly replica: Replica
  readonly history: History
  readonly connection = new Store<ConnectionState>({ phase: 'connecting' })
  private readonly link: Connection
  private readonly courier: Courier
  private readonly copy: KeptCopy
  private readonly keeper: Keeper
  private kept: Kept | undefined
  private readonly unsent = new Map<string, timeline.Outgoing[]>()
  private readonly typedAt = new Map<string, number>()
  private readonly readSent = new Map<string, number>()
  private away = false
  /** The newest one. */
  private welcome: Welcome | undefined

  constructor({ origin, me, tokens, api, outbox, copy, kept, onStale, onOther }: ChatClientOptions) {
    this.api = api
    this.outbox = outbox
    this.drafts = new Drafts(me.id, outbox)
    this.copy = copy
    this.kept = kept
    this.me = new Store(me)
    this.people = new People((ids) => fetchUsers(api, ids))
    this.people.learn([me])
    this.replica = new Replica(this.me, this.people, {
      call: (name, fields) => this.link.call(name, fields),
      onRoom: (room) => this.carryUnsent(room),
      onGone: (room) => this.holdUnsent(room),
      onConfirmed: (roomId, clientId) => this.courier.drop(roomId, clientId),
      onStale,
    })
    this.keeper = new Keeper(this.replica, copy, kept !== undefined)
    this.history = new History(this.replica, (name, fields) => this.link.call(name, fields))
    this.courier = new Courier(outbox, {
      send: (fields) => this.link.call('send', fields),
      onSent: (roomId, clientId, seq) => this.onSent(roomId, clientId, seq),
      onRefused: (roomId, clientId, why) => {
        this.replica.room(roomId)?.setTimeline((held) => timeline.refuse(held, clientId, why))
      },
    })
    this.link = new Connection({
      origin,
      tokens,
      handlers: {
        resumeFrom: () => this.replica.resumeFrom(),
        onWelcome: (welcome, resumed) => {
          if (welcome.user.id !== this.me.get().id) {
            this.link.dispose()
            onOther(welcome.user)
            return
          }
          this.readSent.clear()
          this.replica.onWelcome(welcome, resumed)
          this.welcome = welcome
          if (welcome.rooms_next !== undefined) void this.fetchRooms(welcome.rooms_next, welcome)
        },
        onPush: (push) => this.replica.onPush(push),
        onState: (state) => {
          this.connection.set(state)
          this.courier.setLive(state.phase === 'live')
          if (state.phase === 'live' && this.away) this.setPresence('away')
        },
      },
    })
  }

  /** Reads the outbox and what was kept, then connects. */
  async start(): Promise<void> {
    for (const { room_id, client_id, body, at, state, why } of await this.outbox.load()) {
      const message = { client_id, body, at, state, why }
      this.unsent.set(room_id, [...(this.unsent.get(room_id) ?? []), message])
    }
    this.keeper.start()
    if (this.kept !== undefined) this.replica.restore(this.kept)
    this.kept = undefined
    this.link.start()
  }

  /** Ends it, and forgets what was kept to be read. Fails where the browser does not let go of that. */
  async end(): Promise<void> {
    this.link.dispose()
    this.drafts.close()
    this.keeper.dispose()
    this.courier.setLive(false)
    this.replica.dispose()
    await this.copy.wipe()
  }

  /** Ends it, and forgets all that was kept of this user. Fails where the browser does not let go of that. */
  async wipe(): Promise<void> {
    try {
      await this.end()
    } finally {
      await this.outbox.wipe()
    }
  }

  /** One's own name is another, by a request; the server's `user_updated` says the same, before or after. */
  setMe(me: User): void {
    this.me.set(me)
    this.people.learn([me])
  }

  /** A room became the user's by a request; the server's `room_added` says the same, before or after. */
  addRoom(room: Room): void {
    this.replica.addRoom(room)
    this.replica.sort()
  }

  /** Shows a room; the "new" line is drawn where the user stopped reading. */
  open(roomId: string): void {
    const room = this.replica.room(roomId)
    room?.patch({ unreadAfter: undefined })
    this.drawUnreadLine(roomId)
    this.replica.open(roomId)
  }

  /** It is on screen no more. */
  close(roomId: string): void {
    this.replica.close(roomId)
  }

  /** Draws the "new" line, unless there is one or nothing is unread. */
  drawUnreadLine(roomId: string): void {
    const room = this.replica.room(roomId)
    if (room === undefined || room.get().unreadAfter !== undefined) return
    const { unread_count, last_read_seq } = room.get().room
    if (unread_count > 0) room.patch({ unreadAfter: last_read_seq })
  }

  send(roomId: string, body: string): void {
    const at = new Date().toISOString()
    const message = { client_id: uuid(), body, at, state: 'sending' as const }
    const room = this.replica.room(roomId)
    this.history.toLatest(roomId)
    room?.setTimeline((held) => timeline.addOutgoing(held, message))
    room?.patch({ unreadAfter: undefined })
    this.courier.enqueue(roomId, message)
    this.typedAt.delete(roomId)
  }

  retry(roomId: string, message: timeline.Outgoing): void {
    this.replica.room(roomId)?.setTimeline((held) => timeline.retry(held, message.client_id))
    this.courier.enqueue(roomId, { ...message, state: 'sending', why: undefined })
  }

  discard(roomId: string, clientId: string): void {
    this.replica.room(roomId)?.setTimeline((held) => timeline.discard(held, clientId))
    this.courier.drop(roomId, clientId)
  }

  /** What was written for a room that is the user's no more, and never sent: it goes on its way if one is let in again. */
  leftOver(roomId: string): string[] {
    const draft = this.drafts.of(roomId)
    const bodies = (this.unsent.get(roomId) ?? []).map(({ body }) => body)
    return draft.trim() === '' ? bodies : [...bodies, draft]
  }

  discardLeftOver(roomId: string): void {
    for (const { client_id } of this.unsent.get(roomId) ?? []) this.courier.drop(roomId, client_id)
    this.unsent.delete(roomId)
    this.drafts.write(roomId, '')
  }

  /** How much a logout would throw away, written in any tab. */
  async unsaid(): Promise<{ messages: number; drafts: number }> {
    const here = (this.replica.rooms.get() ?? []).flatMap((room) => room.get().timeline.outgoing)
    const unsent = [...here.filter(({ state }) => state !== 'sent'), ...(await this.outbox.load())]
    return { messages: new Set(unsent.map(({ client_id }) => client_id)).size, drafts: await this.outbox.drafts() }
  }

  /** Called at every key stroke; told to the others at most every 2.5 s, and at once when it ends. */
  typing(roomId: string, on: boolean): void {
    const last = this.typedAt.get(roomId)
    if (on ? last !== undefined && Date.now() - last < TYPING_EVERY_MS : last === undefined) return
    if (on) this.typedAt.set(roomId, Date.now())
    else this.typedAt.delete(roomId)
    this.tell('typing', { room_id: roomId, on })
  }

  /** Everything held of the room has been seen. */
  markRead(roomId: string): void {
    const room = this.replica.room(roomId)
    if (room === undefined || this.connection.get().phase !== 'live') return
    const { seq } = room.get().timeline.last
    const told = this.readSent.get(roomId) ?? 0
    if (seq <= Math.max(told, room.get().room.last_read_seq)) return
    this.readSent.set(roomId, seq)
    room.applyReads([{ user_id: this.me.get().id, seq }])
    this.tell('read', { room_id: roomId, seq })
  }

  /** Said again on every new connection, which starts as online. */
  setPresence(state: 'online' | 'away'): void {
    this.away = state === 'away'
    this.tell('presence', { state })
  }

  /** The network may have changed, or the machine woke up. */
  nudge(): void {
    this.link.nudge()
  }

  /** Signals are not repeated: when one is lost, the next one tells. */
  private tell<N extends 'typing' | 'read' | 'presence'>(name: N, fields: Commands[N]['fields']): void {
    this.link.call(name, fields).catch(() => {
      if (name === 'read') this.readSent.clear()
    })
  }

  private onSent(roomId: string, clientId: string, seq: number): void {
    const room = this.replica.room(roomId)
    if (room === undefined) return
    room.setTimeline((held) => timeline.confirm(held, clientId, seq))
    this.replica.expect(room, seq)
  }

  /** What waits for this room, from disk or since its copy was dropped, goes on its way. */
  private carryUnsent(room: RoomStore): void {
    for (const message of this.unsent.get(room.id) ?? []) {
      room.setTimeline((held) => timeline.addOutgoing(held, message))
      const isUnsent = room.get().timeline.outgoing.some(({ client_id }) => client_id === message.client_id)
      if (!isUnsent) this.courier.drop(room.id, message.client_id)
    }
    this.unsent.delete(room.id)
    for (const message of room.get().timeline.outgoing) {
      if (message.state === 'sending') this.courier.enqueue(room.id, message)
    }
  }

  private holdUnsent(room: RoomStore): void {
    const unsent = room.get().timeline.outgoing.filter(({ state }) => state !== 'sent')
    if (unsent.length > 0) this.unsent.set(room.id, unsent)
    this.courier.hold(room.id)
  }

  /** What did not fit into a welcome. */
  private async fetchRooms(cursor: string, welcome: Welcome): Promise<void> {
    const complete = await takePages(
      cursor,
      (next) => bodyOf(this.api.GET('/rooms', { params: { query: { cursor: next } } })),
      (rooms) => {
        for (const room of rooms) this.replica.addRoom(room)
        this.replica.sort()
      },
      () => this.welcome === welcome,
    )
    if (complete) this.replica.endList()
  }
}

async function fetchUsers(api: Api, ids: string[]): Promise<User[]> {
  const { items } = await bodyOf(api.GET('/users', { params: { query: { ids } } }))
  return items
}
