import {
  type Entry,
  type JoinReply,
  type PresenceChange,
  type PresenceState,
  type Push,
  type Room,
  type User,
  type Welcome,
  dataOf,
} from '../net/frames'
import type { HeldPosition } from '../net/connection'
import { CommandError } from '../net/link'
import { Gaps } from './gaps'
import { type Call, type Stretch, isRefused, stretchAround } from './history'
import type { Kept, KeptRoom } from './kept'
import type { People } from './people'
import { RoomStore, lastActivity } from './roomStore'
import { Store } from './store'
import * as timeline from './timeline'

/** Told to whoever shows request data (the list of a room's members): it is out of date. */
export interface Stale {
  what: 'members'
  roomId: string
}

export interface ReplicaHandlers {
  call: Call
  /** A room has become known, or known again with unconfirmed messages: they are to be carried. */
  onRoom(room: RoomStore): void
  /** A room is the user's no more. */
  onGone(room: RoomStore): void
  /** An own message is in the log. */
  onConfirmed(roomId: string, clientId: string): void
  onStale(stale: Stale): void
}

/** This client's copy of its rooms: everything that the server says ends here. */
export class Replica {
  readonly me: Store<User>
  readonly people: People
  /** Last active first; undefined until the first welcome. */
  readonly rooms = new Store<readonly RoomStore[] | undefined>(undefined)
  /** The entry that was taken in last. */
  readonly newest = new Store<Entry | undefined>(undefined)
  private readonly handlers: ReplicaHandlers
  private readonly held = new Map<string, RoomStore>()
  private readonly gaps = new Gaps((room) => this.mend(room))
  /** Rooms that ended for this user while the page was open, and by what: `left`, `removed` or `deleted`. */
  private readonly removed = new Map<string, string>()
  private readonly retries = new Set<ReturnType<typeof setTimeout>>()
  /** Those held when the welcome came, and not heard of since. */
  private unlisted = new Set<string>()
  private epoch: string | undefined
  private openRoom: string | undefined
  private presenceIsOld = false
  /** How far the server's clock is ahead of this machine's, which may be hours wrong. */
  private aheadMs = 0

  constructor(me: Store<User>, people: People, handlers: ReplicaHandlers) {
    this.me = me
    this.people = people
    this.handlers = handlers
  }

  dispose(): void {
    this.gaps.dispose()
    for (const timer of this.retries) clearTimeout(timer)
    for (const room of this.held.values()) room.dispose()
  }

  /** Begins with what was kept: the next connection goes on from there. */
  restore({ epoch, users, rooms }: Kept): void {
    this.epoch = epoch
    this.people.learn(users)
    for (const kept of rooms) this.addRoom(kept.room, kept)
    this.sort()
  }

  /** The history that the positions belong to (RES3). */
  heldEpoch(): string | undefined {
    return this.epoch
  }

  /** The time by the server's clock, as entries are dated. */
  now(): number {
    return Date.now() + this.aheadMs
  }

  room(roomId: string): RoomStore | undefined {
    return this.held.get(roomId)
  }

  /** By what a room that is not held any more ended, if that was seen. */
  whyGone(roomId: string): string | undefined {
    return this.removed.get(roomId)
  }

  /** The room on screen: its newest entries, presence and reads are asked for, and kept up to date. */
  open(roomId: string): void {
    this.openRoom = roomId
    const room = this.held.get(roomId)
    if (room?.get().joined === 'no') void this.join(room)
  }

  close(roomId: string): void {
    if (this.openRoom === roomId) this.openRoom = undefined
  }

  /** The room on screen first: of more rooms than a connection resumes, it is not to begin afresh. */
  resumeFrom(): { positions: HeldPosition[]; epoch?: string } {
    const isOpen = ({ id }: RoomStore) => Number(id === this.openRoom)
    const positions = (this.rooms.get() ?? []).toSorted((a, b) => isOpen(b) - isOpen(a)).map((room) => {
      const { seq, id } = room.get().timeline.last
      return { room_id: room.id, seq, id }
    })
    return { positions, epoch: this.epoch }
  }

