import type { KeptCopy, KeptRoom } from './kept'
import type { Replica } from './replica'
import type { RoomStore } from './roomStore'

const EVERY_MS = 2_000
const MOST_ENTRIES = 100

/** Keeps the copy on disk like the one in memory: what has changed is written every two seconds, and when the page goes. */
export class Keeper {
  private readonly replica: Replica
  private readonly copy: KeptCopy
  private readonly changed = new Set<string>()
  private readonly watched = new Map<string, () => void>()
  private readonly stops: (() => void)[] = []
  private readonly gone = new Set<string>()
  private timer: ReturnType<typeof setTimeout> | undefined
  /** Whether what is in the copy is what this page began with. */
  private known: boolean

  /** @param known the replica was restored from the copy: otherwise what is in it is of another time, or somebody else's */
  constructor(replica: Replica, copy: KeptCopy, known: boolean) {
    this.replica = replica
    this.copy = copy
    this.known = known
  }

  start(): void {
    this.stops.push(this.replica.rooms.subscribe(() => this.follow()))
    if (typeof document === 'undefined') return
    const onHidden = () => {
      if (document.visibilityState === 'hidden') void this.write()
    }
    document.addEventListener('visibilitychange', onHidden)
    this.stops.push(() => document.removeEventListener('visibilitychange', onHidden))
  }

  dispose(): void {
    clearTimeout(this.timer)
    for (const stop of [...this.stops, ...this.watched.values()]) stop()
    this.watched.clear()
    this.changed.clear()
  }

  /** Writes what has changed since it was last written. */
  async write(): Promise<void> {
    clearTimeout(this.timer)
    this.timer = undefined
    const rooms = [...this.changed].flatMap((id) => this.replica.room(id) ?? [])
    const gone = this.known ? [...this.gone] : 'others'
    if (rooms.length + this.gone.size === 0) return
    this.changed.clear()
    this.gone.clear()
    this.known = true
    const { me, people } = this.replica
    const about = { user: me.get(), epoch: this.replica.heldEpoch(), users: [...people.users.get().values()] }
    await this.copy.save(about, rooms.map(keptOf), gone)
  }

  /** Watches the rooms that there are now. */
  private follow(): void {
    const rooms = this.replica.rooms.get() ?? []
    const here = new Set(rooms.map(({ id }) => id))
    for (const [id, stop] of this.watched) {
      if (here.has(id)) continue
      stop()
      this.watched.delete(id)
      this.changed.delete(id)
      this.note(this.gone, id)
    }
    for (const room of rooms) {
      if (this.watched.has(room.id)) continue
      this.gone.delete(room.id)
      this.watched.set(room.id, room.subscribe(() => this.note(this.changed, room.id)))
      this.note(this.changed, room.id)
    }
  }

  private note(what: Set<string>, id: string): void {
    what.add(id)
    this.timer ??= setTimeout(() => void this.write(), EVERY_MS)
  }
}

function keptOf(store: RoomStore): KeptRoom {
  const { room, timeline, filled } = store.get()
  const entries = timeline.entries.slice(-MOST_ENTRIES)
  return { room, entries, hasMore: timeline.hasMore || entries.length < timeline.entries.length, filled }
}
