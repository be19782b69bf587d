import type { RoomStore } from './roomStore'
import { isMissing } from './timeline'

const PATIENCE_MS = 1_000

/** Asks for what is missing in a room when it has not come by itself within 1 s (RES5). */
export class Gaps {
  private readonly timers = new Map<RoomStore, ReturnType<typeof setTimeout>>()
  private readonly mend: (room: RoomStore) => Promise<void>

  constructor(mend: (room: RoomStore) => Promise<void>) {
    this.mend = mend
  }

  /** Called whenever the room has changed. */
  watch(room: RoomStore): void {
    const missing = isMissing(room.get().timeline)
    const timer = this.timers.get(room)
    if (missing && timer === undefined) this.timers.set(room, setTimeout(() => void this.ask(room), PATIENCE_MS))
    if (!missing && timer !== undefined) this.forget(room)
  }

  forget(room: RoomStore): void {
    clearTimeout(this.timers.get(room))
    this.timers.delete(room)
  }

  dispose(): void {
    for (const room of [...this.timers.keys()]) this.forget(room)
  }

  private async ask(room: RoomStore): Promise<void> {
    try {
      await this.mend(room)
    } catch {
      // refused or cut: tried again as long as it is missing
    }
    if (!this.timers.has(room)) return // forgotten meanwhile
    this.timers.delete(room)
    this.watch(room)
  }
}
