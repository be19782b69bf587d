import type { CommandName, Commands, Entry, User } from '../net/frames'
import { CommandError } from '../net/link'
import type { Replica } from './replica'
import type { RoomStore } from './roomStore'
import * as timeline from './timeline'

export type Call = <N extends CommandName>(name: N, fields: Commands[N]['fields']) => Promise<Commands[N]['reply']>

/** Entries without holes, ascending. */
export interface Stretch {
  entries: Entry[]
  users: User[]
  /** Whether there are older ones. */
  has_more: boolean
}

/** Whether a message was found: `nowhere` is beyond the end. */
export type Found = 'there' | 'nowhere' | 'early'

const PAGE = 50
/** How much of what comes before a place is shown with it. */
const ABOVE = 25

/** What follows a number, and a little of what comes before. */
export async function stretchAround(call: Call, roomId: string, after: number): Promise<Stretch> {
  const [before, next] = await Promise.all([
    after > 0
      ? call('history', { room_id: roomId, before_seq: after + 1, limit: ABOVE })
      : { entries: [], users: [], has_more: false },
    call('history', { room_id: roomId, after_seq: after, limit: PAGE }),
  ])
  return {
    entries: [...before.entries, ...next.entries],
    users: [...before.users, ...next.users],
    has_more: before.has_more,
  }
}

/** Whether asking again by itself is of no use: the server said no, and named no time to come back. */
export const isRefused = (error: unknown) => error instanceof CommandError && error.retryAfterMs === 0

/** Whether a stretch of the log reaches over a number. */
function holds(entries: readonly Entry[] | undefined, seq: number): boolean {
  const [first, last] = [entries?.[0], entries?.at(-1)]
  return first !== undefined && last !== undefined && first.seq <= seq && seq <= last.seq
}

/** Reads a room's log where it is not held: page by page from what is on screen, or at a place far from it. */
export class History {
  private readonly replica: Replica
  private readonly call: Call

  constructor(replica: Replica, call: Call) {
    this.replica = replica
    this.call = call
  }

  /** Adds an earlier page. Nothing happens while one is on its way, when there is none, or after one was refused. */
  async loadOlder(roomId: string): Promise<void> {
    const room = this.replica.room(roomId)
    if (room === undefined) return
    const { timeline: held, filled, refused } = room.get()
    const { entries, hasMore } = held.past ?? held
    if (!filled || refused || !hasMore || entries[0] === undefined) return
    await this.load(room, 'older', { before_seq: entries[0].seq }, (now, page) =>
      timeline.prepend(now, page.entries, page.has_more),
    )
  }

  /** Asks once more for what was refused: the newest page, or an earlier one. */
  again(roomId: string): void {
    const room = this.replica.room(roomId)
    room?.patch({ refused: false })
    if (room?.get().filled === true) void this.loadOlder(roomId)
    else this.replica.open(roomId)
  }

  /** Adds a later page, where what is on screen is not the end of the log. */
  async loadNewer(roomId: string): Promise<void> {
    const room = this.replica.room(roomId)
    const last = room?.get().timeline.past?.entries.at(-1)
    if (room === undefined || last === undefined) return
    await this.load(room, 'newer', { after_seq: last.seq }, (now, page) => timeline.append(now, page.entries))
  }

  /**
   * Shows the log at a number; a number that is none is taken for the nearest. Before it is known what there is, and
   * without a connection, it may be too early to tell.
   */
  async goTo(roomId: string, seq: number): Promise<Found> {
    const room = this.replica.room(roomId)
    if (room?.get().filled !== true) return 'early'
    const { timeline: held, joined } = room.get()
    if ([held.past?.entries, held.entries].some((entries) => holds(entries, seq))) {
      const inRun = holds(held.entries, seq)
      room.show((now) => (inRun ? timeline.leave(now) : now), 'place', seq)
      return 'there'
    }
    if (seq > held.known) {
      if (joined !== 'yes') return 'early' // there may be more by now
      this.toLatest(roomId)
      return 'nowhere'
    }
    try {
      const stretch = await stretchAround(this.call, roomId, Math.max(0, seq - 1))
      this.replica.people.learn(stretch.users)
      this.replica.wantNames(room, stretch.entries)
      room.show((now) => timeline.visit(now, stretch.entries, stretch.has_more), 'place', seq)
      return 'there'
    } catch {
      return 'early' // the connection went: whoever wants to go there asks again
    }
  }

  /** Shows the end of the log again. */
  toLatest(roomId: string): void {
    const room = this.replica.room(roomId)
    if (room?.get().timeline.past !== undefined) room.show((held) => timeline.leave(held), 'end')
  }

  private async load(
    room: RoomStore,
    loading: 'older' | 'newer',
    where: { before_seq: number } | { after_seq: number },
    add: (held: timeline.Timeline, page: Commands['history']['reply']) => timeline.Timeline,
  ): Promise<void> {
    if (room.get().loading !== undefined) return
    room.patch({ loading })
    try {
      const page = await this.patiently(room.id, where)
      this.replica.people.learn(page.users)
      this.replica.wantNames(room, page.entries)
      room.setTimeline((now) => add(now, page))
    } catch (error) {
      // The connection went: it is asked again on the next one.
      if (loading === 'older') room.patch({ refused: isRefused(error) })
    } finally {
      room.patch({ loading: undefined })
    }
  }

  /** A page, as soon as the server gives it. */
  private async patiently(room_id: string, where: { before_seq: number } | { after_seq: number }) {
    for (;;) {
      try {
        return await this.call('history', { room_id, ...where, limit: PAGE })
      } catch (error) {
        if (!(error instanceof CommandError) || isRefused(error)) throw error
        await new Promise((done) => setTimeout(done, error.retryAfterMs))
      }
    }
  }
}