  onWelcome(welcome: Welcome, resumed: ReadonlySet<string>): void {
    const changedEpoch = this.epoch !== undefined && this.epoch !== welcome.epoch
    this.epoch = welcome.epoch
    this.aheadMs = Date.parse(welcome.server_time) - Date.now()
    this.presenceIsOld = true
    this.me.set(welcome.user)
    this.people.learn([welcome.user])
    this.people.renew(welcome.user.id)
    for (const room of this.held.values()) room.patch({ joined: 'no', refused: false })
    this.unlisted = new Set(this.held.keys())
    for (const room of welcome.rooms) {
      const held = this.addRoom(room)
      // What was not asked to be replayed starts at the welcome's head.
      const behind = changedEpoch || held.get().timeline.last.seq !== room.head_seq
      if (behind && !resumed.has(room.id)) this.startAfresh(held, room.head_seq, room)
    }
    if (welcome.rooms_next === undefined) this.endList()
    this.sort()
    const open = this.openRoom === undefined ? undefined : this.held.get(this.openRoom)
    if (open !== undefined) void this.join(open)
  }

  onPush(push: Push): void {
    const room = 'room_id' in push ? this.held.get(push.room_id) : undefined
    switch (push.type) {
      case 'entry': {
        const { type: _type, ...entry } = push
        if (room !== undefined) this.accept(room, [entry])
        break
      }
      case 'typing':
        this.people.want([push.user_id])
        room?.setTyping(push.user_id, push.on)
        break
      case 'read':
        this.people.want(push.reads.map(({ user_id }) => user_id))
        room?.applyReads(push.reads)
        break
      case 'presence':
        this.people.apply(push.changes ?? [])
        for (const { user_id, state } of push.changes ?? []) room?.setHere(user_id, state !== 'offline')
        if (push.online_count !== undefined) room?.patch({ onlineCount: push.online_count })
        break
      case 'room_added':
        this.addRoom(push.room)
        this.sort()
        if (this.openRoom === push.room.id) this.open(push.room.id)
        break
      case 'room_updated':
        this.held.get(push.room.id)?.setProfile(push.room)
        break
      case 'room_removed':
        this.removed.set(push.room_id, push.reason)
        this.removeRoom(push.room_id)
        break
      case 'user_updated':
        this.people.learn([push.user])
        if (push.user.id === this.me.get().id) this.me.set(push.user)
        break
      case 'resumed':
        if (room !== undefined && !push.recovered) this.startAfresh(room, push.head_seq)
    }
  }

  /** A room is the user's: by a welcome, by `room_added`, or by the answer to a request, in any order. */
  addRoom(told: Room, kept?: KeptRoom): RoomStore {
    this.unlisted.delete(told.id)
    const known = this.held.get(told.id)
    if (known !== undefined) {
      known.setRoom(told)
      this.expect(known, told.head_seq)
      return known
    }
    const room = new RoomStore(this.me.get().id, told, kept)
    this.held.set(room.id, room)
    this.handlers.onRoom(room)
    this.wantNames(room, told.last_entry === undefined ? [] : [told.last_entry])
    return room
  }

  /** All of the user's rooms have been listed: those that were not among them are the user's no more. */
  endList(): void {
    for (const id of this.unlisted) this.removeRoom(id)
    this.unlisted.clear()
  }

  removeRoom(roomId: string): void {
    const room = this.held.get(roomId)
    if (room === undefined) return
    room.dispose()
    this.gaps.forget(room)
    this.held.delete(roomId)
    this.handlers.onGone(room)
    this.sort()
  }

  /** The number is committed: if its entry does not come, it is asked for. */
  expect(room: RoomStore, seq: number): void {
    room.setTimeline((held) => timeline.expect(held, seq))
    this.gaps.watch(room)
  }

  /** Puts the list in order of activity. */
  sort(): void {
    const rooms = [...this.held.values()]
    const at = new Map(rooms.map((room) => [room, lastActivity(room.get())]))
    rooms.sort((a, b) => (at.get(b) ?? '').localeCompare(at.get(a) ?? '') || a.id.localeCompare(b.id))
    const before = this.rooms.get()
    if (before?.length === rooms.length && before.every((room, index) => room === rooms[index])) return
    this.rooms.set(rooms)
  }

  wantNames(room: RoomStore, entries: readonly Entry[]): void {
    this.people.want(entries.flatMap(peopleIn))
    this.people.want(room.get().reads.keys())
  }


