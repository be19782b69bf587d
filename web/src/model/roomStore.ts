import { type Entry, type JoinReply, type ReadPosition, type Room, dataOf } from '../net/frames'
import type { KeptRoom } from './kept'
import { Store } from './store'
import * as timeline from './timeline'

export interface RoomState {
  readonly room: Room
  readonly timeline: timeline.Timeline
  /** Whether the newest entries, presence and reads have been asked for. */
  readonly joined: 'no' | 'joining' | 'yes'
  /** Whether the copy reaches back a page from the newest entry (a room never opened holds only what was pushed). */
  readonly filled: boolean
  /** The page of history that is on its way. */
  readonly loading?: 'older' | 'newer'
  /** Whether the newest page, or an older one, was refused: it is asked for again by hand, or on the next connection. */
  readonly refused: boolean
  /** Where the room is to be shown; a new one each time that is decided. */
  readonly view: View
  /** How far each of the others has read. */
  readonly reads: ReadonlyMap<string, number>
  /** Who types. */
  readonly typing: ReadonlySet<string>
  /** Set in crowded rooms, where states are not pushed one by one. */
  readonly onlineCount?: number
  /** Who of the room is online or away, in any other; unknown before it was joined. */
  readonly here?: ReadonlySet<string>
  /** Where the "new" line is drawn: after this number. */
  readonly unreadAfter?: number
}

export interface View {
  readonly id: number
  /** The first unread message, if that is out of view at the end; or the end; or the message with the number `at`. */
  readonly from: 'unread' | 'end' | 'place'
  readonly at?: number
}

const TYPING_MS = 6_000

/** One room of the user: what is known of it, and how each thing that is heard changes that. */
export class RoomStore extends Store<RoomState> {
  readonly id: string
  private readonly me: string
  private readonly typingTimers = new Map<string, ReturnType<typeof setTimeout>>()

  constructor(me: string, room: Room, kept?: KeptRoom) {
    super({
      room,
      timeline: timelineOf(me, room, kept),
      joined: 'no',
      filled: kept?.filled ?? false,
      refused: false,
      view: { id: 0, from: 'unread' },
      reads: new Map(),
      typing: new Set(),
    })
    this.id = room.id
    this.me = me
  }

  patch(change: Partial<RoomState>): void {
    this.update((state) => ({ ...state, ...change }))
  }

  setTimeline(change: (held: timeline.Timeline) => timeline.Timeline): void {
    this.update((state) => {
      const next = change(state.timeline)
      return next === state.timeline ? state : { ...state, timeline: next }
    })
  }

  /** Changes what part of the log is shown, and where. */
  show(change: (held: timeline.Timeline) => timeline.Timeline, from: View['from'], at?: number): void {
    this.update((state) => ({ ...state, timeline: change(state.timeline), refused: false, view: { id: state.view.id + 1, from, at } }))
  }

  /** What the room is called, and one's role in it. */
  setProfile({ name, topic, visibility, role }: Room): void {
    this.update((state) => ({
      ...state,
      room: { ...state.room, name, topic, visibility, role: role ?? state.room.role },
    }))
  }

  /** The room as the server sees it for this user. Counts older than the entries held are left out. */
  setRoom(told: Room): void {
    this.setProfile(told)
    this.update((state) => {
      const held = state.room
      if (told.head_seq < held.head_seq) return state
      const last_read_seq = Math.max(held.last_read_seq, told.last_read_seq)
      const unread_count = last_read_seq > told.last_read_seq ? held.unread_count : told.unread_count
      const last_entry = newer(held.last_entry, told.last_entry)
      return { ...state, room: { ...held, ...told, role: told.role ?? held.role, last_read_seq, unread_count, last_entry } }
    })
  }

  setHere(userId: string, isHere: boolean): void {
    const before = this.get().here
    if (before === undefined || before.has(userId) === isHere) return
    const here = new Set(before)
    if (isHere) here.add(userId)
    else here.delete(userId)
    this.patch({ here })
  }

  /** Takes in entries; returns those that the timeline accepted now. */
  apply(entries: readonly Entry[]): readonly Entry[] {
    const before = this.get().timeline
    this.update((state) => withEntries(state, timeline.apply(state.timeline, entries), this.me))
    const accepted = this.get().timeline.entries.slice(before.entries.length)
    for (const entry of accepted) {
      this.setTyping(entry.sender_id, false)
      const { user_id } = dataOf(entry)
      if (typeof user_id !== 'string') continue
      if (entry.kind === 'member_left') this.setTyping(user_id, false)
      // Who joins is there; where not, that is heard.
      if (entry.kind === 'member_left' || entry.kind === 'member_joined') this.setHere(user_id, entry.kind === 'member_joined')
    }
    return accepted
  }

