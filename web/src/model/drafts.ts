import type { Outbox } from './outbox'
import { Tabs } from './tabs'

interface Written {
  user: string
  room: string
  text: string
}

/** What a user has begun to write: one draft per room, in all tabs of the browser. Whoever writes last has written it. */
export class Drafts {
  private readonly user: string
  private readonly outbox: Outbox
  private readonly tabs: Tabs<Written>
  private readonly watchers = new Set<() => void>()
  private readonly byRoom = new Map<string, Set<() => void>>()

  constructor(user: string, outbox: Outbox) {
    this.user = user
    this.outbox = outbox
    this.tabs = new Tabs<Written>('gochat-drafts', ({ user: whose, room, text }) => {
      if (whose !== user) return
      outbox.heardDraft(room, text)
      for (const watcher of this.watchers) watcher()
      this.changed(room)
    })
  }

  of(room: string): string {
    return this.outbox.draft(room)
  }

  write(room: string, text: string): void {
    void this.outbox.setDraft(room, text)
    this.tabs.tell({ user: this.user, room, text })
    this.changed(room)
  }

  /** Called whenever another tab has written. */
  readonly subscribe = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }

  /** Called whenever the draft of one room is another, whoever wrote it: what is written in one room costs the others nothing. */
  watch(room: string, watcher: () => void): () => void {
    const watchers = this.byRoom.get(room) ?? new Set()
    this.byRoom.set(room, watchers.add(watcher))
    return () => {
      watchers.delete(watcher)
      if (watchers.size === 0 && this.byRoom.get(room) === watchers) this.byRoom.delete(room)
    }
  }

  private changed(room: string): void {
    for (const watcher of this.byRoom.get(room) ?? []) watcher()
  }

  /** Hears the other tabs no more. */
  close(): void {
    this.tabs.close()
  }
}