  private accept(room: RoomStore, entries: readonly Entry[]): void {
    const accepted = room.apply(entries)
    this.gaps.watch(room)
    if (accepted.length === 0) return
    for (const { sender_id, client_id, kind } of accepted) {
      if (client_id !== undefined && sender_id === this.me.get().id) this.handlers.onConfirmed(room.id, client_id)
      if (kind.startsWith('member_') || kind === 'role_changed') this.handlers.onStale({ what: 'members', roomId: room.id })
    }
    this.wantNames(room, accepted)
    this.sort()
    for (const entry of accepted) this.newest.set(entry)
  }

  private startAfresh(room: RoomStore, headSeq: number, told?: Room): void {
    room.reset(headSeq, told)
    this.gaps.watch(room)
    this.handlers.onRoom(room)
    if (this.openRoom === room.id) void this.join(room)
  }

  private async join(room: RoomStore): Promise<void> {
    const { filled, timeline: held } = room.get()
    const from = filled ? { last_received_seq: held.last.seq, last_received_id: held.last.id } : {}
    room.patch({ joined: 'joining', refused: false })
    try {
      const reply = await this.handlers.call('join', { room_id: room.id, ...from })
      const unread = filled ? undefined : await this.unreadBefore(reply)
      this.people.learn([...reply.users, ...(unread?.users ?? [])])
      this.applyStates(reply.presence)
      if (reply.recovered === false) {
        room.reset(reply.room.head_seq, reply.room)
        this.handlers.onRoom(room)
      }
      room.applyJoin(reply)
      if (unread !== undefined) {
        room.patch({ unreadAfter: reply.room.last_read_seq })
        room.show((held) => timeline.visit(held, unread.entries, unread.has_more), 'unread')
      }
      this.gaps.watch(room)
      this.wantNames(room, [...reply.entries, ...(unread?.entries ?? [])])
      this.sort()
    } catch (error) {
      room.patch({ joined: 'no', refused: isRefused(error) }) // after a cut, the next welcome asks again
      if (error instanceof CommandError) this.joinLater(room, error.retryAfterMs)
    }
  }

  /** The log around the first unread message, where the newest page does not reach back to it. */
  private async unreadBefore({ room, entries, has_more }: JoinReply): Promise<Stretch | undefined> {
    const { id, unread_count, last_read_seq } = room
    const first = entries[0]
    if (unread_count === 0 || !has_more || first === undefined || timeline.prevSeq(first) <= last_read_seq) return undefined
    return stretchAround(this.handlers.call, id, last_read_seq)
  }

  /** On a new connection nothing is known of who went while there was none: the first answer starts afresh. */
  private applyStates(presence: JoinReply['presence']): void {
    const states = statesOf(presence)
    if (this.presenceIsOld) this.people.replacePresence(states)
    else this.people.apply(states)
    this.presenceIsOld = false
  }

  private joinLater(room: RoomStore, afterMs: number): void {
    if (afterMs === 0) return
    const timer = setTimeout(() => {
      this.retries.delete(timer)
      if (this.openRoom === room.id) this.open(room.id)
    }, afterMs)
    this.retries.add(timer)
  }

  /** Asks for what follows the position; an entry that does not follow it shows that the history has changed. */
  private async mend(room: RoomStore): Promise<void> {
    const { last } = room.get().timeline
    const page = await this.handlers.call('history', { room_id: room.id, after_seq: last.seq, limit: 200 })
    this.people.learn(page.users)
    const first = page.entries[0]
    const moved = room.get().timeline.last.seq !== last.seq
    if (!moved && first !== undefined && timeline.prevSeq(first) !== last.seq) {
      this.startAfresh(room, page.entries.at(-1)?.seq ?? last.seq)
      return
    }
    this.accept(room, page.entries)
  }
}

/** Everyone an entry names. */
function peopleIn(entry: Entry): string[] {
  const { user_id, by } = dataOf(entry)
  return [entry.sender_id, user_id, by].filter((id) => typeof id === 'string')
}

function statesOf(presence: JoinReply['presence']): PresenceChange[] {
  return Object.entries(presence ?? {}).flatMap(([user_id, state]: [string, PresenceState | number]) =>
    typeof state === 'string' ? [{ user_id, state }] : [],
  )
}