  applyJoin(reply: JoinReply): void {
    const { presence } = reply
    const onlineCount = typeof presence?.online_count === 'number' ? presence.online_count : undefined
    this.update((state) => ({
      ...withEntries(state, timeline.join(state.timeline, reply.entries, reply.has_more), this.me),
      joined: 'yes',
      filled: true,
      onlineCount,
      here: onlineCount === undefined ? new Set(Object.keys(presence ?? {})) : undefined,
    }))
    this.setRoom(reply.room)
    this.applyReads(reply.reads ?? []) // what was pushed meanwhile may be further
    this.setTimeline((held) => timeline.expect(held, reply.room.head_seq))
    for (const userId of reply.typing ?? []) this.setTyping(userId, true)
  }

  /**
   * Drops the copy: it must be joined afresh (RES3).
   *
   * @param told the room as the server sees it now; without it, what lies above the head is forgotten
   */
  reset(headSeq: number, told?: Room): void {
    this.update((state) => {
      const { last_entry } = state.room
      const kept = last_entry !== undefined && last_entry.seq <= headSeq ? last_entry : undefined
      return {
        ...state,
        joined: 'no',
        filled: false,
        reads: new Map(),
        room: { ...state.room, last_entry: kept, head_seq: headSeq, ...told },
        timeline: timeline.reset(state.timeline, { seq: headSeq }, told?.last_entry),
      }
    })
  }

  applyReads(reads: readonly ReadPosition[]): void {
    this.update((state) => {
      const next = new Map(state.reads)
      let { room } = state
      for (const { user_id, seq } of reads) {
        if (user_id === this.me) room = readUpTo(room, state.timeline, this.me, seq)
        else next.set(user_id, Math.max(seq, next.get(user_id) ?? 0))
      }
      return { ...state, room, reads: next }
    })
  }

  setTyping(userId: string, on: boolean): void {
    clearTimeout(this.typingTimers.get(userId))
    this.typingTimers.delete(userId)
    if (userId === this.me) return
    if (on) this.typingTimers.set(userId, setTimeout(() => this.setTyping(userId, false), TYPING_MS))
    if (this.get().typing.has(userId) === on) return
    this.update((state) => {
      const typing = new Set(state.typing)
      if (on) typing.add(userId)
      else typing.delete(userId)
      return { ...state, typing }
    })
  }

  dispose(): void {
    for (const timer of this.typingTimers.values()) clearTimeout(timer)
  }
}

function timelineOf(me: string, room: Room, kept?: KeptRoom): timeline.Timeline {
  const newest = kept?.entries.at(-1)
  if (kept === undefined || newest === undefined) return timeline.start(me, { seq: room.head_seq }, room.last_entry)
  return timeline.prepend(timeline.start(me, newest, newest), kept.entries.slice(0, -1), kept.hasMore)
}

/** What there is above the copy: nothing, as far as is known or asked for; or why it is not there yet. */
export type Above = 'nothing' | 'coming' | 'away' | 'refused'

export function aboveOf({ filled, loading, refused, timeline }: RoomState, live: boolean): Above {
  if (filled && !(timeline.past ?? timeline).hasMore) return 'nothing'
  if (!live) return 'away'
  if (refused) return 'refused'
  return filled && loading !== 'older' ? 'nothing' : 'coming'
}

/** When something last happened, for sorting. */
export function lastActivity({ room }: RoomState): string {
  return room.last_entry?.at ?? room.created_at
}

function newer(held: Entry | undefined, told: Entry | undefined): Entry | undefined {
  if (held === undefined || told === undefined) return told ?? held
  return told.seq > held.seq ? told : held
}

const MEMBER_CHANGE: Partial<Record<string, number>> = { member_joined: 1, member_left: -1 }
const MOST_UNREAD = 100

function withEntries(state: RoomState, held: timeline.Timeline, me: string): RoomState {
  if (held === state.timeline) return state
  const heldBefore = held.entries.findLastIndex((entry) => entry.seq <= state.timeline.last.seq)
  const added = held.entries.slice(heldBefore + 1)
  let { member_count, unread_count } = state.room
  for (const entry of added) {
    if (entry.seq <= state.room.head_seq) continue // the server has counted it already
    member_count += MEMBER_CHANGE[entry.kind] ?? 0
    if (isUnread(entry, me, state.room.last_read_seq)) unread_count = Math.min(MOST_UNREAD, unread_count + 1)
  }
  const last = added.at(-1)
  const head_seq = Math.max(state.room.head_seq, held.last.seq)
  const room = { ...state.room, member_count, unread_count, head_seq, last_entry: newer(state.room.last_entry, last) }
  return { ...state, timeline: held, room }
}

function isUnread(entry: Entry, me: string, lastRead: number): boolean {
  return entry.kind === 'text' && entry.sender_id !== me && entry.seq > lastRead
}

/** Reading only moves forward (SIG2). What is left unread is counted in the entries held. */
function readUpTo(room: Room, held: timeline.Timeline, me: string, seq: number): Room {
  if (seq <= room.last_read_seq) return room
  const after = held.entries.slice(held.entries.findLastIndex((entry) => entry.seq <= seq) + 1)
  const left = after.filter((entry) => isUnread(entry, me, seq)).length
  return { ...room, last_read_seq: seq, unread_count: Math.min(room.unread_count, left) }
}
